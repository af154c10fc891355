//! One transformer layer: attention and MLP, each behind a normalization and added to the state.

use candle_core::Tensor;
use candle_nn::ops::{rms_norm, silu};
use candle_nn::rotary_emb::rope_thd;

use super::Shape;
use super::attention::attend;
use super::cache::LayerCache;
use super::linear::{Input, Linear};
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
    pub(super) fn forward(&self, state: &Tensor, rotation: (&Tensor, &Tensor), cache: LayerCache<'_>) -> Result<Tensor> {
        let normed = rms_norm(state, &self.attention_norm, self.shape.norm_epsilon)?;
        let state = (state + self.attention(&normed, rotation, cache)?)?;
        let normed = rms_norm(&state, &self.mlp_norm, self.shape.norm_epsilon)?;
        Ok((&state + self.mlp(&normed)?)?)
    }

    fn attention(&self, x: &Tensor, (cos, sin): (&Tensor, &Tensor), mut cache: LayerCache<'_>) -> Result<Tensor> {
        let (m, width) = (x.dim(0)?, self.shape.head_width());
        let x = Input::new(x);
        let query = self.query.forward(&x)?.reshape((1, m, self.shape.heads, width))?;
        let key = self.key.forward(&x)?.reshape((1, m, self.shape.kv_heads, width))?;
        let value = self.value.forward(&x)?.reshape((m, self.shape.kv_heads, width))?;
        let query = rope_thd(&query, cos, sin)?.squeeze(0)?;
        let key = rope_thd(&key, cos, sin)?.squeeze(0)?;
        let (keys, values) = cache.append(&key, &value)?;
        let mixed = attend(&query, &keys, &values)?;
        self.attention_output.forward(&Input::new(&mixed))
    }

    fn mlp(&self, x: &Tensor) -> Result<Tensor> {
        let x = Input::new(x);
        let gate = silu(&self.gate.forward(&x)?)?;
        let up = self.up.forward(&x)?;
        self.down.forward(&Input::new(&(gate * up)?))
    }
}
