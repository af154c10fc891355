//! What can go wrong, named by the operation that failed.

use std::path::PathBuf;

use crate::mask::MaskError;

/// Result of the engine's own operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One variant per operation that can fail. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not there or not readable.
    #[error("cannot open model file {}: {source}; pull it with `silverback models pull`", path.display())]
    ModelOpenFailed {
        /// The file.
        path: PathBuf,
        /// Why the system refused.
        #[source]
        source: std::io::Error,
    },
    /// The file is cut short, altered, or not a model.
    #[error("model file {} is damaged or not a model: {reason}; run `silverback models verify` and pull it again", path.display())]
    ModelDamaged {
        /// The file.
        path: PathBuf,
        /// What did not fit.
        reason: String,
    },
    /// An adapter is not one, or is one of another model.
    #[error("the adapter cannot be used: {what}: {reason}; use an adapter made for this model")]
    AdapterRefused {
        /// Which part of it.
        what: String,
        /// What did not fit.
        reason: String,
    },
    /// The model is sound but of a family this engine does not run.
    #[error("model file {} has architecture \"{found}\"; this engine runs: {supported}", path.display())]
    ArchitectureUnsupported {
        /// The file.
        path: PathBuf,
        /// What the file says.
        found: String,
        /// What would work.
        supported: &'static str,
    },
    /// The compute device is not there or not compiled in.
    #[error("cannot use device {device}: {reason}")]
    DeviceOpenFailed {
        /// The device as asked for.
        device: String,
        /// Why not.
        reason: String,
    },
    /// The model's tokenizer could not be built or did not accept the text.
    #[error("tokenizing failed: {0}")]
    TokenizeFailed(String),
    /// The model's chat template could not be rendered.
    #[error("chat template of the model failed: {0}")]
    TemplateFailed(#[from] minijinja::Error),
    /// A generation needs at least one prompt token.
    #[error("the prompt is empty; give at least one token")]
    PromptEmpty,
    /// The prompt and the answer do not fit the context.
    #[error("prompt of {prompt} tokens leaves no room in a context of {context} tokens; shorten the prompt")]
    PromptTooLong {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens the engine was configured for.
        context: usize,
    },
    /// A token id that the vocabulary does not have.
    #[error("token id {token} is outside the vocabulary of {vocabulary}")]
    TokenUnknown {
        /// The id.
        token: u32,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// Too many requests wait already.
    #[error("the engine has {limit} requests waiting already; try again later")]
    QueueFull {
        /// Bound of the queue.
        limit: usize,
    },
    /// The grammar failed.
    #[error("token mask failed: {0}")]
    MaskFailed(#[from] MaskError),
    /// The grammar allows no token at all but is not complete.
    #[error("the grammar allows no token after {tokens} tokens and may not stop there either")]
    MaskDeadEnd {
        /// Output tokens so far.
        tokens: usize,
    },
    /// The model's arithmetic failed.
    #[error("forward pass failed: {0}")]
    ForwardFailed(#[from] candle_core::Error),
    /// The model gave NaN for every allowed token, so its weights are damaged.
    #[error("the model computed no usable number; its file is damaged, run `silverback models verify`")]
    LogitsUnusable,
    /// The caller went away during a forward pass.
    #[error("cancelled by the caller")]
    Cancelled,
    /// A defect of the engine or of a token mask, contained in this request.
    #[error("generation panicked: {0}")]
    Panicked(String),
    /// The engine was shut down.
    #[error("the engine has stopped")]
    EngineStopped,
}

// === impl Error ===

impl Error {
    /// May the caller send the same again?
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::QueueFull { .. } | Error::EngineStopped)
    }

    /// Is the request itself at fault, rather than the model or the engine?
    pub fn is_request_fault(&self) -> bool {
        matches!(self, Error::PromptEmpty | Error::PromptTooLong { .. } | Error::TokenUnknown { .. })
    }
}
