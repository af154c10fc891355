//! Who serves a capability now.

use std::future;

use futures::future::BoxFuture;

/// A worker process as the router sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worker {
    /// Unique among the workers of a capability.
    pub id: String,
    /// What it is registered for.
    pub capability: String,
    /// `http://host:port`; one process may serve several capabilities at one address.
    pub address: String,
    /// `sha256:…` of the catalogue it writes calls for; empty for a general worker.
    pub catalogue: String,
}

/// The registry's snapshot as dispatching needs it; asked for every step, so an answer must not wait for anything.
pub trait Directory: Send + Sync {
    /// All workers of the most specific capability that serves `capability`; empty when there is none.
    fn serving(&self, capability: &str) -> Vec<Worker>;

    /// Should `capability` have workers though it may have none now: is it declared, or is one loading?
    fn is_expected(&self, _capability: &str) -> bool {
        false
    }

    /// Ends when `capability` has a worker; asked only where one is expected.
    fn served<'a>(&'a self, _capability: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(future::pending())
    }
}
