//! What happens between the products: normalization, gating, attention of a few tokens. All on plain numbers, shared with free threads.

use core::arch::x86_64::*;

use super::avx512::is_supported;
use super::pool::{Shared, share};

/// Numbers per register.
const LANES: usize = 16;

/// Numbers below which a job is not worth a second thread.
const SMALL: usize = 4096;

/// Query heads that share a pass over the values: as many as there are registers for.
const HEADS_AT_ONCE: usize = 3;

/// Keys and values of the tokens so far and where in them a query looks.
#[derive(Clone, Copy)]
pub(crate) struct Attention<'a> {
    /// `(tokens, kv_heads, width)`.
    pub(crate) keys: &'a [f32],
    /// As `keys`.
    pub(crate) values: &'a [f32],
    /// Query heads.
    pub(crate) heads: usize,
    /// Key heads; divides `heads`.
    pub(crate) kv_heads: usize,
    /// Numbers per head: 64 or 128.
    pub(crate) width: usize,
}

/// Scales each row of `input` to a mean square of one, times `weight`.
pub(crate) fn normalize(input: &[f32], weight: &[f32], epsilon: f32) -> Vec<f32> {
    let width = weight.len();
    assert!(is_supported() && width.is_multiple_of(LANES) && width > 0 && input.len().is_multiple_of(width));
    let mut out = vec![0.0; input.len()];
    let shared = Shared::new(&mut out);
    share_rows(input.len() / width, width, |row| {
        let range = row * width..(row + 1) * width;
        // SAFETY: each row is one unit; the instructions are there, as asserted.
        unsafe { normalize_row(&input[range.clone()], weight, epsilon, shared.part(range)) };
    });
    out
}

/// `silu(gate) * up`, number by number.
pub(crate) fn gate(gate: &[f32], up: &[f32]) -> Vec<f32> {
    assert!(is_supported() && gate.len() == up.len() && gate.len().is_multiple_of(LANES));
    let mut out = vec![0.0; gate.len()];
    let shared = Shared::new(&mut out);
    share_rows(gate.len().div_ceil(SMALL), SMALL, |piece| {
        let range = piece * SMALL..((piece + 1) * SMALL).min(gate.len());
        // SAFETY: pieces are disjoint; the instructions are there, as asserted.
        unsafe { gate_piece(&gate[range.clone()], &up[range.clone()], shared.part(range)) };
    });
    out
}

// === impl Attention ===

