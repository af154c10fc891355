//! Holds scores against those of an earlier run, case by case.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::score::Score;

/// What `silverback eval --json` wrote before; only what is compared is read.
#[derive(Deserialize)]
pub struct Earlier {
    cases: Vec<EarlierCase>,
}

#[derive(Deserialize)]
struct EarlierCase {
    suite: String,
    score: EarlierScore,
}

#[derive(Deserialize)]
struct EarlierScore {
    id: String,
    exact: bool,
}

// === impl Earlier ===

impl Earlier {
    /// Reads the document.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("not what `silverback eval --json` writes: {error}"))
    }

    /// Wins and losses by name, then how likely so uneven a count is by chance (exact sign test, two-sided: McNemar 1947).
    pub fn compare(&self, scores: &[(String, Score)]) -> String {
        let key = |suite: &str, id: &str| (suite.rsplit('/').next().unwrap_or_default().to_owned(), id.to_owned());
        let before: BTreeMap<_, bool> =
            self.cases.iter().map(|case| (key(&case.suite, &case.score.id), case.score.exact)).collect();
        let (mut won, mut lost, mut same, mut new) = (Vec::new(), Vec::new(), 0, 0);
        for (suite, score) in scores {
            match before.get(&key(suite, &score.id)) {
                None => new += 1,
                Some(was) if *was == score.exact => same += 1,
                Some(true) => lost.push(score.id.as_str()),
                Some(false) => won.push(score.id.as_str()),
            }
        }
        let (wins, losses) = (won.len(), lost.len());
        let mut text = format!("{wins} won, {losses} lost, {same} as before, {new} not asked before; ");
        text.push_str(&format!("p = {:.3} (sign test)\n", sign_test(wins, losses)));
        won.iter().for_each(|id| text.push_str(&format!("won   {id}\n")));
        lost.iter().for_each(|id| text.push_str(&format!("lost  {id}\n")));
        text
    }
}

/// Probability that a fair coin falls at least as unevenly.
fn sign_test(wins: usize, losses: usize) -> f64 {
    let tosses = wins + losses;
    let mut term = 0.5f64.powi(i32::try_from(tosses).unwrap_or(i32::MAX));
    let mut tail = 0.0;
    for heads in 0..=wins.min(losses) {
        tail += term;
        term *= (tosses - heads) as f64 / (heads + 1) as f64;
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_test_is_exact() {
        assert_eq!(sign_test(0, 0), 1.0);
        assert_eq!(sign_test(3, 3), 1.0);
        assert!((sign_test(5, 0) - 0.0625).abs() < 1e-12);
        assert!((sign_test(8, 1) - 0.0390625).abs() < 1e-12);
    }

    #[test]
    fn another_document_is_refused() {
        assert!(Earlier::read("{\"cases\": 3}").err().unwrap().contains("eval --json"));
    }
}
