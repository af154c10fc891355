//! Gives each line to the capability it is about, or to nobody.
//!
//! From weighed scores ([`crate::sense`]), not from the model: small models never refuse by themselves (PARTS.md), and asked for a
//! capability the 1.5B names the first one of the list.

use std::collections::BTreeMap;

use crate::prompt::NONE;

/// Score of `none` from which nobody is asked. A specialist refuses too what fits nothing of its own, and knows more: a smaller value
/// refuses what it could have answered.
const NOBODY_FROM: f64 = 0.6;

/// Score of `none` from which not even "it" makes a line part of an earlier one's field.
const PLAINLY_FOREIGN_FROM: f64 = 0.8;

/// Shares of the nearest examples by capability; `none` among them.
pub type Scores = BTreeMap<String, f64>;

/// The capability that fits best; nothing when `none` plainly does.
pub fn best(scores: &Scores) -> Option<&str> {
    if scores.get(NONE).is_some_and(|none| *none >= NOBODY_FROM) {
        return None;
    }
    let capabilities = scores.iter().filter(|(name, _)| *name != NONE);
    capabilities.max_by(|a, b| a.1.total_cmp(b.1)).map(|(name, _)| name.as_str())
}

/// Is this plainly what nobody serves?
pub fn is_foreign(scores: &Scores) -> bool {
    scores.get(NONE).copied().unwrap_or_default() >= PLAINLY_FOREIGN_FROM
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(list: &[(&str, f64)]) -> Scores {
        list.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect()
    }

    #[test]
    fn the_nearest_class_wins_and_none_is_nobody() {
        assert_eq!(best(&scores(&[("aws", 0.5), ("finance", 0.2), (NONE, 0.3)])), Some("aws"));
        assert_eq!(best(&scores(&[("aws", 0.4), (NONE, 0.6)])), None);
        assert_eq!(best(&Scores::new()), None);
    }
}
