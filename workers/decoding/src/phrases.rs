//! Finds phrases of a fixed list in a text, word by word, longest first.

use std::collections::HashMap;
use std::ops::Range;

use crate::words::{self, Word};

/// A list of phrases, each with the row it stands for.
pub(crate) struct Phrases {
    /// First word → the phrase's words and its row, longest first.
    by_first: HashMap<String, Vec<(Vec<String>, usize)>>,
}

// === impl Phrases ===

impl Phrases {
    /// Compares by lower-case words; `normalize` may stem them.
    pub fn new<'a>(rows: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        let mut by_first: HashMap<String, Vec<(Vec<String>, usize)>> = HashMap::new();
        for (phrase, row) in rows {
            let phrase: Vec<String> = words::split(phrase).into_iter().map(|word| word.lower).collect();
            if let Some(first) = phrase.first().cloned() {
                by_first.entry(first).or_default().push((phrase, row));
            }
        }
        for phrases in by_first.values_mut() {
            phrases.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
        }
        Phrases { by_first }
    }

    /// Spans of the text that are phrases, without overlaps, with their rows.
    pub fn find(&self, words: &[Word]) -> Vec<(Range<usize>, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let Some((length, row)) = self.longest_at(&words[at..]) else {
                at += 1;
                continue;
            };
            found.push((words[at].start..words[at + length - 1].end, row));
            at += length;
        }
        found
    }

    fn longest_at(&self, words: &[Word]) -> Option<(usize, usize)> {
        let phrases = self.by_first.get(&words.first()?.lower)?;
        let fits =
            |phrase: &[String]| phrase.len() <= words.len() && phrase.iter().zip(words).all(|(a, b)| *a == b.lower);
        phrases.iter().find(|(phrase, _)| fits(phrase)).map(|(phrase, row)| (phrase.len(), *row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_phrase_wins() {
        let phrases = Phrases::new([("bank of america", 0), ("bank", 1), ("america", 2)]);
        let rows = |text| phrases.find(&words::split(text)).into_iter().map(|found| found.1).collect::<Vec<_>>();
        assert_eq!(rows("Bank of America"), [0]);
        assert_eq!(rows("the bank of england in America"), [1, 2]);
        assert_eq!(rows(""), [] as [usize; 0]);
    }
}
