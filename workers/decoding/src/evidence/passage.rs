//! Keeps one text with its words, chunks and typed spans.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::chunk::{self, Chunk, Form};
use super::scan;
use super::{Kind, Place, Span};
use crate::calendar::Date;
use crate::resolver::quantity::parse_number;
use crate::words::{self, Word};

/// Words that are looked at as names; a person's sentence has some dozens.
const MAX_NAMES: usize = 400;

/// A text, read.
#[derive(Clone, Debug)]
pub(crate) struct Passage {
    pub text: String,
    pub place: Place,
    pub words: Vec<Word>,
    pub chunks: Vec<Chunk>,
    /// Typed spans, then names; spans whose words nobody vouches for are left out.
    pub spans: Vec<Span>,
    /// Lower-case ASCII copy of the text, same offsets.
    lower: String,
    /// Stem of neighbouring words run together → their place: "config maps" is `configmap`.
    glued: HashMap<String, Range<usize>>,
    /// One flag a word: do the person's own words hold it?
    vouched: Vec<bool>,
}

// === impl Passage ===

impl Passage {
    /// Reads a text; where `vouching` is given, only words in it (or numbers said in another way) count.
    pub fn read(text: &str, place: Place, vouching: Option<&HashSet<String>>, today: Date) -> Self {
        let words = words::split(text);
        let vouched = words.iter().map(|word| vouching.is_none_or(|known| is_known(word, known))).collect();
        let mut passage = Passage {
            text: text.to_owned(),
            place,
            chunks: chunk::split(text),
            spans: Vec::new(),
            lower: text.to_ascii_lowercase(),
            glued: glue(&words),
            words,
            vouched,
        };
        let typed = scan::typed_spans(text, today);
        let names = passage.names(&typed);
        let found = typed.into_iter().chain(names).filter(|(range, _)| passage.is_vouched(range));
        passage.spans = found.map(|(range, kind)| passage.span(range, kind)).collect();
        passage
    }

    /// Words that may vouch for another text, and numbers in the other notation.
    pub fn known_words(&self) -> HashSet<String> {
        let mut known: HashSet<String> =
            self.words.iter().flat_map(|word| [word.lower.clone(), word.stem.clone()]).collect();
        let numbers = self.spans.iter().filter_map(|span| match span.kind {
            Kind::Number(value) => Some(value),
            Kind::Money(money) => Some(money.minor as f64 / 100.0),
            Kind::Size(quantity) | Kind::Duration(quantity) => Some(quantity.amount),
            _ => None,
        });
        known.extend(numbers.map(|value| value.to_string()).collect::<Vec<_>>());
        known
    }

    /// A span of this text.
    pub fn span(&self, range: Range<usize>, kind: Kind) -> Span {
        Span { start: range.start, end: range.end, text: self.text[range].to_owned(), kind, place: self.place }
    }

    /// All of this text.
    pub fn all(&self) -> Span {
        self.span(0..self.text.len(), Kind::Name)
    }

    /// Place of two or three neighbouring words that are this word when run together.
    pub fn locate_glued(&self, stem: &str) -> Option<Range<usize>> {
        self.glued.get(stem).filter(|range| self.is_vouched(range)).cloned()
    }

    /// Is the same span here too?
    pub fn has_same(&self, other: &Span) -> bool {
        self.spans.iter().any(|span| span.kind == other.kind && span.text.eq_ignore_ascii_case(&other.text))
    }

    /// Places of these words; ASCII letters' case does not matter. A place inside a longer word or compound is none.
    pub fn locate(&self, needle: &str) -> Vec<Range<usize>> {
        let spelled = needle.trim();
        let needle = spelled.to_ascii_lowercase();
        if !needle.contains(|c: char| c.is_alphanumeric() || c == '*') {
            return Vec::new();
        }
        let hits = self.lower.match_indices(&needle).map(|(start, hit)| start..start + hit.len());
        let mut places: Vec<_> = hits.filter(|range| self.is_whole(range) && self.is_vouched(range)).take(16).collect();
        // The place with the same capitals is the one meant.
        places.sort_by_key(|range| self.text[range.clone()] != *spelled);
        places
    }

    /// Words of the text whose offsets overlap the range.
    pub fn words_in(&self, range: &Range<usize>) -> Range<usize> {
        let first = self.words.partition_point(|word| word.end <= range.start);
        let last = self.words.partition_point(|word| word.start < range.end);
        first..last.max(first)
    }

