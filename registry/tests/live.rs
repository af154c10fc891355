//! Announcing and following through the public doors, on both stores, and on a real etcd that dies.
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

#[path = "live/announce.rs"]
mod announce;
#[path = "live/follow.rs"]
mod follow;
#[path = "live/outage.rs"]
mod outage;

use std::{sync::Arc, time::Duration};

use silverback_registry::{
    AnnounceState, Announcement, Capability, Card, CardKind, Digest, Limits, Registry, RegistryConfig, RegistryError,
    Snapshot, SnapshotHandle, WorkerRecord,
    store::{EtcdStore, LeaseId, MemoryStore, Store},
    testing::EtcdProcess,
};

const DEADLINE: Duration = Duration::from_secs(40);

/// A store under test with a registry on it.
struct Stage {
    store: Arc<dyn Store>,
    registry: Registry,
    etcd: Option<EtcdProcess>,
}

impl Stage {
    async fn memory() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let registry = Registry::on_store(store.clone(), config()).unwrap();
        Self { store, registry, etcd: None }
    }

    async fn etcd() -> Self {
        let etcd = EtcdProcess::start().await;
        let store = EtcdStore::connect(&[etcd.endpoint()], config().call_timeout).await.unwrap();
        let registry = Registry::connect(&etcd.url(), config()).await.unwrap();
        Self { store: Arc::new(store), registry, etcd: Some(etcd) }
    }

    fn process(&mut self) -> &mut EtcdProcess {
        self.etcd.as_mut().unwrap()
    }

    async fn client(&self) -> etcd_client::Client {
        etcd_client::Client::connect([self.etcd.as_ref().unwrap().endpoint()], None).await.unwrap()
    }

    async fn revoke_all_leases(&self) {
        let leases: Vec<i64> = match &self.etcd {
            None => (1..100).collect(),
            Some(_) => {
                let leases = self.client().await.leases().await.unwrap();
                leases.leases().iter().map(|lease| lease.id()).collect()
            }
        };
        for lease in leases {
            self.store.revoke(LeaseId(lease)).await.unwrap();
        }
    }

    fn announce(&self, record: &WorkerRecord) -> Announcement {
        self.registry.announce(record, &card()).unwrap()
    }
}

fn config() -> RegistryConfig {
    RegistryConfig {
        lease_ttl: Duration::from_secs(1),
        call_timeout: Duration::from_secs(2),
        retry_floor: Duration::from_millis(20),
        retry_ceiling: Duration::from_millis(300),
        ..RegistryConfig::default()
    }
}

fn card() -> Card {
    Card {
        model: "tiny".to_owned(),
        model_digest: Digest::of(b"model"),
        adapter: None,
        catalogue: Some(Digest::of(b"pack")),
        catalogue_name: Some("aws".to_owned()),
        grammar_version: "1".to_owned(),
        limits: Limits { max_concurrent: 2, max_prompt_tokens: 2048 },
        kind: CardKind::Specialist,
        description: "AWS".to_owned(),
        examples: vec!["create a bucket".to_owned()],
    }
}

fn record(capability: &str, id: &str) -> WorkerRecord {
    WorkerRecord::new(id.parse().unwrap(), capability.parse().unwrap(), "http://127.0.0.1:7001", &card())
}

/// `capability/id` of every worker.
fn names(snapshot: &Snapshot) -> Vec<String> {
    snapshot.workers().map(|worker| format!("{}/{}", worker.record.capability, worker.record.id)).collect()
}

fn serves(snapshot: &Snapshot, capability: &str) -> bool {
    !snapshot.workers_for(&capability.parse::<Capability>().unwrap()).is_empty()
}

/// Waits for a snapshot, with a deadline.
async fn wait_until(handle: &mut SnapshotHandle, wanted: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
    tokio::time::timeout(DEADLINE, handle.wait_until(wanted)).await.expect("the snapshot comes in time")
}

/// Waits until the worker is in the registry, or is refused; with a deadline.
async fn announced(announcement: &Announcement) -> Result<(), RegistryError> {
    tokio::time::timeout(DEADLINE, announcement.announced()).await.expect("the announcement is settled in time")
}

async fn wait_for_state(announcement: &Announcement, wanted: impl Fn(&AnnounceState) -> bool) -> AnnounceState {
    let mut states = announcement.states();
    let state = tokio::time::timeout(DEADLINE, states.wait_for(wanted)).await.expect("the state comes in time");
    state.unwrap().clone()
}

/// Runs claims on both stores.
#[macro_export]
macro_rules! on_both_stores {
    ($($claim:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $claim() {
                super::$claim($crate::Stage::memory().await).await;
            })+
        }
        mod etcd {
            $(#[tokio::test]
            async fn $claim() {
                super::$claim($crate::Stage::etcd().await).await;
            })+
        }
    };
}
