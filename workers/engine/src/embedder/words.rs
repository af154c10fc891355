//! Words of a text and the tokens that each is made of.

use std::ops::Range;

/// What holds a word together besides letters and digits: `./app.yaml`, `key=value`, `10%`, `me@example.com`.
const WITHIN: &str = "-_./:@~+=%$#*&?\\";

/// A word of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub bytes: Range<usize>,
    /// The tokens that it is made of.
    pub pieces: Range<usize>,
}

/// Tokens joined to words; every mark that does not hold one together is a word of its own.
pub(super) fn words(text: &str, offsets: &[(usize, usize)]) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut joins = false;
    for (piece, (start, end)) in offsets.iter().copied().enumerate() {
        let is_within = text[start..end].chars().all(|letter| letter.is_alphanumeric() || WITHIN.contains(letter));
        match found.last_mut().filter(|last| joins && is_within && last.bytes.end == start) {
            Some(last) => (last.bytes.end, last.pieces.end) = (end, piece + 1),
            None => found.push(Word { bytes: start..end, pieces: piece..piece + 1 }),
        }
        joins = is_within;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_join_to_words_and_marks_stand_alone() {
        let text = "set a=b, x";
        let offsets = [(0, 3), (4, 5), (5, 6), (6, 7), (7, 8), (9, 10)];
        let found: Vec<&str> = words(text, &offsets).into_iter().map(|word| &text[word.bytes]).collect();
        assert_eq!(found, ["set", "a=b", ",", "x"]);
    }
}
