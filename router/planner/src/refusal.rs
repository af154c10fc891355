//! Gives each line to the capability it is about, or to nobody.
//!
//! From sentence-embedding scores, not from the model: small models never refuse by themselves (PARTS.md), and asked for a
//! capability the 1.5B names the first one of the list.

use std::collections::BTreeMap;

use crate::prompt::NONE;

/// Score from which one capability is so obvious that a request of one action skips the planner.
/// A bigger value plans more and costs seconds.
const OBVIOUS_FROM: f64 = 0.6;

/// Score from which what nobody serves is a wish of its own. A smaller value refuses more; a bigger one lets foreign wishes hang on to
/// the step before them, which then says what it leaves out.
const FOREIGN_FROM: f64 = 0.55;

/// Score of `none` from which not even "it" makes a line part of an earlier one's field.
const PLAINLY_FOREIGN_FROM: f64 = 0.8;

/// Shares of the nearest examples by capability; `none` among them.
pub type Scores = BTreeMap<String, f64>;

/// The capability that fits best; nothing when `none` does.
pub fn best(scores: &Scores) -> Option<&str> {
    let (name, _) = scores.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
    (name != NONE).then_some(name.as_str())
}

/// Is the best class, `none` included, beyond doubt?
pub fn is_obvious(scores: &Scores) -> bool {
    scores.values().any(|score| *score >= OBVIOUS_FROM)
}

/// Is this plainly what nobody serves?
pub fn is_foreign(scores: &Scores) -> bool {
    scores.get(NONE).copied().unwrap_or_default() >= PLAINLY_FOREIGN_FROM
}

/// Is a line that nobody serves no wish of its own but a remark on the line before it ("valid for an hour")? When it is not plainly
/// about something else, and the line before it is somebody's.
pub fn is_remark(scores: &Scores, before: &Scores) -> bool {
    let none = scores.get(NONE).copied().unwrap_or_default();
    best(scores).is_none() && none > 0.0 && none < FOREIGN_FROM && best(before).is_some()
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

    #[test]
    fn what_is_nobodys_and_not_plainly_foreign_is_a_remark() {
        let presign = scores(&[("aws", 0.9), (NONE, 0.1)]);
        assert!(is_remark(&scores(&[("aws", 0.36), (NONE, 0.4)]), &presign));
        assert!(!is_remark(&scores(&[("aws", 0.1), (NONE, 0.9)]), &presign), "a wish of its own");
        assert!(!is_remark(&scores(&[("aws", 0.6), (NONE, 0.4)]), &presign), "somebody's wish");
        assert!(!is_remark(&scores(&[("aws", 0.36), (NONE, 0.4)]), &scores(&[(NONE, 1.0)])), "a remark on nothing");
    }
}
