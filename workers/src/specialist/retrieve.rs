//! Finds the operations that may be meant: by the words of the step and by what the draft names.

use std::time::Instant;

use silverback_catalogue::{Candidate, Scope, fuse, match_draft};

use super::{Specialist, Task};
use crate::{WorkerError, usage::Meter};

/// Candidates that are judged; each costs well under a millisecond.
const CANDIDATES: usize = 12;

// === impl Specialist ===

impl Specialist {
    /// The union of both sources, best first.
    pub(super) fn retrieve(&self, task: &Task, draft: &str, meter: &mut Meter) -> Result<Vec<Candidate>, WorkerError> {
        let started = Instant::now();
        let step = task.request.step.as_ref().map_or("", |step| step.text.as_str());
        let words = self.catalogue.search(step, CANDIDATES);
        let drafted =
            if draft.is_empty() { Vec::new() } else { match_draft(&self.catalogue, Scope::default(), draft, CANDIDATES) };
        let candidates = fuse(&words, &drafted, CANDIDATES);
        meter.add_retrieval(started);
        Ok(candidates)
    }
}
