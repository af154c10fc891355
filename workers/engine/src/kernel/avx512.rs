//! The instructions of the products.

use core::arch::x86_64::*;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::BATCH;
use super::activation::{Activations, GROUP, SUM_GROUP};
use super::pack::Pack;
use super::tile::{Line, ROWS, TileQ4K, TileQ5, TileQ6K, TileQ8};

static SUPPORTED: LazyLock<bool> = LazyLock::new(|| {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vnni")
});

static SWITCHED_OFF: AtomicBool = AtomicBool::new(false);

pub(super) fn is_supported() -> bool {
    *SUPPORTED && !SWITCHED_OFF.load(Ordering::Relaxed)
}

/// From now on this process behaves as on a processor without the instructions.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn switch_off() {
    SWITCHED_OFF.store(true, Ordering::Relaxed);
}

/// A tile that can be multiplied.
pub(super) trait Kernel: Pack {
    /// Columns per tile.
    const COLUMNS: usize;

    /// Adds the products of one tile with `M` inputs to `sums`.
    ///
    /// # Safety
    /// The processor must have AVX-512 F, BW and VNNI, and each input at least `at + COLUMNS` columns.
    unsafe fn add<const M: usize>(&self, inputs: &[Row; M], at: usize, sums: &mut [__m512; M]);
}

/// Where one row of inputs lies.
#[derive(Clone, Copy)]
pub(super) struct Row {
    quants: *const i8,
    scales: *const f32,
    sums: *const f32,
}

// === impl Row ===

impl Row {
    fn of(input: &Activations, row: usize) -> Self {
        let columns = input.columns();
        Self {
            quants: input.quants[row * columns..].as_ptr(),
            scales: input.scales[row * (columns / GROUP)..].as_ptr(),
            sums: input.sums[row * (columns / SUM_GROUP)..].as_ptr(),
        }
    }

    /// Four neighbouring inputs in all lanes.
    ///
    /// # Safety
    /// The row has at least `at + 4` columns.
    #[inline(always)]
    unsafe fn four(self, at: usize) -> i32 {
        // SAFETY: in bounds by the caller's promise; unaligned reads are asked for.
        unsafe { self.quants.add(at).cast::<i32>().read_unaligned() }
    }

    /// # Safety
    /// The row has more than `at` columns.
    #[inline(always)]
    unsafe fn scale(self, at: usize) -> f32 {
        // SAFETY: in bounds by the caller's promise.
        unsafe { *self.scales.add(at / GROUP) }
    }

    /// # Safety
    /// The row has more than `at` columns.
    #[inline(always)]
    unsafe fn sum(self, at: usize) -> f32 {
        // SAFETY: in bounds by the caller's promise.
        unsafe { *self.sums.add(at / SUM_GROUP) }
    }
}

/// The products of one stripe with up to [`BATCH`] inputs from number `first` on, each beginning at `bias`.
pub(super) fn multiply_stripe<T: Kernel>(
    tiles: &[T],
    input: &Activations,
    first: usize,
    bias: &[f32; ROWS],
) -> [[f32; ROWS]; BATCH] {
    assert!(is_supported() && tiles.len() * T::COLUMNS <= input.columns(), "see `Matrix::pack` and `Matrix::multiply`");
    let mut out = [[0.0; ROWS]; BATCH];
    // SAFETY: the instructions are there and the inputs wide enough, as just asserted.
    unsafe {
        match input.rows() - first {
            1 => stripe_with::<T, 1>(tiles, input, first, bias, &mut out),
            2 => stripe_with::<T, 2>(tiles, input, first, bias, &mut out),
            3 => stripe_with::<T, 3>(tiles, input, first, bias, &mut out),
            _ => stripe_with::<T, BATCH>(tiles, input, first, bias, &mut out),
        }
    }
    out
}

