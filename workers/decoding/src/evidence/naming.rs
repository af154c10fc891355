//! Judges whether words of a request are the name of a thing, and of which thing.
//!
//! "a bucket for logs" names nothing, "the logs bucket", "bucket logs-eu" and "a bucket called logs" do. The judgement is a
//! score made of how the words are written and what stands beside them; it reads forms, not meaning.

use std::ops::Range;

use super::chunk::{Chunk, Form};
use super::passage::Passage;
use super::{Kind, Span};
use crate::words;

/// From this score on, words are a name.
pub(crate) const THRESHOLD: f32 = 0.45;

/// The nouns of one place, against which words of a passage are judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naming {
    /// Stems of nouns that point at the place: `group` for `LogGroupName`.
    pub heads: Vec<String>,
    /// Stems that only go with it: `log` for `LogGroupName`.
    pub near: Vec<String>,
    /// Stems of the operation's own words: they ask for it and name nothing.
    pub own_words: Vec<String>,
}

/// What was found out about some words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judgement {
    /// How sure it is that they name the thing, about -1 to 2.
    pub score: f32,
    /// Does something beside them say that they name this thing?
    pub pointed: bool,
}

const NAMED: &[&str] =
    &["named", "called", "titled", "name", "id", "ids", "labelled", "labeled", "identifier", "key", "value", "number"];
const ARTICLES: &[&str] = &["the", "a", "an", "my", "our", "this", "that", "is", "with", "new", "all"];
/// Stems of nouns for people: "a login for carol" names one.
const PERSONS: &[&str] = &["user", "usernam", "custom", "member", "owner", "person"];
const PURPOSE: &[&str] = &["for", "of", "about", "as", "like", "per", "than", "every", "each"];

// === impl Naming ===

impl Naming {
    /// How sure it is that the words at `range` name the thing, and whether the words beside them say so.
    pub fn judge(&self, passage: &Passage, range: &Range<usize>) -> Judgement {
        let first = passage.chunks.partition_point(|chunk| chunk.end <= range.start);
        let last = passage.chunks.partition_point(|chunk| chunk.start < range.end).max(first);
        let inside = &passage.chunks[first..last];
        let Some(head) = inside.first() else { return Judgement { score: -1.0, pointed: false } };
        let holds = |span: &Span| span.start <= range.start && range.end <= span.end;
        let quoted = passage.spans.iter().any(|span| span.kind == Kind::Quoted && holds(span));
        let called = self.is_called(passage, first);
        let describes = !quoted && inside.len() == 1 && words::is_modifier(&head.lower);
        let relation = match self.relation(passage, first, last) {
            // "a private bucket" names nothing, "a bucket called private" does.
            Relation::Beside | Relation::Near if describes && !called => Relation::None,
            relation => relation,
        };
        let is_own = inside.iter().all(|chunk| self.is_own(&words::stem(&chunk.lower)));
        if is_own && !quoted && !called && relation != Relation::Named {
            return Judgement { score: -1.0, pointed: false };
        }
        let base = if quoted { 0.9 } else { self.form_score(passage, inside) };
        let firm = quoted || head.is_shaped() || (head.form == Form::Capital && !head.is_common());
        let pointed = matches!(relation, Relation::Beside | Relation::Named);
        Judgement {
            score: base + relation.weight(firm, called),
            pointed: pointed || (quoted && inside.len() <= MAX_QUOTED_NAME),
        }
    }

    /// How sure it is that the words at `range` name the thing.
    pub fn score(&self, passage: &Passage, range: &Range<usize>) -> f32 {
        self.judge(passage, range).score
    }

    /// Does a noun of the place stand beside these words?
    pub fn is_beside_noun(&self, passage: &Passage, range: &Range<usize>) -> bool {
        let first = passage.chunks.partition_point(|chunk| chunk.end <= range.start);
        let last = passage.chunks.partition_point(|chunk| chunk.start < range.end).max(first);
        self.beside(passage, (first, last), &self.heads) || self.beside(passage, (first, last), &self.near)
    }

