//! Says at which words of a request a new wish begins: one score a word, from its state beside all others.

use std::ops::Range;

use tokenizers::Tokenizer;

use super::{
    Adapter,
    bert::Bert,
    vectors::{dot, logistic, mean},
    words::words,
};
use crate::error::{Error, Result};

/// Bytes that are read at once, so that they are no more than the 256 tokens that the tokenizer gives; an ordinary request has fewer.
const WINDOW: usize = 480;
/// Bytes of the window before that a window begins with: what a word says depends on those before it.
const OVERLAP: usize = 160;

/// An encoder with an adapter that splits.
pub(super) struct Splitter {
    model: Bert,
    begin: Vec<f32>,
    bias: f32,
    marks: [u32; 2],
}

// === impl Splitter ===

impl Splitter {
    /// # Errors
    /// [`Error::AdapterRefused`] when the adapter has no head for words.
    pub fn new(model: Bert, adapter: &Adapter, marks: [u32; 2]) -> Result<Self> {
        let bias = adapter.own("bias", 1)?[0];
        Ok(Self { begin: adapter.own("begin", model.width())?.to_vec(), bias, marks, model })
    }

    /// For each word where it begins, in bytes, and the probability that a wish begins there; in their order.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`].
    pub fn split(&self, tokenizer: &Tokenizer, text: &str) -> Result<Vec<(usize, f32)>> {
        let mut found: Vec<(usize, f32)> = Vec::new();
        for Window { bytes, new_from } in windows(text) {
            let read = self.read(tokenizer, &text[bytes.clone()])?;
            let read = read.into_iter().map(|(at, probability)| (bytes.start + at, probability));
            found.extend(read.filter(|(at, _)| *at >= new_from));
        }
        Ok(found)
    }

    fn read(&self, tokenizer: &Tokenizer, text: &str) -> Result<Vec<(usize, f32)>> {
        let said = tokenizer.encode(text, false).map_err(|why| Error::TokenizeFailed(why.to_string()))?;
        let [open, end] = self.marks;
        let states = self.model.forward(&[&[&[open], said.get_ids(), &[end]].concat()]);
        let width = self.model.width();
        let begins = |pieces: &Range<usize>| {
            let state = mean(&states[(pieces.start + 1) * width..(pieces.end + 1) * width], width);
            logistic(dot(&state, &self.begin) + self.bias)
        };
        let words = words(text, said.get_offsets());
        Ok(words.iter().map(|word| (word.bytes.start, begins(&word.pieces))).collect())
    }
}

/// A part of a text that is read at once.
struct Window {
    bytes: Range<usize>,
    /// What stands before was read with the window before.
    new_from: usize,
}

fn windows(text: &str) -> Vec<Window> {
    let (mut from, mut read) = (0, 0);
    let mut windows = Vec::new();
    loop {
        let end = whole_words(text, from, from + WINDOW);
        windows.push(Window { bytes: from..end, new_from: read });
        if end == text.len() {
            return windows;
        }
        (from, read) = (whole_words(text, from, end - OVERLAP), end);
    }
}

/// The last beginning of a word in the later half of these bytes; of a character where there is none.
fn whole_words(text: &str, from: usize, to: usize) -> usize {
    if to >= text.len() {
        return text.len();
    }
    let letters = text.char_indices().skip_while(|(at, _)| *at < from.midpoint(to)).take_while(|(at, _)| *at <= to);
    let (mut letter, mut word, mut follows_blank) = (to, None, false);
    for (at, next) in letters {
        letter = at;
        if follows_blank && !next.is_whitespace() {
            word = Some(at);
        }
        follows_blank = next.is_whitespace();
    }
    word.unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_a_long_text_once() {
        for text in [(0..400).map(|number| format!("w{number} ")).collect(), "x".repeat(5_000), "日".repeat(2_000)] {
            let windows = windows(&text);
            assert!(windows.len() > 4);
            for pair in windows.windows(2) {
                assert_eq!(pair[0].bytes.end, pair[1].new_from);
                assert!(pair[1].bytes.start < pair[1].new_from && pair[0].bytes.start < pair[1].bytes.start);
            }
            assert!(
                windows.iter().all(|window| window.bytes.len() <= WINDOW && text.get(window.bytes.clone()).is_some())
            );
            assert_eq!(windows.last().unwrap().bytes.end, text.len());
        }
    }

    #[test]
    fn an_ordinary_text_is_one_window() {
        let windows = windows("stop i-1 and start i-2");
        assert_eq!((windows.len(), windows[0].bytes.clone(), windows[0].new_from), (1, 0..22, 0));
    }
}
