//! Who judges a worker's calls before anybody sees them.

use silverback_graph::{Answer, Call, Step, Unanswered};
use silverback_proto::v1::Fault;
use tonic::async_trait;

use crate::Worker;

/// Faults that a worker is told at once; it takes no more.
const MAX_FAULTS: usize = 64;

/// Checks answers against what exists. Implemented where the catalogue is known.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Keeps the calls that may be passed on; the others come back with what is wrong with them.
    ///
    /// `earlier` are the calls that the answer may refer to, named as in the answer (`s1-c1`).
    async fn check(&self, worker: &Worker, step: &Step, earlier: &[Call], answer: Answer) -> Checked;
}

/// A judged answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// The answer with the calls that may be passed on.
    pub answer: Answer,
    /// The others.
    pub rejected: Vec<Rejected>,
}

/// A call that may not be passed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// What people read of it.
    pub unanswered: Unanswered,
    /// What is wrong with it; empty when telling the worker cannot help.
    pub faults: Vec<Fault>,
}

// === impl Checked ===

impl Checked {
    /// Everything that a worker can be told to do better.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.rejected.iter().flat_map(|rejected| &rejected.faults).take(MAX_FAULTS).cloned().collect()
    }

    /// The answer as it goes out: what was rejected is reported.
    pub(crate) fn into_answer(mut self) -> Answer {
        self.answer.unanswered.extend(self.rejected.into_iter().map(|rejected| rejected.unanswered));
        self.answer
    }
}
