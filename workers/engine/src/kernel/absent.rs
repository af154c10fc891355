//! The kernels' interface on processors for which there are none: nothing is supported, so nothing can be made or called.
#![allow(dead_code)]

use std::convert::Infallible;

use candle_core::quantized::GgmlDType;

/// Of no use without a matrix.
pub(crate) const STRIPE_ROWS: usize = 16;

/// Never made.
pub(crate) struct Matrix(Infallible);

/// Never made.
pub(crate) struct Activations(Infallible);

/// Never asked for.
pub(crate) struct Product<'a> {
    pub(crate) input: &'a Activations,
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) only: Option<&'a [usize]>,
}

/// Never asked to attend.
pub(crate) struct Attention<'a> {
    pub(crate) keys: &'a [f32],
    pub(crate) values: &'a [f32],
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) width: usize,
}

// === impl Matrix ===

impl Matrix {
    pub(crate) fn is_supported() -> bool {
        false
    }

    pub(crate) fn pack(_bytes: &[u8], _dtype: GgmlDType, _rows: usize, _columns: usize) -> Option<Self> {
        None
    }

    pub(crate) fn rows(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn multiply(&self, _product: &Product, _out: &mut [f32]) {
        match self.0 {}
    }
}

// === impl Activations ===

impl Activations {
    pub(crate) fn quantize(_input: &[f32], _columns: usize) -> Self {
        unreachable!("only packed matrices ask for quantized inputs")
    }

    pub(crate) fn rows(&self) -> usize {
        match self.0 {}
    }
}

// === impl Attention ===

impl Attention<'_> {
    pub(crate) fn is_supported(_width: usize) -> bool {
        false
    }

    pub(crate) fn attend(&self, _query: &[f32]) -> Vec<f32> {
        unreachable!(
            "no width is supported: {} {} {} {}",
            self.heads,
            self.kv_heads,
            self.keys.len(),
            self.values.len()
        )
    }
}

pub(crate) fn normalize(_input: &[f32], _weight: &[f32], _epsilon: f32) -> Vec<f32> {
    unreachable!("nothing is supported")
}

pub(crate) fn gate(_gate: &[f32], _up: &[f32]) -> Vec<f32> {
    unreachable!("nothing is supported")
}

#[cfg(any(test, feature = "testing"))]
pub(crate) fn switch_off() {}
