//! What a layer does besides products, on whichever device: our own kernels on a processor that has them, candle's elsewhere.

use candle_core::{Device, Storage, Tensor};
use candle_nn::ops::{rms_norm, silu};

use super::Shape;
use crate::error::Result;
use crate::kernel::{self, Matrix};

/// Scales each row of `x`, `(m, width)`, to a mean square of one, times `weight`.
pub(super) fn normalize(x: &Tensor, weight: &Tensor, shape: &Shape) -> Result<Tensor> {
    if !has_kernels(x) {
        return Ok(rms_norm(x, weight, shape.norm_epsilon)?);
    }
    let out = read_f32(x, |x| read_f32(weight, |weight| kernel::normalize(x, weight, shape.norm_epsilon)))??;
    Ok(Tensor::from_vec(out, x.shape(), &Device::Cpu)?)
}

/// `silu(gate) * up`.
pub(super) fn gate(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    if !has_kernels(gate) {
        return Ok((silu(gate)? * up)?);
    }
    let out = read_f32(gate, |gate| read_f32(up, |up| kernel::gate(gate, up)))??;
    Ok(Tensor::from_vec(out, up.shape(), &Device::Cpu)?)
}

/// `x + y`.
pub(super) fn add(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    if !has_kernels(x) {
        return Ok((x + y)?);
    }
    let sum = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x + y).collect::<Vec<f32>>();
    let out = read_f32(x, |x| read_f32(y, |y| sum(x, y)))??;
    Ok(Tensor::from_vec(out, x.shape(), &Device::Cpu)?)
}

/// Turns each head of `x`, `(m, heads, width)`, by its position; `cos` and `sin` are `(m, width / 2)`.
pub(super) fn rotate(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    if !has_kernels(x) {
        return Ok(candle_nn::rotary_emb::rope_thd(&x.unsqueeze(0)?, cos, sin)?.squeeze(0)?);
    }
    let (_, heads, width) = x.dims3()?;
    let turn = |x: &[f32], cos: &[f32], sin: &[f32]| {
        let mut out = Vec::with_capacity(x.len());
        for (index, head) in x.chunks_exact(width).enumerate() {
            let at = index / heads * (width / 2);
            let (cos, sin) = (&cos[at..at + width / 2], &sin[at..at + width / 2]);
            let (a, b) = head.split_at(width / 2);
            out.extend((0..width / 2).map(|i| a[i] * cos[i] - b[i] * sin[i]));
            out.extend((0..width / 2).map(|i| a[i] * sin[i] + b[i] * cos[i]));
        }
        out
    };
    let out = read_f32(x, |x| read_f32(cos, |cos| read_f32(sin, |sin| turn(x, cos, sin))))???;
    Ok(Tensor::from_vec(out, x.shape(), &Device::Cpu)?)
}

/// Do our kernels run where this tensor lies? They want rows of whole registers.
fn has_kernels(x: &Tensor) -> bool {
    let width = x.dims().last().copied().unwrap_or(0);
    matches!(x.device(), Device::Cpu) && Matrix::is_supported() && width.is_multiple_of(16) && x.is_contiguous()
}

/// Lends the numbers of a dense tensor in main memory.
pub(super) fn read_f32<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let (Storage::Cpu(storage), Some((from, to))) = (&*storage, layout.contiguous_offsets()) else {
        return Err(candle_core::Error::Msg("the processor's kernels want dense tensors in main memory".into()).into());
    };
    Ok(read(&storage.as_slice::<f32>()?[from..to]))
}
