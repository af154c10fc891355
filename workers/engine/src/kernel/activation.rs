//! Inputs of a product as 8-bit numbers with a scale per 32 of them.

use super::avx512;
use super::pool::{Shared, share};

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
        assert!(
            columns > 0 && columns.is_multiple_of(GROUP) && input.len().is_multiple_of(columns),
            "rows are whole groups"
        );
        assert!(avx512::is_supported(), "quantized inputs are for packed matrices, which need the instructions");
        let mut quants = vec![0; input.len()];
        let mut scales = vec![0.0; input.len() / GROUP];
        let mut sums = vec![0.0; input.len() / SUM_GROUP];
        let out = (Shared::new(&mut quants), Shared::new(&mut scales), Shared::new(&mut sums));
        share(input.len() / columns, |rows| {
            let groups = rows.start * columns / GROUP..rows.end * columns / GROUP;
            let from = groups.start;
            for (index, group) in
                input[groups.start * GROUP..groups.end * GROUP].as_chunks::<GROUP>().0.iter().enumerate()
            {
                let at = from + index;
                // SAFETY: each group belongs to one row, each row to one range.
                let (quants, sums) =
                    unsafe { (out.0.part(at * GROUP..(at + 1) * GROUP), out.2.part(2 * at..2 * at + 2)) };
                // SAFETY: as above; the instructions are there, as asserted.
                unsafe { out.1.part(at..at + 1)[0] = avx512::quantize(group, quants, sums) };
            }
        });
        Self { columns, quants, scales, sums }
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn rows(&self) -> usize {
        self.quants.len() / self.columns
    }
}
