//! Fits the weights of the fusion: softmax regression over the proposals, then a logistic curve for "nothing fits".
//!
//! Few requests and few numbers: gradient descent over all of them, held to prior weights by L2. A vendor's own weights are held to
//! those of all vendors together, so that a field with thirty requests does not run away.

use std::collections::BTreeMap;

use silverback_catalogue::retrieve::{FEATURES, FIT_FEATURES, Features, FitFeatures, Proposed, Weighing, WeightTable};

use super::{field::Fields, measure::Measured};

const ROUNDS: usize = 1500;
const STEP: f32 = 0.5;
/// Pull towards the prior; bigger trusts the requests less.
const HOLD: f32 = 0.002;
/// What a request counts by what is proposed for it: all of it; without its draft, which can be missing or nonsense; without phrases for
/// the right service, as those that came yesterday have none.
const VARIANTS: [f32; 3] = [1.0, 0.3, 0.5];
/// What a vendor's sentence counts beside a request in users' words.
const SENTENCE: f32 = 0.3;

/// Proposals of one request, which of them are right, and what it counts.
struct Example<'a> {
    proposed: &'a [Proposed],
    right: Vec<bool>,
    weight: f32,
}

/// Weights for all vendors together and for each field.
pub fn fit(measured: &[Measured], fields: &Fields) -> WeightTable {
    // Test files teach nothing, whatever the command line says.
    let open: Vec<&Measured> = measured.iter().filter(|case| case.query.is_open()).collect();
    let default = fit_some(&open, WeightTable::shipped().default.features, WeightTable::shipped().default.fits);
    let mut providers = BTreeMap::new();
    for field in fields.all() {
        let name = &field.specialty.providers[0];
        let own: Vec<&Measured> = open.iter().copied().filter(|case| case.field == *name).collect();
        let weighing = fit_some(&own, default.features, default.fits);
        for provider in &field.specialty.providers {
            providers.insert(provider.clone(), weighing.clone());
        }
    }
    let about = format!(
        "Written by `silverback eval --retrieval --fit` from {} requests of the tune part. Rows: see FEATURE_NAMES and FIT_NAMES.",
        open.len()
    );
    WeightTable { about, default, providers }
}

fn fit_some(cases: &[&Measured], prior: Features, prior_fits: FitFeatures) -> Weighing {
    let mut examples = Vec::new();
    for case in cases.iter().filter(|case| !case.right.is_empty()) {
        let weight = if case.query.suite.starts_with("vendor") { SENTENCE } else { 1.0 };
        for (proposed, weight) in case.proposed.iter().zip(VARIANTS.map(|share| share * weight)) {
            let right: Vec<bool> = proposed.iter().map(|one| case.right.contains(&one.operation)).collect();
            if right.contains(&true) {
                examples.push(Example { proposed, right, weight });
            }
        }
    }
    let mut weighing = Weighing { features: prior, fits: prior_fits };
    for _ in 0..ROUNDS {
        descend(&mut weighing.features, &prior, &examples);
    }
    weighing.fits = fit_logistic(&weighing, cases, prior_fits);
    round(&mut weighing);
    weighing
}

/// One step: the right ones' mean features under the model, given that one of them is right, less the mean over all.
fn descend(weights: &mut Features, prior: &Features, examples: &[Example<'_>]) {
    let mut gradient = [0f32; FEATURES];
    let mut total = 0f32;
    for example in examples {
        let sums: Vec<f32> = example.proposed.iter().map(|one| dot(weights, &one.features)).collect();
        let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shares: Vec<f32> = sums.iter().map(|sum| (sum - most).exp()).collect();
        let all: f32 = shares.iter().sum();
        let right: f32 =
            shares.iter().zip(&example.right).map(|(share, right)| if *right { *share } else { 0.0 }).sum();
        for ((one, share), is_right) in example.proposed.iter().zip(&shares).zip(&example.right) {
            let pull = if *is_right { share / right.max(f32::MIN_POSITIVE) } else { 0.0 } - share / all;
            for (slope, feature) in gradient.iter_mut().zip(&one.features) {
                *slope += example.weight * pull * feature;
            }
        }
        total += example.weight;
    }
    for at in 0..FEATURES {
        weights[at] += STEP * (gradient[at] / total.max(1.0) - HOLD * (weights[at] - prior[at]));
    }
}

fn fit_logistic(weighing: &Weighing, cases: &[&Measured], prior: FitFeatures) -> FitFeatures {
    let mut examples = Vec::new();
    for case in cases {
        let weight = if case.query.suite.starts_with("vendor") { SENTENCE } else { 1.0 };
        for (proposed, weight) in case.proposed.iter().zip(VARIANTS.map(|share| share * weight)) {
            let ranked = weighing.weigh(proposed).candidates;
            let is_found = ranked.iter().take(5).any(|candidate| case.right.contains(&candidate.operation));
            examples.push((weighing.fit_features(proposed), f32::from(u8::from(is_found)), weight));
        }
    }
    let mut weights = prior;
    for _ in 0..ROUNDS * 2 {
        let mut gradient = [0f32; FIT_FEATURES];
        let mut total = 0f32;
        for (features, found, weight) in &examples {
            let predicted = 1.0 / (1.0 + (-dot(&weights, features)).exp());
            for (slope, feature) in gradient.iter_mut().zip(features) {
                *slope += weight * (found - predicted) * feature;
            }
            total += weight;
        }
        for at in 0..FIT_FEATURES {
            weights[at] += STEP * (gradient[at] / total.max(1.0) - HOLD * (weights[at] - prior[at]));
        }
    }
    weights
}

/// Two decimals: more of them would claim more than the requests tell.
fn round(weighing: &mut Weighing) {
    for weight in weighing.features.iter_mut().chain(&mut weighing.fits) {
        *weight = (*weight * 100.0).round() / 100.0;
    }
}

fn dot(weights: &[f32], numbers: &[f32]) -> f32 {
    weights.iter().zip(numbers).map(|(weight, number)| weight * number).sum()
}
