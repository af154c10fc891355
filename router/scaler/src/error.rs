//! Why a scaler did not start, or cannot answer.

use std::{io, net::SocketAddr};

use silverback_proto::ErrorCode;
use thiserror::Error;
use tonic::Status;

/// One line each, which says what to do.
#[derive(Debug, Error)]
pub enum ScalerError {
    /// The metadata of a trigger is at fault; all problems at once.
    #[error("trigger metadata: {problems}")]
    InvalidTrigger {
        /// Separated by `; `.
        problems: String,
    },
    /// KEDA asks for a metric that this trigger has not.
    #[error("this trigger has no metric `{asked}`, only `{known}`; take the name that GetMetricSpec gives")]
    UnknownMetric {
        /// As asked for, shortened.
        asked: String,
        /// The one there is.
        known: String,
    },
    /// The request names no ScaledObject.
    #[error("the request has no scaledObjectRef")]
    NoReference,
    /// Right after the start: an answer now would differ from those of other replicas.
    #[error("the scaler has not heard from the registry and its routers yet; ask again")]
    NotKnownYet,
    /// As many streams as the limit are open.
    #[error("{max_streams} streams are open, which is this scaler's limit; start another replica")]
    TooManyStreams {
        /// The limit.
        max_streams: usize,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}; choose another with --listen")]
    ListenFailed {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The gRPC server stopped by itself.
    #[error("the gRPC server failed: {reason}")]
    ServeFailed {
        /// Its error.
        reason: String,
    },
}

// === impl ScalerError ===

impl ScalerError {
    /// The code for every edge.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidTrigger { .. } | Self::UnknownMetric { .. } | Self::NoReference => ErrorCode::InvalidRequest,
            Self::NotKnownYet | Self::ListenFailed { .. } => ErrorCode::Unavailable,
            Self::TooManyStreams { .. } => ErrorCode::Exhausted,
            Self::ServeFailed { .. } => ErrorCode::Internal,
        }
    }

    /// May the same be asked again?
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }

    /// As it leaves the gRPC edge.
    pub(crate) fn status(&self) -> Status {
        self.code().status(self.to_string())
    }
}
