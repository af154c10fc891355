//! Is this a graph that can be walked?

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{Step, StepId};

/// More steps than this in one request are refused: a plan that nobody reads is not accepted by anybody.
pub const MAX_STEPS: usize = 32;

/// Why a list of steps is no directed acyclic graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// More than [`MAX_STEPS`]; holds the count.
    TooMany(usize),
    /// Two steps with one id.
    Duplicate(StepId),
    /// A step waits for itself.
    WaitsForItself(StepId),
    /// A step waits for one that does not exist.
    Unknown {
        /// The waiting step.
        step: StepId,
        /// What it names.
        after: StepId,
    },
    /// Steps that wait for each other in a circle, and those behind it, by id.
    Cycle(Vec<StepId>),
}

/// The ids in an order in which the steps can run, ties by id.
///
/// # Errors
/// Every fault there is, in a fixed order.
pub fn validate(steps: &[Step]) -> Result<Vec<StepId>, Vec<Fault>> {
    let mut faults = Vec::new();
    if steps.len() > MAX_STEPS {
        faults.push(Fault::TooMany(steps.len()));
    }
    // By id, so that the faults do not depend on the order in which the steps came.
    let mut sorted: Vec<&Step> = steps.iter().collect();
    sorted.sort_by_key(|step| step.id);
    let mut known = BTreeSet::new();
    for step in &sorted {
        if !known.insert(step.id) {
            faults.push(Fault::Duplicate(step.id));
        }
    }
    for step in sorted {
        for &after in &step.after {
            if after == step.id {
                faults.push(Fault::WaitsForItself(step.id));
            } else if !known.contains(&after) {
                faults.push(Fault::Unknown { step: step.id, after });
            }
        }
    }
    let (order, stuck) = walk(steps);
    if !stuck.is_empty() {
        faults.push(Fault::Cycle(stuck));
    }
    if faults.is_empty() { Ok(order) } else { Err(faults) }
}

/// Every id once: first those that can run, in order, then those in a circle or behind one, by id. Never fails.
pub(crate) fn order_steps(steps: &[Step]) -> Vec<StepId> {
    let (mut order, stuck) = walk(steps);
    order.extend(stuck);
    order
}

/// Kahn's algorithm with the smallest id first; unknown steps and the step itself do not hold anything up.
fn walk(steps: &[Step]) -> (Vec<StepId>, Vec<StepId>) {
    let known: BTreeSet<_> = steps.iter().map(|step| step.id).collect();
    let mut waiting: BTreeMap<StepId, BTreeSet<StepId>> = BTreeMap::new();
    for step in steps {
        let blockers = step.after.iter().copied().filter(|after| *after != step.id && known.contains(after));
        waiting.entry(step.id).or_default().extend(blockers);
    }
    let mut order = Vec::with_capacity(waiting.len());
    while let Some((&next, _)) = waiting.iter().find(|(_, blockers)| blockers.is_empty()) {
        waiting.remove(&next);
        waiting.values_mut().for_each(|blockers| {
            blockers.remove(&next);
        });
        order.push(next);
    }
    (order, waiting.into_keys().collect())
}

// === impl Fault ===

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::TooMany(count) => {
                write!(out, "{count} steps; at most {MAX_STEPS} are allowed: ask for less at once")
            }
            Fault::Duplicate(id) => write!(out, "two steps are called {id}"),
            Fault::WaitsForItself(id) => write!(out, "{id} waits for itself"),
            Fault::Unknown { step, after } => write!(out, "{step} waits for {after}, which does not exist"),
            Fault::Cycle(ids) => {
                let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
                write!(out, "{} wait in a circle or behind one", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step(number: usize, after: &[usize]) -> Step {
        Step {
            id: StepId::nth(number - 1),
            capability: "aws".into(),
            text: format!("step {number}"),
            after: after.iter().map(|number| StepId::nth(number - 1)).collect(),
        }
    }

    fn id(number: usize) -> StepId {
        StepId::nth(number - 1)
    }

    #[test]
    fn order_follows_the_edges_and_then_the_ids() {
        let steps = [step(1, &[3]), step(2, &[]), step(3, &[]), step(4, &[1])];
        assert_eq!(validate(&steps), Ok(vec![id(2), id(3), id(1), id(4)]));
    }

    #[test]
    fn each_fault_is_named() {
        assert_eq!(validate(&[step(1, &[]), step(1, &[])]), Err(vec![Fault::Duplicate(id(1))]));
        assert_eq!(validate(&[step(1, &[1])]), Err(vec![Fault::WaitsForItself(id(1))]));
        assert_eq!(validate(&[step(1, &[7])]), Err(vec![Fault::Unknown { step: id(1), after: id(7) }]));
        let circle = [step(1, &[2]), step(2, &[1]), step(3, &[])];
        assert_eq!(validate(&circle), Err(vec![Fault::Cycle(vec![id(1), id(2)])]));
        let many: Vec<_> = (1..=33).map(|number| step(number, &[])).collect();
        assert_eq!(validate(&many), Err(vec![Fault::TooMany(33)]));
    }

    proptest! {
        #[test]
        fn a_valid_order_puts_every_step_behind_what_it_waits_for(edges in prop::collection::vec((1usize..9, 1usize..9), 0..20)) {
            let steps: Vec<_> = (1..9)
                .map(|number| {
                    let after: Vec<_> = edges.iter().filter(|edge| edge.0 == number).map(|edge| edge.1).collect();
                    step(number, &after)
                })
                .collect();
            prop_assert_eq!(order_steps(&steps).len(), steps.len());
            if let Ok(order) = validate(&steps) {
                let place = |id: StepId| order.iter().position(|other| *other == id);
                for step in &steps {
                    for after in &step.after {
                        prop_assert!(place(*after) < place(step.id));
                    }
                }
            }
        }
    }
}
