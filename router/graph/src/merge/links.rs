//! Who waits for whom: references, the worker's own order, the order of the steps.

use std::collections::{BTreeMap, BTreeSet};

use super::Sheet;
use crate::{CallId, Severity, StepId, references};

/// First calls and last calls of one step, as places on the sheet.
#[derive(Clone, Default)]
struct Ends {
    first: BTreeSet<usize>,
    last: BTreeSet<usize>,
}

impl Sheet<'_> {
    /// Draws every edge; drops calls that refer to nothing or wait in a circle until the rest is a directed acyclic graph.
    pub(super) fn link(&mut self) {
        loop {
            self.drop_dangling();
            self.draw_own_edges();
            self.draw_step_edges();
            let circle = self.find_circle();
            if circle.is_empty() {
                break;
            }
            self.drop_places(&circle, "cycle", "its calls wait for each other in a circle");
        }
    }

    fn places(&self) -> BTreeMap<CallId, usize> {
        self.calls.iter().enumerate().map(|(place, call)| (call.id, place)).collect()
    }

    /// A dropped call leaves its dependents dangling in turn, hence the loop; it ends because calls only get fewer.
    fn drop_dangling(&mut self) {
        loop {
            let places = self.places();
            let mut dangling: BTreeMap<usize, String> = BTreeMap::new();
            for (place, call) in self.calls.iter().enumerate() {
                let why = match references(&call.arguments) {
                    Err(pointer) => Some(format!("the reference at {pointer} cannot be read")),
                    Ok(found) => found.into_iter().find(|(_, reference)| !places.contains_key(&reference.call)).map(
                        |(pointer, reference)| {
                            format!("{pointer} refers to {}, which is not in the plan", reference.call)
                        },
                    ),
                };
                dangling.extend(why.map(|why| (place, why)));
            }
            if dangling.is_empty() {
                return;
            }
            for (&place, why) in &dangling {
                self.drop_call(&self.calls[place].clone(), "dangling-reference", why);
            }
            self.remove_places(&dangling.into_keys().collect());
        }
    }

    /// Edges from references and from the worker's `after`; an `after` that names nothing is only noted.
    fn draw_own_edges(&mut self) {
        let places = self.places();
        self.after = vec![BTreeSet::new(); self.calls.len()];
        let mut unknown = Vec::new();
        for (place, call) in self.calls.iter().enumerate() {
            let referred = references(&call.arguments).unwrap_or_default();
            self.after[place].extend(referred.iter().filter_map(|(_, reference)| places.get(&reference.call)));
            for after in &call.after {
                match places.get(after) {
                    Some(&other) => {
                        self.after[place].insert(other);
                    }
                    None => unknown.push((place, *after)),
                }
            }
        }
        for (place, after) in unknown {
            let call = &mut self.calls[place];
            call.after.retain(|other| *other != after);
            let message = format!("{} should wait for {after}, which is not in the plan", call.title());
            let step = call.step.to_string();
            self.note(Severity::Warning, "unknown-order", &message, vec![step]);
        }
    }

    /// The first calls of a step wait for the last calls of the steps before it; a step without calls passes its own on.
    fn draw_step_edges(&mut self) {
        let mut ends = self.find_ends();
        for id in self.order.clone() {
            let before: BTreeSet<usize> = self.steps[&id]
                .after
                .iter()
                .filter(|after| **after != id)
                .filter_map(|after| ends.get(after))
                .flat_map(|ends| ends.last.iter().copied())
                .collect();
            let own = ends.entry(id).or_default();
            for &place in &own.first {
                self.after[place].extend(&before);
            }
            if own.first.is_empty() && own.last.is_empty() {
                own.last = before;
            }
        }
    }

    fn find_ends(&self) -> BTreeMap<StepId, Ends> {
        let mut ends: BTreeMap<StepId, Ends> = BTreeMap::new();
        for (place, call) in self.calls.iter().enumerate() {
            let own = ends.entry(call.step).or_default();
            own.last.insert(place);
            if !self.after[place].iter().any(|&other| self.calls[other].step == call.step) {
                own.first.insert(place);
            }
        }
        for (place, call) in self.calls.iter().enumerate() {
            let own = ends.entry(call.step).or_default();
            for other in self.after[place].iter().filter(|other| **other != place) {
                own.last.remove(other);
            }
        }
        ends
    }

    /// What Kahn's algorithm leaves over when it is run from both ends: the circles and what lies between them.
    fn find_circle(&self) -> BTreeSet<usize> {
        let all = (0..self.calls.len()).collect();
        let mut followers = vec![BTreeSet::new(); self.calls.len()];
        for (place, after) in self.after.iter().enumerate() {
            after.iter().for_each(|&other| {
                followers[other].insert(place);
            });
        }
        let not_in_front = peel(&self.after, &followers, all);
        peel(&followers, &self.after, not_in_front)
    }

    fn drop_places(&mut self, places: &BTreeSet<usize>, code: &str, reason: &str) {
        for &place in places {
            self.drop_call(&self.calls[place].clone(), code, reason);
        }
        self.remove_places(places);
    }

    fn remove_places(&mut self, places: &BTreeSet<usize>) {
        let mut place = 0;
        self.calls.retain(|_| {
            place += 1;
            !places.contains(&(place - 1))
        });
    }
}

/// Takes away whatever waits for nothing among the rest, until nothing more can go.
fn peel(waits_for: &[BTreeSet<usize>], followers: &[BTreeSet<usize>], mut rest: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut blockers: Vec<usize> = waits_for.iter().map(|others| others.intersection(&rest).count()).collect();
    let mut free: Vec<usize> = rest.iter().copied().filter(|&place| blockers[place] == 0).collect();
    while let Some(place) = free.pop() {
        rest.remove(&place);
        for &follower in followers[place].intersection(&rest) {
            blockers[follower] -= 1;
            if blockers[follower] == 0 {
                free.push(follower);
            }
        }
    }
    rest
}
