//! Puts the calls into an order in which they can run and numbers them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Remark, Sheet};
use crate::{CallId, Severity};

impl Sheet<'_> {
    /// Topological order; of the calls that could come next, the one of the earliest step, then of the lowest number.
    pub(super) fn sort(&mut self) {
        let rank: BTreeMap<_, _> = self.order.iter().enumerate().map(|(rank, step)| (*step, rank)).collect();
        let key = |place: usize| (rank.get(&self.calls[place].step), self.calls[place].id, place);
        let mut blockers: Vec<usize> = self.after.iter().map(BTreeSet::len).collect();
        let mut waiting = vec![Vec::new(); self.calls.len()];
        for (place, after) in self.after.iter().enumerate() {
            after.iter().for_each(|&other| waiting[other].push(place));
        }
        let mut ready: BTreeSet<_> = (0..self.calls.len()).filter(|&place| blockers[place] == 0).map(key).collect();
        let mut sorted = Vec::with_capacity(self.calls.len());
        while let Some((_, _, place)) = ready.pop_first() {
            sorted.push(place);
            for &next in &waiting[place] {
                blockers[next] -= 1;
                if blockers[next] == 0 {
                    ready.insert(key(next));
                }
            }
        }
        debug_assert_eq!(sorted.len(), self.calls.len(), "link() left a circle");
        self.arrange(&sorted);
    }

    /// Renames every call and every mention of one to the plan's own numbers, and says what there is to say.
    pub(super) fn number(&mut self, remarks: &[Remark]) {
        let numbered = self.calls.iter().enumerate().map(|(place, call)| (call.id, CallId::nth(place)));
        let mut names: BTreeMap<CallId, CallId> = numbered.collect();
        // Backwards: what stood for a read may have been folded into a third later.
        for remark in remarks.iter().rev() {
            if let Remark::Folded { kept, dropped, .. } = remark {
                names.insert(*dropped, names[kept]);
            }
        }
        for call in &mut self.calls {
            call.after.clear();
            call.rename(|id| names.get(&id).copied().unwrap_or(id));
        }
        remarks.iter().for_each(|remark| self.note_remark(remark, &names));
    }

    fn note_remark(&mut self, remark: &Remark, names: &BTreeMap<CallId, CallId>) {
        match remark {
            Remark::Folded { kept, step, .. } => {
                let kept = names[kept].to_string();
                let message = format!("{step} asks for the same read as {kept}; it is made once");
                self.note(Severity::Note, "duplicate-call", &message, vec![kept, step.to_string()]);
            }
            Remark::Writers { one, two, resource } => {
                let (one, two) = (names[one].to_string(), names[two].to_string());
                let message = format!("{one} and {two} both change {resource}; they run one after the other");
                self.note(Severity::Note, "two-writers", &message, vec![one, two]);
            }
        }
    }

    /// Puts the call that stood at `sorted[i]` at place `i`; calls that `sorted` leaves out are gone.
    pub(super) fn arrange(&mut self, sorted: &[usize]) {
        let places: BTreeMap<usize, usize> = sorted.iter().enumerate().map(|(new, &old)| (old, new)).collect();
        self.after = sorted
            .iter()
            .map(|&old| self.after[old].iter().filter_map(|other| places.get(other).copied()).collect())
            .collect();
        let mut calls: Vec<_> = std::mem::take(&mut self.calls).into_iter().map(Some).collect();
        self.calls = sorted.iter().filter_map(|&old| calls[old].take()).collect();
    }
}