/// # Safety
/// As [`Kernel::add`]; `input` has at least `first + M` rows.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn stripe_with<T: Kernel, const M: usize>(
    tiles: &[T],
    input: &Activations,
    first: usize,
    bias: &[f32; ROWS],
    out: &mut [[f32; ROWS]; BATCH],
) {
    let rows: [Row; M] = std::array::from_fn(|i| Row::of(input, first + i));
    // SAFETY: sixteen numbers.
    let mut sums = [unsafe { _mm512_loadu_ps(bias.as_ptr()) }; M];
    for (index, tile) in tiles.iter().enumerate() {
        // SAFETY: the caller's promises are the same.
        unsafe { tile.add(&rows, index * T::COLUMNS, &mut sums) };
    }
    for (sum, out) in sums.into_iter().zip(out) {
        // SAFETY: sixteen numbers.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), sum) };
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn line(line: &Line) -> __m512i {
    // SAFETY: a line has 64 bytes; tiles are aligned to 64 and lines are their first fields or follow whole lines.
    unsafe { _mm512_loadu_si512(line.as_ptr().cast()) }
}

/// Sixteen half-precision numbers.
#[inline]
#[target_feature(enable = "avx512f")]
fn halves(bits: &[u16; ROWS]) -> __m512 {
    // SAFETY: sixteen 16-bit numbers are 32 bytes.
    _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(bits.as_ptr().cast()) })
}

/// Sixteen unsigned bytes as floats.
#[inline]
#[target_feature(enable = "avx512f")]
fn unsigned(bytes: &[u8; ROWS]) -> __m512 {
    // SAFETY: sixteen bytes.
    _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }))
}

/// Sixteen signed bytes as floats.
#[inline]
#[target_feature(enable = "avx512f")]
fn signed(bytes: &[i8; ROWS]) -> __m512 {
    // SAFETY: sixteen bytes.
    _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }))
}

/// `sum + total * scale * factor`, with one scale for all lanes.
#[inline]
#[target_feature(enable = "avx512f")]
fn scaled(total: __m512i, scale: f32, factor: __m512, sum: __m512) -> __m512 {
    _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(total), _mm512_set1_ps(scale)), factor, sum)
}

impl Kernel for TileQ4K {
    const COLUMNS: usize = 256;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn add<const M: usize>(&self, inputs: &[Row; M], at: usize, sums: &mut [__m512; M]) {
        let mask = _mm512_set1_epi8(15);
        let mut weighted = [_mm512_setzero_ps(); M];
        let mut offsets = [_mm512_setzero_ps(); M];
        for (c, lines) in self.quants.iter().enumerate() {
            let at = at + 64 * c;
            let mut low = [_mm512_setzero_si512(); M];
            let mut high = [_mm512_setzero_si512(); M];
            for (g, quants) in lines.iter().enumerate() {
                let both = line(quants);
                let lower = _mm512_and_si512(both, mask);
                let upper = _mm512_and_si512(_mm512_srli_epi16::<4>(both), mask);
                for i in 0..M {
                    // SAFETY: inputs have all columns of this tile.
                    let (a, b) = unsafe { (inputs[i].four(at + 4 * g), inputs[i].four(at + 32 + 4 * g)) };
                    low[i] = _mm512_dpbusd_epi32(low[i], lower, _mm512_set1_epi32(a));
                    high[i] = _mm512_dpbusd_epi32(high[i], upper, _mm512_set1_epi32(b));
                }
            }
            for (part, totals) in [low, high].into_iter().enumerate() {
                let at = at + 32 * part;
                let (scales, minima) = (unsigned(&self.scales[2 * c + part]), unsigned(&self.minima[2 * c + part]));
                for i in 0..M {
                    // SAFETY: as above.
                    let (scale, sum) = unsafe { (inputs[i].scale(at), inputs[i].sum(at) + inputs[i].sum(at + 16)) };
                    weighted[i] = scaled(totals[i], scale, scales, weighted[i]);
                    offsets[i] = _mm512_fmadd_ps(minima, _mm512_set1_ps(sum), offsets[i]);
                }
            }
        }
        let (d, dmin) = (halves(&self.d), halves(&self.dmin));
        for i in 0..M {
            sums[i] = _mm512_fnmadd_ps(dmin, offsets[i], _mm512_fmadd_ps(d, weighted[i], sums[i]));
        }
    }
}

