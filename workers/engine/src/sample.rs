//! From a row of logits to a token.

use crate::error::{Error, Result};
use crate::mask::TokenSet;

/// Chooses tokens: the likeliest at temperature 0, else at random by their likelihood, reproducibly by seed.
pub(crate) struct Sampler {
    temperature: f32,
    state: u64,
}

// === impl Sampler ===

impl Sampler {
    pub(crate) fn new(temperature: f32, seed: u64) -> Self {
        // A negative or NaN temperature is greedy too.
        Self { temperature: if temperature > 0.0 { temperature } else { 0.0 }, state: seed }
    }

    pub(crate) fn is_greedy(&self) -> bool {
        self.temperature == 0.0
    }

    /// A token out of `allowed`, or out of all.
    ///
    /// # Errors
    /// [`Error::LogitsUnusable`] when no candidate has a finite logit.
    pub(crate) fn pick(&mut self, logits: &[f32], allowed: Option<&TokenSet>) -> Result<u32> {
        let best = match allowed {
            Some(set) => likeliest(set.iter().filter_map(|id| Some((id, *logits.get(id as usize)?)))),
            None => likeliest(logits.iter().enumerate().map(|(id, logit)| (id as u32, *logit))),
        };
        let (best, top) = best.ok_or(Error::LogitsUnusable)?;
        if self.is_greedy() {
            return Ok(best);
        }
        let weight =
            |logit: f32| if logit.is_finite() { f64::from((logit - top) / self.temperature).exp() } else { 0.0 };
        let is_allowed = |id: usize| allowed.is_none_or(|set| set.contains(id as u32));
        let candidates = || logits.iter().enumerate().filter(|(id, _)| is_allowed(*id));
        let total: f64 = candidates().map(|(_, logit)| weight(*logit)).sum();
        let mut left = uniform(&mut self.state) * total;
        for (id, logit) in candidates() {
            left -= weight(*logit);
            if left < 0.0 {
                return Ok(id as u32);
            }
        }
        Ok(best)
    }
}

/// The first of the largest finite logits.
fn likeliest(candidates: impl Iterator<Item = (u32, f32)>) -> Option<(u32, f32)> {
    let better = |best: Option<(u32, f32)>, next: (u32, f32)| match best {
        Some((_, top)) if next.1 <= top => best,
        _ => Some(next),
    };
    candidates.filter(|(_, logit)| logit.is_finite()).fold(None, better)
}

/// SplitMix64: one step, as a number in `0 .. 1`.
pub(crate) fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_takes_the_likeliest_allowed() {
        let mut sampler = Sampler::new(0.0, 0);
        let logits = [0.0, 5.0, f32::NAN, 3.0];
        assert_eq!(sampler.pick(&logits, None).unwrap(), 1);
        assert_eq!(sampler.pick(&logits, Some(&TokenSet::from_iter([0, 2, 3]))).unwrap(), 3);
    }

    #[test]
    fn nothing_finite_is_an_error() {
        let mut sampler = Sampler::new(0.0, 0);
        assert!(matches!(sampler.pick(&[f32::NAN, f32::NAN], None), Err(Error::LogitsUnusable)));
        assert!(matches!(sampler.pick(&[1.0, f32::NAN], Some(&TokenSet::from_iter([1]))), Err(Error::LogitsUnusable)));
    }

    #[test]
    fn warm_sampling_follows_the_likelihoods_and_the_mask() {
        let mut sampler = Sampler::new(1.0, 7);
        let logits = [2f32.ln(), 0.0, 9.0];
        let set = TokenSet::from_iter([0, 1]);
        let picks: Vec<u32> = (0..3000).map(|_| sampler.pick(&logits, Some(&set)).unwrap()).collect();
        let zeros = picks.iter().filter(|id| **id == 0).count();
        assert!(picks.iter().all(|id| set.contains(*id)));
        assert!((1850..2150).contains(&zeros), "{zeros} of 3000 where 2000 are expected");
    }
}
