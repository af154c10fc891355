//! Follows the store: list, then watch from the next revision, for ever.
//!
//! The snapshot is never emptied by a failure: while the store is away the last one stays. A broken watch is opened again
//! at the last revision + 1; when the store has no history from there, or does not say why, everything is listed again and
//! taken over by difference.

use std::{convert::Infallible, sync::Arc};

use futures::StreamExt;
use silverback_proto::ErrorCode;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    backoff::{Backoff, jittered},
    config::RegistryConfig,
    error::{RegistryError, StoreFault},
    handle::{Shared, SnapshotHandle},
    keys,
    mirror::{Applied, Mirror},
    store::{Event, Store},
};

/// Starts to follow in the background; needs a tokio runtime.
pub(crate) fn follow(store: Arc<dyn Store>, config: &RegistryConfig) -> SnapshotHandle {
    let shared = Arc::new(Shared::new());
    let stop = CancellationToken::new();
    let follower = Follower {
        store,
        shared: shared.clone(),
        backoff: Backoff::new(config),
        config: config.clone(),
        mirror: Mirror::default(),
        needs_listing: true,
        is_away: false,
    };
    let task_stop = stop.clone();
    tokio::spawn(async move { task_stop.run_until_cancelled(follower.run()).await });
    SnapshotHandle::new(shared, stop.drop_guard())
}

struct Follower {
    store: Arc<dyn Store>,
    shared: Arc<Shared>,
    backoff: Backoff,
    config: RegistryConfig,
    mirror: Mirror,
    needs_listing: bool,
    /// A failure came after the store's last sign of life.
    is_away: bool,
}

// === impl Follower ===

impl Follower {
    async fn run(mut self) -> Infallible {
        loop {
            let Err(error) = self.list_and_watch().await;
            self.shared.count_failure();
            self.needs_listing |= !is_outage(error.code());
            if !std::mem::replace(&mut self.is_away, true) {
                warn!(%error, "lost the registry, routing on the last snapshot");
            } else {
                debug!(%error, "the registry is still away");
            }
            sleep(self.backoff.next_pause()).await;
        }
    }

    async fn list_and_watch(&mut self) -> Result<Infallible, RegistryError> {
        if self.needs_listing {
            self.list_all().await?;
        }
        let mut changes = self.store.watch(keys::PREFIX, self.mirror.revision() + 1).await?;
        self.note_sign_of_life();
        let mut next_listing = self.pick_next_listing();
        loop {
            tokio::select! {
                events = changes.next() => self.take_over(&events.unwrap_or_else(|| Err(watch_ended()))?),
                () = sleep_until(next_listing) => {
                    self.list_all().await?;
                    next_listing = self.pick_next_listing();
                }
            }
        }
    }

    async fn list_all(&mut self) -> Result<(), RegistryError> {
        let listing = self.store.list(keys::PREFIX).await?;
        let applied = self.mirror.reset(&listing);
        self.shared.count_listing();
        self.needs_listing = false;
        self.publish(applied);
        Ok(())
    }

    fn take_over(&mut self, events: &[Event]) {
        let applied = self.mirror.apply(events);
        self.publish(applied);
    }

    fn publish(&mut self, applied: Applied) {
        self.shared.count_unreadable(applied.unreadable);
        if let Some(snapshot) = self.mirror.commit() {
            self.shared.swap_snapshot(snapshot);
        }
        self.note_sign_of_life();
    }

    fn note_sign_of_life(&mut self) {
        if std::mem::take(&mut self.is_away) {
            info!(revision = self.mirror.revision(), "following the registry again");
        }
        self.backoff.reset();
        self.shared.confirm();
    }

    /// Jittered, so that routers started together do not list together.
    fn pick_next_listing(&self) -> Instant {
        Instant::now() + jittered(self.config.relist_every / 2, self.config.relist_every)
    }
}

/// After a mere outage the history still is where it was. Everything else (history lost, changes too large for a watch, a
/// store that does not know what it does) is a reason to list.
fn is_outage(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Unavailable | ErrorCode::DeadlineExceeded)
}

fn watch_ended() -> RegistryError {
    let source = StoreFault::new(ErrorCode::Unavailable, "the stream ended");
    RegistryError::WatchFailed { prefix: keys::PREFIX.to_owned(), source }
}
