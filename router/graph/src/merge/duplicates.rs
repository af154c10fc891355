//! The same call asked for twice: a read is made once, anything else is kept and shown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Remark, Sheet};
use crate::{Call, CallId, Severity, canonical_json, rewrite_references};

impl Sheet<'_> {
    /// Drops a read that equals an earlier one and would see the same world: no write lies before one and not the other.
    pub(super) fn fold_reads(&mut self) -> Vec<Remark> {
        let writes_before = self.writes_before();
        let mut first: BTreeMap<(String, &BTreeSet<usize>), usize> = BTreeMap::new();
        let mut stands_for: BTreeMap<CallId, CallId> = BTreeMap::new();
        let mut replaced: BTreeMap<usize, usize> = BTreeMap::new();
        let mut folded = Vec::new();
        for (place, writes) in writes_before.iter().enumerate() {
            for value in self.calls[place].arguments.values_mut() {
                rewrite_references(value, &|id| stands_for.get(&id).copied().unwrap_or(id));
            }
            let call = &self.calls[place];
            if !call.effect.is_read() {
                continue;
            }
            let kept = *first.entry((identity(call), writes)).or_insert(place);
            if kept != place {
                stands_for.insert(call.id, self.calls[kept].id);
                replaced.insert(place, kept);
                folded.push(Remark::Folded { kept: self.calls[kept].id, dropped: call.id, step: call.step });
            }
        }
        for after in &mut self.after {
            *after = after.iter().map(|place| *replaced.get(place).unwrap_or(place)).collect();
        }
        let left: Vec<usize> = (0..self.calls.len()).filter(|place| !replaced.contains_key(place)).collect();
        self.arrange(&left);
        folded
    }

    /// Warns of equal calls that both change something; they are kept, since twice may be meant.
    pub(super) fn warn_of_twins(&mut self) {
        let mut first: BTreeMap<String, CallId> = BTreeMap::new();
        let mut twins = Vec::new();
        for call in self.calls.iter().filter(|call| !call.effect.is_read()) {
            let kept = *first.entry(identity(call)).or_insert(call.id);
            if kept != call.id {
                twins.push((kept, call.id, call.title()));
            }
        }
        for (kept, twin, title) in twins {
            let message = format!("{kept} and {twin} are the same call ({title}); both are kept");
            self.note(Severity::Warning, "duplicate-call", &message, vec![kept.to_string(), twin.to_string()]);
        }
    }

    /// For each call the writes it waits for, directly or not. Needs sorted calls.
    fn writes_before(&self) -> Vec<BTreeSet<usize>> {
        let mut writes: Vec<BTreeSet<usize>> = Vec::with_capacity(self.calls.len());
        for after in &self.after {
            let mut own = BTreeSet::new();
            for &other in after {
                own.extend(&writes[other]);
                if !self.calls[other].effect.is_read() {
                    own.insert(other);
                }
            }
            writes.push(own);
        }
        writes
    }
}

/// What makes two calls the same call.
pub(super) fn identity(call: &Call) -> String {
    canonical_json(&json!([call.provider, call.service, call.operation, call.arguments]))
}
