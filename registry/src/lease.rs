//! Keeps a worker's lease alive.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    backoff::{Backoff, jittered},
    config::RegistryConfig,
    error::RegistryError,
    store::{LeaseId, Store},
};

/// A granted lease and when it was renewed last.
pub(crate) struct Lease {
    store: Arc<dyn Store>,
    id: LeaseId,
    ttl: Duration,
    renewed: Instant,
    backoff: Backoff,
}

// === impl Lease ===

impl Lease {
    pub(crate) async fn grant(store: Arc<dyn Store>, config: &RegistryConfig) -> Result<Self, RegistryError> {
        let asked = Instant::now();
        let (id, ttl) = store.grant(config.lease_ttl).await?;
        Ok(Self { store, id, ttl, renewed: asked, backoff: Backoff::new(config) })
    }

    pub(crate) fn id(&self) -> LeaseId {
        self.id
    }

    /// Waits for the next beat and renews, trying again while the store is away. `LeaseLost`: the store no longer knows
    /// the lease. Any other error: a whole time to live has passed without an answer, so the lease is probably over;
    /// the next call asks at once.
    pub(crate) async fn beat(&mut self) -> Result<(), RegistryError> {
        sleep_until(self.renewed + pick_interval(self.ttl)).await;
        loop {
            let asked = Instant::now();
            match self.store.renew(self.id).await {
                Ok(()) => {
                    self.renewed = asked;
                    self.backoff.reset();
                    return Ok(());
                }
                Err(error @ RegistryError::LeaseLost { .. }) => return Err(error),
                Err(error) => {
                    sleep(self.backoff.next_pause()).await;
                    if self.renewed.elapsed() >= self.ttl {
                        return Err(error);
                    }
                }
            }
        }
    }

    pub(crate) async fn revoke(&self) -> Result<(), RegistryError> {
        self.store.revoke(self.id).await
    }
}

/// Not sooner than a third: load on the store. Not later than half: two tries are left.
fn pick_interval(ttl: Duration) -> Duration {
    jittered(ttl / 3, ttl / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    const TTL: Duration = Duration::from_millis(60);

    async fn lease(store: &MemoryStore) -> Lease {
        let config = RegistryConfig { lease_ttl: TTL, ..RegistryConfig::default() };
        Lease::grant(Arc::new(store.clone()), &config).await.unwrap()
    }

    #[test]
    fn beats_are_spread_between_a_third_and_half_of_the_time_to_live() {
        let intervals: Vec<_> = (0..100).map(|_| pick_interval(TTL)).collect();
        assert!(intervals.iter().all(|interval| (TTL / 3..=TTL / 2).contains(interval)));
        assert!(intervals.iter().any(|interval| *interval != intervals[0]), "no jitter");
    }

    #[tokio::test]
    async fn a_revoked_lease_is_reported_at_the_next_beat() {
        let mut lease = lease(&MemoryStore::new()).await;
        lease.revoke().await.unwrap();
        assert!(matches!(lease.beat().await, Err(RegistryError::LeaseLost { .. })));
    }
}
