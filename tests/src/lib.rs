//! Starts the built binary as the processes of a cluster and asks it, for the tests in `e2e/`.
//!
//! Real parts only: the binary of this build, the models and packs of the user's cache, etcd through `silverback_registry::testing`.

mod process;

pub use process::{Answer, Process, ask, free_address, run};
