//! One transformer layer: attention and MLP, each behind a normalization and added to the state.

use candle_core::Tensor;

use super::Shape;
use super::attention::attend;
use super::cache::LayerCache;
use super::linear::{Input, Linear};
use super::ops::{add, gate, normalize, rotate};
use crate::error::Result;

/// The weights of one layer.
pub(super) struct Layer {
    pub(super) shape: Shape,
    pub(super) attention_norm: Tensor,
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) attention_output: Linear,
    pub(super) mlp_norm: Tensor,
    pub(super) gate: Linear,
    pub(super) up: Linear,
    pub(super) down: Linear,
}

// === impl Layer ===

impl Layer {
    /// `state` is `(m, hidden)`; `rotation` the cosines and sines of its `m` positions.
    pub(super) fn forward(
        &self,
        state: &Tensor,
        rotation: (&Tensor, &Tensor),
        cache: LayerCache<'_>,
    ) -> Result<Tensor> {
        let normed = normalize(state, &self.attention_norm, &self.shape)?;
        let state = add(state, &self.attention(&normed, rotation, cache)?)?;
        let normed = normalize(&state, &self.mlp_norm, &self.shape)?;
        add(&state, &self.mlp(&normed)?)
    }

    fn attention(&self, x: &Tensor, (cos, sin): (&Tensor, &Tensor), mut cache: LayerCache<'_>) -> Result<Tensor> {
        let (m, width) = (x.dim(0)?, self.shape.head_width());
        let x = Input::new(x);
        let query = self.query.forward(&x)?.reshape((m, self.shape.heads, width))?;
        let key = self.key.forward(&x)?.reshape((m, self.shape.kv_heads, width))?;
        let value = self.value.forward(&x)?.reshape((m, self.shape.kv_heads, width))?;
        let (keys, values) = cache.append(&rotate(&key, cos, sin)?, &value)?;
        let mixed = attend(&rotate(&query, cos, sin)?, &keys, &values)?;
        self.attention_output.forward(&Input::new(&mixed))
    }

    fn mlp(&self, x: &Tensor) -> Result<Tensor> {
        let x = Input::new(x);
        let gated = gate(&self.gate.forward(&x)?, &self.up.forward(&x)?)?;
        self.down.forward(&Input::new(&gated))
    }
}
