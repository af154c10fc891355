//! Keeps a process in the registry: takes its key under a lease, renews, takes it again when it is lost, gives it up.
//!
//! The store may be away at any time, also at the start: the process goes on and the announcement comes when it can.

use std::{convert::Infallible, sync::Arc};

use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, info, warn};

use crate::{
    backoff::Backoff,
    card::read_json,
    config::RegistryConfig,
    error::{RegistryError, excerpt},
    lease::Lease,
    record::WorkerRecord,
    store::{Claim, Store},
};

/// Where an announcement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnounceState {
    /// Not yet in the registry; tried again and again.
    Announcing,
    /// In the registry, lease alive.
    Announced,
    /// Was in the registry; lease or key are gone, or nobody has answered for a whole time to live. Being repaired.
    Lost,
    /// Another process has this worker's key. Tried again: a predecessor's lease runs out.
    Refused {
        /// The other one's address.
        owner: String,
    },
    /// Given up by `withdraw`.
    Withdrawn,
}

/// A process's place in the registry. Dropped without [`withdraw`](Self::withdraw), it withdraws in the background.
#[derive(Debug)]
pub struct Announcement {
    key: String,
    states: watch::Receiver<AnnounceState>,
    stop: DropGuard,
    task: JoinHandle<Result<(), RegistryError>>,
}

/// What is announced; checked by whoever makes it.
pub(crate) struct Announced {
    pub(crate) key: String,
    pub(crate) value: String,
    /// Key and value of a worker's card.
    pub(crate) card: Option<(String, String)>,
}

/// Starts to announce in the background; needs a tokio runtime.
pub(crate) fn announce(store: Arc<dyn Store>, config: &RegistryConfig, announced: Announced) -> Announcement {
    let (sender, states) = watch::channel(AnnounceState::Announcing);
    let stop = CancellationToken::new();
    let announcer = Announcer {
        store,
        config: config.clone(),
        announced,
        states: sender,
        lease: None,
        backoff: Backoff::new(config),
    };
    let key = announcer.announced.key.clone();
    let task = tokio::spawn(announcer.run(stop.clone()));
    Announcement { key, states, stop: stop.drop_guard(), task }
}

// === impl Announcement ===

impl Announcement {
    /// Where it stands now.
    pub fn state(&self) -> AnnounceState {
        self.states.borrow().clone()
    }

    /// Every later state, for whoever shows or logs them.
    pub fn states(&self) -> watch::Receiver<AnnounceState> {
        self.states.clone()
    }

    /// Waits until the process is in the registry; for ever while the store is away. `AlreadyOwned` when another process
    /// has its key (the announcement goes on trying).
    pub async fn announced(&self) -> Result<(), RegistryError> {
        let is_settled = |state: &AnnounceState| {
            matches!(state, AnnounceState::Announced | AnnounceState::Refused { .. } | AnnounceState::Withdrawn)
        };
        let mut states = self.states.clone();
        let state = states.wait_for(is_settled).await.map_err(|_| RegistryError::AnnounceTaskLost)?.clone();
        match state {
            AnnounceState::Announced => Ok(()),
            AnnounceState::Refused { owner } => Err(RegistryError::AlreadyOwned { key: self.key.clone(), owner }),
            _ => Err(RegistryError::AnnounceTaskLost),
        }
    }

    /// Takes the process out of the registry at once. An error means the store did not answer: the lease then runs out.
    pub async fn withdraw(self) -> Result<(), RegistryError> {
        drop(self.stop);
        self.task.await.unwrap_or(Err(RegistryError::AnnounceTaskLost))
    }

    /// The same for a process that stops: a store that does not answer is worth a warning, since the lease ends by itself.
    pub async fn leave(self) {
        if let Err(error) = self.withdraw().await {
            warn!(%error, "could not leave the registry; the lease will end by itself");
        }
    }
}

struct Announcer {
    store: Arc<dyn Store>,
    config: RegistryConfig,
    announced: Announced,
    states: watch::Sender<AnnounceState>,
    /// Kept also after a failed claim: it may have been applied.
    lease: Option<Lease>,
    backoff: Backoff,
}

// === impl Announcer ===

impl Announcer {
    async fn run(mut self, stop: CancellationToken) -> Result<(), RegistryError> {
        stop.run_until_cancelled(self.stay_announced()).await;
        let withdrawn = self.withdraw().await;
        self.states.send_replace(AnnounceState::Withdrawn);
        withdrawn
    }

