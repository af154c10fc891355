//! Names what can go wrong between a schema and a token mask.

/// Every failure of this crate. None of them goes away by trying the same again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tokenizer's vocabulary cannot be made into a token trie.
    #[error("the vocabulary cannot be used for decoding under a grammar: {reason}")]
    VocabularyRejected {
        /// What is wrong with it.
        reason: String,
    },
    /// The grammar's text is longer than the limit.
    #[error("the grammar is {bytes} bytes, the limit is {limit}: offer fewer operations, parameters or values")]
    GrammarTooLarge {
        /// Size of the grammar's text.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
    /// Compiling the grammar took more work or memory than allowed.
    #[error("the grammar costs too much to compile ({reason}): simplify its patterns or offer fewer values")]
    GrammarTooCostly {
        /// What the grammar library said.
        reason: String,
    },
    /// The grammar or schema is not well-formed or uses what is not supported.
    #[error("the grammar was not accepted: {reason}")]
    GrammarRejected {
        /// What the grammar library said.
        reason: String,
    },
    /// A token outside the mask was offered to the matcher; its state is unchanged.
    #[error("token {token} is not allowed by the grammar here")]
    TokenRefused {
        /// Vocabulary id.
        token: u32,
    },
    /// The matcher gave up while it computed a mask; it cannot go on.
    #[error("the token mask could not be computed: {reason}")]
    MaskFailed {
        /// What the grammar library said.
        reason: String,
    },
}

/// What functions of this crate give back.
pub type Result<T> = std::result::Result<T, Error>;

// === impl Error ===

impl Error {
    /// May the caller try the same again? Decoding is deterministic, so never.
    pub fn is_retryable(&self) -> bool {
        false
    }

    /// Did a limit stop it, rather than a mistake in the grammar?
    pub fn is_limit(&self) -> bool {
        matches!(self, Error::GrammarTooLarge { .. } | Error::GrammarTooCostly { .. })
    }
}
