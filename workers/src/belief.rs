//! Shares belief among candidates anew when another opinion about them has been heard.

use silverback_catalogue::Candidate;

/// The same belief in all, shared by belief and opinion together; best first. An opinion is a logarithm, `weight` what a unit of it
/// counts against one of log-belief.
pub fn share_anew(head: &[Candidate], opinions: &[f32], weight: f32) -> Vec<Candidate> {
    let total: f32 = head.iter().map(|candidate| candidate.score).sum();
    let most = opinions.iter().copied().fold(f32::MIN, f32::max);
    let mut shared: Vec<Candidate> = head.to_vec();
    for (candidate, opinion) in shared.iter_mut().zip(opinions) {
        candidate.score *= (weight * (opinion - most)).exp();
    }
    let sum: f32 = shared.iter().map(|candidate| candidate.score).sum();
    shared.iter_mut().for_each(|candidate| candidate.score *= total / sum.max(f32::MIN_POSITIVE));
    shared.sort_by(|a, b| b.score.total_cmp(&a.score));
    shared
}

#[cfg(test)]
mod tests {
    use silverback_catalogue::{OperationRef, Source};

    use super::*;

    fn candidate(index: u32, score: f32) -> Candidate {
        Candidate { operation: OperationRef { pack: 0, index }, score, sources: Source::default() }
    }

    #[test]
    fn a_likelier_candidate_overtakes_and_the_sum_stays() {
        let head = [candidate(0, 0.5), candidate(1, 0.3)];
        let moved = share_anew(&head, &[-12.0, -2.0], 0.4);
        assert_eq!(moved[0].operation.index, 1);
        assert!((moved.iter().map(|one| one.score).sum::<f32>() - 0.8).abs() < 1e-6, "{moved:?}");
        assert_eq!(share_anew(&head, &[-3.0, -3.0], 0.4)[0].operation.index, 0);
    }
}
