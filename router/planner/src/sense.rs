//! Weighs which capability a text is about: how near it is to the examples of each, and what the specialists of each recognise in it.
//!
//! Neither is enough: examples are few and miss most of a catalogue of 20,000 operations, a catalogue of that size has something like
//! every sentence. The weights are one set for all capabilities, so that one added today is weighed like those that were measured.

use std::collections::BTreeMap;

use silverback_proto::v1::Recognition;

use crate::{prompt::NONE, refusal::Scores};

/// What each sign counts, in nats. Fitted by logistic regression on the 816 requests of the tune parts of `tests/` on 2026-11-27
/// (weights: 1 a request, .35 one that nobody serves, .3 a vendor's sentence; L2 of .003). In five-fold cross-validation, of
/// the 139 requests written last: the likeliest class is right for .90 (.83 by examples alone), the likeliest capability for .99.
const WEIGHTS: Weights = Weights {
    example: 1.11,
    fits: 0.50,
    phrase: 1.09,
    meaning: 0.75,
    words: 0.17,
    identified: 1.69,
    none_example: 0.96,
    none: 1.53,
};

/// What the whole request says of one of its wishes, as a power of its belief. More lets the first field swallow the others.
const CONTEXT: f64 = 0.2;

/// Smallest share that counts; less is noise.
const LEAST: f64 = 1e-4;

struct Weights {
    /// Of the logarithm of the share of examples.
    example: f64,
    /// Of the log-odds that the specialist's first five hold the right operation.
    fits: f64,
    /// Of the cosine with what users say for an operation.
    phrase: f64,
    /// Of the cosine with what an operation says of itself.
    meaning: f64,
    /// Of the score by words.
    words: f64,
    /// Of holding an identifier of this vendor's making.
    identified: f64,
    /// Of the logarithm of the share of examples of what nobody serves.
    none_example: f64,
    /// What speaks for "nobody" beforehand.
    none: f64,
}

/// Belief in each capability, `none` included, adding up to 1: the shares of examples together with what specialists recognised, by
/// capability; those that could not say are missing.
pub fn weigh(examples: Scores, recognised: &BTreeMap<String, Recognition>) -> Scores {
    // Without a word from any specialist the examples decide, as they did before there was one to ask.
    if recognised.is_empty() {
        return examples;
    }
    let sum = |(name, share): (&String, &f64)| {
        let example = share.max(LEAST).ln();
        let sum = match recognised.get(name) {
            _ if name == NONE => WEIGHTS.none + WEIGHTS.none_example * example,
            Some(found) => WEIGHTS.example * example + evidence(found),
            None => WEIGHTS.example * example + evidence(&unremarkable()),
        };
        (name.clone(), sum)
    };
    let sums: Scores = examples.iter().map(sum).collect();
    let most = sums.values().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = sums.values().map(|sum| (sum - most).exp()).sum();
    sums.into_iter().map(|(name, sum)| (name, (sum - most).exp() / total)).collect()
}

/// Moves belief among the capabilities towards those that the whole request is about; what speaks for nobody stays.
pub fn beside(mut scores: Scores, whole: &Scores) -> Scores {
    let sum = |scores: &Scores| scores.iter().filter(|(name, _)| *name != NONE).map(|(_, score)| score).sum::<f64>();
    let before = sum(&scores);
    for (name, score) in scores.iter_mut().filter(|(name, _)| *name != NONE) {
        *score *= whole.get(name).copied().unwrap_or_default().max(LEAST).powf(CONTEXT);
    }
    let after = sum(&scores).max(f64::MIN_POSITIVE);
    scores.iter_mut().filter(|(name, _)| *name != NONE).for_each(|(_, score)| *score *= before / after);
    scores
}

fn evidence(found: &Recognition) -> f64 {
    let fits = found.fits.clamp(LEAST, 1.0 - LEAST);
    WEIGHTS.fits * (fits / (1.0 - fits)).ln()
        + WEIGHTS.phrase * found.phrase
        + WEIGHTS.meaning * found.meaning
        + WEIGHTS.words * found.words
        + WEIGHTS.identified * f64::from(u8::from(found.identifiers > 0))
}

/// What a catalogue says of a text that is not about it: the medians over requests for others.
fn unremarkable() -> Recognition {
    Recognition { fits: 0.03, phrase: 0.45, meaning: 0.45, words: 3.0, ..Recognition::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_request_decides_between_like_capabilities_and_not_about_nobody() {
        let wish = examples(&[("aws", 0.4), ("finance", 0.3), (NONE, 0.3)]);
        let scores = beside(wish, &examples(&[("aws", 0.1), ("finance", 0.8), (NONE, 0.1)]));
        assert_eq!(crate::refusal::best(&scores), Some("finance"), "{scores:?}");
        assert!((scores[NONE] - 0.3).abs() < 1e-9 && (scores.values().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    fn examples(list: &[(&str, f64)]) -> Scores {
        list.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect()
    }

    #[test]
    fn what_a_specialist_recognises_outweighs_a_few_examples() {
        let shares = examples(&[("aws", 0.3), ("kubernetes", 0.5), (NONE, 0.2)]);
        let aws = Recognition { fits: 0.97, phrase: 0.9, meaning: 0.7, words: 9.0, identifiers: 1 };
        let recognised = BTreeMap::from([("aws".to_owned(), aws), ("kubernetes".to_owned(), unremarkable())]);
        let scores = weigh(shares.clone(), &recognised);
        assert_eq!(crate::refusal::best(&scores), Some("aws"), "{scores:?}");
        assert!((scores.values().sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(crate::refusal::best(&weigh(shares, &BTreeMap::new())), Some("kubernetes"));
    }
}