    pub fn is_vouched(&self, range: &Range<usize>) -> bool {
        self.vouched[self.words_in(range)].iter().all(|vouched| *vouched)
    }

    /// The text without words that nobody vouches for.
    pub fn vouched_text(&self) -> String {
        if self.vouched.iter().all(|vouched| *vouched) {
            return self.text.clone();
        }
        let vouched = |chunk: &&Chunk| self.is_vouched(&chunk.range());
        let parts: Vec<&str> = self.chunks.iter().filter(vouched).map(|chunk| &self.text[chunk.range()]).collect();
        parts.join(" ")
    }

    fn is_whole(&self, range: &Range<usize>) -> bool {
        let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '@');
        let inner = &self.lower[range.clone()];
        let before = self.text[..range.start].chars().next_back();
        let mut after = self.text[range.end..].chars();
        let starts_inside =
            inner.starts_with(|c: char| c.is_alphanumeric()) && before.is_some_and(|c| joins(c) || c == '.');
        let next = after.next();
        // A full stop or hyphen at the end belongs to the sentence unless a letter follows.
        let goes_on = matches!(next, Some('.' | '-' | '_' | '@')) && after.next().is_some_and(char::is_alphanumeric);
        let ends_inside =
            inner.ends_with(|c: char| c.is_alphanumeric()) && (next.is_some_and(char::is_alphanumeric) || goes_on);
        !starts_inside && !ends_inside
    }

    /// Chunks that are no part of a typed span and no everyday word.
    fn names(&self, typed: &[(Range<usize>, Kind)]) -> Vec<(Range<usize>, Kind)> {
        let blocks = |kind: &Kind| {
            use Kind::{
                Arn, Cidr, Cron, Date, Duration, Email, Id, Ip, Money, Number, Pair, Path, Region, S3Uri, Size, Url,
            };
            let typed =
                matches!(kind, Arn | Cidr | Cron(_) | Date(_) | Duration(_) | Email | Id | Ip | Money(_) | Number(_));
            typed || matches!(kind, Pair | Path | Region(_) | S3Uri | Size(_) | Url)
        };
        let overlaps = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
        let free = |chunk: &&Chunk| !typed.iter().any(|(range, kind)| blocks(kind) && overlaps(range, &chunk.range()));
        let candidates = self.chunks.iter().filter(free).filter(|chunk| !words::is_stop(&chunk.lower));
        let mut names: Vec<_> = candidates.map(|chunk| (chunk.range(), Kind::Name)).collect();
        names.truncate(MAX_NAMES);
        names.extend(self.capital_runs().into_iter().map(|range| (range, Kind::Name)));
        names
    }

    /// `Jane Doe`, `Acme Corp Europe`: neighbours with capitals are one name.
    fn capital_runs(&self) -> Vec<Range<usize>> {
        let is_part =
            |chunk: &Chunk| matches!(chunk.form, Form::Capital | Form::Acronym) && !(chunk.opens && chunk.is_common());
        let mut runs: Vec<Range<usize>> = Vec::new();
        for pair in self.chunks.windows(2) {
            let (left, right) = (&pair[0], &pair[1]);
            if !(is_part(left) && is_part(right)) || self.text[left.end..right.start].trim() != "" {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.end == left.end => run.end = right.end,
                _ => runs.push(left.start..right.end),
            }
        }
        let names = |run: &Range<usize>| {
            self.chunks.iter().any(|chunk| run.start <= chunk.start && chunk.end <= run.end && !chunk.is_common())
        };
        runs.retain(names);
        runs
    }
}

// === private ===

fn glue(words: &[Word]) -> HashMap<String, Range<usize>> {
    let mut glued = HashMap::new();
    for length in 2..=3 {
        for window in words.windows(length) {
            let run: String = window.iter().map(|word| word.lower.as_str()).collect();
            glued.entry(words::stem(&run)).or_insert(window[0].start..window[length - 1].end);
        }
    }
    glued
}

fn is_known(word: &Word, known: &HashSet<String>) -> bool {
    known.contains(&word.lower)
        || known.contains(&word.stem)
        || words::is_stop(&word.lower)
        || parse_number(&word.lower).is_some_and(|value| known.contains(&value.to_string()))
}
