//! One worker process in one capability: where it is and which card it has.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{
    capability::Capability,
    card::{Card, Limits, read_json},
    digest::Digest,
    error::{RegistryError, excerpt},
};

/// 1 to 128 of `A–Z a–z 0–9 . _ -`; unique within a capability.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkerId(String);

/// What a worker writes under its lease. Small on purpose: everything shared is on the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRecord {
    /// The worker.
    pub id: WorkerId,
    /// What it serves.
    pub capability: Capability,
    /// `http://host:port`, as routers reach it.
    pub address: String,
    /// Digest of its card.
    pub card: Digest,
    /// Start of the process, milliseconds since 1970; tells two owners of one id apart.
    pub started: u64,
    /// What this process takes.
    pub limits: Limits,
}

// === impl WorkerId ===

impl WorkerId {
    /// Longest id in bytes.
    pub const MAX_BYTES: usize = 128;

    /// Checks an id.
    pub fn new(id: impl Into<String>) -> Result<Self, RegistryError> {
        let id = id.into();
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=Self::MAX_BYTES).contains(&id.len()) && id.bytes().all(is_allowed) {
            return Ok(Self(id));
        }
        Err(RegistryError::InvalidWorkerId { id: excerpt(&id) })
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkerId {
    type Err = RegistryError;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::new(id)
    }
}

impl TryFrom<String> for WorkerId {
    type Error = RegistryError;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::new(id)
    }
}

impl From<WorkerId> for String {
    fn from(id: WorkerId) -> Self {
        id.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl WorkerRecord ===

impl WorkerRecord {
    /// Largest record in bytes of JSON.
    pub const MAX_BYTES: usize = 4 * 1024;

    /// A record of this process, started now, with the card's limits.
    pub fn new(id: WorkerId, capability: Capability, address: impl Into<String>, card: &Card) -> Self {
        Self {
            id,
            capability,
            address: address.into(),
            card: card.digest(),
            started: milliseconds_since_1970(),
            limits: card.limits,
        }
    }

    /// Checks the record's own rules; `InvalidRecord` lists every broken one.
    pub fn check(&self) -> Result<(), RegistryError> {
        let mut problems = Vec::new();
        if !is_address(&self.address) {
            problems.push(format!("address `{}`: write `http://host:port`", excerpt(&self.address)));
        }
        if self.limits.max_concurrent == 0 || self.limits.max_prompt_tokens == 0 {
            problems.push("limits must be at least 1".to_owned());
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(RegistryError::InvalidRecord { problems: problems.join("; ") })
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a record has only strings and integers")
    }

    /// Reads and checks a record that lies under the key of `capability` and `id`. Error: what is wrong, for a log.
    pub(crate) fn read(json: &[u8], capability: &Capability, id: &WorkerId) -> Result<Self, String> {
        let record: Self = read_json(json, Self::MAX_BYTES)?;
        if (&record.capability, &record.id) != (capability, id) {
            return Err(format!("says it is {}/{}", record.capability, record.id));
        }
        record.check().map_err(|error| error.to_string())?;
        Ok(record)
    }
}

pub(crate) fn milliseconds_since_1970() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// `http://host:port` and nothing after it; the host is a name, an IPv4 address or an IPv6 address in brackets.
pub(crate) fn is_address(address: &str) -> bool {
    let Some((host, port)) = address.strip_prefix("http://").and_then(|rest| rest.rsplit_once(':')) else {
        return false;
    };
    is_host(host) && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

pub(crate) fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<std::net::Ipv6Addr>().is_ok();
    }
    (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::tests::card;

    fn record() -> WorkerRecord {
        let (id, capability) = (WorkerId::new("w-1").unwrap(), Capability::new("aws").unwrap());
        WorkerRecord::new(id, capability, "http://10.0.0.1:7001", &card("m"))
    }

    #[test]
    fn a_record_comes_back_under_its_own_key_only() {
        let record = record();
        let json = record.to_json();
        assert_eq!(WorkerRecord::read(json.as_bytes(), &record.capability, &record.id).unwrap(), record);
        let other = WorkerId::new("w-2").unwrap();
        assert!(WorkerRecord::read(json.as_bytes(), &record.capability, &other).unwrap_err().contains("aws/w-1"));
    }

    #[test]
    fn only_plain_addresses_pass() {
        for good in ["http://worker-0.ns:7001", "http://127.0.0.1:1", "http://[::1]:65535"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "10.0.0.1:1",
            "http://:1",
            "http://h:0",
            "http://h:65536",
            "http://h:1/x",
            "http://u@h:1",
            "http://h:+1",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn hostile_records_are_refused() {
        let record = record();
        let read = |json: &str| WorkerRecord::read(json.as_bytes(), &record.capability, &record.id);
        for (from, to) in [("http://10", "ftp://10"), ("\"aws\"", "\"AWS\""), ("sha256:", "md5:"), ("{", "{{")] {
            assert!(read(&record.to_json().replacen(from, to, 1)).is_err(), "{to}");
        }
        assert!(read(&format!("{}{}", record.to_json(), " ".repeat(WorkerRecord::MAX_BYTES))).is_err());
    }

    #[test]
    fn worker_ids_cannot_leave_their_place_in_the_key() {
        for bad in ["", "a/b", "ä", " ", &"x".repeat(129)] {
            assert!(WorkerId::new(bad).is_err(), "{bad}");
        }
    }
}
