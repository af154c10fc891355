//! Why a step got no answer.

use std::time::Duration;

use silverback_proto::{CodedStatus, ErrorCode};
use thiserror::Error;
use tonic::{Code, Status};
use tower::{BoxError, load_shed::error::Overloaded, timeout::error::Elapsed};

/// When an overloaded router should be asked again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A step that got no answer. The text is one line for people and becomes the reason in the plan.
#[derive(Clone, Debug, Error)]
pub enum DispatchError {
    /// Nobody is registered for it.
    #[error("no worker serves capability \"{capability}\"")]
    NoWorker {
        /// As the step names it.
        capability: String,
    },
    /// More steps than the limit of the capability are on their way.
    #[error("too many steps are being answered; ask again in {} s", RETRY_AFTER.as_secs())]
    Overloaded,
    /// As many steps as the limit wait for the first worker.
    #[error(
        "{limit} steps wait for the first worker of capability \"{capability}\" already; ask again in {} s",
        RETRY_AFTER.as_secs()
    )]
    QueueFull {
        /// As the step names it.
        capability: String,
        /// The limit.
        limit: usize,
    },
    /// All attempts together took too long.
    #[error("no answer before the deadline; ask again, or for less at once")]
    DeadlineExceeded,
    /// The worker stopped sending events.
    #[error("worker {worker} said nothing for {} s", silence.as_secs_f32())]
    WorkerSilent {
        /// Its id.
        worker: String,
        /// The limit that passed.
        silence: Duration,
    },
    /// The connection could not be made, or broke.
    #[error("worker {worker} was lost: {}", source.message())]
    WorkerLost {
        /// Its id.
        worker: String,
        /// What the transport said.
        #[source]
        source: Box<Status>,
    },
    /// The worker itself gave an error.
    #[error("worker {worker} refused: {}", source.message())]
    WorkerRefused {
        /// Its id.
        worker: String,
        /// What it said.
        #[source]
        source: Box<Status>,
    },
    /// The worker's answer breaks the contract.
    #[error("worker {worker} gave an answer that cannot be read: {reason}")]
    BadAnswer {
        /// Its id.
        worker: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A layer failed in a way it does not document.
    #[error("dispatch failed: {reason}")]
    LayerFailed {
        /// Its error.
        reason: String,
    },
}

// === impl DispatchError ===

impl DispatchError {
    /// What a status from this worker means: its own word, or a broken connection.
    pub fn from_status(worker: &str, status: Status) -> Self {
        use std::error::Error as _;
        let (worker, code) = (worker.to_owned(), status.code());
        // tonic gives statuses of its own making a source; those that crossed the wire have none.
        let is_lost = status.source().is_some() || matches!(code, Code::Unavailable | Code::Unknown | Code::Cancelled);
        let source = Box::new(status);
        if is_lost && !source.metadata().contains_key("silverback-code") {
            Self::WorkerLost { worker, source }
        } else {
            Self::WorkerRefused { worker, source }
        }
    }

    /// The code for every edge.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoWorker { .. } | Self::WorkerLost { .. } => ErrorCode::Unavailable,
            Self::Overloaded | Self::QueueFull { .. } => ErrorCode::Exhausted,
            Self::DeadlineExceeded | Self::WorkerSilent { .. } => ErrorCode::DeadlineExceeded,
            Self::WorkerRefused { source, .. } => source.error_code(),
            Self::BadAnswer { .. } | Self::LayerFailed { .. } => ErrorCode::Internal,
        }
    }

    /// May the same be asked again?
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }

    /// How long to wait before that, when it is known.
    pub fn retry_after(&self) -> Option<Duration> {
        matches!(self, Self::Overloaded | Self::QueueFull { .. }).then_some(RETRY_AFTER)
    }

    /// The worker that failed, if it was one.
    pub fn worker(&self) -> Option<&str> {
        match self {
            Self::WorkerSilent { worker, .. }
            | Self::WorkerLost { worker, .. }
            | Self::WorkerRefused { worker, .. }
            | Self::BadAnswer { worker, .. } => Some(worker),
            _ => None,
        }
    }

    /// Would another worker perhaps do better? Planning has no effects, so a repetition harms nobody.
    pub fn is_worth_another_worker(&self) -> bool {
        self.worker().is_some() && self.is_retryable()
    }

    /// Did the worker vanish, so that it should be spared for a while?
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::WorkerSilent { .. } | Self::WorkerLost { .. })
    }
}

impl From<BoxError> for DispatchError {
    fn from(error: BoxError) -> Self {
        match error.downcast::<DispatchError>() {
            Ok(error) => *error,
            Err(error) if error.is::<Overloaded>() => Self::Overloaded,
            Err(error) if error.is::<Elapsed>() => Self::DeadlineExceeded,
            Err(error) => Self::LayerFailed { reason: error.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workers_own_word_is_told_from_a_broken_connection() {
        let own = DispatchError::from_status("w", ErrorCode::Unavailable.status("model is loading"));
        assert!(matches!(own, DispatchError::WorkerRefused { .. }));
        let lost = DispatchError::from_status("w", Status::unknown("h2 protocol error"));
        assert!(lost.is_loss() && lost.is_worth_another_worker());
        let bug = DispatchError::from_status("w", Status::invalid_argument("step is empty"));
        assert!(!bug.is_worth_another_worker());
        assert_eq!(bug.code(), ErrorCode::InvalidRequest);
    }
}
