//! A quantized weight matrix: our own kernel where there is one for it, candle's product elsewhere.

use std::cell::OnceCell;

use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{DType, Device, Module, Tensor};

use super::ops::read_f32;
use crate::error::Result;
use crate::kernel::{Activations, Matrix, Product, STRIPE_ROWS};
use crate::mask::TokenSet;

/// `y = x Wᵀ (+ b)`.
pub(super) struct Linear {
    weight: Weight,
    bias: Option<Tensor>,
}

enum Weight {
    Packed(Matrix),
    Candle(QMatMul),
}

/// What several matrices are multiplied with: its quantized form is made once, when the first packed one asks.
pub(super) struct Input<'a> {
    tensor: &'a Tensor,
    quantized: OnceCell<Activations>,
}

/// The file's own bytes of a matrix, `(out, in)`.
pub(super) struct RawMatrix {
    pub(super) bytes: Vec<u8>,
    pub(super) dtype: GgmlDType,
    pub(super) dims: (usize, usize),
}

// === impl RawMatrix ===

impl RawMatrix {
    pub(super) fn on(&self, device: &Device) -> Result<QTensor> {
        let storage = QStorage::from_data(self.bytes.as_slice().into(), device, self.dtype)?;
        Ok(QTensor::new(storage, self.dims)?)
    }
}

// === impl Input ===

impl<'a> Input<'a> {
    /// `tensor` is `(m, in)`.
    pub(super) fn new(tensor: &'a Tensor) -> Self {
        Self { tensor, quantized: OnceCell::new() }
    }

    fn quantized(&self) -> Result<&Activations> {
        if let Some(quantized) = self.quantized.get() {
            return Ok(quantized);
        }
        let tensor = self.tensor.contiguous()?;
        let columns = tensor.dim(1)?;
        let quantized = read_f32(&tensor, |numbers| Activations::quantize(numbers, columns))?;
        Ok(self.quantized.get_or_init(|| quantized))
    }
}

// === impl Linear ===

impl Linear {
    pub(super) fn new(raw: &RawMatrix, bias: Option<Tensor>, device: &Device) -> Result<Self> {
        let (rows, columns) = raw.dims;
        let packed = match device {
            Device::Cpu => Matrix::pack(&raw.bytes, raw.dtype, rows, columns),
            _ => None,
        };
        let weight = match packed {
            Some(matrix) => Weight::Packed(matrix),
            None => Weight::Candle(QMatMul::from_qtensor(raw.on(device)?)?),
        };
        Ok(Self { weight, bias })
    }

    /// `(m, in)` to `(m, out)`.
    pub(super) fn forward(&self, x: &Input) -> Result<Tensor> {
        match (&self.weight, &self.bias) {
            (Weight::Packed(matrix), None) => multiply(matrix, x.quantized()?, None),
            (Weight::Packed(matrix), Some(bias)) => {
                read_f32(bias, |bias| multiply(matrix, x.quantized()?, Some(bias)))?
            }
            (Weight::Candle(matrix), None) => Ok(matrix.forward(x.tensor)?),
            (Weight::Candle(matrix), Some(bias)) => Ok(matrix.forward(x.tensor)?.broadcast_add(bias)?),
        }
    }

    /// As [`Linear::forward`] for one row, but only what `wanted` holds need be computed; the rest is as it comes or minus infinity.
    pub(super) fn forward_some(&self, x: &Input, wanted: &TokenSet) -> Result<Vec<f32>> {
        let (Weight::Packed(matrix), None) = (&self.weight, &self.bias) else {
            return Ok(self.forward(x)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?);
        };
        let mut stripes: Vec<usize> = wanted.iter().map(|id| id as usize / STRIPE_ROWS).collect();
        stripes.dedup();
        let mut out = vec![f32::NEG_INFINITY; matrix.rows()];
        matrix.multiply(&Product { input: x.quantized()?, bias: None, only: Some(&stripes) }, &mut out);
        Ok(out)
    }
}

fn multiply(matrix: &Matrix, input: &Activations, bias: Option<&[f32]>) -> Result<Tensor> {
    let mut out = vec![0.0; input.rows() * matrix.rows()];
    matrix.multiply(&Product { input, bias, only: None }, &mut out);
    Ok(Tensor::from_vec(out, (input.rows(), matrix.rows()), &Device::Cpu)?)
}
