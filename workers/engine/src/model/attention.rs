//! Causal attention of new tokens over everything in the cache.
//!
//! Keys and values are read where they lie, `(tokens, kv_heads, width)`: nothing is repeated for grouped heads or transposed in memory.

use candle_core::{Device, Tensor};
use candle_nn::ops::softmax_last_dim;

use super::ops::read_f32;
use crate::error::Result;
use crate::kernel::Attention;

/// `query` is `(m, heads, width)`, `keys` and `values` are `(n, kv_heads, width)` with the `m` new tokens last. Gives `(m, heads * width)`.
pub(super) fn attend(query: &Tensor, keys: &Tensor, values: &Tensor) -> Result<Tensor> {
    let (m, heads, width) = query.dims3()?;
    if !matches!(query.device(), Device::Cpu) || !Attention::is_supported(width) {
        return attend_as_products(query, keys, values);
    }
    let kv_heads = keys.dim(1)?;
    let run =
        |query: &[f32], keys: &[f32], values: &[f32]| Attention { keys, values, heads, kv_heads, width }.attend(query);
    let mixed = read_f32(query, |query| read_f32(keys, |keys| read_f32(values, |values| run(query, keys, values))))???;
    Ok(Tensor::from_vec(mixed, (m, heads * width), &Device::Cpu)?)
}

fn attend_as_products(query: &Tensor, keys: &Tensor, values: &Tensor) -> Result<Tensor> {
    let (m, heads, width) = query.dims3()?;
    let (n, kv_heads, _) = keys.dims3()?;
    let group = heads / kv_heads;
    // (kv_heads, group * m, width): the query heads that share a key head become rows of one product.
    let query = query.reshape((m, kv_heads, group, width))?.permute((1, 2, 0, 3))?.contiguous()?;
    let query = (query.reshape((kv_heads, group * m, width))? * (1.0 / (width as f64).sqrt()))?;
    let scores = query.matmul(&on_device(keys.permute((1, 2, 0))?)?)?;
    let scores = scores.reshape((kv_heads * group, m, n))?.broadcast_add(&causal_mask(m, n, query.device())?)?;
    let weights = softmax_last_dim(&scores)?.reshape((kv_heads, group * m, n))?;
    let mixed = weights.matmul(&on_device(values.transpose(0, 1)?)?)?;
    let mixed = mixed.reshape((kv_heads, group, m, width))?.permute((2, 0, 1, 3))?;
    Ok(mixed.reshape((m, heads * width))?)
}

/// candle's CPU product reads any strides; its CUDA one wants dense batches.
fn on_device(view: Tensor) -> Result<Tensor> {
    if matches!(view.device(), Device::Cpu) { Ok(view) } else { Ok(view.contiguous()?) }
}

/// `(m, n)`: 0 where new token `i` may look at token `j`, minus infinity where it lies in its future.
fn causal_mask(m: usize, n: usize, device: &Device) -> Result<Tensor> {
    let before = n - m;
    let cell = |i: usize, j: usize| if j > before + i { f32::NEG_INFINITY } else { 0.0 };
    let cells: Vec<f32> = (0..m).flat_map(|i| (0..n).map(move |j| cell(i, j))).collect();
    Ok(Tensor::from_vec(cells, (m, n), device)?)
}
