//! Keys and values of one sequence, preallocated in chunks, truncated in no time, copied by span.

use candle_core::{DType, Device, Tensor};

use super::Shape;
use crate::error::Result;

/// Tokens by which the storage grows.
const GROWTH_TOKENS: usize = 512;

/// One sequence of tokens and its cache.
pub struct Sequence {
    shape: Shape,
    device: Device,
    /// Per layer keys and values, `(capacity, kv_heads, width)`.
    layers: Vec<(Tensor, Tensor)>,
    tokens: Vec<u32>,
    capacity: usize,
}

/// Keys and values of some consecutive tokens, per layer, each `(tokens, kv_heads, width)`, apart from any sequence.
#[derive(Clone)]
pub(crate) struct Span {
    layers: Vec<(Tensor, Tensor)>,
}

/// One layer's part of a sequence during a forward pass.
pub(super) struct LayerCache<'a> {
    keys: &'a Tensor,
    values: &'a Tensor,
    len: usize,
}

// === impl Sequence ===

impl Sequence {
    pub(super) fn new(shape: &Shape, device: Device) -> Self {
        Self { shape: *shape, device, layers: Vec::new(), tokens: Vec::new(), capacity: 0 }
    }

    /// Tokens whose keys and values are in the cache.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Number of those tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Is nothing cached?
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Forgets everything after the first `len` tokens.
    pub fn truncate(&mut self, len: usize) {
        self.tokens.truncate(len);
    }

    /// A second sequence with the same first `len` tokens; both go their own way from there.
    ///
    /// # Errors
    /// When memory on the device runs out.
    pub fn fork(&self, len: usize) -> Result<Sequence> {
        let len = len.min(self.len());
        let mut fork = Sequence::new(&self.shape, self.device.clone());
        if len > 0 {
            fork.append_span(&self.span(0, len)?, &self.tokens[..len])?;
        }
        Ok(fork)
    }

    /// A copy of the cache of tokens `from .. to`.
    pub(crate) fn span(&self, from: usize, to: usize) -> Result<Span> {
        // Not `copy`: that clones the whole storage behind a view, which is the sequence's capacity.
        let cut = |tensor: &Tensor| tensor.narrow(0, from, to - from)?.force_contiguous();
        let copy = |(keys, values): &(Tensor, Tensor)| Ok((cut(keys)?, cut(values)?));
        Ok(Span { layers: self.layers.iter().map(copy).collect::<Result<_>>()? })
    }

    /// Appends the first `tokens.len()` tokens of a span that was computed behind the very tokens this sequence holds.
    pub(crate) fn append_span(&mut self, span: &Span, tokens: &[u32]) -> Result<()> {
        self.reserve(tokens.len())?;
        let (at, len) = (self.len(), tokens.len());
        for ((keys, values), (new_keys, new_values)) in self.layers.iter().zip(&span.layers) {
            keys.slice_set(&new_keys.narrow(0, 0, len)?, 0, at)?;
            values.slice_set(&new_values.narrow(0, 0, len)?, 0, at)?;
        }
        self.tokens.extend_from_slice(tokens);
        Ok(())
    }

    /// Makes room for `more` tokens.
    pub(super) fn reserve(&mut self, more: usize) -> Result<()> {
        let needed = self.len() + more;
        if needed <= self.capacity {
            return Ok(());
        }
        // Half as much again, so that a growing sequence is copied a bounded number of times.
        let capacity = needed.max(self.capacity * 3 / 2).next_multiple_of(GROWTH_TOKENS);
        let dims = (capacity, self.shape.kv_heads, self.shape.head_width());
        for index in 0..self.shape.layers {
            let keys = Tensor::zeros(dims, DType::F32, &self.device)?;
            let values = Tensor::zeros(dims, DType::F32, &self.device)?;
            let Some((old_keys, old_values)) = self.layers.get(index) else {
                self.layers.push((keys, values));
                continue;
            };
            if !self.tokens.is_empty() {
                keys.slice_set(&old_keys.narrow(0, 0, self.tokens.len())?, 0, 0)?;
                values.slice_set(&old_values.narrow(0, 0, self.tokens.len())?, 0, 0)?;
            }
            self.layers[index] = (keys, values);
        }
        self.capacity = capacity;
        Ok(())
    }

    pub(super) fn layer(&self, index: usize) -> LayerCache<'_> {
        let (keys, values) = &self.layers[index];
        LayerCache { keys, values, len: self.tokens.len() }
    }

    /// Counts tokens whose keys and values every layer has written.
    pub(super) fn commit(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
        debug_assert!(self.tokens.len() <= self.capacity);
    }
}

// === impl Span ===

impl Span {
    /// Bytes it occupies.
    pub(crate) fn bytes(&self) -> usize {
        let size = |tensor: &Tensor| tensor.elem_count() * tensor.dtype().size_in_bytes();
        self.layers.iter().map(|(keys, values)| size(keys) + size(values)).sum()
    }
}

// === impl LayerCache ===

impl LayerCache<'_> {
    /// Writes new keys and values, `(m, kv_heads, width)`, behind the committed ones; gives views of all, the new ones included.
    pub(super) fn append(&mut self, keys: &Tensor, values: &Tensor) -> Result<(Tensor, Tensor)> {
        let m = keys.dim(0)?;
        self.keys.slice_set(&keys.contiguous()?, 0, self.len)?;
        self.values.slice_set(&values.contiguous()?, 0, self.len)?;
        Ok((self.keys.narrow(0, 0, self.len + m)?, self.values.narrow(0, 0, self.len + m)?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Storage;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::model::{Rows, tests::tiny_model};

    /// Numbers in the storage behind a tensor, whatever part of it the tensor shows.
    fn stored(tensor: &Tensor) -> usize {
        let (storage, _) = tensor.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => storage.as_slice::<f32>().unwrap().len(),
            _ => unreachable!("the test runs on the CPU"),
        }
    }

    #[test]
    fn a_span_holds_its_own_tokens_and_not_the_whole_sequence() {
        let model = tiny_model();
        let mut sequence = model.sequence();
        let tokens: Vec<u32> = (0..100).collect();
        model.forward(&mut sequence, &tokens, Rows::None, &CancellationToken::new()).unwrap();
        let span = sequence.span(10, 20).unwrap();
        let held: usize = span.layers.iter().map(|(keys, values)| 4 * (stored(keys) + stored(values))).sum();
        assert_eq!(held, span.bytes());
        assert_eq!(held, 10 * model.shape().kv_bytes_per_token());
    }
}
