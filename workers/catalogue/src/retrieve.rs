//! Finds the operations a request can mean, from four sources that miss different things.
//!
//! Words (BM25) find what the vendor calls by the user's word, meaning (sentence vectors) what it calls otherwise, phrases what others have
//! said for it, a model's draft what the model has learnt. Each proposes; [`propose`] describes every proposal by numbers, [`retrieve`] weighs them. The weights are
//! data (`weights.json`), fitted by `silverback eval --retrieval --fit` on the tune part of the cases. Knows no model: vectors and
//! drafts are given. A source that is absent or talks nonsense leaves the others standing.

mod features;
mod weights;

use std::ops::Range;

use crate::catalogue::{Catalogue, Hit, OperationRef, Scope};
use crate::draft::match_draft;
use crate::search::Vectors;
use features::Lists;
pub use features::{FEATURE_NAMES, FEATURES, Features, Proposed};
pub use weights::{FIT_FEATURES, FIT_NAMES, FitFeatures, Weighing, WeightTable};

/// Proposals of each source that are weighed; more costs microseconds and adds little: the right one is seldom behind.
const PROPOSED: usize = 50;
/// Proposals of a draft: it names one operation, the rest are likenesses.
const DRAFTED: usize = 20;

/// What is looked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// The request in the user's words.
    pub text: &'a str,
    /// Its vector by the encoder of the packs; without one, meaning does not vote.
    pub vector: Option<&'a [f32]>,
    /// A model's draft of the vendor's command; empty when there is none.
    pub draft: &'a str,
}

/// Who proposed a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// A search by the words of the request.
    pub words: bool,
    /// A search by the meaning of the request.
    pub meaning: bool,
    /// A phrase that users say for it.
    pub phrase: bool,
    /// The model's draft.
    pub draft: bool,
}

/// An operation to choose from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Which operation.
    pub operation: OperationRef,
    /// Share of belief, 0 to 1: all candidates of one retrieval add up to at most 1.
    pub score: f32,
    /// Who proposed it.
    pub sources: Source,
}

/// The candidates of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retrieved {
    /// Best first.
    pub candidates: Vec<Candidate>,
    /// Probability that the right operation is among the first five; low: nothing fits.
    pub fits: f32,
}

/// Best `k` candidates.
pub fn retrieve(catalogue: &Catalogue, scope: Scope<'_>, wish: &Wish<'_>, k: usize) -> Retrieved {
    let proposed = propose(catalogue, scope, wish);
    let mut retrieved = WeightTable::shipped().weigh(catalogue, &proposed);
    retrieved.candidates.truncate(k);
    retrieved
}

/// Every proposal of every source with what speaks for it.
pub fn propose(catalogue: &Catalogue, scope: Scope<'_>, wish: &Wish<'_>) -> Vec<Proposed> {
    let words = catalogue.search_in(scope, wish.text, PROPOSED);
    let meaning = wish.vector.map(|vector| catalogue.nearest_in(scope, vector, PROPOSED)).unwrap_or_default();
    let phrase = wish.vector.map(|vector| catalogue.said_in(scope, vector, PROPOSED)).unwrap_or_default();
    let draft = if wish.draft.is_empty() { Vec::new() } else { match_draft(catalogue, scope, wish.draft, DRAFTED) };
    features::describe(catalogue, wish, &Lists { words, meaning, phrase, draft })
}

// === impl Catalogue ===

impl Catalogue {
    /// Best `k` operations by cosine with a request's vector; none from packs without vectors or with others.
    pub fn nearest_in(&self, scope: Scope<'_>, vector: &[f32], k: usize) -> Vec<Hit> {
        self.near(scope, k, |vectors, range| range.clone().zip(vectors.cosines(vector, range)).collect())
    }

    /// Best `k` operations by the cosine of a request's vector with what users say for them.
    pub fn said_in(&self, scope: Scope<'_>, vector: &[f32], k: usize) -> Vec<Hit> {
        self.near(scope, k, |vectors, range| vectors.phrase_cosines(vector, range))
    }

    fn near(&self, scope: Scope<'_>, k: usize, cosines: impl Fn(&Vectors, Range<u32>) -> Vec<(u32, f32)>) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for (number, pack) in self.scoped(scope) {
            let Some(vectors) = pack.vectors() else { continue };
            let range = match scope.service.and_then(|service| pack.service(service)) {
                Some(entry) => entry.first..entry.first + entry.count,
                None => 0..pack.len(),
            };
            let mut found = cosines(vectors, range);
            crate::search::keep_best(&mut found, k);
            let hit = |(index, score)| Hit { operation: OperationRef { pack: number, index }, score };
            hits.extend(found.into_iter().map(hit));
        }
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.operation.cmp(&b.operation)));
        hits.truncate(k);
        hits
    }

    /// The encoder whose vectors the packs hold; `None` when no pack has any or they differ.
    pub fn vector_model(&self) -> Option<&str> {
        let mut models = self.packs().iter().filter_map(|pack| pack.vectors()).map(|vectors| vectors.model());
        let first = models.next()?;
        models.all(|model| model == first).then_some(first)
    }
}

#[cfg(test)]
mod tests;