    /// Does such a noun, or "called", stand right before these words?
    pub fn is_right_behind_noun(&self, passage: &Passage, range: &Range<usize>) -> bool {
        let first = passage.chunks.partition_point(|chunk| chunk.end <= range.start);
        let before = first.checked_sub(1).map(|index| words::stem(&passage.chunks[index].lower));
        let is_noun = |stem: String| self.heads.iter().chain(&self.near).any(|noun| *noun == stem);
        self.is_called(passage, first) || before.is_some_and(is_noun)
    }

    fn is_called(&self, passage: &Passage, first: usize) -> bool {
        first > 0 && matches!(passage.chunks[first - 1].lower.as_str(), "named" | "called" | "titled")
    }

    fn is_own(&self, stem: &str) -> bool {
        self.heads.iter().chain(&self.near).chain(&self.own_words).any(|own| own == stem)
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
            Form::Digits => 0.2,
            _ if passage.text.len() < 3 => 0.0,
            _ => 0.45,
        }
    }

    fn relation(&self, passage: &Passage, first: usize, last: usize) -> Relation {
        let own = self.own_relation(passage, first, last);
        if own != Relation::None || passage.chunks[first].is_common() {
            return own;
        }
        // "named a and b", "a, b and c": what is said of the first is said of all.
        let mut at = first;
        for _ in 0..MAX_CONJUNCTS {
            let Some(before) = conjunct_before(passage, at) else { break };
            at = before;
            match self.own_relation(passage, at, at + 1) {
                Relation::None => {}
                relation => return relation,
            }
        }
        Relation::None
    }

    fn own_relation(&self, passage: &Passage, first: usize, last: usize) -> Relation {
        if self.beside(passage, (first, last), &self.heads) {
            return Relation::Beside;
        }
        if self.beside(passage, (first, last), &self.near) {
            return Relation::Near;
        }
        let before = |steps: usize| {
            let unbroken = (0..steps).all(|step| first > step && !passage.chunks[first - step].opens);
            unbroken.then(|| &passage.chunks[first - steps])
        };
        let Some(previous) = before(1) else { return Relation::None };
        let says_name = |chunk: Option<&Chunk>| chunk.is_some_and(|chunk| NAMED.contains(&chunk.lower.as_str()));
        let named_at = if says_name(Some(previous)) {
            Some(1)
        } else {
            (previous.lower == "of" && says_name(before(2))).then_some(2)
        };
        if let Some(steps) = named_at {
            // "an environment named web" names no bucket.
            let other_noun = before(steps + 1).is_some_and(|chunk| !words::is_stop(&chunk.lower) && chunk.is_common());
            return if other_noun { Relation::None } else { Relation::Named };
        }
        if PURPOSE.contains(&previous.lower.as_str()) {
            let wants_person = self.heads.iter().any(|head| PERSONS.contains(&head.as_str()));
            let to_person = wants_person && previous.lower == "for" && !passage.chunks[first].is_common();
            return if to_person { Relation::Recipient } else { Relation::Purpose };
        }
        let is_verb = previous.opens
            || before(2).is_some_and(|chunk| matches!(chunk.lower.as_str(), "and" | "then" | "to" | "please"));
        // "show logs", "list users": a plural is a kind of thing.
        let is_kind = passage.chunks[first].lower.ends_with('s') && passage.chunks[first].is_common();
        let is_word = passage.chunks[first].form != Form::Digits;
        if is_verb && is_word && !is_kind && previous.is_common() && !words::is_stop(&previous.lower) {
            return Relation::ObjectOfVerb;
        }
        Relation::None
    }

    /// A noun stands right before (articles between do not count) or right after.
    fn beside(&self, passage: &Passage, (first, last): (usize, usize), nouns: &[String]) -> bool {
        let is_noun = |chunk: &Chunk| {
            let words = words::split_identifier(&chunk.lower);
            // "orders-db" is a name, no noun, although it ends in one.
            let whole = chunk.form != Form::Compound || words.iter().all(|word| nouns.contains(&words::stem(word)));
            whole && words.last().is_some_and(|word| nouns.contains(&words::stem(word)))
        };
        // "the my-function Lambda function": the vendor's word stands between.
        let follows = |index: usize| passage.chunks.get(index).filter(|chunk| !chunk.opens);
        let is_vendor =
            |chunk: &&Chunk| self.own_words.contains(&words::stem(&chunk.lower)) && chunk.form != Form::Plain;
        let after =
            if follows(last).is_some_and(|chunk| is_vendor(&chunk)) { follows(last + 1) } else { follows(last) };
        // "10 pods" counts them.
        let Some(head) = passage.chunks.get(first) else { return false };
        let counts = head.form == Form::Digits;
        if after.is_some_and(is_noun) && !counts {
            return true;
        }
        // "cluster snapshot a": an everyday word after the noun goes on with it, unless the phrase ends there.
        let goes_on =
            follows(last).is_some_and(|chunk| !words::is_stop(&chunk.lower) || NAMED.contains(&chunk.lower.as_str()));
        if goes_on && last == first + 1 && head.is_common() && !self.is_called(passage, first) {
            return false;
        }
        let mut index = first;
        while index > 0 && !passage.chunks[index].opens {
            index -= 1;
            let chunk = &passage.chunks[index];
            let skipped = ARTICLES.contains(&chunk.lower.as_str())
                || NAMED.contains(&chunk.lower.as_str())
                || chunk.lower == "of";
            if !skipped {
                return is_noun(chunk);
            }
        }
        false
    }
}

