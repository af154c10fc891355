//! Rotary positions: the cosines and sines of every position, computed once.

use candle_core::{Device, Tensor};

use super::Shape;
use crate::error::Result;

/// Tables of `(context, head_width / 2)` numbers.
pub(super) struct Rope {
    cos: Tensor,
    sin: Tensor,
}

// === impl Rope ===

impl Rope {
    pub(super) fn new(shape: &Shape, device: &Device) -> Result<Self> {
        let width = shape.head_width();
        let frequency = |i: usize| 1.0 / shape.rope_base.powf(i as f32 / width as f32);
        let frequencies: Vec<f32> = (0..width).step_by(2).map(frequency).collect();
        let angles = (0..shape.context).flat_map(|at| frequencies.iter().map(move |f| at as f32 * f));
        let angles = Tensor::from_vec(angles.collect::<Vec<f32>>(), (shape.context, width / 2), device)?;
        Ok(Self { cos: angles.cos()?, sin: angles.sin()? })
    }

    /// The rows of positions `from .. from + count`.
    pub(super) fn at(&self, from: usize, count: usize) -> Result<(Tensor, Tensor)> {
        Ok((self.cos.narrow(0, from, count)?, self.sin.narrow(0, from, count)?))
    }
}
