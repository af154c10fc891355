//! The store in this process: for `silverback up` on a laptop and for tests. Leases really expire, revisions and history
//! behave like etcd's.

mod state;

use std::{
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use async_trait::async_trait;
use futures::stream;
use tokio::{sync::watch, time::Instant};

use self::state::State;
use crate::{
    error::RegistryError,
    store::{Claim, Entry, LeaseId, Listing, Revision, Store, WatchStream},
};

/// As often as the etcd store asks for one.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(3);

/// Clones share their content.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Wakes watchers; carries the newest revision.
    revisions: watch::Sender<Revision>,
}

// === impl MemoryStore ===

impl MemoryStore {
    /// An empty store at revision 1, like a new etcd.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the history before `revision`, as etcd's compaction does. Watches from earlier on get `HistoryLost`.
    pub fn compact(&self, revision: Revision) {
        self.shared.lock().compact(revision);
    }

    /// Runs one change and wakes the watchers.
    fn change<T>(&self, operation: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.shared.lock();
        let result = operation(&mut state);
        let revision = state.revision();
        drop(state);
        self.shared.revisions.send_if_modified(|seen| std::mem::replace(seen, revision) != revision);
        result
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn list(&self, prefix: &str) -> Result<Listing, RegistryError> {
        Ok(self.shared.lock().list(prefix))
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, RegistryError> {
        Ok(self.shared.lock().get(key))
    }

    async fn put(&self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<(), RegistryError> {
        self.change(|state| state.put(key, value, lease))
            .map_err(|source| RegistryError::WriteFailed { key: key.to_owned(), source })
    }

    async fn delete(&self, key: &str) -> Result<(), RegistryError> {
        self.change(|state| state.delete(key));
        Ok(())
    }

    async fn claim(&self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<Claim, RegistryError> {
        self.change(|state| state.claim(key, value, lease))
            .map_err(|source| RegistryError::ClaimFailed { key: key.to_owned(), source })
    }

    async fn release(&self, key: &str, value: &[u8]) -> Result<bool, RegistryError> {
        Ok(self.change(|state| state.release(key, value)))
    }

    async fn grant(&self, ttl: Duration) -> Result<(LeaseId, Duration), RegistryError> {
        let lease = self.shared.lock().grant(ttl, Instant::now());
        tokio::spawn(expire(Arc::downgrade(&self.shared), lease));
        Ok((lease, ttl))
    }

    async fn renew(&self, lease: LeaseId) -> Result<(), RegistryError> {
        let known = self.change(|state| state.renew(lease, Instant::now()));
        if known { Ok(()) } else { Err(RegistryError::LeaseLost { lease }) }
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), RegistryError> {
        self.change(|state| state.revoke(lease));
        Ok(())
    }

    async fn watch(&self, prefix: &str, from: Revision) -> Result<WatchStream, RegistryError> {
        self.shared.lock().history(prefix, from)?;
        let watcher = Watcher {
            shared: self.shared.clone(),
            revisions: self.shared.revisions.subscribe(),
            prefix: prefix.to_owned(),
            next: from,
        };
        Ok(Box::pin(stream::try_unfold(watcher, |mut watcher| async move {
            let events = watcher.next_events().await?;
            Ok(Some((events, watcher)))
        })))
    }
}

/// One watch's place in the history.
struct Watcher {
    shared: Arc<Shared>,
    revisions: watch::Receiver<Revision>,
    prefix: String,
    next: Revision,
}

// === impl Watcher ===

impl Watcher {
    /// All events not yet seen; waits for the first, with a sign of life every now and then.
    async fn next_events(&mut self) -> Result<Vec<super::Event>, RegistryError> {
        loop {
            self.revisions.mark_unchanged();
            let (events, newest) = self.shared.lock().history(&self.prefix, self.next)?;
            self.next = newest + 1;
            if !events.is_empty() {
                return Ok(events);
            }
            match tokio::time::timeout(SIGN_OF_LIFE_EVERY, self.revisions.changed()).await {
                Ok(change) => change.expect("the sender lives in `shared`, which this watcher holds"),
                Err(_) => return Ok(Vec::new()),
            }
        }
    }
}

/// Sleeps until the lease is over, as often as it is renewed, then deletes its keys.
async fn expire(shared: Weak<Shared>, lease: LeaseId) {
    loop {
        let Some(deadline) = shared.upgrade().and_then(|shared| shared.lock().deadline(lease)) else {
            return;
        };
        tokio::time::sleep_until(deadline).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        MemoryStore { shared }.change(|state| state.expire(lease, Instant::now()));
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds the state")
    }
}

impl Default for Shared {
    fn default() -> Self {
        let state = State::default();
        Self { revisions: watch::Sender::new(state.revision()), state: Mutex::new(state) }
    }
}
