//! The registry's front door.

use std::sync::Arc;

use crate::{
    announce::{self, Announced, Announcement},
    capability::Capability,
    card::{Card, Declaration},
    config::RegistryConfig,
    error::RegistryError,
    handle::SnapshotHandle,
    keys,
    mirror::Mirror,
    presence::Presence,
    record::{WorkerRecord, is_host},
    snapshot::Snapshot,
    store::{EtcdStore, MemoryStore, Store},
    watch,
};

/// Announces and follows on one store. Clones share it.
#[derive(Clone)]
pub struct Registry {
    store: Arc<dyn Store>,
    config: RegistryConfig,
}

// === impl Registry ===

impl Registry {
    /// `memory:` makes a fresh store in this process; `etcd://host:port[,host:port…]` a client, which connects when it
    /// is used: an etcd that is away is no error here. `InvalidUrl` and `InvalidConfig` say what to write instead.
    pub async fn connect(url: &str, config: RegistryConfig) -> Result<Self, RegistryError> {
        config.check()?;
        let store: Arc<dyn Store> = match parse_url(url)? {
            StoreAddress::Memory => Arc::new(MemoryStore::new()),
            StoreAddress::Etcd(endpoints) => Arc::new(EtcdStore::connect(&endpoints, config.call_timeout).await?),
        };
        Ok(Self { store, config })
    }

    /// A registry on a store that exists already.
    pub fn on_store(store: Arc<dyn Store>, config: RegistryConfig) -> Result<Self, RegistryError> {
        config.check()?;
        Ok(Self { store, config })
    }

    /// Announces a worker in the background for as long as the announcement lives; call it once the worker has proved
    /// that it works. Errors only for parts that break a rule or do not belong together. Needs a tokio runtime.
    pub fn announce(&self, record: &WorkerRecord, card: &Card) -> Result<Announcement, RegistryError> {
        record.check()?;
        card.check()?;
        if record.card != card.digest() {
            let problems = format!("names card {}, but was given {}", record.card, card.digest());
            return Err(RegistryError::InvalidRecord { problems });
        }
        let announced = Announced {
            key: keys::worker(&record.capability, &record.id),
            value: record.to_json(),
            card: Some((keys::card(&record.card), card.to_json())),
        };
        Ok(announce::announce(self.store.clone(), &self.config, announced))
    }

    /// Announces a router in the background for as long as the announcement lives, so that scalers find it. Needs a
    /// tokio runtime.
    pub fn announce_router(&self, router: &Presence) -> Announcement {
        let announced = Announced { key: keys::router(&router.id), value: router.to_json(), card: None };
        announce::announce(self.store.clone(), &self.config, announced)
    }

    /// Says that a worker of this capability is on its way; withdraw it once the worker is announced. Needs a tokio
    /// runtime.
    pub fn announce_loading(&self, capability: &Capability, worker: &Presence) -> Announcement {
        let announced = Announced { key: keys::loading(capability, &worker.id), value: worker.to_json(), card: None };
        announce::announce(self.store.clone(), &self.config, announced)
    }

    /// Follows the registry in the background for as long as the handle lives. Needs a tokio runtime.
    pub fn follow(&self) -> SnapshotHandle {
        watch::follow(self.store.clone(), &self.config)
    }

    /// Reads the registry once; unlike [`follow`](Self::follow) it fails when the store is away.
    pub async fn read(&self) -> Result<Snapshot, RegistryError> {
        let listing = self.store.list(keys::PREFIX).await?;
        let mut mirror = Mirror::default();
        mirror.reset(&listing);
        Ok(mirror.commit().expect("the first listing is always a change"))
    }

    /// Says that a capability should exist even with no worker, and what the planner shall know of it.
    pub async fn declare(&self, capability: &Capability, declaration: &Declaration) -> Result<(), RegistryError> {
        declaration.check()?;
        self.store.put(&keys::declared(capability), declaration.to_json().as_bytes(), None).await
    }

    /// Takes a declaration back; one that is absent is no error.
    pub async fn undeclare(&self, capability: &Capability) -> Result<(), RegistryError> {
        self.store.delete(&keys::declared(capability)).await
    }
}

#[derive(Debug, PartialEq, Eq)]
enum StoreAddress {
    Memory,
    Etcd(Vec<String>),
}

/// Users, passwords and TLS are not part of the address: they come with the configuration.
fn parse_url(url: &str) -> Result<StoreAddress, RegistryError> {
    let refuse = |reason: String| Err(RegistryError::InvalidUrl { url: crate::error::excerpt(url), reason });
    if url == "memory:" {
        return Ok(StoreAddress::Memory);
    }
    let Some(endpoints) = url.strip_prefix("etcd://") else {
        return refuse("unknown kind of store".to_owned());
    };
    let endpoints: Vec<String> = endpoints.trim_end_matches('/').split(',').map(str::to_owned).collect();
    for endpoint in &endpoints {
        let is_valid = endpoint.rsplit_once(':').is_some_and(|(host, port)| {
            is_host(host) && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if !is_valid {
            return refuse(format!("`{}` is not host:port", crate::error::excerpt(endpoint)));
        }
    }
    Ok(StoreAddress::Etcd(endpoints))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_of_address_are_read() {
        assert_eq!(parse_url("memory:").unwrap(), StoreAddress::Memory);
        let endpoints = ["a.b:2379", "10.0.0.1:2", "[::1]:3"].map(str::to_owned).to_vec();
        assert_eq!(parse_url("etcd://a.b:2379,10.0.0.1:2,[::1]:3").unwrap(), StoreAddress::Etcd(endpoints));
    }

    #[test]
    fn other_addresses_are_refused_with_the_accepted_forms() {
        for bad in [
            "",
            "memory",
            "memory:x",
            "etcd:",
            "etcd://",
            "etcd://h",
            "etcd://h:0",
            "etcd://h:1,",
            "etcd://u:p@h:1",
            "http://h:1",
        ] {
            let text = parse_url(bad).unwrap_err().to_string();
            assert!(text.contains("`memory:` or `etcd://host:port"), "{bad}: {text}");
        }
    }

    proptest! {
        #[test]
        fn no_address_makes_the_parser_fail(text in ".{0,60}") {
            let _ = parse_url(&text);
            let _ = parse_url(&format!("etcd://{text}"));
        }
    }
}
