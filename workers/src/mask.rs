//! Joins grammar and engine: a decoding matcher as the engine's token mask.

use silverback_decoding::Matcher;
use silverback_engine::{MaskError, TokenMask, TokenSet};

/// A matcher over a vocabulary of `len` tokens.
pub struct GrammarMask {
    matcher: Matcher,
    len: usize,
}

// === impl GrammarMask ===

impl GrammarMask {
    /// Wraps a fresh matcher.
    pub fn new(matcher: Matcher, len: usize) -> Self {
        Self { matcher, len }
    }
}

impl TokenMask for GrammarMask {
    fn forced(&mut self) -> Result<Vec<u32>, MaskError> {
        self.matcher.forced().map_err(failed)
    }

    fn allowed(&mut self) -> Result<TokenSet, MaskError> {
        Ok(TokenSet::from_words(self.matcher.allowed().map_err(failed)?, self.len))
    }

    fn accept(&mut self, token: u32) -> Result<(), MaskError> {
        self.matcher.accept(token).map_err(failed)
    }

    fn is_complete(&mut self) -> bool {
        self.matcher.is_complete()
    }

    fn may_stop(&mut self) -> bool {
        self.matcher.may_stop()
    }
}

fn failed(error: silverback_decoding::Error) -> MaskError {
    MaskError(error.to_string())
}
