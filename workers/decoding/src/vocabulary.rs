//! Turns a tokenizer's vocabulary into the token trie that masks are computed over.
//!
//! Knows no model and no file format: the bytes of every token and a tokenizing function are handed in.
//! Start at [`TokenTable::new`].

use std::sync::Arc;

use toktrie::{TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use crate::error::{Error, Result};

/// Tokenizes raw bytes as the model's own tokenizer would; special tokens are not interpreted.
pub type Tokenize = Box<dyn Fn(&[u8]) -> Vec<u32> + Send + Sync>;

/// A vocabulary with its canonical tokenization.
///
/// Invariant: every single byte has a token of its own, so any text can be said.
#[derive(Clone)]
pub struct TokenTable {
    env: TokEnv,
}

/// Longer "tokens" are padding or damage; the trie walks a token byte by byte, recursively.
const MAX_TOKEN_BYTES: usize = 512;

/// toktrie packs a token id into 24 bits.
const MAX_TOKENS: usize = (1 << 24) - 1;

struct CanonicalEnv {
    trie: TokTrie,
    tokenize: Tokenize,
}

// === impl TokenTable ===

impl TokenTable {
    /// `tokens[id]` are the raw bytes of each token (empty for an unused id), `eos` ends an answer, `special` are ids that
    /// are never text. A special token's bytes do not matter.
    ///
    /// # Errors
    /// [`Error::VocabularyRejected`] when an id is out of range, a token is longer than 512 bytes, or a byte has no token.
    pub fn new(tokens: Vec<Vec<u8>>, eos: u32, special: Vec<u32>, tokenize: Tokenize) -> Result<Self> {
        let rejected = |reason: String| Err(Error::VocabularyRejected { reason });
        if tokens.is_empty() || tokens.len() > MAX_TOKENS {
            return rejected(format!("{} tokens; 1 to {MAX_TOKENS} are possible", tokens.len()));
        }
        if let Some(id) = special.iter().chain([&eos]).find(|id| **id as usize >= tokens.len()) {
            return rejected(format!("special token {id} is outside the {} tokens", tokens.len()));
        }
        if let Some(id) = tokens.iter().position(|token| token.len() > MAX_TOKEN_BYTES) {
            return rejected(format!("token {id} is longer than {MAX_TOKEN_BYTES} bytes"));
        }
        let words = mark_special(tokens, eos, &special);
        if let Some(byte) = missing_byte(&words) {
            return rejected(format!("byte 0x{byte:02x} has no token of its own; a byte-level vocabulary is needed"));
        }
        let info = TokRxInfo::new(words.len() as u32, eos);
        let trie = TokTrie::from(&info, &words);
        Ok(TokenTable { env: Arc::new(CanonicalEnv { trie, tokenize }) })
    }

    /// Number of token ids, the width of a mask in bits.
    pub fn len(&self) -> usize {
        self.env.tok_trie().vocab_size()
    }

    /// Never true: an empty vocabulary is rejected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Text of these tokens; special tokens say nothing.
    pub fn decode(&self, tokens: &[u32]) -> Vec<u8> {
        self.env.tok_trie().decode_ext(tokens, false)
    }

    /// Tokens the model's tokenizer makes of this text.
    pub fn tokenize(&self, text: &[u8]) -> Vec<u32> {
        self.env.tokenize_bytes(text)
    }

    pub(crate) fn env(&self) -> &TokEnv {
        &self.env
    }
}

// === impl CanonicalEnv ===

impl TokenizerEnv for CanonicalEnv {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        // Forced bytes may end inside a character: only whole characters are the tokenizer's business.
        let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        let (text, rest) = bytes.split_at(valid);
        let mut tokens = (self.tokenize)(text);
        // A tokenizer that normalises or drops bytes would force text the grammar does not hold.
        if self.trie.decode_raw(&tokens) != text {
            tokens = self.trie.greedy_tokenize(text);
        }
        if !rest.is_empty() {
            tokens.extend(self.trie.greedy_tokenize(rest));
        }
        tokens
    }
}

// === private ===

/// toktrie knows special tokens by a leading 0xFF, which no UTF-8 text holds.
fn mark_special(mut tokens: Vec<Vec<u8>>, eos: u32, special: &[u32]) -> Vec<Vec<u8>> {
    for &id in special.iter().chain([&eos]) {
        let word = &mut tokens[id as usize];
        // Named by id: two special tokens with the same or no text must stay two.
        *word = vec![TokTrie::SPECIAL_TOKEN_MARKER];
        word.extend_from_slice(format!("<|special-{id}|>").as_bytes());
    }
    tokens
}

fn missing_byte(words: &[Vec<u8>]) -> Option<u8> {
    let mut seen = [false; 256];
    for word in words {
        if let [byte] = word.as_slice() {
            seen[usize::from(*byte)] = true;
        }
    }
    seen.iter().position(|seen| !seen).map(|byte| byte as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{EOS, byte_table, byte_tokens, merged_table};

    fn reason(result: Result<TokenTable>) -> String {
        result.err().expect("the vocabulary is refused").to_string()
    }

    #[test]
    fn text_survives_tokens() {
        let table = merged_table();
        let text = "{\"operation\": \"Größe\"}";
        assert_eq!(table.decode(&table.tokenize(text.as_bytes())), text.as_bytes());
        assert_eq!(table.decode(&[EOS]), b"");
    }

    #[test]
    fn a_cut_character_is_still_tokenized() {
        let table = byte_table();
        assert_eq!(table.decode(&table.tokenize(b"a\xc3")), b"a\xc3");
    }

    #[test]
    fn a_tokenizer_that_loses_bytes_is_not_trusted() {
        let table = TokenTable::new(byte_tokens(), EOS, vec![], Box::new(|_| vec![])).expect("bytes suffice");
        assert_eq!(table.decode(&table.tokenize(b"abc")), b"abc");
    }

    #[test]
    fn unusable_vocabularies_are_refused() {
        let none = || Box::new(|_: &[u8]| vec![]) as Tokenize;
        assert!(reason(TokenTable::new(vec![], 0, vec![], none())).contains("0 tokens"));
        assert!(reason(TokenTable::new(byte_tokens(), 9999, vec![], none())).contains("9999"));
        let mut long = byte_tokens();
        long.push(vec![b'a'; 4096]);
        assert!(reason(TokenTable::new(long, EOS, vec![], none())).contains("512"));
        let mut holed = byte_tokens();
        holed[0x41].clear();
        assert!(reason(TokenTable::new(holed, EOS, vec![], none())).contains("0x41"));
    }
}
