//! Inputs of a product as 8-bit numbers with a scale per 32 of them.

use candle_core::utils::barrier_pool;

use super::avx512;

/// Columns that share a scale.
pub(super) const GROUP: usize = 32;

/// Columns that share a sum: what corrects for the offsets of unsigned weights.
pub(super) const SUM_GROUP: usize = 16;

/// Rows of quantized inputs.
pub(crate) struct Activations {
    columns: usize,
    /// `rows * columns`.
    pub(super) quants: Vec<i8>,
    /// `rows * columns / GROUP`: input = scale * quant.
    pub(super) scales: Vec<f32>,
    /// `rows * columns / SUM_GROUP`: sums of scale * quant.
    pub(super) sums: Vec<f32>,
}

// === impl Activations ===

impl Activations {
    /// From rows of `columns` numbers, which must be a multiple of 32.
    pub(crate) fn quantize(input: &[f32], columns: usize) -> Self {
        assert!(columns.is_multiple_of(GROUP) && input.len().is_multiple_of(columns.max(1)), "rows are whole groups");
        assert!(super::Matrix::is_supported(), "quantized inputs are for packed matrices, which need the instructions");
        let mut activations = Self {
            columns,
            quants: vec![0; input.len()],
            scales: vec![0.0; input.len() / GROUP],
            sums: vec![0.0; input.len() / SUM_GROUP],
        };
        let out = avx512::QuantizeOutput::new(&mut activations);
        let rows = input.len() / columns;
        if rows == 1 {
            avx512::quantize_groups(input, 0, &out);
        } else {
            barrier_pool().execute_chunked(rows, |range| {
                let (from, to) = (range.start * columns, range.end * columns);
                avx512::quantize_groups(&input[from..to], from, &out);
            });
        }
        activations
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn rows(&self) -> usize {
        self.quants.len() / self.columns
    }
}
