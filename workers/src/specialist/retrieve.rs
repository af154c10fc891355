//! Finds the operations that may be meant: by the words and the meaning of the step and by what the draft names.

use std::time::Instant;

use silverback_catalogue::{Candidate, Wish};

use super::{Specialist, Task};
use crate::usage::Meter;

/// Candidates that are judged; each costs well under a millisecond.
const CANDIDATES: usize = 12;

// === impl Specialist ===

impl Specialist {
    /// The union of all sources, best first; `vector` is the step's.
    pub(super) fn retrieve(
        &self,
        task: &Task,
        draft: &str,
        vector: Option<&[f32]>,
        meter: &mut Meter,
    ) -> Vec<Candidate> {
        let started = Instant::now();
        let retrieved = self.retriever.retrieve(&Wish { text: task.text(), vector, draft }, CANDIDATES);
        meter.add_retrieval(started);
        retrieved.candidates
    }
}
