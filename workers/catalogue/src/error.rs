//! Says which operation of this crate failed, why, and what to do.

use std::io;
use std::path::PathBuf;

use silverback_proto::ErrorCode;
use thiserror::Error;

/// Result of this crate.
pub type Result<T, E = CatalogueError> = std::result::Result<T, E>;

/// What can go wrong with catalogues.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// A vendor's description could not be read from disk.
    #[error("cannot read the API description {path}: {source}")]
    SourceReadFailed {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A vendor's description was read but is not what its importer understands.
    #[error("cannot import {origin}: {reason}")]
    ImportFailed {
        /// Source and place in it.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pack could not be opened or mapped.
    #[error("cannot open the catalogue pack {path}: {source}; run `silverback catalogue build`")]
    PackOpenFailed {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A pack was written by another version of Silverback.
    #[error(
        "the catalogue pack {path} has format {found}, this silverback reads {expected}; run `silverback catalogue build`"
    )]
    PackVersionUnknown {
        /// Which file.
        path: PathBuf,
        /// Format in the file.
        found: u32,
        /// Format of this build.
        expected: u32,
    },
    /// A pack is cut off, altered, or no pack at all.
    #[error("the catalogue pack {path} is damaged ({reason}); run `silverback catalogue build`")]
    PackDamaged {
        /// Which file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
    /// A pack could not be written.
    #[error("cannot write the catalogue pack {path}: {source}")]
    PackWriteFailed {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What was to be packed breaks a rule of the pack (two operations of one name, too many operations, …).
    #[error("cannot pack {what}: {reason}")]
    PackRefused {
        /// Provider, service or operation.
        what: String,
        /// Which rule.
        reason: String,
    },
    /// An index from another catalogue, or past the end.
    #[error("there is no operation {index} in the catalogue of {provider}")]
    OperationUnknown {
        /// Vendor of the pack.
        provider: String,
        /// The index that was asked for.
        index: u32,
    },
}

// === impl CatalogueError ===

impl CatalogueError {
    /// The code for the edges.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::SourceReadFailed { .. } | Self::OperationUnknown { .. } => ErrorCode::NotFound,
            Self::ImportFailed { .. } | Self::PackRefused { .. } => ErrorCode::InvalidRequest,
            Self::PackVersionUnknown { .. } => ErrorCode::VersionMismatch,
            Self::PackOpenFailed { .. } => ErrorCode::NotFound,
            Self::PackDamaged { .. } | Self::PackWriteFailed { .. } => ErrorCode::Internal,
        }
    }

    /// May the same be tried again unchanged?
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
