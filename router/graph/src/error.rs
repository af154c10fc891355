//! What can go wrong when foreign bytes become a plan.

use silverback_proto::ErrorCode;
use thiserror::Error;

/// A value that is no part of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GraphError {
    /// An identifier of another shape.
    #[error("\"{text}\" is not {expected}")]
    ParseIdFailed {
        /// What was given, cut to 64 characters.
        text: String,
        /// What it should look like.
        expected: &'static str,
    },
    /// A message from the wire that lacks something or holds something impossible.
    #[error("cannot read {what}: {reason}")]
    ReadMessageFailed {
        /// The message and the field, e.g. `call c1: arguments`.
        what: String,
        /// Why.
        reason: String,
    },
}

// === impl GraphError ===

impl GraphError {
    /// The code for every edge: whoever made the value has a defect.
    pub fn code(&self) -> ErrorCode {
        ErrorCode::Internal
    }

    /// Would the same again help? Never: the value stays what it is.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
