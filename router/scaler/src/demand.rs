//! What each capability has to do: the sum over all routers, held against who is there.

use std::{collections::BTreeMap, time::Duration};

use silverback_registry::{Capability, Snapshot, SnapshotHandle};
use tokio::{sync::watch, time::sleep};

use crate::{ScalerError, Trigger, reports::Reports};

/// How often whoever waits for a change looks by itself: a report that stops counting tells nobody.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Steps by the capability that they name, all routers together.
pub(crate) type StepsByName = BTreeMap<Capability, u64>;

/// What is known now, from memory: reading it waits for nobody. Clones share it.
#[derive(Clone)]
pub(crate) struct Demand {
    snapshots: SnapshotHandle,
    reports: Reports,
    changes: watch::Receiver<u64>,
    max_routers: usize,
}

// === impl Demand ===

impl Demand {
    pub(crate) fn new(snapshots: SnapshotHandle, reports: Reports, max_routers: usize) -> Self {
        let changes = reports.changes();
        Self { snapshots, reports, changes, max_routers }
    }

    /// Fails until the registry was read and every router in it was asked once: before that the sum is too small, and a replica
    /// that has just started would take workers away.
    ///
    /// # Errors
    /// `NotKnownYet`.
    pub(crate) fn check_known(&self) -> Result<(), ScalerError> {
        let snapshot = self.snapshots.load();
        let routers = snapshot.routers().map(|router| &router.id).take(self.max_routers);
        if snapshot.is_synced() && self.reports.is_settled(routers) { Ok(()) } else { Err(ScalerError::NotKnownYet) }
    }

    /// The value of a trigger's metric, in steps.
    pub(crate) fn metric(&self, trigger: &Trigger) -> f64 {
        as_metric(steps_for(&trigger.capability, &self.reports.sum(), &self.snapshots.load()))
    }

    /// Should there be any worker?
    pub(crate) fn is_active(&self, trigger: &Trigger) -> bool {
        is_active(trigger, &self.reports.sum(), &self.snapshots.load())
    }

