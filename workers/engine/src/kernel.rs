//! Products with quantized matrices on x86 processors with AVX-512 VNNI: as fast as memory for one token, shared work for many.
//!
//! Why not candle's own: its tiles hold 6 bits for a 4-bit weight beside the original, which costs a third of the decode speed and twice the
//! memory, and Q5_0 and odd widths have no fast path at all. Ours hold the file's own bits, only reordered, in the one copy there is.
//! Elsewhere (other processors, GPUs, rare quantizations) candle's products are used. Nothing here knows tensors.
//!
//! Sixteen rows of a matrix lie side by side, four columns of each in one 64-byte line, so that one instruction multiplies 64 weights with four
//! activations and no sum crosses a register. Start at [`Matrix::multiply`].
//!
//! The only folder with `unsafe`: every block says why it holds.
#![allow(unsafe_code)]

mod activation;
mod avx512;
mod pack;
mod pool;
mod tile;
mod vector;

use candle_core::quantized::GgmlDType;

pub(crate) use self::activation::Activations;
#[cfg(any(test, feature = "testing"))]
pub(crate) use self::avx512::switch_off;
use self::pool::{Shared, share};
pub(crate) use self::tile::ROWS as STRIPE_ROWS;
use self::tile::{ROWS, TileQ4K, TileQ5, TileQ6K, TileQ8};
pub(crate) use self::vector::{Attention, gate, normalize};

/// A matrix of `rows` outputs and `columns` inputs.
pub(crate) struct Matrix {
    rows: usize,
    columns: usize,
    tiles: Tiles,
}

/// `rows / 16` stripes of tiles, each from the first column to the last.
enum Tiles {
    Q4K(Vec<TileQ4K>),
    Q5(Vec<TileQ5>),
    Q6K(Vec<TileQ6K>),
    Q8(Vec<TileQ8>),
}

/// What a matrix is multiplied with.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    pub(crate) input: &'a Activations,
    /// What each row's sum begins at.
    pub(crate) bias: Option<&'a [f32]>,
    /// Stripes of sixteen rows that are wanted, ascending; all when `None`.
    pub(crate) only: Option<&'a [usize]>,
}

/// Rows of activations multiplied at once. More needs more registers than there are.
const BATCH: usize = 4;

// === impl Matrix ===

impl Matrix {
    /// Does this processor have the instructions?
    pub(crate) fn is_supported() -> bool {
        avx512::is_supported()
    }

    /// Reorders a matrix of a model file; `None` when this shape or quantization, or this processor, has no kernel.
    /// `bytes` are the file's own, row by row.
    pub(crate) fn pack(bytes: &[u8], dtype: GgmlDType, rows: usize, columns: usize) -> Option<Self> {
        if !Self::is_supported() || !rows.is_multiple_of(ROWS) {
            return None;
        }
        let tiles = match dtype {
            GgmlDType::Q4K => Tiles::Q4K(pack::stripes(bytes, rows, columns)?),
            GgmlDType::Q5_0 => Tiles::Q5(pack::stripes(bytes, rows, columns)?),
            GgmlDType::Q6K => Tiles::Q6K(pack::stripes(bytes, rows, columns)?),
            GgmlDType::Q8_0 => Tiles::Q8(pack::stripes(bytes, rows, columns)?),
            _ => return None,
        };
        Some(Self { rows, columns, tiles })
    }

    /// Number of outputs.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// `out[i * rows + r] = bias[r] + Σ input[i] * row r`, shared with free threads; rows of stripes that are not wanted stay as they are. The
    /// result for one input does not depend on the inputs beside it.
    pub(crate) fn multiply(&self, product: &Product, out: &mut [f32]) {
        assert_eq!(product.input.columns(), self.columns, "the input is as wide as the matrix");
        assert_eq!(out.len(), product.input.rows() * self.rows, "there is one output per input and row");
        assert!(product.bias.is_none_or(|bias| bias.len() == self.rows), "there is one bias per row");
        match &self.tiles {
            Tiles::Q4K(tiles) => self.run(tiles, product, out),
            Tiles::Q5(tiles) => self.run(tiles, product, out),
            Tiles::Q6K(tiles) => self.run(tiles, product, out),
            Tiles::Q8(tiles) => self.run(tiles, product, out),
        }
    }

