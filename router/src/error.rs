//! Why a request got no plan, or a router did not start.

use std::{io, net::SocketAddr, time::Duration};

use silverback_dispatch::DispatchError;
use silverback_planner::PlannerError;
use silverback_proto::ErrorCode;
use silverback_registry::RegistryError;
use thiserror::Error;
use tonic::{Status, metadata::MetadataValue};

/// gRPC's own key for "ask again after so many milliseconds" (gRPC A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// How long a client should stay away from a full router.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// One line each, which says what to do.
#[derive(Debug, Error)]
pub enum RouterError {
    /// The request itself is at fault.
    #[error("{reason}")]
    AdmitFailed {
        /// What is wrong and what to do.
        reason: String,
    },
    /// As many requests as the limit are in progress.
    #[error("{max_requests} requests are in progress, which is this router's limit; ask again in {} s", RETRY_AFTER.as_secs())]
    Overloaded {
        /// The limit.
        max_requests: usize,
    },
    /// Too many wait for a worker that is to start.
    #[error("{source}")]
    NotDispatched {
        /// Why.
        #[source]
        source: DispatchError,
    },
    /// Nothing is registered that could do anything.
    #[error("no specialist is registered; start one with `silverback worker`, or all parts with `silverback up`")]
    NoSpecialist,
    /// It is not known what is registered.
    #[error("the registry has not answered yet; check that it runs and that --registry names it, then ask again")]
    RegistryAway,
    /// The request took too long.
    #[error("no plan within {} s; ask for less at once", deadline.as_secs())]
    DeadlineExceeded {
        /// The limit.
        deadline: Duration,
    },
    /// The request could not be split into steps.
    #[error("planning failed: {source}")]
    PlanFailed {
        /// What the planner met.
        #[source]
        source: PlannerError,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}; choose another with {flag}")]
    ListenFailed {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
        /// Where another is named.
        flag: &'static str,
    },
    /// It cannot be said where this router is.
    #[error("cannot be announced: {source}; name the address that others reach it at with --advertise")]
    AdvertiseFailed {
        /// What is wrong with the address.
        #[source]
        source: RegistryError,
    },
    /// The folder of packs cannot be used.
    #[error("cannot use the catalogue folder: {source}")]
    PacksFailed {
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

// === impl RouterError ===

impl RouterError {
    /// The code for every edge.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::AdmitFailed { .. } | Self::AdvertiseFailed { .. } => ErrorCode::InvalidRequest,
            Self::Overloaded { .. } => ErrorCode::Exhausted,
            Self::NoSpecialist | Self::RegistryAway | Self::ListenFailed { .. } => ErrorCode::Unavailable,
            Self::DeadlineExceeded { .. } => ErrorCode::DeadlineExceeded,
            Self::PlanFailed { source } => source.code(),
            Self::NotDispatched { source } => source.code(),
            Self::PacksFailed { .. } | Self::ServeFailed { .. } => ErrorCode::Internal,
        }
    }

    /// May the same be asked again?
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }

    /// As it leaves the gRPC edge.
    pub fn status(&self) -> Status {
        let mut status = self.code().status(self.to_string());
        let retry_after = match self {
            Self::Overloaded { .. } => Some(RETRY_AFTER),
            Self::NotDispatched { source } => source.retry_after(),
            _ => None,
        };
        if let Some(pause) = retry_after {
            let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            status.metadata_mut().insert(PUSHBACK, MetadataValue::from(pause));
        }
        status
    }
}
