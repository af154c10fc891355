//! Cuts text and names into terms.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};

/// Longest term kept, in bytes; longer ones are values, not words.
const MAX_TERM: usize = 40;

/// Words that say nothing about which operation is meant.
const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does", "for", "from",
    "had", "has", "have", "i", "if", "in", "into", "is", "it", "its", "just", "let", "may", "me", "my", "need", "of",
    "on", "one", "or", "our", "please", "should", "so", "some", "such", "than", "that", "the", "their", "them", "then",
    "there", "these", "they", "this", "those", "to", "us", "using", "want", "was", "we", "were", "when", "will",
    "with", "would", "you", "your",
];

/// Words of an identifier, lower case: `CreateVpc`, `stop-instances` and `equity.price` are two words each.
///
/// An acronym is one word (`DBInstance` → `db instance`), also in the plural (`WebACLs` → `web acls`).
pub(crate) fn split_name(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in name.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()) {
        split_camel(piece, &mut words);
    }
    words
}

/// Words of running text, lower case; `DynamoDB` gives `dynamo`, `db` and `dynamodb`.
pub(crate) fn split_text(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in text.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()) {
        let before = words.len();
        split_camel(piece, &mut words);
        if words.len() > before + 1 {
            words.push(piece.to_lowercase());
        }
    }
    words
}

/// The term a word counts as; `None` for stop words and what is too long to be a word.
pub(crate) fn term(word: &str) -> Option<String> {
    if word.len() > MAX_TERM || STOP_WORDS.binary_search(&word).is_ok() {
        return None;
    }
    Some(stem(word).into_owned())
}

/// Snowball English stem.
pub(crate) fn stem(word: &str) -> Cow<'_, str> {
    Stemmer::create(Algorithm::English).stem(word)
}

fn split_camel(piece: &str, words: &mut Vec<String>) {
    let letters: Vec<char> = piece.chars().collect();
    let mut start = 0;
    for at in 1..letters.len() {
        let (before, here) = (letters[at - 1], letters[at]);
        let next = letters.get(at + 1);
        let plural = next == Some(&'s') && at + 2 == letters.len();
        let after_acronym = before.is_uppercase() && next.is_some_and(|next| next.is_lowercase()) && !plural;
        if here.is_uppercase() && (!before.is_uppercase() || after_acronym) {
            words.push(lower(&letters[start..at]));
            start = at;
        }
    }
    words.push(lower(&letters[start..]));
}

fn lower(letters: &[char]) -> String {
    letters.iter().flat_map(|letter| letter.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn names_split_at_case_and_punctuation() {
        assert_eq!(split_name("CreateDBInstance"), ["create", "db", "instance"]);
        assert_eq!(split_name("ListWebACLs"), ["list", "web", "acls"]);
        assert_eq!(split_name("ListObjectsV2"), ["list", "objects", "v2"]);
        assert_eq!(split_name("rollout restart"), ["rollout", "restart"]);
        assert_eq!(split_name("equity.price.historical"), ["equity", "price", "historical"]);
    }

    #[test]
    fn text_keeps_the_joined_word_too() {
        assert_eq!(split_text("a DynamoDB table"), ["a", "dynamo", "db", "dynamodb", "table"]);
    }
}
