//! Finds operations by words: BM25 over named fields, with users' words translated into vendors' words.
//!
//! The inverted index lies in the pack (an `fst` term dictionary and varint postings): a pack must be one reproducible
//! file, which an index of tantivy (several files, random segment names) is not. Start at [`rank`]; what the fields are is
//! in `fields.rs`, how requests are read in `query.rs`. Knows no model.
//!
//! Scoring is BM25F (Robertson, Zaragoza, Taylor 2004: one saturation over weighted, length-normalised field counts).

mod fields;
mod phrases;
mod query;
mod sentence;
mod vectors;
mod words;

use std::cmp::Ordering;

use crate::pack::{Document, Index, Pack, Posting};
pub(crate) use fields::Fields;
pub(crate) use phrases::phrases;
pub(crate) use query::{Query, count_identifiers};
pub(crate) use sentence::{heading, portrait, sentence};
pub use vectors::{Encoder, Vectors};
pub(crate) use words::{split_name, stem};

/// How much a field counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    /// Name, words, summary, parameters.
    fields: [f32; 4],
    /// How strongly a long field is discounted, 0 to 1, in the same order.
    lengths: [f32; 4],
    service: f32,
    /// A term that stands often adds ever less; bigger: later.
    saturation: f32,
    /// Share of the score that popularity can add.
    popularity: f32,
    /// Share of the score that a name loses when the request explains none of its words.
    coverage: f32,
    /// Rarer terms count as if they were this rare: a rare word is seldom what a request is about.
    rarity: f32,
}

/// Factor on what the vendor calls deprecated.
const DEPRECATED: f32 = 0.8;

/// For requests: every field. Found by random search on 935 of the vendor's titles and on requests in users' words together
/// (`tests/user_words.jsonl`, without the held-out ones), then rounded; popularity is kept milder than the search liked.
pub(crate) const REQUEST: Weights = Weights {
    fields: [1.5, 2.5, 1.0, 0.7],
    lengths: [0.8, 0.2, 0.35, 0.4],
    service: 1.5,
    saturation: 1.3,
    popularity: 0.3,
    coverage: 0.6,
    rarity: 5.0,
};

/// For a model's draft: it speaks of names, summaries only confuse.
pub(crate) const DRAFT: Weights =
    Weights { fields: [3.0, 0.0, 0.0, 0.5], service: 2.0, saturation: 1.5, popularity: 0.15, ..REQUEST };

/// How many operations there are and how many of them a term stands in, over all packs searched together.
#[derive(Debug, Default)]
pub(crate) struct Frequencies {
    operations: u32,
    terms: std::collections::HashMap<String, u32>,
}

/// Best `k` operations of a pack for a query, best first; `service` limits them to one service.
pub(crate) fn rank(
    pack: &Pack,
    query: &Query,
    frequencies: &Frequencies,
    weights: &Weights,
    scope: (Option<&str>, usize),
) -> Vec<(u32, f32)> {
    let (service, k) = scope;
    let index = pack.index();
    let range = match service.map(|name| pack.service(name)) {
        None => 0..index.len(),
        Some(Some(entry)) => entry.first..entry.first + entry.count,
        Some(None) => return Vec::new(),
    };
    let mut scores = vec![0f32; index.len() as usize];
    let mut explained = vec![0f32; index.len() as usize];
    for term in query.terms() {
        let gain = term.weight * frequencies.rarity(&term.stem).min(weights.rarity);
        index.for_each(&term.stem, |at, posting| {
            if let Some(document) = index.document(at) {
                let count = field_count(index, &document, posting, weights);
                scores[at as usize] += gain * count / (weights.saturation + count);
                explained[at as usize] += if posting.counts[0] > 0 { term.weight.sqrt() } else { 0.0 };
            }
        });
    }
    let mut found: Vec<(u32, f32)> = Vec::new();
    for at in range {
        let score = scores[at as usize];
        if score > 0.0 {
            found.push((at, score * prior(index, at, explained[at as usize], weights)));
        }
    }
    keep_best(&mut found, k);
    found
}

/// Orders by score, then by index, and keeps the first `k`.
pub(crate) fn keep_best(found: &mut Vec<(u32, f32)>, k: usize) {
    let order = |a: &(u32, f32), b: &(u32, f32)| -> Ordering { b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)) };
    if found.len() > k && k > 0 {
        found.select_nth_unstable_by(k - 1, order);
    }
    found.truncate(k);
    found.sort_by(order);
}

fn field_count(index: &Index, document: &Document, posting: Posting, weights: &Weights) -> f32 {
    let [name, words, summary] = posting.counts;
    let counts = [name, words, summary, u8::from(posting.in_parameters)];
    let mut sum = if posting.in_service { weights.service } else { 0.0 };
    for (field, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let b = weights.lengths[field];
        let relative = f32::from(document.lengths[field]) / index.mean_lengths[field];
        sum += weights.fields[field] * f32::from(count) / (1.0 - b + b * relative);
    }
    sum
}

/// What is known of an operation besides its terms: how much its service is used, how much of its name the request
/// explains (`DeleteStack` before `DeleteStackInstances`), is it deprecated?
fn prior(index: &Index, at: u32, explained: f32, weights: &Weights) -> f32 {
    let Some(document) = index.document(at) else { return 1.0 };
    let popularity = index.services.get(usize::from(document.service)).map_or(0.0, |service| service.popularity);
    let unexplained = 1.0 - (explained / f32::from(document.lengths[0].max(1))).min(1.0);
    let factor = (1.0 + weights.popularity * popularity) * (1.0 - weights.coverage * unexplained);
    if document.deprecated { factor * DEPRECATED } else { factor }
}

// === impl Frequencies ===

impl Frequencies {
    /// Counts the query's terms over several packs, so that their scores can be compared.
    pub fn of<'a>(packs: impl Iterator<Item = (&'a Pack, &'a Query)>) -> Self {
        let mut frequencies = Self::default();
        for (pack, query) in packs {
            frequencies.operations += pack.len();
            for term in query.terms() {
                let count = pack.index().frequency(&term.stem);
                *frequencies.terms.entry(term.stem.clone()).or_default() += count;
            }
        }
        frequencies
    }

    /// Inverse document frequency, never negative.
    fn rarity(&self, stem: &str) -> f32 {
        let count = self.terms.get(stem).copied().unwrap_or(0) as f32;
        let operations = self.operations as f32;
        (1.0 + (operations - count + 0.5).max(0.0) / (count + 0.5)).ln()
    }
}

#[cfg(test)]
mod tests;