impl Kernel for TileQ6K {
    const COLUMNS: usize = 256;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn add<const M: usize>(&self, inputs: &[Row; M], at: usize, sums: &mut [__m512; M]) {
        let mut weighted = [_mm512_setzero_ps(); M];
        for (h, part) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let at = at + 128 * h + 16 * part;
            // SAFETY: the caller's promises are the same.
            let totals = unsafe { self.quarters(inputs, at, h, part) };
            for (quarter, totals) in totals.iter().enumerate() {
                let at = at + 32 * quarter;
                let scales = signed(&self.scales[8 * h + 2 * quarter + part]);
                for i in 0..M {
                    // SAFETY: inputs have all columns of this tile.
                    let (scale, sum) = unsafe { (inputs[i].scale(at), inputs[i].sum(at)) };
                    weighted[i] = offset(totals[i], scale, 32.0 * sum, scales, weighted[i]);
                }
            }
        }
        let d = halves(&self.d);
        for i in 0..M {
            sums[i] = _mm512_fmadd_ps(d, weighted[i], sums[i]);
        }
    }
}

// === impl TileQ6K ===

impl TileQ6K {
    /// Sums over the sixteen columns from `at` on and those 32, 64 and 96 further, which share their bytes.
    ///
    /// # Safety
    /// As [`Kernel::add`]; `at` is the input column of half `h`, part `part`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn quarters<const M: usize>(
        &self,
        inputs: &[Row; M],
        at: usize,
        h: usize,
        part: usize,
    ) -> [[__m512i; M]; 4] {
        let mut totals = [[_mm512_setzero_si512(); M]; 4];
        for g in 0..4 {
            let weights = self.six_bits(h, 4 * part + g);
            for (quarter, totals) in totals.iter_mut().enumerate() {
                for i in 0..M {
                    // SAFETY: inputs have all columns of this tile.
                    let four = unsafe { inputs[i].four(at + 32 * quarter + 4 * g) };
                    totals[i] = _mm512_dpbusd_epi32(totals[i], weights[quarter], _mm512_set1_epi32(four));
                }
            }
        }
        totals
    }

    /// Columns `128 h + 32 quarter + 4 g ..` of all rows, for each quarter.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn six_bits(&self, h: usize, g: usize) -> [__m512i; 4] {
        let (first, second, high) = (line(&self.low[h][0][g]), line(&self.low[h][1][g]), line(&self.high[h][g]));
        let (low_mask, high_mask) = (_mm512_set1_epi8(0x0F), _mm512_set1_epi8(0x30));
        let low = [first, second, _mm512_srli_epi16::<4>(first), _mm512_srli_epi16::<4>(second)];
        let high = [_mm512_slli_epi16::<4>(high), _mm512_slli_epi16::<2>(high), high, _mm512_srli_epi16::<2>(high)];
        let mut six = low;
        for quarter in 0..4 {
            let low = _mm512_and_si512(low[quarter], low_mask);
            six[quarter] = _mm512_or_si512(low, _mm512_and_si512(high[quarter], high_mask));
        }
        six
    }
}

impl Kernel for TileQ5 {
    const COLUMNS: usize = 64;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn add<const M: usize>(&self, inputs: &[Row; M], at: usize, sums: &mut [__m512; M]) {
        for b in 0..2 {
            let at = at + 32 * b;
            let mut totals = [_mm512_setzero_si512(); M];
            for g in 0..8 {
                let weights = self.five_bits(b, g);
                for i in 0..M {
                    // SAFETY: inputs have all columns of this tile.
                    let four = unsafe { inputs[i].four(at + 4 * g) };
                    totals[i] = _mm512_dpbusd_epi32(totals[i], weights, _mm512_set1_epi32(four));
                }
            }
            let d = halves(&self.d[b]);
            for i in 0..M {
                // SAFETY: as above.
                let (scale, sum) = unsafe { (inputs[i].scale(at), inputs[i].sum(at) + inputs[i].sum(at + 16)) };
                sums[i] = offset(totals[i], scale, 16.0 * sum, d, sums[i]);
            }
        }
    }
}