impl Attention<'_> {
    /// Is there a kernel for heads of this width?
    pub(crate) fn is_supported(width: usize) -> bool {
        is_supported() && matches!(width, 64 | 128)
    }

    /// `query` is `(m, heads, width)` of the last `m` tokens; gives as many numbers. Each query looks at all tokens up to its own.
    pub(crate) fn attend(&self, query: &[f32]) -> Vec<f32> {
        let (row, kv_row) = (self.heads * self.width, self.kv_heads * self.width);
        let (m, n) = (query.len() / row, self.keys.len() / kv_row);
        assert!(
            Self::is_supported(self.width)
                && query.len() == m * row
                && m <= n
                && self.heads.is_multiple_of(self.kv_heads)
        );
        assert!(self.keys.len() == n * kv_row && self.values.len() == n * kv_row);
        let mut out = vec![0.0; query.len()];
        let shared = Shared::new(&mut out);
        let group = self.heads / self.kv_heads * self.width;
        share_rows(m * self.kv_heads, group * n, |unit| {
            let (token, kv_head) = (unit / self.kv_heads, unit % self.kv_heads);
            let range = token * row + kv_head * group..token * row + (kv_head + 1) * group;
            let (query, visible) = (&query[range.clone()], n - m + token + 1);
            // SAFETY: each token's group of heads is one unit; the instructions are there, as asserted.
            unsafe {
                match self.width {
                    64 => self.attend_group::<4>(query, kv_head, visible, shared.part(range)),
                    _ => self.attend_group::<8>(query, kv_head, visible, shared.part(range)),
                }
            }
        });
        out
    }

    /// The heads of one token that look through one key head at `visible` tokens; a head is `R` registers wide.
    ///
    /// # Safety
    /// The processor must have AVX-512 F.
    #[target_feature(enable = "avx512f")]
    unsafe fn attend_group<const R: usize>(&self, query: &[f32], kv_head: usize, visible: usize, out: &mut [f32]) {
        let width = R * LANES;
        let stride = self.kv_heads * width;
        let rows = |all: &[f32]| -> *const f32 { all[kv_head * width..].as_ptr() };
        let heads = query.len() / width;
        let mut scores = vec![0.0; heads * visible];
        for at in 0..visible {
            // SAFETY: token `at` is visible, so its key lies in `keys`; the query's heads are `width` wide.
            let key: [__m512; R] = unsafe { registers(rows(self.keys).add(at * stride)) };
            for (head, query) in query.chunks_exact(width).enumerate() {
                // SAFETY: as above.
                let query: [__m512; R] = unsafe { registers(query.as_ptr()) };
                scores[head * visible + at] = dot(&query, &key);
            }
        }
        let scale = 1.0 / (width as f32).sqrt();
        scores.chunks_exact_mut(visible).for_each(|scores| softmax(scores, scale));
        let mut head = 0;
        while head < heads {
            let count = (heads - head).min(HEADS_AT_ONCE);
            let (scores, out) = (&scores[head * visible..], &mut out[head * width..]);
            // SAFETY: `visible` tokens lie in `values`, and `count` heads in scores and output.
            unsafe {
                match count {
                    1 => mix::<R, 1>(scores, visible, rows(self.values), stride, out),
                    2 => mix::<R, 2>(scores, visible, rows(self.values), stride, out),
                    _ => mix::<R, HEADS_AT_ONCE>(scores, visible, rows(self.values), stride, out),
                }
            }
            head += count;
        }
    }
}

/// `share` with a unit per row, or alone when there is little to do.
fn share_rows(rows: usize, width: usize, work: impl Fn(usize) + Sync) {
    if rows * width <= SMALL {
        (0..rows).for_each(work);
    } else {
        share(rows, |range| range.for_each(&work));
    }
}

/// # Safety
/// `R` registers of numbers lie at `from`.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn registers<const R: usize>(from: *const f32) -> [__m512; R] {
    // SAFETY: the caller's promise.
    std::array::from_fn(|i| unsafe { _mm512_loadu_ps(from.add(i * LANES)) })
}

#[inline]
#[target_feature(enable = "avx512f")]
fn dot<const R: usize>(a: &[__m512; R], b: &[__m512; R]) -> f32 {
    let mut sums = [_mm512_setzero_ps(); 2];
    for i in 0..R {
        sums[i % 2] = _mm512_fmadd_ps(a[i], b[i], sums[i % 2]);
    }
    _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1]))
}

/// `H` heads' weighted sums over the values of `visible` tokens.
///
/// # Safety
/// AVX-512 F; `visible` rows of `R` registers lie at `values`, `stride` apart; `scores` and `out` hold `H` heads.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn mix<const R: usize, const H: usize>(
    scores: &[f32],
    visible: usize,
    values: *const f32,
    stride: usize,
    out: &mut [f32],
) {
    assert!(scores.len() >= H * visible && out.len() >= H * R * LANES);
    let mut sums = [[_mm512_setzero_ps(); R]; H];
    for at in 0..visible {
        // SAFETY: the caller's promise.
        let value: [__m512; R] = unsafe { registers(values.add(at * stride)) };
        for (head, sums) in sums.iter_mut().enumerate() {
            // SAFETY: in bounds, as asserted.
            let weight = _mm512_set1_ps(unsafe { *scores.get_unchecked(head * visible + at) });
            for i in 0..R {
                sums[i] = _mm512_fmadd_ps(weight, value[i], sums[i]);
            }
        }
    }
    for (head, sums) in sums.iter().enumerate() {
        for (i, sum) in sums.iter().enumerate() {
            // SAFETY: in bounds, as asserted.
            unsafe { _mm512_storeu_ps(out.as_mut_ptr().add((head * R + i) * LANES), *sum) };
        }
    }
}