/// A longer quotation is a text, not a name.
const MAX_QUOTED_NAME: usize = 3;

/// Lists of names longer than this are not followed back.
const MAX_CONJUNCTS: usize = 8;

/// The chunk that "and", "or" or a comma joins to this one.
fn conjunct_before(passage: &Passage, at: usize) -> Option<usize> {
    let previous = at.checked_sub(1)?;
    if matches!(passage.chunks[previous].lower.as_str(), "and" | "or") {
        return previous.checked_sub(1);
    }
    let between = &passage.text[passage.chunks[previous].end..passage.chunks[at].start];
    (between.trim() == ",").then_some(previous)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Beside,
    Near,
    Named,
    ObjectOfVerb,
    Purpose,
    Recipient,
    None,
}

// === impl Relation ===

impl Relation {
    /// `firm` words are names by their form, `called` ones are introduced by "named".
    fn weight(self, firm: bool, called: bool) -> f32 {
        match self {
            Relation::Purpose if firm => -0.1,
            // A phrase of everyday words is a name only when something says so.
            Relation::Purpose => -0.5,
            Relation::Recipient => 0.3,
            Relation::Beside if called => 0.8,
            Relation::Beside => 0.6,
            Relation::Named => 0.5,
            Relation::ObjectOfVerb => 0.45,
            Relation::Near => 0.35,
            Relation::None => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::evidence;

    fn is_name(text: &str, name: &str, noun: &str) -> bool {
        let evidence = evidence(text);
        let naming = Naming { heads: vec![words::stem(noun)], ..Naming::default() };
        let places = evidence.step().locate(name);
        places.iter().any(|range| naming.score(evidence.step(), range) >= THRESHOLD)
    }

    #[test]
    fn a_star_at_the_end_is_beside_nothing() {
        // A policy ends so; no word of the text holds the star.
        let evidence = evidence(r#"attach {"Action":"s3:Get*","Resource":"*"}"#);
        let naming = Naming { heads: vec![words::stem("resource")], ..Naming::default() };
        let star = evidence.spans().filter(|span| span.text == "*").last().expect("a star");
        assert!(!naming.is_beside_noun(evidence.step(), &(star.start..star.end)));
    }

    #[test]
    fn a_thing_is_named() {
        let named = [
            ("create a bucket called logs", "logs", "bucket"),
            ("create a bucket called private", "private", "bucket"),
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
            ("two dashboards named Sales and Costs-A", "Costs-A", "dashboard"),
            ("stop the services alpha, beta and gamma", "gamma", "service"),
            ("the log stream named 20150601", "20150601", "stream"),
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
            ("create a private bucket", "private", "bucket"),
        ];
        for (text, name, noun) in unnamed {
            assert!(!is_name(text, name, noun), "{text}");
        }
    }
}
