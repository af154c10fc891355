//! Every way the binary can fail: one line that says what happened, one that says what to do, one exit code.

use std::{io, path::PathBuf};

use silverback_catalogue::CatalogueError;
use silverback_proto::{CodedStatus, ErrorCode};
use silverback_registry::RegistryError;
use silverback_router::RouterError;
use silverback_scaler::ScalerError;
use silverback_workers::WorkerError;
use thiserror::Error;
use tonic::Status;

use crate::{config::ConfigError, models::ModelError, terminal};

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All that was asked for is there.
    Complete = 0,
    /// Something was not answered.
    Unanswered = 1,
    /// The command line or the request is at fault.
    Usage = 2,
    /// A part that is needed is not there.
    Unavailable = 3,
    /// A defect of ours.
    Defect = 70,
    /// Ctrl-C.
    Interrupted = 130,
}

/// A failure as the person at the terminal sees it.
#[derive(Debug, Error)]
pub enum CliError {
    /// The request or an argument is at fault.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The settings are at fault.
    #[error("settings: {0}")]
    Settings(#[from] ConfigError),
    /// A model file is not there, or not right.
    #[error(transparent)]
    Models(#[from] ModelError),
    /// No pack is there.
    #[error("there is no catalogue in {}", folder.display())]
    CatalogueMissing {
        /// Where packs lie.
        folder: PathBuf,
    },
    /// A pack cannot be built or read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// An API description that somebody brought cannot be had or kept.
    #[error("{message}")]
    SourceFailed {
        /// What happened.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A router of this process did not start or ended badly.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// A scaler did not start or ended badly.
    #[error(transparent)]
    Scaler(#[from] ScalerError),
    /// A worker of this process did not start.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// No router answers.
    #[error("no router answers at {address}: {reason}")]
    RouterUnreachable {
        /// Where it was looked for.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The router refused or failed.
    #[error("{}", .0.message())]
    RouterFailed(Box<Status>),
    /// The router's answer makes no sense.
    #[error("the router's answer cannot be used: {0}")]
    AnswerUnusable(String),
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    InputUnreadable(#[source] io::Error),
    /// Standard output was closed by its reader.
    #[error("cannot write to standard output: {0}")]
    OutputClosed(#[source] io::Error),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// A defect of ours.
    #[error("a defect in silverback: {0}")]
    Defect(String),
}

// === impl Exit ===

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> i32 {
        i32::from(self as u8)
    }
}

// === impl CliError ===

impl CliError {
    /// A mistake in what was typed.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        CliError::Usage { message: message.into(), hint: hint.into() }
    }

    /// How the process ends after this.
    pub fn exit(&self) -> Exit {
        match self {
            CliError::Usage { .. } | CliError::Settings(_) => Exit::Usage,
            CliError::Models(ModelError::UnknownModel { .. } | ModelError::ManifestInvalid { .. }) => Exit::Usage,
            CliError::Catalogue(CatalogueError::ImportFailed { .. } | CatalogueError::PackRefused { .. }) => {
                Exit::Usage
            }
            CliError::SourceFailed { .. } => Exit::Unavailable,
            CliError::Models(_) | CliError::CatalogueMissing { .. } | CliError::Catalogue(_) => Exit::Unavailable,
            CliError::RouterUnreachable { .. } | CliError::InputUnreadable(_) => Exit::Unavailable,
            CliError::Registry(error) => of_code(error.code()),
            CliError::Router(error) => of_code(error.code()),
            CliError::Scaler(error) => of_code(error.code()),
            CliError::Worker(error) => of_code(error.code()),
            CliError::RouterFailed(status) => of_code(status.error_code()),
            CliError::AnswerUnusable(_) => Exit::Unavailable,
            // The reader of a pipe had enough: that is its right.
            CliError::OutputClosed(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Complete,
            CliError::OutputClosed(_) => Exit::Unavailable,
            CliError::Interrupted => Exit::Interrupted,
            CliError::Defect(_) => Exit::Defect,
        }
    }

    /// What a person can do; empty when there is nothing to say.
    pub fn hint(&self) -> String {
        match self {
            CliError::Usage { hint, .. } | CliError::SourceFailed { hint, .. } => hint.clone(),
            CliError::Settings(_) => "correct the flag, the variable or the file that is named".to_owned(),
            CliError::Models(error) => error.hint(),
            CliError::CatalogueMissing { .. } => "run `silverback catalogue build`".to_owned(),
            CliError::Catalogue(CatalogueError::PackWriteFailed { .. }) => {
                "free some space there, or set SILVERBACK_CACHE to another folder".to_owned()
            }
            // The others say it themselves, see `report`.
            CliError::Worker(WorkerError::EngineFailed(_)) => {
                "`silverback models verify` shows whether the model file is whole".to_owned()
            }
            CliError::Worker(WorkerError::ListenFailed { .. }) => "choose another with --listen".to_owned(),
            CliError::Catalogue(_) | CliError::Registry(_) | CliError::Router(_) => String::new(),
            CliError::Scaler(_) | CliError::Worker(_) => String::new(),
            CliError::RouterUnreachable { .. } => {
                "start one with `silverback up`, or leave out --router to work in this process".to_owned()
            }
            CliError::RouterFailed(status) if status.message().contains("; ") => String::new(),
            CliError::RouterFailed(status) => match status.error_code() {
                ErrorCode::InvalidRequest => "change the request and try again".to_owned(),
                ErrorCode::VersionMismatch => "run the same version of silverback everywhere".to_owned(),
                code if code.is_retryable() => "try again; `silverback workers` shows what is there".to_owned(),
                _ => String::new(),
            },
            CliError::AnswerUnusable(_) => "run the same version of silverback everywhere".to_owned(),
            CliError::InputUnreadable(_) | CliError::OutputClosed(_) | CliError::Interrupted => String::new(),
            CliError::Defect(_) => "please report this line and what you typed".to_owned(),
        }
    }

    /// Writes the error and the hint, one line each, to standard error.
    pub fn report(&self) {
        let is_quiet = matches!(self, CliError::OutputClosed(_)) && self.exit() == Exit::Complete;
        if is_quiet {
            return;
        }
        let (message, hint) = (self.to_string(), self.hint());
        // The parts say what to do after a semicolon.
        let (message, hint) = match message.rsplit_once("; ") {
            Some((message, advice)) if hint.is_empty() => (message, advice),
            _ => (message.as_str(), hint.as_str()),
        };
        terminal::say(&format!("error: {}", terminal::one_line(message)));
        if !hint.is_empty() {
            terminal::say(&format!("hint: {}", terminal::one_line(hint)));
        }
    }
}

/// The exit for a code of the contract.
fn of_code(code: ErrorCode) -> Exit {
    match code {
        ErrorCode::InvalidRequest => Exit::Usage,
        ErrorCode::Internal => Exit::Defect,
        ErrorCode::Cancelled => Exit::Interrupted,
        _ => Exit::Unavailable,
    }
}

impl From<Status> for CliError {
    fn from(status: Status) -> Self {
        CliError::RouterFailed(Box::new(status))
    }
}
