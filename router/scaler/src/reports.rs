//! What every router said last, and their sum.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use silverback_proto::v1;
use silverback_registry::{Capability, WorkerId};
use tokio::{sync::watch, time::Instant};

use crate::demand::StepsByName;

/// Capabilities that are read of one report: a router with more is broken.
const MAX_CAPABILITIES: usize = 1024;

/// The last report of each router. Clones share it.
#[derive(Clone)]
pub(crate) struct Reports {
    keep: Duration,
    known: Arc<Mutex<Known>>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    reports: BTreeMap<WorkerId, Report>,
    /// Their sum, until one of them changes: a thousand streams ask for the same.
    sum: Option<Arc<StepsByName>>,
    /// Routers that were asked, successfully or not.
    asked: BTreeSet<WorkerId>,
    /// Were all routers that stood in the registry at the start asked? Stays true: later ones must not make everything unknown.
    is_settled: bool,
}

struct Report {
    steps: StepsByName,
    heard: Instant,
}

// === impl Reports ===

impl Reports {
    /// Reports that count for `keep` after they were heard.
    pub(crate) fn new(keep: Duration) -> Self {
        Self { keep, known: Arc::default(), changes: watch::Sender::new(0) }
    }

    /// Takes over what a router says now. Names that are none are left out.
    pub(crate) fn take(&self, router: &WorkerId, backlog: v1::Backlog) {
        let read = |report: v1::CapabilityBacklog| {
            let steps = [report.waiting, report.queued, report.running].into_iter().map(u64::from).sum();
            Some((Capability::new(report.capability).ok()?, steps))
        };
        let steps: StepsByName = backlog.capabilities.into_iter().take(MAX_CAPABILITIES).filter_map(read).collect();
        let is_change = {
            let mut known = self.lock();
            let is_first = known.asked.insert(router.clone());
            let before = known.reports.insert(router.clone(), Report { steps: steps.clone(), heard: Instant::now() });
            let is_change = before.is_none_or(|before| before.steps != steps);
            if is_change {
                known.sum = None;
            }
            is_first || is_change
        };
        if is_change {
            self.tell();
        }
    }

    /// A router was asked in vain: what it said before still counts for a while.
    pub(crate) fn miss(&self, router: &WorkerId) {
        if self.lock().asked.insert(router.clone()) {
            self.tell();
        }
    }

    /// A router has ended in good order, and its requests with it.
    pub(crate) fn forget(&self, router: &WorkerId) {
        let had_report = {
            let mut known = self.lock();
            known.asked.insert(router.clone());
            known.sum = None;
            known.reports.remove(router).is_some()
        };
        if had_report {
            self.tell();
        }
    }

    /// A router stands in the registry no more and is not asked again.
    pub(crate) fn release(&self, router: &WorkerId) {
        self.lock().asked.remove(router);
    }

    /// The sum of all reports that count, by name. Drops the others.
    pub(crate) fn sum(&self) -> Arc<StepsByName> {
        self.sum_at(Instant::now())
    }

    fn sum_at(&self, now: Instant) -> Arc<StepsByName> {
        let mut known = self.lock();
        let before = known.reports.len();
        known.reports.retain(|_, report| now.duration_since(report.heard) < self.keep);
        if known.reports.len() == before
            && let Some(sum) = &known.sum
        {
            return sum.clone();
        }
        let mut sum = StepsByName::new();
        for (capability, steps) in known.reports.values().flat_map(|report| &report.steps) {
            let total = sum.entry(capability.clone()).or_default();
            *total = total.saturating_add(*steps);
        }
        let sum = Arc::new(sum);
        known.sum = Some(sum.clone());
        sum
    }

    /// Has every router of the registry been asked once? `routers` is read only until then.
    pub(crate) fn is_settled<'a>(&self, mut routers: impl Iterator<Item = &'a WorkerId>) -> bool {
        let mut known = self.lock();
        if !known.is_settled {
            known.is_settled = routers.all(|router| known.asked.contains(router));
        }
        known.is_settled
    }

    /// Told after each change; several may come as one. Reports that stop counting are no change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn tell(&self) {
        self.changes.send_modify(|version| *version = version.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(capability: &str, waiting: u32, running: u32) -> v1::Backlog {
        let capability = v1::CapabilityBacklog { capability: capability.into(), waiting, queued: 0, running };
        v1::Backlog { capabilities: vec![capability] }
    }

    fn id(id: &str) -> WorkerId {
        WorkerId::new(id).unwrap()
    }

    fn aws(reports: &Reports) -> Option<u64> {
        reports.sum().get("aws").copied()
    }

    #[tokio::test]
    async fn a_lost_router_counts_for_a_while_and_one_that_ended_does_not() {
        let reports = Reports::new(Duration::from_secs(60));
        reports.take(&id("lost"), backlog("aws", 1, 2));
        reports.take(&id("ended"), backlog("aws", 10, 20));
        assert_eq!(aws(&reports), Some(33));
        reports.forget(&id("ended"));
        reports.miss(&id("lost"));
        assert_eq!(aws(&reports), Some(3));
        let heard = Instant::now();
        assert_eq!(reports.sum_at(heard + Duration::from_secs(30)).get("aws"), Some(&3));
        assert_eq!(reports.sum_at(heard + Duration::from_secs(61)).get("aws"), None);
        assert_eq!(aws(&reports), None, "what stopped counting is gone");
    }

    #[tokio::test]
    async fn the_sum_is_known_when_every_router_was_asked_and_stays_so() {
        let reports = Reports::new(Duration::from_secs(60));
        let (first, second) = (id("a"), id("b"));
        assert!(!reports.is_settled([&first, &second].into_iter()));
        reports.take(&first, backlog("aws", 0, 1));
        assert!(!reports.is_settled([&first, &second].into_iter()));
        reports.miss(&second);
        assert!(reports.is_settled([&first, &second].into_iter()));
        assert!(reports.is_settled([&id("new")].into_iter()));
    }

    #[tokio::test]
    async fn hostile_reports_are_cut_and_cannot_overflow() {
        let reports = Reports::new(Duration::from_secs(60));
        let named = |capability: String| v1::CapabilityBacklog {
            capability,
            waiting: u32::MAX,
            queued: u32::MAX,
            running: u32::MAX,
        };
        let many = (0..5000).map(|number| named(format!("c{number}"))).collect();
        reports.take(&id("many"), v1::Backlog { capabilities: many });
        assert_eq!(reports.sum().len(), MAX_CAPABILITIES);
        reports.take(&id("many"), v1::Backlog { capabilities: vec![named("AWS\n".into()), named("aws".into())] });
        assert_eq!(aws(&reports), Some(3 * u64::from(u32::MAX)));
        assert_eq!(reports.sum().len(), 1);
    }

    #[tokio::test]
    async fn the_same_report_again_wakes_nobody() {
        let reports = Reports::new(Duration::from_secs(60));
        reports.take(&id("r"), backlog("aws", 0, 1));
        let mut changes = reports.changes();
        changes.mark_unchanged();
        reports.take(&id("r"), backlog("aws", 0, 1));
        assert!(!changes.has_changed().unwrap());
        reports.take(&id("r"), backlog("aws", 1, 1));
        assert!(changes.has_changed().unwrap());
    }
}
