//! A quantized weight matrix: our own kernel where there is one for it, candle's product elsewhere.

use std::cell::OnceCell;

use candle_core::quantized::{GgmlDType, QMatMul, QStorage, QTensor};
use candle_core::{Device, Module, Storage, Tensor};

use crate::error::Result;
use crate::kernel::{Activations, Matrix};

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
        let y = match &self.weight {
            Weight::Packed(matrix) => {
                let input = x.quantized()?;
                let mut out = vec![0.0; input.rows() * matrix.rows()];
                matrix.multiply(input, &mut out);
                Tensor::from_vec(out, (input.rows(), matrix.rows()), &Device::Cpu)?
            }
            Weight::Candle(matrix) => matrix.forward(x.tensor)?,
        };
        match &self.bias {
            Some(bias) => Ok(y.broadcast_add(bias)?),
            None => Ok(y),
        }
    }
}

/// Lends the numbers of a dense tensor in main memory.
fn read_f32<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        return Err(candle_core::Error::Msg("packed matrices are in main memory, the input is not".into()).into());
    };
    let from = layout.start_offset();
    Ok(read(&storage.as_slice::<f32>()?[from..from + layout.shape().elem_count()]))
}
