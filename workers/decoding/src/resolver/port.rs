//! Reads ports and protocols by the name of their service: `https` is 443 and `tcp`.

use super::{Found, stands_alone};
use crate::words;

/// Service, port, protocol: facts of the IANA registry and of well-known programs.
const SERVICES: &[(&str, u16, &str)] = &[
    ("http", 80, "tcp"),
    ("https", 443, "tcp"),
    ("ssh", 22, "tcp"),
    ("sftp", 22, "tcp"),
    ("ftp", 21, "tcp"),
    ("telnet", 23, "tcp"),
    ("smtp", 25, "tcp"),
    ("dns", 53, "udp"),
    ("ntp", 123, "udp"),
    ("imap", 143, "tcp"),
    ("ldap", 389, "tcp"),
    ("ldaps", 636, "tcp"),
    ("imaps", 993, "tcp"),
    ("nfs", 2049, "tcp"),
    ("mysql", 3306, "tcp"),
    ("mariadb", 3306, "tcp"),
    ("rdp", 3389, "tcp"),
    ("postgres", 5432, "tcp"),
    ("postgresql", 5432, "tcp"),
    ("redis", 6379, "tcp"),
    ("mongodb", 27017, "tcp"),
    ("mongo", 27017, "tcp"),
    ("kafka", 9092, "tcp"),
    ("elasticsearch", 9200, "tcp"),
    ("etcd", 2379, "tcp"),
    ("mssql", 1433, "tcp"),
    ("rabbitmq", 5672, "tcp"),
    ("cassandra", 9042, "tcp"),
    ("memcached", 11211, "tcp"),
    ("prometheus", 9090, "tcp"),
    ("syslog", 514, "udp"),
];

const PROTOCOLS: &[&str] = &["tcp", "udp", "icmp", "sctp", "icmpv6"];

/// Ports of the services named in the text.
pub fn find(text: &str) -> Vec<Found<u16>> {
    named(text).map(|(found, port, _)| Found { range: found.range, value: port }).collect()
}

/// Transport protocols, named themselves or by a service.
pub fn find_protocols(text: &str) -> Vec<Found<&'static str>> {
    let alone = |word: &words::Word| stands_alone(text, &(word.start..word.end));
    let said = words::split(text).into_iter().filter(alone).filter_map(|word| {
        let protocol = PROTOCOLS.iter().find(|known| **known == word.lower)?;
        Some(Found { range: word.start..word.end, value: *protocol })
    });
    let mut found: Vec<_> = said.collect();
    found.extend(named(text).map(|(found, _, protocol)| Found { range: found.range, value: protocol }));
    found
}

// === private ===

fn named(text: &str) -> impl Iterator<Item = (Found<()>, u16, &'static str)> + '_ {
    let alone = |word: &words::Word| stands_alone(text, &(word.start..word.end));
    words::split(text).into_iter().filter(move |word| alone(word)).filter_map(|word| {
        let (_, port, protocol) = SERVICES.iter().find(|row| row.0 == word.lower)?;
        Some((Found { range: word.start..word.end, value: () }, *port, *protocol))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_ports_and_protocols() {
        assert_eq!(find("open HTTPS and ssh").iter().map(|found| found.value).collect::<Vec<_>>(), [443, 22]);
        assert_eq!(find_protocols("allow udp for dns")[0].value, "udp");
        assert_eq!(find_protocols("allow https")[0].value, "tcp");
        assert!(find("open the door").is_empty());
    }
}
