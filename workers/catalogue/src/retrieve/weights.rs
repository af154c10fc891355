//! What each number counts: a softmax over the candidates, and a logistic curve for "nothing fits".

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::features::{FEATURES, Features, Proposed};
use super::{Candidate, Retrieved};
use crate::catalogue::Catalogue;

/// How many numbers say whether anything fits.
pub const FIT_FEATURES: usize = 7;

/// What they are, in order.
pub const FIT_NAMES: [&str; FIT_FEATURES] =
    ["one", "best", "first_five", "draft", "cosine", "words_and_meaning_agree", "phrase"];

/// The numbers that say whether anything fits.
pub type FitFeatures = [f32; FIT_FEATURES];

/// Candidates among which the right one is expected when something fits.
const FIVE: usize = 5;

/// Weights for the vendors of one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighing {
    /// In the order of `FEATURE_NAMES`.
    pub features: Features,
    /// In the order of [`FIT_NAMES`].
    pub fits: FitFeatures,
}

/// `weights.json`: weights by vendor, and those for vendors nobody fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightTable {
    /// How it came to be.
    pub about: String,
    /// For all vendors that are not named.
    pub default: Weighing,
    /// By vendor.
    pub providers: BTreeMap<String, Weighing>,
}

static SHIPPED: LazyLock<WeightTable> = LazyLock::new(|| {
    serde_json::from_str(include_str!("weights.json")).expect("the table in the source parses, see the test")
});

// === impl WeightTable ===

impl WeightTable {
    /// The table that is shipped.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Weights for the vendors of a catalogue: those of the first one that has its own.
    pub fn of(&self, catalogue: &Catalogue) -> &Weighing {
        let mut named = catalogue.packs().iter().filter_map(|pack| self.providers.get(pack.provider()));
        named.next().unwrap_or(&self.default)
    }

    /// Are there weights of its own for a vendor of this catalogue?
    pub fn is_fitted_for(&self, catalogue: &Catalogue) -> bool {
        catalogue.packs().iter().any(|pack| self.providers.contains_key(pack.provider()))
    }

    /// Ranks the proposals.
    pub fn weigh(&self, catalogue: &Catalogue, proposed: &[Proposed]) -> Retrieved {
        self.of(catalogue).weigh(proposed)
    }
}

// === impl Weighing ===

impl Weighing {
    /// Ranks the proposals: softmax over their weighted sums.
    pub fn weigh(&self, proposed: &[Proposed]) -> Retrieved {
        let sums: Vec<f32> = proposed.iter().map(|one| dot(&self.features, &one.features)).collect();
        let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shares: Vec<f32> = sums.iter().map(|sum| (sum - most).exp()).collect();
        let total: f32 = shares.iter().sum();
        let mut ranked: Vec<(&Proposed, f32)> =
            proposed.iter().zip(shares.iter().map(|share| share / total.max(f32::MIN_POSITIVE))).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.operation.cmp(&b.0.operation)));
        let fits = if ranked.is_empty() { 0.0 } else { logistic(dot(&self.fits, &fit_features(&ranked))) };
        let candidate = |(one, score): &(&Proposed, f32)| Candidate {
            operation: one.operation,
            score: *score,
            sources: one.sources,
        };
        Retrieved { candidates: ranked.iter().map(candidate).collect(), fits }
    }

    /// What says whether anything fits, for fitting.
    pub fn fit_features(&self, proposed: &[Proposed]) -> FitFeatures {
        let retrieved = self.weigh(proposed);
        let by_operation: BTreeMap<_, &Proposed> = proposed.iter().map(|one| (one.operation, one)).collect();
        let ranked: Vec<(&Proposed, f32)> = retrieved
            .candidates
            .iter()
            .map(|candidate| (by_operation[&candidate.operation], candidate.score))
            .collect();
        if ranked.is_empty() { [0.0; FIT_FEATURES] } else { fit_features(&ranked) }
    }
}

fn fit_features(ranked: &[(&Proposed, f32)]) -> FitFeatures {
    let first_five: f32 = ranked.iter().take(FIVE).map(|(_, share)| share).sum();
    let draft = ranked.iter().take(FIVE).map(|(one, _)| one.features[4]).fold(0.0, f32::max);
    let cosine = ranked.iter().take(FIVE).map(|(one, _)| one.cosine).fold(0.0, f32::max);
    let agree = ranked.iter().take(FIVE).map(|(one, _)| one.features[9]).fold(0.0, f32::max);
    let phrase = ranked.iter().take(FIVE).map(|(one, _)| one.features[13]).fold(0.0, f32::max);
    [1.0, ranked[0].1, first_five, draft, cosine, agree, phrase]
}

fn dot(weights: &[f32], numbers: &[f32]) -> f32 {
    weights.iter().zip(numbers).map(|(weight, number)| weight * number).sum()
}

fn logistic(sum: f32) -> f32 {
    1.0 / (1.0 + (-sum).exp())
}

// A table of the wrong length must not compile: the number of features is part of its type.
const _: () = assert!(FEATURES == super::features::FEATURE_NAMES.len());