/// Scores to weights that sum to one.
#[inline]
#[target_feature(enable = "avx512f")]
fn softmax(scores: &mut [f32], scale: f32) {
    let largest = scores.iter().fold(f32::NEG_INFINITY, |largest, score| largest.max(*score));
    let mut sum = 0.0;
    for score in scores.chunks_mut(LANES) {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        lanes[..score.len()].copy_from_slice(score);
        // SAFETY: sixteen numbers.
        let numbers = unsafe { _mm512_loadu_ps(lanes.as_ptr()) };
        let weights = exp(_mm512_mul_ps(_mm512_sub_ps(numbers, _mm512_set1_ps(largest)), _mm512_set1_ps(scale)));
        sum += _mm512_reduce_add_ps(weights);
        // SAFETY: sixteen numbers.
        unsafe { _mm512_storeu_ps(lanes.as_mut_ptr(), weights) };
        score.copy_from_slice(&lanes[..score.len()]);
    }
    let share = 1.0 / sum;
    scores.iter_mut().for_each(|weight| *weight *= share);
}

/// # Safety
/// AVX-512 F.
#[target_feature(enable = "avx512f")]
unsafe fn normalize_row(input: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    assert!(input.len() == weight.len() && out.len() == weight.len());
    let mut squares = [_mm512_setzero_ps(); 2];
    for (i, numbers) in input.as_chunks::<LANES>().0.iter().enumerate() {
        // SAFETY: sixteen numbers.
        let numbers = unsafe { _mm512_loadu_ps(numbers.as_ptr()) };
        squares[i % 2] = _mm512_fmadd_ps(numbers, numbers, squares[i % 2]);
    }
    let mean = _mm512_reduce_add_ps(_mm512_add_ps(squares[0], squares[1])) / input.len() as f32;
    let factor = 1.0 / (mean + epsilon).sqrt();
    for ((out, number), weight) in out.iter_mut().zip(input).zip(weight) {
        *out = number * factor * weight;
    }
}

/// # Safety
/// AVX-512 F; lengths are equal multiples of sixteen.
#[target_feature(enable = "avx512f")]
unsafe fn gate_piece(gate: &[f32], up: &[f32], out: &mut [f32]) {
    assert!(gate.len() == up.len() && gate.len() == out.len());
    let (gates, ups, outs) = (gate.as_chunks::<LANES>().0, up.as_chunks::<LANES>().0, out.as_chunks_mut::<LANES>().0);
    for ((gate, up), out) in gates.iter().zip(ups).zip(outs) {
        // SAFETY: sixteen numbers each.
        let (gate, up) = unsafe { (_mm512_loadu_ps(gate.as_ptr()), _mm512_loadu_ps(up.as_ptr())) };
        let below = _mm512_add_ps(_mm512_set1_ps(1.0), exp(_mm512_sub_ps(_mm512_setzero_ps(), gate)));
        let gated = _mm512_mul_ps(_mm512_div_ps(gate, below), up);
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), gated) };
    }
}

