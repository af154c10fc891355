//! Who can do what at one moment: an immutable value that readers share.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    capability::Capability,
    card::{Card, Declaration},
    digest::Digest,
    presence::Presence,
    record::{WorkerId, WorkerRecord},
    store::Revision,
};

/// A worker that can be routed to: its record and its card. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerEntry {
    /// Where it is.
    pub record: Arc<WorkerRecord>,
    /// What it is.
    pub card: Arc<Card>,
}

/// All workers, cards and declarations at one revision of the store. Lookups take no lock. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub(crate) revision: Revision,
    pub(crate) is_synced: bool,
    pub(crate) workers: Arc<BTreeMap<Capability, Arc<[WorkerEntry]>>>,
    pub(crate) cards: Arc<HashMap<Digest, Arc<Card>>>,
    pub(crate) declared: Arc<BTreeMap<Capability, Arc<Declaration>>>,
    pub(crate) routers: Arc<BTreeMap<WorkerId, Arc<Presence>>>,
    pub(crate) loading: Arc<BTreeMap<Capability, BTreeSet<WorkerId>>>,
}

// === impl Snapshot ===

impl Snapshot {
    /// Revision of the newest change in it; 0 when nothing was ever read.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Was the store read at least once? An empty snapshot that is not synced says nothing about the cluster.
    pub fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// Capabilities with at least one worker, in order.
    pub fn capabilities(&self) -> impl Iterator<Item = &Capability> {
        self.workers.keys()
    }

    /// Workers of the most specific capability that covers this one and has any: for `aws/s3` those of `aws/s3`, else
    /// those of `aws`. Ordered by id; empty when nobody serves it.
    pub fn workers_for(&self, capability: &Capability) -> &[WorkerEntry] {
        self.served_by(capability).map_or(&[], |(_, workers)| workers)
    }

    /// As [`workers_for`](Self::workers_for), with the capability that matched.
    pub fn served_by(&self, capability: &Capability) -> Option<(&Capability, &[WorkerEntry])> {
        let (served, workers) = capability.lineage().find_map(|name| self.workers.get_key_value(name))?;
        Some((served, workers))
    }

    /// Every worker, by capability and id.
    pub fn workers(&self) -> impl Iterator<Item = &WorkerEntry> {
        self.workers.values().flat_map(|workers| workers.iter())
    }

    /// A card by its digest.
    pub fn card(&self, digest: &Digest) -> Option<&Arc<Card>> {
        self.cards.get(digest)
    }

    /// Capabilities that should exist with no worker too, in order.
    pub fn declared(&self) -> impl Iterator<Item = (&Capability, &Declaration)> {
        self.declared.iter().map(|(capability, declaration)| (capability, &**declaration))
    }

    /// Is exactly this capability declared?
    pub fn is_declared(&self, capability: &str) -> bool {
        self.declared.contains_key(capability)
    }

    /// Is a worker of exactly this capability still loading?
    pub fn is_loading(&self, capability: &str) -> bool {
        self.loading.contains_key(capability)
    }

    /// Has exactly this capability workers that steps can be sent to?
    pub fn has_workers(&self, capability: &str) -> bool {
        self.workers.contains_key(capability)
    }

    /// Every router, by id.
    pub fn routers(&self) -> impl Iterator<Item = &Presence> {
        self.routers.values().map(|router| &**router)
    }

    /// A router by its id.
    pub fn router(&self, id: &WorkerId) -> Option<&Presence> {
        self.routers.get(id).map(|router| &**router)
    }
}