    async fn stay_announced(&mut self) -> Infallible {
        loop {
            match self.take_key().await {
                Ok(()) => {
                    info!(key = %self.announced.key, "announced");
                    self.backoff.reset();
                    let error = self.keep_key().await;
                    warn!(key = %self.announced.key, %error, "no longer in the registry, announcing again");
                    self.enter(AnnounceState::Lost);
                    self.drop_lease().await;
                }
                Err(error) => {
                    self.report(error);
                    sleep(self.backoff.next_pause()).await;
                }
            }
        }
    }

    /// Card, lease, record, in this order: a reader never meets a record without its card.
    async fn take_key(&mut self) -> Result<(), RegistryError> {
        if let Some((card_key, card)) = &self.announced.card
            && let Claim::Refused(_) = self.store.claim(card_key, card.as_bytes(), None).await?
        {
            // Content-addressed: what lies there is damaged.
            self.store.put(card_key, card.as_bytes(), None).await?;
        }
        let lease = match self.lease.take() {
            Some(lease) => lease,
            None => Lease::grant(self.store.clone(), &self.config).await?,
        };
        let id = lease.id();
        self.lease = Some(lease);
        match self.store.claim(&self.announced.key, self.announced.value.as_bytes(), Some(id)).await {
            Ok(Claim::Owned) => {
                self.enter(AnnounceState::Announced);
                Ok(())
            }
            Ok(Claim::Refused(other)) => {
                self.drop_lease().await;
                Err(RegistryError::AlreadyOwned { key: self.announced.key.clone(), owner: owner_of(&other) })
            }
            Err(error) => {
                if !error.is_retryable() {
                    // Such as: the lease ran out meanwhile.
                    self.drop_lease().await;
                }
                Err(error)
            }
        }
    }

    /// Renews until the lease or the key is gone; returns why.
    async fn keep_key(&mut self) -> RegistryError {
        loop {
            let lease = self.lease.as_mut().expect("a taken key has a lease");
            match lease.beat().await {
                Ok(()) if self.is_key_gone().await => {
                    return RegistryError::KeyLost { key: self.announced.key.clone() };
                }
                Ok(()) => {
                    self.enter(AnnounceState::Announced);
                }
                Err(error @ RegistryError::LeaseLost { .. }) => return error,
                Err(error) => {
                    if self.enter(AnnounceState::Lost) {
                        warn!(key = %self.announced.key, %error, "the registry has not answered for a lease's whole time");
                    }
                }
            }
        }
    }

    /// Has another hand deleted or overwritten the key? Only a clear answer counts.
    async fn is_key_gone(&self) -> bool {
        match self.store.get(&self.announced.key).await {
            Ok(entry) => entry.is_none_or(|entry| entry.value != self.announced.value.as_bytes()),
            Err(error) => {
                debug!(key = %self.announced.key, %error, "could not check the key");
                false
            }
        }
    }

    async fn withdraw(&mut self) -> Result<(), RegistryError> {
        let Some(lease) = self.lease.take() else {
            return Ok(());
        };
        // Either alone removes the key; both leave nothing behind, whatever was half done.
        let released = self.store.release(&self.announced.key, self.announced.value.as_bytes()).await;
        let revoked = lease.revoke().await;
        match (released, revoked) {
            (Err(error), Err(_)) => Err(error),
            _ => {
                info!(key = %self.announced.key, "withdrawn");
                Ok(())
            }
        }
    }

    /// Revokes what is left of the lease; when that fails it runs out by itself.
    async fn drop_lease(&mut self) {
        if let Some(lease) = self.lease.take()
            && let Err(error) = lease.revoke().await
        {
            debug!(key = %self.announced.key, %error, "left a lease to run out");
        }
    }

    /// Logs the first failure of a row; the others follow by themselves.
    fn report(&self, error: RegistryError) {
        let is_news = match &error {
            RegistryError::AlreadyOwned { owner, .. } => self.enter(AnnounceState::Refused { owner: owner.clone() }),
            _ if *self.states.borrow() != AnnounceState::Lost => self.enter(AnnounceState::Announcing),
            _ => false,
        };
        if is_news {
            warn!(key = %self.announced.key, %error, "not announced, trying again");
        } else {
            debug!(key = %self.announced.key, %error, "not announced, trying again");
        }
    }

    /// `true`: this is a change.
    fn enter(&self, state: AnnounceState) -> bool {
        self.states.send_if_modified(|current| {
            let is_change = *current != state;
            *current = state;
            is_change
        })
    }
}

/// Where the other owner is, as far as its value tells.
fn owner_of(value: &[u8]) -> String {
    let address =
        || Some(read_json::<Value>(value, WorkerRecord::MAX_BYTES).ok()?.get("address")?.as_str()?.to_owned());
    excerpt(&address().unwrap_or_else(|| String::from_utf8_lossy(value).into_owned()))
}
