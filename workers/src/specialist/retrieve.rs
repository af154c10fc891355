//! Finds the operations that may be meant: by the words of the step and by what the draft names.

use std::{collections::BTreeSet, time::Instant};

use silverback_catalogue::{Candidate, OperationRef, Scope, command, fuse, match_draft};

use super::{Specialist, Task};
use crate::{WorkerError, usage::Meter};

/// Commands of the AWS command line that only wrap one API operation: service, command, flag that makes it more, operation.
/// The operation is the better answer: its result has a type that later calls can refer to, and its inverse is known.
const WRAPPERS: &[(&str, &str, &str, &str)] = &[
    ("s3", "mb", "", "CreateBucket"),
    ("s3", "rb", "force", "DeleteBucket"),
    ("s3", "ls", "recursive", "ListBuckets"),
];

/// Candidates that are judged; each costs well under a millisecond.
const CANDIDATES: usize = 12;

// === impl Specialist ===

impl Specialist {
    /// The union of both sources, best first.
    pub(super) fn retrieve(&self, task: &Task, draft: &str, meter: &mut Meter) -> Result<Vec<Candidate>, WorkerError> {
        let started = Instant::now();
        let step = task.request.step.as_ref().map_or("", |step| step.text.as_str());
        let words = self.catalogue.search(step, CANDIDATES);
        let drafted = if draft.is_empty() {
            Vec::new()
        } else {
            match_draft(&self.catalogue, Scope::default(), draft, CANDIDATES)
        };
        let mut candidates = fuse(&words, &drafted, CANDIDATES);
        if let Some(first) = candidates.first_mut()
            && let Some(operation) = self.unwrapped(draft)
        {
            first.operation = operation;
            let mut seen = BTreeSet::new();
            candidates.retain(|candidate| seen.insert(candidate.operation));
        }
        meter.add_retrieval(started);
        Ok(candidates)
    }

    /// The API operation behind a drafted wrapper.
    fn unwrapped(&self, draft: &str) -> Option<OperationRef> {
        let lines = command::parse(draft);
        let line = lines.first().filter(|line| line.program == "aws")?;
        let (service, name) = (line.words.first()?, line.words.get(1)?);
        let wrapper = WRAPPERS.iter().find(|wrapper| wrapper.0 == service && wrapper.1 == name)?;
        let is_more = line.flags.iter().any(|(flag, _)| flag == wrapper.2);
        // `s3 ls` of a bucket lists objects: only without a path it lists buckets.
        let has_path = *name == "ls" && line.words.len() > 2;
        if is_more || has_path { None } else { self.catalogue.find("aws", service, wrapper.3) }
    }
}
