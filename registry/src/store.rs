//! The store behind the registry: keys with revisions, leases, transactions that take and give up a key, watches.
//!
//! Knows nothing of workers or cards. Two implementations pass one suite (`tests/store.rs`): [`EtcdStore`] and
//! [`MemoryStore`]. Every write is idempotent, because one that timed out may still have been applied.

mod etcd;
mod memory;

use std::{fmt, pin::Pin, time::Duration};

use async_trait::async_trait;
use futures::Stream;

pub use etcd::EtcdStore;
pub use memory::MemoryStore;

use crate::error::RegistryError;

/// A point in the store's history; every change has a bigger one.
pub type Revision = i64;

/// A lease as the store names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub i64);

/// A key and what lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Full key.
    pub key: String,
    /// Bytes as written.
    pub value: Vec<u8>,
    /// When it was written last.
    pub revision: Revision,
}

/// All entries under a prefix, in key order, as they were at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The entries.
    pub entries: Vec<Entry>,
    /// That revision: watch from the next one.
    pub revision: Revision,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Written.
    Put(Entry),
    /// Deleted, by hand or with its lease.
    Delete {
        /// Full key.
        key: String,
        /// When.
        revision: Revision,
    },
}

/// Who has a key after [`Store::claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller.
    Owned,
    /// Somebody else; this is the value that lies there.
    Refused(Vec<u8>),
}

/// Changes in order; revisions are never split over two items. An empty item is a sign of life. After an error it ends.
pub type WatchStream = Pin<Box<dyn Stream<Item = Result<Vec<Event>, RegistryError>> + Send>>;

/// What the registry needs of a store. All calls are bounded in time.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Everything under `prefix` at one revision.
    async fn list(&self, prefix: &str) -> Result<Listing, RegistryError>;

    /// One key.
    async fn get(&self, key: &str) -> Result<Option<Entry>, RegistryError>;

    /// Writes a key whoever owns it. With a lease it goes when the lease goes.
    async fn put(&self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<(), RegistryError>;

    /// Deletes a key whoever owns it.
    async fn delete(&self, key: &str) -> Result<(), RegistryError>;

    /// In one transaction: writes the key if it is absent, refuses when another value lies there. The same value is the
    /// same owner: then the key moves to this lease, or stays untouched without one.
    async fn claim(&self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<Claim, RegistryError>;

    /// In one transaction: deletes the key if this value lies there. `false`: it did not.
    async fn release(&self, key: &str, value: &[u8]) -> Result<bool, RegistryError>;

    /// A new lease and the time to live it really got.
    async fn grant(&self, ttl: Duration) -> Result<(LeaseId, Duration), RegistryError>;

    /// Gives the lease its full time again. `LeaseLost` when the store no longer knows it.
    async fn renew(&self, lease: LeaseId) -> Result<(), RegistryError>;

    /// Ends the lease and deletes its keys; a lease that is gone is no error.
    async fn revoke(&self, lease: LeaseId) -> Result<(), RegistryError>;

    /// Changes under `prefix` from revision `from` on, that one included. `HistoryLost`, here or in the stream, when
    /// these are no longer known.
    async fn watch(&self, prefix: &str, from: Revision) -> Result<WatchStream, RegistryError>;
}

// === impl Event ===

impl Event {
    /// Full key.
    pub fn key(&self) -> &str {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Delete { key, .. } => key,
        }
    }

    /// When it happened.
    pub fn revision(&self) -> Revision {
        match self {
            Self::Put(entry) => entry.revision,
            Self::Delete { revision, .. } => *revision,
        }
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}
