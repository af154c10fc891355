//! Judges whether words of a request are the name of a thing, and of which thing.
//!
//! "a bucket for logs" names nothing, "the logs bucket", "bucket logs-eu" and "a bucket called logs" do. The judgement is a
//! score made of how the words are written and what stands beside them; it reads forms, not meaning.

use std::ops::Range;

use super::Kind;
use super::chunk::{Chunk, Form};
use super::passage::Passage;
use crate::words;

/// From this score on, words are a name.
pub(crate) const THRESHOLD: f32 = 0.45;

/// The nouns of one place, against which words of a passage are judged.
pub(crate) struct Naming<'a> {
    /// Stems of nouns that point at the place.
    pub nouns: &'a [String],
    /// Stems of the operation's own words: they ask for it and name nothing.
    pub own_words: &'a [String],
}

const NAMED: &[&str] = &["named", "called", "titled", "name", "id", "labelled", "labeled", "identifier"];
const ARTICLES: &[&str] = &["the", "a", "an", "my", "our", "this", "that", "is", "with", "new", "all"];
const PURPOSE: &[&str] = &["for", "of", "about", "as", "like", "per", "than", "every", "each"];

// === impl Naming ===

impl Naming<'_> {
    /// How sure it is that the words at `range` name the thing, about -1 to 2.
    pub fn score(&self, passage: &Passage, range: &Range<usize>) -> f32 {
        let first = passage.chunks.partition_point(|chunk| chunk.end <= range.start);
        let last = passage.chunks.partition_point(|chunk| chunk.start < range.end);
        let inside = &passage.chunks[first..last.max(first)];
        let Some(head) = inside.first() else { return -1.0 };
        let quoted = passage
            .spans
            .iter()
            .any(|span| span.kind == Kind::Quoted && span.start <= range.start && range.end <= span.end);
        let base = if quoted { 0.9 } else { self.form_score(passage, inside) };
        let relation = self.relation(passage, first, last);
        let is_capital = head.form == Form::Capital && !head.is_common();
        let bonus = match relation {
            // A phrase of everyday words is a name only when something says so.
            Relation::Purpose if quoted || head.is_shaped() || is_capital => -0.1,
            Relation::Purpose => -0.5,
            Relation::Beside => 0.6,
            Relation::Named => 0.5,
            Relation::ObjectOfVerb => 0.45,
            Relation::None => 0.0,
        };
        if relation != Relation::Named && !quoted && inside.len() == 1 && self.is_own(&words::stem(&head.lower)) {
            return -1.0;
        }
        base + bonus
    }

    /// Is the name said to be this place's thing by the noun beside it?
    pub fn is_beside_noun(&self, passage: &Passage, range: &Range<usize>) -> bool {
        let first = passage.chunks.partition_point(|chunk| chunk.end <= range.start);
        let last = passage.chunks.partition_point(|chunk| chunk.start < range.end);
        self.beside(passage, first, last.max(first))
    }

    fn is_own(&self, stem: &str) -> bool {
        self.nouns.iter().chain(self.own_words).any(|own| own == stem)
    }

    fn form_score(&self, passage: &Passage, inside: &[Chunk]) -> f32 {
        let [only] = inside else {
            let meaning = |chunk: &&Chunk| !words::is_stop(&chunk.lower);
            let edges = [inside.first(), inside.last()].iter().flatten().all(meaning);
            let capitals =
                inside.iter().all(|chunk| matches!(chunk.form, Form::Capital | Form::Acronym | Form::Compound));
            return if capitals {
                0.7
            } else if edges {
                0.3
            } else {
                0.0
            };
        };
        match only.form {
            _ if words::is_stop(&only.lower) => -1.0,
            Form::Compound if only.is_shaped() => 0.6,
            _ if only.is_common() => 0.0,
            Form::Capital if !only.opens => 0.55,
            Form::Capital => 0.3,
            Form::Acronym => 0.5,
            Form::Digits => 0.1,
            _ if passage.text.len() < 3 => 0.0,
            _ => 0.45,
        }
    }

    fn relation(&self, passage: &Passage, first: usize, last: usize) -> Relation {
        let previous =
            first.checked_sub(1).map(|index| &passage.chunks[index]).filter(|_| !passage.chunks[first].opens);
        if previous.is_some_and(|chunk| NAMED.contains(&chunk.lower.as_str())) {
            return Relation::Named;
        }
        if self.beside(passage, first, last) {
            return Relation::Beside;
        }
        let Some(previous) = previous else { return Relation::None };
        if PURPOSE.contains(&previous.lower.as_str()) {
            return Relation::Purpose;
        }
        let is_verb = previous.opens
            || first >= 2 && matches!(passage.chunks[first - 2].lower.as_str(), "and" | "then" | "to" | "please");
        // "show logs", "list users": a plural is a kind of thing.
        let is_kind = passage.chunks[first].lower.ends_with('s') && passage.chunks[first].is_common();
        if is_verb && !is_kind && previous.is_common() && !words::is_stop(&previous.lower) {
            return Relation::ObjectOfVerb;
        }
        Relation::None
    }

    /// A noun stands right before (articles between do not count) or right after.
    fn beside(&self, passage: &Passage, first: usize, last: usize) -> bool {
        let is_noun = |chunk: &Chunk| {
            words::split_identifier(&chunk.lower).last().is_some_and(|word| self.nouns.contains(&words::stem(word)))
        };
        let after = passage.chunks.get(last).filter(|chunk| !chunk.opens);
        if after.is_some_and(is_noun) {
            return true;
        }
        let mut index = first;
        while index > 0 && !passage.chunks[index].opens {
            index -= 1;
            let chunk = &passage.chunks[index];
            let skipped = ARTICLES.contains(&chunk.lower.as_str()) || NAMED.contains(&chunk.lower.as_str());
            if !skipped {
                return is_noun(chunk);
            }
        }
        false
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Beside,
    Named,
    ObjectOfVerb,
    Purpose,
    None,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::evidence;

    fn is_name(text: &str, name: &str, noun: &str) -> bool {
        let evidence = evidence(text);
        let nouns = [words::stem(noun)];
        let naming = Naming { nouns: &nouns, own_words: &[] };
        let places = evidence.step().locate(name);
        places.iter().any(|range| naming.score(evidence.step(), range) >= THRESHOLD)
    }

    #[test]
    fn a_thing_is_named() {
        let named = [
            ("create a bucket called logs", "logs", "bucket"),
            ("create the logs bucket", "logs", "bucket"),
            ("create bucket logs-eu in Ireland", "logs-eu", "bucket"),
            ("scale the web deployment to 5", "web", "deployment"),
            ("restart checkout", "checkout", "deployment"),
            ("scale web to 5", "web", "deployment"),
            ("delete user alice", "alice", "user"),
            ("a customer for Jane Doe", "Jane Doe", "customer"),
            ("pods in the prod namespace", "prod", "namespace"),
            ("the table 'orders'", "orders", "table"),
            ("a table MusicCollection", "MusicCollection", "table"),
        ];
        for (text, name, noun) in named {
            assert!(is_name(text, name, noun), "{text}");
        }
    }

    #[test]
    fn a_purpose_or_an_everyday_word_names_nothing() {
        let unnamed = [
            ("create an S3 bucket for logs in eu-west-1", "logs", "bucket"),
            ("create a bucket", "bucket", "bucket"),
            ("create a new bucket please", "please", "bucket"),
            ("list all users", "users", "user"),
            ("make the bucket public", "public", "key"),
        ];
        for (text, name, noun) in unnamed {
            assert!(!is_name(text, name, noun), "{text}");
        }
    }
}