// === impl TileQ5 ===

impl TileQ5 {
    /// Columns `32 b + 4 g ..` of all rows.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn five_bits(&self, b: usize, g: usize) -> __m512i {
        let low = line(&self.quants[b][g % 4]);
        let low = if g < 4 { low } else { _mm512_srli_epi16::<4>(low) };
        let fifth = line(&self.fifth[b]);
        let fifth = _mm512_sll_epi16(_mm512_srl_epi16(fifth, _mm_cvtsi64_si128(g as i64)), _mm_cvtsi64_si128(4));
        let (low_mask, fifth_mask) = (_mm512_set1_epi8(0x0F), _mm512_set1_epi8(0x10));
        _mm512_or_si512(_mm512_and_si512(low, low_mask), _mm512_and_si512(fifth, fifth_mask))
    }
}

impl Kernel for TileQ8 {
    const COLUMNS: usize = 64;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn add<const M: usize>(&self, inputs: &[Row; M], at: usize, sums: &mut [__m512; M]) {
        for b in 0..2 {
            let at = at + 32 * b;
            let mut totals = [_mm512_setzero_si512(); M];
            for g in 0..8 {
                let weights = line(&self.quants[b][g]);
                for i in 0..M {
                    // SAFETY: inputs have all columns of this tile.
                    let four = unsafe { inputs[i].four(at + 4 * g) };
                    totals[i] = _mm512_dpbusd_epi32(totals[i], weights, _mm512_set1_epi32(four));
                }
            }
            let d = halves(&self.d[b]);
            for i in 0..M {
                // SAFETY: as above.
                let (scale, sum) = unsafe { (inputs[i].scale(at), inputs[i].sum(at) + inputs[i].sum(at + 16)) };
                sums[i] = offset(totals[i], scale, 128.0 * sum, d, sums[i]);
            }
        }
    }
}

/// `sum + (total * scale - correction) * factor`.
#[inline]
#[target_feature(enable = "avx512f")]
fn offset(total: __m512i, scale: f32, correction: f32, factor: __m512, sum: __m512) -> __m512 {
    let total = _mm512_fmsub_ps(_mm512_cvtepi32_ps(total), _mm512_set1_ps(scale), _mm512_set1_ps(correction));
    _mm512_fmadd_ps(total, factor, sum)
}

/// Fills the quants and the two sums of a group; gives its scale.
///
/// # Safety
/// The processor must have AVX-512 F.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn quantize(group: &[f32; GROUP], quants: &mut [i8], sums: &mut [f32]) -> f32 {
    assert!(quants.len() == GROUP && sums.len() == GROUP / SUM_GROUP);
    // SAFETY: a group has 32 numbers.
    let (a, b) = unsafe { (_mm512_loadu_ps(group.as_ptr()), _mm512_loadu_ps(group.as_ptr().add(16))) };
    let largest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
    let scale = largest / 127.0;
    let inverse = _mm512_set1_ps(if largest > 0.0 { 127.0 / largest } else { 0.0 });
    for (half, numbers) in [a, b].into_iter().enumerate() {
        let rounded = _mm512_cvtps_epi32(_mm512_mul_ps(numbers, inverse));
        let bytes = _mm512_cvtepi32_epi8(rounded);
        // SAFETY: both halves lie in the 32 quants, as asserted.
        unsafe { _mm_storeu_si128(quants.as_mut_ptr().add(half * SUM_GROUP).cast(), bytes) };
        sums[half] = scale * _mm512_reduce_add_epi32(rounded) as f32;
    }
    scale
}