    fn run<T: avx512::Kernel>(&self, tiles: &[T], product: &Product, out: &mut [f32]) {
        let Product { input, bias, only } = *product;
        assert!(only.is_none_or(|only| only.is_sorted_by(|a, b| a < b)), "no stripe is wanted twice");
        let per_stripe = self.columns / T::COLUMNS;
        let batches = input.rows().div_ceil(BATCH);
        let stripes = only.map_or(self.rows / ROWS, <[usize]>::len);
        let out = Shared::new(out);
        // A stripe stays in the cache of its core while all inputs pass by.
        share(stripes * batches, |units| {
            for unit in units {
                let (stripe, first) = (unit / batches, unit % batches * BATCH);
                let stripe = only.map_or(stripe, |only| only[stripe]);
                let tiles = &tiles[stripe * per_stripe..(stripe + 1) * per_stripe];
                let bias = bias.map_or(&[0.0; ROWS], |bias| &bias.as_chunks::<ROWS>().0[stripe]);
                let sums = avx512::multiply_stripe(tiles, input, first, bias);
                for (row, sums) in (first..input.rows()).zip(&sums) {
                    let at = row * self.rows + stripe * ROWS;
                    // SAFETY: each pair of row and stripe belongs to one unit.
                    unsafe { out.part(at..at + ROWS) }.copy_from_slice(sums);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::QTensor;
    use candle_core::{Device, Tensor};
    use proptest::prelude::*;

    use super::*;
    use crate::sample::uniform;

    const TYPES: [GgmlDType; 4] = [GgmlDType::Q4K, GgmlDType::Q5_0, GgmlDType::Q6K, GgmlDType::Q8_0];

    fn numbers(seed: u64, count: usize) -> Vec<f32> {
        let mut state = seed;
        (0..count).map(|_| (2.0 * uniform(&mut state) - 1.0) as f32).collect()
    }

    /// A matrix of the file format, and what its bits stand for.
    fn matrix(dtype: GgmlDType, rows: usize, columns: usize, seed: u64) -> (Matrix, Vec<f32>) {
        let values = Tensor::from_vec(numbers(seed, rows * columns), (rows, columns), &Device::Cpu).unwrap();
        let quantized = QTensor::quantize(&values, dtype).unwrap();
        let packed = Matrix::pack(&quantized.data().unwrap(), dtype, rows, columns).unwrap();
        let meant = quantized.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        (packed, meant)
    }

    fn product(matrix: &Matrix, input: &Activations) -> Vec<f32> {
        let mut out = vec![0.0; input.rows() * matrix.rows()];
        matrix.multiply(&Product { input, bias: None, only: None }, &mut out);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn a_product_is_what_the_bits_stand_for(kind in 0usize..4, stripes in 1usize..4, wide in 1usize..4, m in 1usize..10, seed in any::<u64>()) {
            if !Matrix::is_supported() {
                return Ok(());
            }
            let (rows, columns) = (stripes * 16, wide * 256);
            let (packed, meant) = matrix(TYPES[kind], rows, columns, seed);
            let input = Activations::quantize(&numbers(seed ^ 1, m * columns), columns);
            let out = product(&packed, &input);
            for i in 0..m {
                for r in 0..rows {
                    let term = |c: usize| {
                        let at = i * columns + c;
                        f64::from(meant[r * columns + c]) * f64::from(input.quants[at]) * f64::from(input.scales[at / 32])
                    };
                    let expected: f64 = (0..columns).map(term).sum();
                    prop_assert!((f64::from(out[i * rows + r]) - expected).abs() < 1e-3, "{} where {expected} is meant", out[i * rows + r]);
                }
            }
        }

        #[test]
        fn an_input_does_not_feel_its_neighbours(kind in 0usize..4, m in 2usize..9, seed in any::<u64>()) {
            if !Matrix::is_supported() {
                return Ok(());
            }
            let (packed, _) = matrix(TYPES[kind], 32, 256, seed);
            let inputs = numbers(seed ^ 1, m * 256);
            let together = product(&packed, &Activations::quantize(&inputs, 256));
            let apart: Vec<f32> = inputs.chunks(256).flat_map(|input| product(&packed, &Activations::quantize(input, 256))).collect();
            prop_assert_eq!(together, apart);
        }

        #[test]
        fn quantized_inputs_are_near_the_inputs(seed in any::<u64>(), exponent in -20i32..20) {
            if !Matrix::is_supported() {
                return Ok(());
            }
            let size = 2f32.powi(exponent);
            let inputs: Vec<f32> = numbers(seed, 96).into_iter().map(|x| x * size).collect();
            let quantized = Activations::quantize(&inputs, 96);
            for (at, input) in inputs.iter().enumerate() {
                let meant = f32::from(quantized.quants[at]) * quantized.scales[at / 32];
                prop_assert!((meant - input).abs() <= quantized.scales[at / 32] * 0.51);
            }
            for (at, sum) in quantized.sums.iter().enumerate() {
                let exact: f32 = (16 * at..16 * at + 16).map(|i| f32::from(quantized.quants[i]) * quantized.scales[i / 32]).sum();
                prop_assert!((sum - exact).abs() <= 1e-4 * size);
            }
        }
    }

    #[test]
    fn wanted_stripes_are_as_in_the_whole_product_and_others_stay() {
        if !Matrix::is_supported() {
            return;
        }
        let (packed, _) = matrix(GgmlDType::Q6K, 80, 256, 3);
        let input = Activations::quantize(&numbers(4, 2 * 256), 256);
        let (whole, mut some) = (product(&packed, &input), vec![f32::NEG_INFINITY; 160]);
        packed.multiply(&Product { input: &input, bias: None, only: Some(&[1, 4]) }, &mut some);
        for (at, number) in some.iter().enumerate() {
            let is_wanted = matches!(at % 80 / 16, 1 | 4);
            assert_eq!(*number, if is_wanted { whole[at] } else { f32::NEG_INFINITY });
        }
    }

    #[test]
    fn odd_shapes_and_wrong_sizes_have_no_kernel() {
        assert!(Matrix::pack(&[0; 15 * 144], GgmlDType::Q4K, 15, 256).is_none());
        assert!(Matrix::pack(&[0; 16 * 22], GgmlDType::Q5_0, 16, 32).is_none());
        assert!(Matrix::pack(&[0; 100], GgmlDType::Q4K, 16, 256).is_none());
        assert!(Matrix::pack(&[0; 16 * 256 * 4], GgmlDType::F32, 16, 256).is_none());
    }
}
