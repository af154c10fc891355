//! What there is to do, by capability: the number that workers are scaled by.
//!
//! A step is counted from the moment its plan has it, also while it waits for the steps before it: by the time it is ready
//! a worker that starts now may be. It is counted until it is answered or its request is cancelled.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::gauge;
use tokio::{sync::watch, time::Instant};

/// Gauge: steps by `capability` and `state` (`waiting`, `queued`, `running`).
pub const BACKLOG_STEPS: &str = "silverback_backlog_steps";

/// Steps of one capability by where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// For the steps before them.
    pub waiting: u32,
    /// For the first worker.
    pub queued: u32,
    /// At a worker.
    pub running: u32,
}

/// All steps of one router. Clones share it.
#[derive(Clone)]
pub struct Backlog {
    /// Invariant: has no entry of zeros. Only capabilities that the planner was shown get in, which bounds it.
    steps: Arc<Mutex<BTreeMap<String, Steps>>>,
    changes: watch::Sender<u64>,
}

/// One step that is counted until this is dropped.
pub struct Counted {
    backlog: Backlog,
    capability: String,
    state: State,
    since: Instant,
}

/// Where one step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Queued,
    Running,
}

// === impl Backlog ===

impl Default for Backlog {
    fn default() -> Self {
        Self { steps: Arc::default(), changes: watch::Sender::new(0) }
    }
}

impl Backlog {
    /// Counts one more step, which waits for the steps before it.
    pub fn enter(&self, capability: &str) -> Counted {
        let state = State::Waiting;
        self.change(capability, |steps| *state.of(steps) += 1);
        Counted { backlog: self.clone(), capability: capability.to_owned(), state, since: Instant::now() }
    }

    /// Every capability with any step, by name.
    pub fn steps(&self) -> BTreeMap<String, Steps> {
        self.lock().clone()
    }

    /// Told after each change; several may come as one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn change<T>(&self, capability: &str, change: impl FnOnce(&mut Steps) -> T) -> T {
        let mut all = self.lock();
        let mut steps = all.get(capability).copied().unwrap_or_default();
        let before = steps;
        let outcome = change(&mut steps);
        if steps == before {
            return outcome;
        }
        // Under the lock, so that the last value told is the last one true.
        for state in [State::Waiting, State::Queued, State::Running] {
            let (old, new) = (*state.of(&mut { before }), *state.of(&mut steps));
            if old != new {
                gauge!(BACKLOG_STEPS, "capability" => capability.to_owned(), "state" => state.name()).set(new);
            }
        }
        if steps == Steps::default() {
            all.remove(capability);
        } else {
            all.insert(capability.to_owned(), steps);
        }
        drop(all);
        self.changes.send_modify(|version| *version = version.wrapping_add(1));
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Steps>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Counted ===

impl Counted {
    /// What it is counted for.
    pub fn capability(&self) -> &str {
        &self.capability
    }

    /// How long it is counted already.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// It goes to a worker.
    pub(crate) fn run(&mut self) {
        self.go(State::Running, u32::MAX);
    }

    /// It waits for the first worker; `false` when as many as the limit already do.
    pub(crate) fn queue(&mut self, limit: usize) -> bool {
        self.go(State::Queued, u32::try_from(limit).unwrap_or(u32::MAX))
    }

    fn go(&mut self, next: State, limit: u32) -> bool {
        let state = self.state;
        let has_gone = self.backlog.change(&self.capability, |steps| {
            let has_place = next == state || *next.of(steps) < limit;
            if has_place {
                *state.of(steps) -= 1;
                *next.of(steps) += 1;
            }
            has_place
        });
        if has_gone {
            self.state = next;
        }
        has_gone
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let state = self.state;
        self.backlog.change(&self.capability, |steps| *state.of(steps) -= 1);
    }
}

// === impl State ===

impl State {
    /// Its number among the others.
    fn of(self, steps: &mut Steps) -> &mut u32 {
        match self {
            Self::Waiting => &mut steps.waiting,
            Self::Queued => &mut steps.queued,
            Self::Running => &mut steps.running,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_step_is_counted_once_wherever_it_is_until_it_is_dropped() {
        let backlog = Backlog::default();
        let changes = backlog.changes();
        let (mut first, second) = (backlog.enter("aws"), backlog.enter("aws"));
        assert_eq!(backlog.steps()["aws"], Steps { waiting: 2, ..Steps::default() });
        assert!(first.queue(1));
        first.run();
        assert_eq!(backlog.steps()["aws"], Steps { waiting: 1, running: 1, ..Steps::default() });
        assert!(changes.has_changed().unwrap());
        drop((first, second));
        assert!(backlog.steps().is_empty());
    }

    #[test]
    fn a_queue_takes_as_many_as_its_limit() {
        let backlog = Backlog::default();
        let mut steps = [0, 1, 2].map(|_| backlog.enter("aws"));
        let mut other = backlog.enter("gcp");
        assert_eq!(steps.each_mut().map(|step| step.queue(2)), [true, true, false]);
        assert!(other.queue(2), "each capability has a limit of its own");
        assert_eq!(backlog.steps()["aws"], Steps { waiting: 1, queued: 2, ..Steps::default() });
    }

    #[test]
    fn its_gauges_show_the_present_also_when_there_is_nothing() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shown = |number| format!("silverback_backlog_steps{{capability=\"aws\",state=\"running\"}} {number}\n");
        metrics::with_local_recorder(&recorder, || {
            let backlog = Backlog::default();
            let mut step = backlog.enter("aws");
            step.run();
            assert!(recorder.handle().render().contains(&shown(1)), "{}", recorder.handle().render());
            drop(step);
            assert!(recorder.handle().render().contains(&shown(0)), "{}", recorder.handle().render());
        });
    }

    proptest! {
        #[test]
        fn the_sum_is_always_the_number_of_steps_that_live(moves in prop::collection::vec((0usize..6, 0u8..4), 0..60)) {
            let backlog = Backlog::default();
            let mut alive: Vec<Option<Counted>> = (0..6).map(|_| None).collect();
            for (index, step) in moves {
                match (step, &mut alive[index]) {
                    (0, place) => *place = Some(backlog.enter("aws")),
                    (1, Some(counted)) => counted.run(),
                    (2, Some(counted)) => drop(counted.queue(2)),
                    (_, place) => *place = None,
                }
                let sum: u32 = backlog.steps().values().map(|steps| steps.waiting + steps.queued + steps.running).sum();
                prop_assert_eq!(sum as usize, alive.iter().flatten().count());
            }
        }
    }
}
