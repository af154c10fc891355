//! What the registry's snapshot says, as each part of the router needs it.

use futures::{FutureExt, future::BoxFuture};
use silverback_dispatch::{Directory, Worker};
use silverback_planner::CapabilityInfo;
use silverback_proto::v1;
use silverback_registry::{Capability, CardKind, SnapshotHandle, WorkerEntry};

/// The capability of general workers; requests are never given to it as a step.
pub(crate) const PLAN: &str = "plan";

/// The capability of workers that call the tools of a conversation; steps are never given to it either.
pub(crate) const TOOLS: &str = "tools";

/// The workers that are registered now.
#[derive(Clone)]
pub(crate) struct Workers(SnapshotHandle);

// === impl Workers ===

impl Workers {
    pub(crate) fn new(snapshot: SnapshotHandle) -> Self {
        Self(snapshot)
    }

    /// What can be asked for: every capability of specialists, and those that are declared though nobody serves them now.
    pub(crate) fn capabilities(&self) -> Vec<CapabilityInfo> {
        let snapshot = self.0.load();
        let of_card = |workers: &[WorkerEntry]| {
            let card = &workers.iter().find(|worker| worker.card.kind == CardKind::Specialist)?.card;
            Some((card.description.clone(), card.examples.clone()))
        };
        let mut found: Vec<CapabilityInfo> = Vec::new();
        for capability in snapshot.capabilities() {
            if let Some((description, examples)) = of_card(snapshot.workers_for(capability)) {
                found.push(CapabilityInfo { name: capability.to_string(), description, examples });
            }
        }
        for (capability, declared) in snapshot.declared() {
            if ![PLAN, TOOLS].contains(&capability.as_str())
                && !found.iter().any(|info| info.name == capability.as_str())
            {
                let (description, examples) = (declared.description.clone(), declared.examples.clone());
                found.push(CapabilityInfo { name: capability.to_string(), description, examples });
            }
        }
        found
    }

    /// Was the registry ever read? Without it "nobody is there" is a guess.
    pub(crate) fn is_known(&self) -> bool {
        self.0.load().is_synced()
    }

    /// Everything that is registered, for people.
    pub(crate) fn list(&self) -> v1::ListWorkersReply {
        let snapshot = self.0.load();
        let info = |entry: &WorkerEntry| v1::WorkerInfo {
            id: entry.record.id.to_string(),
            capability: entry.record.capability.to_string(),
            address: entry.record.address.clone(),
            card: entry.record.card.to_string(),
            model: entry.card.model.clone(),
            catalogue: entry.card.catalogue_name.clone().unwrap_or_default(),
            state: "registered".to_owned(),
        };
        // A registry that never answered is infinitely stale, which no client needs as a number of its own.
        let age = self.0.age().map_or(u64::MAX, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        v1::ListWorkersReply { workers: snapshot.workers().map(info).collect(), snapshot_age_ms: age }
    }
}

impl Directory for Workers {
    fn serving(&self, capability: &str) -> Vec<Worker> {
        // A planner can only name capabilities it was shown; a name that is none has no workers.
        let Ok(capability) = Capability::new(capability) else {
            return Vec::new();
        };
        let snapshot = self.0.load();
        let worker = |entry: &WorkerEntry| Worker {
            id: entry.record.id.to_string(),
            capability: entry.record.capability.to_string(),
            address: entry.record.address.clone(),
            catalogue: entry.card.catalogue.as_ref().map(ToString::to_string).unwrap_or_default(),
        };
        snapshot.workers_for(&capability).iter().map(worker).collect()
    }

    fn is_expected(&self, capability: &str) -> bool {
        let Ok(capability) = Capability::new(capability) else {
            return false;
        };
        let snapshot = self.0.load();
        capability.lineage().any(|name| snapshot.is_declared(name) || snapshot.is_loading(name))
    }

    fn served<'a>(&'a self, capability: &'a str) -> BoxFuture<'a, ()> {
        let mut snapshots = self.0.clone();
        async move {
            let Ok(capability) = Capability::new(capability) else {
                return std::future::pending().await;
            };
            snapshots.wait_until(|snapshot| !snapshot.workers_for(&capability).is_empty()).await;
        }
        .boxed()
    }
}
