//! Joins what words found and what the draft named.

use std::collections::BTreeMap;

use crate::catalogue::{Hit, OperationRef};

/// A draft this sure goes first, whatever the words say.
const CERTAIN: f32 = 0.9;
/// Damping of ranks; 20 because the lists are short (PARTS.md measured with it). Cormack, Clarke, Büttcher 2009 use 60.
const DAMPING: f32 = 20.0;
/// A draft finds in users' words what words do not, so its vote counts more.
const DRAFT_VOTE: f32 = 1.5;

/// Who proposed a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// A search by the words of the request.
    pub words: bool,
    /// The model's draft.
    pub draft: bool,
}

/// An operation to choose from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Which operation.
    pub operation: OperationRef,
    /// 0 to 1, higher is better; above 0.9 the draft named it exactly.
    pub score: f32,
    /// Who proposed it.
    pub sources: Source,
}

/// Best `k` of both lists (each best first): what the draft names exactly, then by reciprocal rank fusion.
pub fn fuse(words: &[Hit], draft: &[Hit], k: usize) -> Vec<Candidate> {
    let mut candidates: BTreeMap<OperationRef, Candidate> = BTreeMap::new();
    let best = (1.0 + DRAFT_VOTE) / (1.0 + DAMPING);
    for (list, vote) in [(words, 1.0), (draft, DRAFT_VOTE)] {
        let from_draft = vote != 1.0;
        for (rank, hit) in list.iter().enumerate() {
            let empty = Candidate { operation: hit.operation, score: 0.0, sources: Source::default() };
            let candidate = candidates.entry(hit.operation).or_insert(empty);
            candidate.sources.words |= !from_draft;
            candidate.sources.draft |= from_draft;
            // A weak likeness has a weak vote.
            let sureness = if from_draft { hit.score.clamp(0.0, 1.0) } else { 1.0 };
            candidate.score += vote * sureness / (1.0 + rank as f32 + DAMPING) / best * CERTAIN;
        }
    }
    for hit in draft.iter().filter(|hit| hit.score > CERTAIN) {
        if let Some(candidate) = candidates.get_mut(&hit.operation) {
            candidate.score = hit.score;
        }
    }
    let mut candidates: Vec<Candidate> = candidates.into_values().collect();
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.operation.cmp(&b.operation)));
    candidates.truncate(k);
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(index: u32, score: f32) -> Hit {
        Hit { operation: OperationRef { pack: 0, index }, score }
    }

    fn order(candidates: &[Candidate]) -> Vec<u32> {
        candidates.iter().map(|candidate| candidate.operation.index).collect()
    }

    #[test]
    fn what_the_draft_names_exactly_goes_first() {
        let fused = fuse(&[hit(1, 9.0), hit(2, 8.0)], &[hit(7, 1.0), hit(1, 0.5)], 10);
        assert_eq!(order(&fused), [7, 1, 2]);
        assert_eq!(fused[0].score, 1.0);
        assert_eq!(fused[1].sources, Source { words: true, draft: true });
    }

    #[test]
    fn without_an_exact_draft_agreement_wins() {
        let fused = fuse(&[hit(1, 9.0), hit(2, 8.0)], &[hit(3, 0.6), hit(2, 0.5)], 2);
        assert_eq!(order(&fused), [2, 1]);
    }

    #[test]
    fn scores_stay_between_0_and_1() {
        for candidate in fuse(&[hit(1, 99.0)], &[hit(1, 0.9)], 5) {
            assert!((0.0..=1.0).contains(&candidate.score), "{candidate:?}");
        }
    }
}
