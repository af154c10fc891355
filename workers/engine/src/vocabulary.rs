//! Token ids as bytes: what the grammar side needs to know of a model, without candle.

use crate::error::Result;
use crate::gguf::GgufFile;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Text.
    Text,
    /// Steers the conversation (`<|im_end|>`); never part of a text.
    Control,
    /// Added by the model's makers as one piece (`<tool_call>`); part of a text.
    Added,
    /// Padding of the table; never useful.
    Unused,
}

/// All tokens of a model, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// The bytes each token stands for.
    pub tokens: Vec<Vec<u8>>,
    /// What each token is for, same order.
    pub kinds: Vec<TokenKind>,
    /// Ids that end an answer, the model's own first.
    pub eos: Vec<u32>,
}

/// Names under which models of the ChatML families end a turn or a text.
const END_NAMES: &[&str] = &["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>"];

// === impl Vocabulary ===

impl Vocabulary {
    /// Reads ids, kinds and end tokens from `tokenizer.ggml.*`.
    pub(crate) fn read(file: &GgufFile) -> Result<Self> {
        let texts = file.texts("tokenizer.ggml.tokens")?;
        let types = file.integers("tokenizer.ggml.token_type")?;
        if texts.len() != types.len() || texts.is_empty() {
            return Err(file.damaged(format!("{} tokens but {} token types", texts.len(), types.len())));
        }
        let own_eos = file.number("tokenizer.ggml.eos_token_id")? as u32;
        if own_eos as usize >= texts.len() {
            return Err(file.damaged(format!("end token {own_eos} is outside {} tokens", texts.len())));
        }
        let kinds: Vec<TokenKind> = types.iter().map(|code| TokenKind::from_code(*code)).collect();
        let bytes = |(text, kind): (&&str, &TokenKind)| match kind {
            TokenKind::Text => bytes_of(text),
            _ => text.as_bytes().to_vec(),
        };
        let tokens: Vec<Vec<u8>> = texts.iter().zip(&kinds).map(bytes).collect();
        let named = |id: &usize| kinds[*id] == TokenKind::Control && END_NAMES.contains(&texts[*id]);
        let mut eos = vec![own_eos];
        eos.extend((0..texts.len()).filter(named).map(|id| id as u32).filter(|id| *id != own_eos));
        Ok(Self { tokens, kinds, eos })
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Is there no token?
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Does this id end an answer?
    pub fn is_eos(&self, token: u32) -> bool {
        self.eos.contains(&token)
    }

    /// The bytes a token adds to a text; nothing for control tokens, padding and unknown ids.
    pub fn text_bytes(&self, token: u32) -> &[u8] {
        match self.kinds.get(token as usize) {
            Some(TokenKind::Text | TokenKind::Added) => &self.tokens[token as usize],
            _ => &[],
        }
    }

    /// The text of a sequence; bytes that are not UTF-8 become U+FFFD.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens.iter().flat_map(|token| self.text_bytes(*token)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

// === impl TokenKind ===

impl TokenKind {
    /// From the numbers of `tokenizer.ggml.token_type`.
    fn from_code(code: i64) -> Self {
        match code {
            1 | 6 => TokenKind::Text,
            4 => TokenKind::Added,
            5 => TokenKind::Unused,
            _ => TokenKind::Control,
        }
    }
}

/// The character that stands for a byte in byte-level BPE vocabularies (GPT-2's table: printable Latin-1 stands for itself, the rest
/// is moved to U+0100 and up in order).
#[cfg(any(test, feature = "testing"))]
pub(crate) fn char_of(byte: u8) -> char {
    if is_plain(byte) {
        return char::from(byte);
    }
    let moved = (0..byte).filter(|b| !is_plain(*b)).count() as u32;
    char::from_u32(0x100 + moved).expect("at most 68 bytes are moved, all to assigned code points")
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

/// The bytes of a token's text in the byte-level table; characters outside the table keep their UTF-8.
fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code {
        0x100..=0x120 => Some((code - 0x100) as u8),
        0x121..=0x142 => Some((code - 0x121 + 0x7F) as u8),
        0x143 => Some(0xAD),
        _ => u8::try_from(code).ok().filter(|byte| is_plain(*byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_character_and_comes_back() {
        let text: String = (0..=255).map(char_of).collect();
        assert_eq!(bytes_of(&text), (0..=255).collect::<Vec<u8>>());
        assert_eq!(char_of(b' '), 'Ġ');
        assert_eq!(char_of(b'\n'), 'Ċ');
    }
}
