//! Who can do what, now.
//!
//! Workers announce a [`WorkerRecord`] and its [`Card`] under a lease; routers follow the store and read a [`Snapshot`]
//! without locks. The same code runs on `memory:` and on `etcd://…`, see [`Registry::connect`]; this is the only crate
//! that names etcd. Knows nothing of models, catalogues, plans or load: load comes back with every reply.
//! Start at [`Registry`]; the writer's story is in `announce.rs`, the reader's in `watch.rs`.

mod announce;
mod backoff;
mod capability;
mod card;
mod config;
mod digest;
mod error;
mod handle;
pub mod keys;
mod lease;
mod mirror;
mod presence;
mod record;
mod registry;
mod snapshot;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod watch;

pub use announce::{AnnounceState, Announcement};
pub use capability::Capability;
pub use card::{Card, CardKind, Declaration, Limits};
pub use config::RegistryConfig;
pub use digest::Digest;
pub use error::{RegistryError, StoreFault};
pub use handle::{FollowCounters, SnapshotHandle};
pub use presence::Presence;
pub use record::{WorkerId, WorkerRecord};
pub use registry::Registry;
pub use snapshot::{Snapshot, WorkerEntry};
