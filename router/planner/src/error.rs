//! What can go wrong while planning.

use silverback_proto::{CodedStatus, ErrorCode};
use tonic::Status;

/// Why no plan came to be.
#[derive(Debug, thiserror::Error)]
pub enum PlannerError {
    /// The general worker could not be reached or gave up.
    #[error("the general worker failed while it {stage}: {}", source.message())]
    GeneralFailed {
        /// What it was asked to do.
        stage: &'static str,
        /// Its answer.
        #[source]
        source: Status,
    },
}

// === impl PlannerError ===

impl PlannerError {
    /// The code for the edges.
    pub fn code(&self) -> ErrorCode {
        match self {
            PlannerError::GeneralFailed { source, .. } => source.error_code(),
        }
    }

    /// May the same request be tried again?
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
