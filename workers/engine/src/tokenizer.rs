//! Text to token ids, with the tables of the model file itself.
//!
//! Control tokens are matched here, not by the tokenizer library, so that text from outside which happens to read `<|im_end|>` stays
//! text: only [`Tokenizer::encode_with_control`] turns such strings into their tokens.

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{PreTokenizerWrapper, SplitDelimiterBehavior};

use crate::error::{Error, Result};
use crate::gguf::GgufFile;
use crate::vocabulary::{TokenKind, Vocabulary};

/// How the Qwen2 family cuts text into words before merging bytes.
const QWEN2_WORDS: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Byte-level BPE with the model's own merges.
pub struct Tokenizer {
    words: tokenizers::Tokenizer,
    control: Vec<(String, u32)>,
    added: Vec<(String, u32)>,
}

// === impl Tokenizer ===

impl Tokenizer {
    pub(crate) fn read(file: &GgufFile, vocabulary: &Vocabulary) -> Result<Self> {
        let model = file.text("tokenizer.ggml.model")?;
        let pre = if file.has("tokenizer.ggml.pre") { file.text("tokenizer.ggml.pre")? } else { "qwen2" };
        if (model, pre) != ("gpt2", "qwen2") {
            return Err(file.damaged(format!("tokenizer {model}/{pre} is not supported, only gpt2/qwen2 is")));
        }
        let texts = file.texts("tokenizer.ggml.tokens")?;
        let is_text = |id: &usize| vocabulary.kinds[*id] == TokenKind::Text;
        let vocab: Vocab = (0..texts.len()).filter(is_text).map(|id| (texts[id].to_string(), id as u32)).collect();
        let merges = file.texts("tokenizer.ggml.merges")?;
        let merges = merges.iter().map(|merge| merge.split_once(' ').map(|(a, b)| (a.to_string(), b.to_string())));
        let merges = merges.collect::<Option<Vec<_>>>().ok_or_else(|| file.damaged("a merge is not a pair"))?;
        let bpe = BPE::builder().vocab_and_merges(vocab, merges).build();
        let bpe = bpe.map_err(|why| file.damaged(format!("merges do not fit the tokens: {why}")))?;
        let named = |kind: TokenKind| {
            let ids = (0..texts.len()).filter(|id| vocabulary.kinds[*id] == kind && !texts[*id].is_empty());
            ids.map(|id| (texts[id].to_string(), id as u32)).collect()
        };
        let (control, added) = (named(TokenKind::Control), named(TokenKind::Added));
        Ok(Self { words: word_tokenizer(bpe)?, control, added })
    }

    /// Token ids of a text from outside. A control token's name in it is spelt out, so it cannot steer the conversation.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`] when the library refuses.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        self.encode_pieces(text, false, &mut ids)?;
        Ok(ids)
    }

    /// Token ids of a text of our own making, in which names of control tokens mean those tokens.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`] when the library refuses.
    pub fn encode_with_control(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        self.encode_pieces(text, true, &mut ids)?;
        Ok(ids)
    }

    /// The id of a control token or added token by its name.
    pub fn token_named(&self, name: &str) -> Option<u32> {
        self.control.iter().chain(&self.added).find(|(known, _)| known == name).map(|(_, id)| *id)
    }

    /// Names of control tokens and added tokens: what steers a conversation.
    pub(crate) fn special_names(&self) -> impl Iterator<Item = &str> {
        self.control.iter().chain(&self.added).map(|(name, _)| name.as_str())
    }

    /// As [`Tokenizer::encode_with_control`], but each piece between named tokens goes through `lift` and is then only text.
    pub(crate) fn encode_veiled(&self, text: &str, lift: impl Fn(&str) -> String) -> Result<Vec<u32>> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        let mut rest = text;
        while let Some((at, len, id)) = self.next_named(rest, true) {
            self.encode_words(&lift(&rest[..at]), &mut ids)?;
            ids.push(id);
            rest = &rest[at + len..];
        }
        self.encode_words(&lift(rest), &mut ids)?;
        Ok(ids)
    }

    fn encode_pieces(&self, text: &str, with_control: bool, ids: &mut Vec<u32>) -> Result<()> {
        let mut rest = text;
        while let Some((at, len, id)) = self.next_named(rest, with_control) {
            self.encode_words(&rest[..at], ids)?;
            ids.push(id);
            rest = &rest[at + len..];
        }
        self.encode_words(rest, ids)
    }

    /// Where the first named token lies; of two at one place the longer. One pass, so that a hostile text costs no more than its length.
    fn next_named(&self, text: &str, with_control: bool) -> Option<(usize, usize, u32)> {
        let control = if with_control { self.control.as_slice() } else { &[] };
        let at_place = |at: usize| {
            let fits = |(name, _): &&(String, u32)| text.as_bytes()[at..].starts_with(name.as_bytes());
            let longest = self.added.iter().chain(control).filter(fits).max_by_key(|(name, _)| name.len());
            longest.map(|(name, id)| (at, name.len(), *id))
        };
        let starts = |byte: u8| self.added.iter().chain(control).any(|(name, _)| name.as_bytes()[0] == byte);
        let places = text.bytes().enumerate().filter(|(_, byte)| starts(*byte));
        places.map(|(at, _)| at).find_map(at_place)
    }

    fn encode_words(&self, text: &str, ids: &mut Vec<u32>) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let encoding = self.words.encode_fast(text, false).map_err(|why| Error::TokenizeFailed(why.to_string()))?;
        ids.extend_from_slice(encoding.get_ids());
        Ok(())
    }
}

/// No normalizer, though the family's own has NFC: values are copied from the request byte by byte.
fn word_tokenizer(bpe: BPE) -> Result<tokenizers::Tokenizer> {
    let failed = |why: tokenizers::Error| Error::TokenizeFailed(why.to_string());
    let pattern = SplitPattern::Regex(QWEN2_WORDS.into());
    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false).map_err(failed)?;
    let bytes = ByteLevel::new(false, false, false);
    let steps = vec![PreTokenizerWrapper::Split(split), PreTokenizerWrapper::ByteLevel(bytes)];
    let mut tokenizer = tokenizers::Tokenizer::new(bpe);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    Ok(tokenizer)
}
