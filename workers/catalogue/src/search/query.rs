//! Reads a request into weighted terms: its own words, and the vendors' words for them.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::words::{split_text, stem, term};

/// How much of a request is read, in bytes: later text seldom says what to do, and the time stays bounded.
const MAX_TEXT: usize = 8 << 10;
/// Most terms of a query, for the same reason.
const MAX_TERMS: usize = 96;
/// Longest phrase in the table of synonyms, in words.
const MAX_PHRASE: usize = 3;

/// What a word within a value counts.
const VALUE_WEIGHT: f32 = 0.3;

/// One term and how much it counts, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    pub stem: String,
    pub weight: f32,
}

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Query {
    terms: Vec<Term>,
}

/// One row of `synonyms.json`.
#[derive(Deserialize)]
struct Synonym {
    /// Phrases people say.
    say: Vec<String>,
    /// Words vendors use, and how sure that is.
    mean: BTreeMap<String, f32>,
    /// Only for these providers; empty for all.
    #[serde(default, rename = "for")]
    providers: Vec<String>,
}

/// Identifiers that say what kind of thing they name: `i-0abc…` is an instance.
#[derive(Deserialize)]
struct Shape {
    prefix: String,
    mean: BTreeMap<String, f32>,
    #[serde(default, rename = "for")]
    providers: Vec<String>,
}

#[derive(Deserialize)]
struct Table {
    synonyms: Vec<Synonym>,
    identifiers: Vec<Shape>,
    /// Rows of `synonyms` by the stems of what is said.
    #[serde(skip)]
    by_phrase: HashMap<String, Vec<usize>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table: Table =
        serde_json::from_str(include_str!("synonyms.json")).expect("the table in the source parses, see the test");
    for (row, synonym) in table.synonyms.iter().enumerate() {
        for phrase in &synonym.say {
            table.by_phrase.entry(stems(&split_text(phrase)).join(" ")).or_default().push(row);
        }
    }
    table
});

// === impl Query ===

impl Query {
    /// Reads a request for operations of a provider.
    pub fn read(text: &str, provider: &str) -> Self {
        let text = shorten(text);
        let mut query = Self::default();
        let mut words = Vec::new();
        for piece in text.split_whitespace() {
            let weight = if is_value(piece) { VALUE_WEIGHT } else { 1.0 };
            for word in split_text(piece) {
                let said = term(&word).filter(|_| !word.starts_with(|first: char| first.is_ascii_digit()));
                said.into_iter().for_each(|stem| query.add(stem, weight));
                words.push(word);
            }
        }
        query.add_synonyms(&words, provider);
        query.add_identifiers(text, provider);
        query
    }

    /// Takes words as they are: names in a draft.
    pub fn of_words(words: &[String]) -> Self {
        let mut query = Self::default();
        words.iter().for_each(|word| query.add(stem(word).into_owned(), 1.0));
        query
    }

    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// A term given twice keeps the higher weight: saying it again does not make it truer.
    fn add(&mut self, stem: String, weight: f32) {
        if let Some(term) = self.terms.iter_mut().find(|term| term.stem == stem) {
            term.weight = term.weight.max(weight);
        } else if self.terms.len() < MAX_TERMS {
            self.terms.push(Term { stem, weight });
        }
    }

    fn add_synonyms(&mut self, words: &[String], provider: &str) {
        let words = stems(words);
        for length in 1..=MAX_PHRASE {
            for window in words.windows(length) {
                let rows =
                    TABLE.by_phrase.get(&window.join(" ")).into_iter().flatten().map(|row| &TABLE.synonyms[*row]);
                for row in rows.filter(|row| serves(&row.providers, provider)) {
                    row.mean.iter().for_each(|(word, weight)| self.add(stem(word).into_owned(), *weight));
                }
            }
        }
    }

    fn add_identifiers(&mut self, text: &str, provider: &str) {
        for row in identified(text, provider).flat_map(|(_, rows)| rows) {
            row.mean.iter().for_each(|(word, weight)| self.add(stem(word).into_owned(), *weight));
        }
    }
}

/// How many words of a text are identifiers as a provider makes them.
pub(crate) fn count_identifiers(text: &str, provider: &str) -> usize {
    identified(shorten(text), provider).filter(|(_, rows)| !rows.is_empty()).count()
}

/// Each word with the rows whose identifiers it looks like.
fn identified<'a>(text: &'a str, provider: &'a str) -> impl Iterator<Item = (&'a str, Vec<&'static Shape>)> + 'a {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '(' | ')'));
    words.map(move |word| {
        let rows = TABLE.identifiers.iter().filter(|row| serves(&row.providers, provider));
        (word, rows.filter(|row| is_identifier(word, &row.prefix)).collect())
    })
}

fn shorten(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Names people gave (`web-prod`, `"hello"`, `/var/app`, `jane@example.com`): they seldom say which operation is meant.
fn is_value(piece: &str) -> bool {
    let inner = piece.trim_matches(|c: char| matches!(c, ',' | '.' | '?' | '!' | ':' | ';' | '(' | ')'));
    let marked = inner.contains(['-', '_', '/', '@', '=', '"', '\'', '`']) || inner.contains('.');
    let letters = inner.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = inner.bytes().filter(u8::is_ascii_digit).count();
    // `s3`, `ec2` and `route53` are words; `prod2024` and `0abc12` are not.
    marked || (digits > 2) || (digits > 0 && letters == 0)
}

fn serves(providers: &[String], provider: &str) -> bool {
    providers.is_empty() || providers.iter().any(|name| name == provider)
}

/// `i-` alone or `i-am` is no identifier: a digit must follow somewhere, or the prefix itself is telling (`s3://`).
fn is_identifier(word: &str, prefix: &str) -> bool {
    let Some(rest) = word.strip_prefix(prefix) else { return false };
    prefix.ends_with("//") || prefix.ends_with(':') || rest.bytes().any(|byte| byte.is_ascii_digit())
}

fn stems(words: &[String]) -> Vec<String> {
    words.iter().map(|word| stem(word).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(query: &Query, word: &str) -> Option<f32> {
        query.terms().iter().find(|term| term.stem == stem(word)).map(|term| term.weight)
    }

    #[test]
    fn users_words_bring_the_vendors_words() {
        let query = Query::read("switch off the box i-0abc123", "aws");
        assert!(weight(&query, "stop").is_some(), "{query:?}");
        assert!(weight(&query, "instance").is_some(), "{query:?}");
        assert_eq!(weight(&query, "the"), None);
    }

    #[test]
    fn a_row_for_one_vendor_does_not_speak_for_another() {
        let query = Query::read("the box", "stripe");
        assert_eq!(weight(&query, "instance"), None);
    }

    #[test]
    fn a_megabyte_is_read_in_part() {
        let query = Query::read(&"wörter zahl9 ".repeat(100_000), "aws");
        assert!(query.terms().len() <= MAX_TERMS);
        let many: String = (0..100_000).map(|number| format!("w{number} ")).collect();
        assert_eq!(Query::read(&many, "aws").terms().len(), MAX_TERMS);
    }

    #[test]
    fn no_phrase_is_longer_than_what_is_looked_for() {
        for row in &TABLE.synonyms {
            for phrase in &row.say {
                let length = phrase.split(' ').count();
                assert!(!phrase.is_empty() && length <= MAX_PHRASE, "{phrase}");
            }
            assert!(row.mean.values().all(|weight| (0.0..=1.0).contains(weight)));
        }
    }
}
