//! The reader's end of a follower: the newest snapshot, how old it is, and when it changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::DropGuard;

use crate::snapshot::Snapshot;

/// Reads what a background task follows. Clones share it; it ends with the last one.
#[derive(Clone, Debug)]
pub struct SnapshotHandle {
    shared: Arc<Shared>,
    changes: watch::Receiver<u64>,
    _stop: Arc<DropGuard>,
}

/// What a follower met since it started; for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowCounters {
    /// Entries that could not be read.
    pub unreadable: u64,
    /// Full listings, the first one included.
    pub listings: u64,
    /// Times the watch or a listing failed.
    pub failures: u64,
}

/// Shared by the follower and its handles.
#[derive(Debug)]
pub(crate) struct Shared {
    snapshot: ArcSwap<Snapshot>,
    changes: watch::Sender<u64>,
    origin: Instant,
    /// Milliseconds after `origin` + 1 of the store's last sign of life; 0: none yet.
    confirmed: AtomicU64,
    unreadable: AtomicU64,
    listings: AtomicU64,
    failures: AtomicU64,
}

// === impl SnapshotHandle ===

impl SnapshotHandle {
    pub(crate) fn new(shared: Arc<Shared>, stop: DropGuard) -> Self {
        let changes = shared.changes.subscribe();
        Self { shared, changes, _stop: Arc::new(stop) }
    }

    /// The newest snapshot. Takes no lock; some 20 ns.
    pub fn load(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Waits until the snapshot differs from the one at this handle's last `changed`, or at its creation. Several changes
    /// may come as one. Waits for ever when the follower has ended with its runtime.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits for a snapshot that satisfies `wanted`, the present one included.
    pub async fn wait_until(&mut self, mut wanted: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
        loop {
            self.changes.mark_unchanged();
            let snapshot = self.load();
            if wanted(&snapshot) {
                return snapshot;
            }
            self.changed().await;
        }
    }

    /// Time since the store last showed that the snapshot is up to date; `None` when it never did. While the store is
    /// well this stays under a few seconds.
    pub fn age(&self) -> Option<Duration> {
        let confirmed = self.shared.confirmed.load(Relaxed).checked_sub(1)?;
        Some(self.shared.origin.elapsed().saturating_sub(Duration::from_millis(confirmed)))
    }

    /// What the follower met so far.
    pub fn counters(&self) -> FollowCounters {
        FollowCounters {
            unreadable: self.shared.unreadable.load(Relaxed),
            listings: self.shared.listings.load(Relaxed),
            failures: self.shared.failures.load(Relaxed),
        }
    }
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            snapshot: ArcSwap::default(),
            changes: watch::Sender::new(0),
            origin: Instant::now(),
            confirmed: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
            listings: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// Swaps the whole snapshot, then wakes the readers.
    pub(crate) fn swap_snapshot(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
        self.changes.send_modify(|version| *version += 1);
    }

    /// The store has just spoken.
    pub(crate) fn confirm(&self) {
        let now = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.confirmed.store(now + 1, Relaxed);
    }

    pub(crate) fn count_unreadable(&self, entries: u64) {
        self.unreadable.fetch_add(entries, Relaxed);
    }

    pub(crate) fn count_listing(&self) {
        self.listings.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_failure(&self) {
        self.failures.fetch_add(1, Relaxed);
    }
}