    /// Waits until something may be different.
    pub(crate) async fn changed(&mut self) {
        tokio::select! {
            () = self.snapshots.changed() => {}
            // Its sender lives in `reports`.
            _ = self.changes.changed() => {}
            () = sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Steps that workers of `capability` answer, or would if there were any.
///
/// A step that names `aws/s3` goes to workers of `aws/s3`, and where there are none to those of `aws`. So it counts for the
/// most specific capability that has workers; and for one between the two that is only declared, which should come to have some.
pub(crate) fn steps_for(capability: &Capability, steps: &StepsByName, snapshot: &Snapshot) -> u64 {
    let counted = steps.iter().filter(|(name, _)| counts_for(capability, name, snapshot));
    counted.fold(0, |sum, (_, steps)| sum.saturating_add(*steps))
}

fn counts_for(capability: &Capability, named: &Capability, snapshot: &Snapshot) -> bool {
    if !capability.covers(named) {
        return false;
    }
    let mut more_specific = named.lineage().take_while(|name| *name != capability.as_str());
    // Whoever has workers serves what nobody more specific serves, until the declared ones have come.
    let is_serving = snapshot.has_workers(capability.as_str());
    !more_specific.any(|name| snapshot.has_workers(name) || (snapshot.is_declared(name) && !is_serving))
}

/// Should there be any worker? Who is still loading counts: to take it away again would begin everything anew.
pub(crate) fn is_active(trigger: &Trigger, steps: &StepsByName, snapshot: &Snapshot) -> bool {
    let to_do = steps_for(&trigger.capability, steps, snapshot);
    as_metric(to_do) > trigger.activation || snapshot.is_loading(trigger.capability.as_str())
}

/// Exact up to 2⁵³, of which no troop will ever have as many steps.
#[allow(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn as_metric(steps: u64) -> f64 {
    steps as f64
}

#[cfg(test)]
mod tests {
    use silverback_registry::{
        Card, CardKind, Declaration, Digest, Limits, Presence, Registry, RegistryConfig, WorkerRecord,
    };

    use super::*;

    fn name(name: &str) -> Capability {
        Capability::new(name).unwrap()
    }

    fn steps(list: &[(&str, u64)]) -> StepsByName {
        list.iter().map(|(capability, steps)| (name(capability), *steps)).collect()
    }

    /// A snapshot in which these capabilities are served, declared and loading.
    async fn snapshot(served: &[&str], declared: &[&str], loading: &[&str]) -> Snapshot {
        let registry = Registry::connect("memory:", RegistryConfig::default()).await.unwrap();
        let mut announced = Vec::new();
        let card = Card {
            model: "m".into(),
            model_digest: Digest::of(b"m"),
            adapter: None,
            catalogue: None,
            catalogue_name: None,
            grammar_version: "1".into(),
            limits: Limits { max_concurrent: 1, max_prompt_tokens: 1 },
            kind: CardKind::General,
            description: "d".into(),
            examples: Vec::new(),
        };
        for capability in served {
            let record = WorkerRecord::new("w".parse().unwrap(), name(capability), "http://h:1", &card);
            announced.push(registry.announce(&record, &card).unwrap());
        }
        for capability in loading {
            announced.push(registry.announce_loading(&name(capability), &Presence::at("http://h:1").unwrap()));
        }
        for announcement in &announced {
            announcement.announced().await.unwrap();
        }
        for capability in declared {
            let declaration = Declaration { description: "d".into(), examples: Vec::new() };
            registry.declare(&name(capability), &declaration).await.unwrap();
        }
        registry.read().await.unwrap()
    }

    #[tokio::test]
    async fn a_step_counts_for_whoever_serves_it() {
        let backlog = steps(&[("aws", 1), ("aws/s3", 10), ("aws/s3/glacier", 100), ("awsome", 1000)]);
        let count = |capability: &str, snapshot: &Snapshot| steps_for(&name(capability), &backlog, snapshot);
        let only_aws = snapshot(&["aws"], &[], &[]).await;
        assert_eq!((count("aws", &only_aws), count("gcp", &only_aws)), (111, 0));
        let both = snapshot(&["aws", "aws/s3"], &[], &[]).await;
        assert_eq!((count("aws", &both), count("aws/s3", &both)), (1, 110));
    }

    #[tokio::test]
    async fn a_declared_capability_attracts_its_steps_and_those_who_serve_them_meanwhile_keep_them() {
        let backlog = steps(&[("aws/s3", 10)]);
        let count = |capability: &str, snapshot: &Snapshot| steps_for(&name(capability), &backlog, snapshot);
        let nobody = snapshot(&[], &["aws", "aws/s3"], &[]).await;
        assert_eq!((count("aws", &nobody), count("aws/s3", &nobody)), (0, 10), "one of them is enough");
        let meanwhile = snapshot(&["aws"], &["aws/s3"], &[]).await;
        assert_eq!((count("aws", &meanwhile), count("aws/s3", &meanwhile)), (10, 10));
    }

    #[tokio::test]
    async fn what_has_more_to_do_than_the_activation_or_is_loading_is_active() {
        let trigger = |activation| Trigger { capability: name("aws"), target: 4.0, activation };
        let idle = snapshot(&["aws"], &["aws"], &[]).await;
        assert!(!is_active(&trigger(0.0), &steps(&[]), &idle));
        assert!(is_active(&trigger(0.0), &steps(&[("aws", 1)]), &idle));
        assert!(!is_active(&trigger(2.0), &steps(&[("aws", 2)]), &idle));
        let loading = snapshot(&[], &["aws"], &["aws"]).await;
        assert!(is_active(&trigger(0.0), &steps(&[]), &loading));
        assert!(!is_active(&trigger(0.0), &steps(&[]), &snapshot(&[], &["aws"], &["gcp"]).await));
    }
}
