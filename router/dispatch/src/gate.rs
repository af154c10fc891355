//! Who judges a worker's calls before anybody sees them.

use silverback_graph::{Answer, Call, Step};
use tonic::async_trait;

use crate::Worker;

/// Checks answers against what exists. Implemented where the catalogue is known.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Keeps the calls that may be passed on and moves the others to `unanswered` with the reason.
    ///
    /// `earlier` are the calls that the answer may refer to, named as in the answer (`s1-c1`).
    async fn check(&self, worker: &Worker, step: &Step, earlier: &[Call], answer: Answer) -> Answer;
}