/// e to the power of each number; within 2e-7 of the exact value, 0 and infinity where that is out of range.
#[inline]
#[target_feature(enable = "avx512f")]
fn exp(x: __m512) -> __m512 {
    // Largest and smallest powers of e that a float holds; clamped so that the exponent below stays an integer a float can scale by.
    let x = _mm512_min_ps(_mm512_set1_ps(89.0), _mm512_max_ps(_mm512_set1_ps(-104.0), x));
    let power = _mm512_roundscale_ps::<0>(_mm512_mul_ps(x, _mm512_set1_ps(std::f32::consts::LOG2_E)));
    // x - power * ln 2 in two steps, so that no bits are lost.
    let rest = _mm512_fnmadd_ps(power, _mm512_set1_ps(0.693_359_4), x);
    let rest = _mm512_fnmadd_ps(power, _mm512_set1_ps(-2.121_944_4e-4), rest);
    let mut sum = _mm512_set1_ps(1.0 / 5040.0);
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(factor));
    }
    _mm512_scalef_ps(sum, power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::uniform;
    use proptest::prelude::*;

    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        let mut state = seed;
        (0..count).map(|_| (8.0 * uniform(&mut state) - 4.0) as f32).collect()
    }

    fn is_near(a: f32, b: f64) -> bool {
        (f64::from(a) - b).abs() <= 2e-5 * b.abs().max(1.0)
    }

    /// Plain attention of one query over the first `visible` tokens.
    fn expected(attention: &Attention, query: &[f32], head: usize, visible: usize) -> Vec<f64> {
        let (width, kv_head) = (attention.width, head / (attention.heads / attention.kv_heads));
        let row = |all: &[f32], at: usize| -> Vec<f64> {
            let from = (at * attention.kv_heads + kv_head) * width;
            all[from..from + width].iter().map(|x| f64::from(*x)).collect()
        };
        let score = |at: usize| -> f64 {
            let key = row(attention.keys, at);
            query.iter().zip(key).map(|(q, k)| f64::from(*q) * k).sum::<f64>() / (width as f64).sqrt()
        };
        let largest = (0..visible).map(score).fold(f64::MIN, f64::max);
        let weights: Vec<f64> = (0..visible).map(|at| (score(at) - largest).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mut out = vec![0.0; width];
        for (at, weight) in weights.iter().enumerate() {
            out.iter_mut().zip(row(attention.values, at)).for_each(|(out, value)| *out += weight / total * value);
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        #[test]
        fn attention_is_the_weighted_mean_of_what_a_query_may_see(
            seed in any::<u64>(), wide in any::<bool>(), kv_heads in 1usize..3, group in 1usize..8, m in 1usize..5, before in 0usize..40,
        ) {
            let (width, heads, n) = (if wide { 128 } else { 64 }, kv_heads * group, before + m);
            if !Attention::is_supported(width) {
                return Ok(());
            }
            let (keys, values) = (numbers(seed, n * kv_heads * width), numbers(seed ^ 1, n * kv_heads * width));
            let query = numbers(seed ^ 2, m * heads * width);
            let attention = Attention { keys: &keys, values: &values, heads, kv_heads, width };
            let out = attention.attend(&query);
            for (index, (query, out)) in query.chunks(width).zip(out.chunks(width)).enumerate() {
                let meant = expected(&attention, query, index % heads, before + index / heads + 1);
                prop_assert!(out.iter().zip(meant).all(|(out, meant)| is_near(*out, meant)));
            }
        }

        #[test]
        fn normalizing_and_gating_follow_their_formulas(seed in any::<u64>(), rows in 1usize..40, wide in 1usize..20) {
            if !is_supported() {
                return Ok(());
            }
            let width = wide * 16;
            let (input, weight) = (numbers(seed, rows * width), numbers(seed ^ 1, width));
            for (row, out) in input.chunks(width).zip(normalize(&input, &weight, 1e-6).chunks(width)) {
                let mean: f64 = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / width as f64;
                let meant = |i: usize| f64::from(row[i]) / (mean + 1e-6).sqrt() * f64::from(weight[i]);
                prop_assert!((0..width).all(|i| is_near(out[i], meant(i))));
            }
            let up = numbers(seed ^ 2, rows * width);
            for ((out, x), up) in gate(&input, &up).into_iter().zip(input).zip(up) {
                let x = f64::from(x);
                prop_assert!(is_near(out, x / (1.0 + (-x).exp()) * f64::from(up)));
            }
        }
    }

    #[test]
    fn extreme_gates_are_finite() {
        if !is_supported() {
            return;
        }
        let out = gate(&[-1e30, -200.0, -90.0, 0.0, 90.0, 200.0, 1e30, 1.0].repeat(2), &[1.0; 16]);
        assert!(out[..3].iter().all(|x| x.abs() < 1e-6), "{out:?}");
        assert_eq!(out[3..7], [0.0, 90.0, 200.0, 1e30]);
    }
}
