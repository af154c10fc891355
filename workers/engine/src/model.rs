//! A language model of the Qwen2 family: weights, tokenizer and chat template of one GGUF file, and the forward pass.
//!
//! The forward pass is our own because candle's stock one keeps a cache that cannot be truncated, forked or shared. It knows nothing
//! of requests, grammars or threads; the engine drives it. Start at [`Model::forward`].

mod attention;
mod cache;
mod layer;
mod linear;
mod load;
mod ops;
mod rope;

use std::path::Path;

use candle_core::quantized::QMatMul;
use candle_core::{DType, Tensor};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

pub use self::cache::Sequence;
pub(crate) use self::cache::Span;
use self::layer::Layer;
use self::linear::{Input, Linear};
use self::rope::Rope;
use crate::chat::ChatTemplate;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::mask::TokenSet;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::Vocabulary;

/// The numbers that define a model's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Transformer layers.
    pub layers: usize,
    /// Width of a token's state.
    pub hidden: usize,
    /// Width inside the MLP.
    pub feed_forward: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Longest sequence the model was trained for, in tokens.
    pub context: usize,
    /// Tokens in the vocabulary.
    pub vocabulary: usize,
    /// Added to the variance in normalization.
    pub norm_epsilon: f32,
    /// Base of the rotary frequencies.
    pub rope_base: f32,
}

/// Which rows of logits a forward pass shall give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// None: the pass only fills the cache.
    None,
    /// The last `n` tokens'; `Last(1)` is what decoding needs.
    Last(usize),
}

/// One row of logits per asked token, `vocabulary` numbers each.
#[derive(Clone, Debug)]
pub struct Logits {
    rows: Vec<f32>,
    width: usize,
}

/// Normalized states after the last tokens of a pass, from which logits are made.
pub(crate) struct States {
    /// `(rows, hidden)`; `None` without rows.
    normed: Option<Tensor>,
}

/// A loaded model. Sharing it is free; each sequence of tokens has its own [`Sequence`].
pub struct Model {
    shape: Shape,
    device: candle_core::Device,
    embedding: QMatMul,
    layers: Vec<Layer>,
    norm: Tensor,
    output: Linear,
    rope: Rope,
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    template: ChatTemplate,
}

// === impl Shape ===

impl Shape {
    /// Numbers per head.
    pub fn head_width(&self) -> usize {
        self.hidden / self.heads
    }

    /// Numbers in the keys of one token in one layer; the values have as many.
    pub(crate) fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width()
    }

    /// Bytes of cache per token.
    pub fn kv_bytes_per_token(&self) -> usize {
        2 * self.layers * self.kv_width() * size_of::<f32>()
    }
}

// === impl Logits ===

impl Logits {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len() / self.width
    }

    /// Are there no rows?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The logits after one of the asked tokens, by its place among them.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.rows[index * self.width..(index + 1) * self.width]
    }
}

// === impl Model ===

impl Model {
    /// Loads a GGUF file of the Qwen2 family.
    ///
    /// # Errors
    /// A missing, damaged or foreign file, or a device that is not there; each names what to do.
    pub fn load(path: &Path, device: Device) -> Result<Self> {
        load::load(path, device)
    }

    /// The model's shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Text to tokens.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokens as bytes.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The conversation format.
    pub fn template(&self) -> &ChatTemplate {
        &self.template
    }

    /// Token ids of a conversation that ends where the assistant's turn begins.
    ///
    /// # Errors
    /// As [`ChatTemplate::encode`].
    pub fn encode_chat(&self, messages: &[crate::chat::Message]) -> Result<Vec<u32>> {
        self.encode_chat_with_tools(messages, &[])
    }

    /// The same, with tools that the assistant may call; see [`ChatTemplate::render`].
    ///
    /// # Errors
    /// As [`ChatTemplate::encode`].
    pub fn encode_chat_with_tools(&self, messages: &[crate::chat::Message], tools: &[Value]) -> Result<Vec<u32>> {
        self.template.encode(&self.tokenizer, messages, tools)
    }

    /// An empty sequence for this model.
    pub fn sequence(&self) -> Sequence {
        Sequence::new(&self.shape, self.device.clone())
    }

    /// Appends `tokens` to `sequence` and computes the asked logits.
    ///
    /// # Errors
    /// [`Error::Cancelled`] soon after `cancel`; [`Error::TokenUnknown`]; [`Error::PromptTooLong`] past the model's context. On any error the
    /// sequence is as before.
    pub fn forward(
        &self,
        sequence: &mut Sequence,
        tokens: &[u32],
        rows: Rows,
        cancel: &CancellationToken,
    ) -> Result<Logits> {
        let count = match rows {
            Rows::None => 0,
            Rows::Last(count) => count,
        };
        self.all_logits(&self.advance(sequence, tokens, count, cancel)?)
    }

    /// Appends `tokens` to `sequence`; gives the states after the last `rows` of them. Errors as [`Model::forward`].
    pub(crate) fn advance(
        &self,
        sequence: &mut Sequence,
        tokens: &[u32],
        rows: usize,
        cancel: &CancellationToken,
    ) -> Result<States> {
        self.check_tokens(sequence.len(), tokens)?;
        sequence.reserve(tokens.len())?;
        let ids = Tensor::new(tokens, &self.device)?;
        let (cos, sin) = self.rope.at(sequence.len(), tokens.len())?;
        let mut state = self.embedding.embedding(&ids)?;
        for (index, layer) in self.layers.iter().enumerate() {
            if cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            state = layer.forward(&state, (&cos, &sin), sequence.layer(index))?;
        }
        let states = self.last_states(&state, rows)?;
        sequence.commit(tokens);
        Ok(states)
    }

    /// The logits after each state.
    pub(crate) fn all_logits(&self, states: &States) -> Result<Logits> {
        let width = self.shape.vocabulary;
        let Some(states) = &states.normed else {
            return Ok(Logits { rows: Vec::new(), width });
        };
        let logits = self.output.forward(&Input::new(states))?.to_dtype(DType::F32)?;
        Ok(Logits { rows: logits.flatten_all()?.to_vec1()?, width })
    }

    /// The logits after one state, of which only the `wanted` tokens' are to be read: a grammar with few choices saves most of a matrix that
    /// is a fifth of a 1.5B model.
    pub(crate) fn some_logits(&self, states: &States, row: usize, wanted: &TokenSet) -> Result<Vec<f32>> {
        let normed = states.normed.as_ref().ok_or(Error::LogitsUnusable)?;
        self.output.forward_some(&Input::new(&normed.narrow(0, row, 1)?), wanted)
    }

    fn check_tokens(&self, before: usize, tokens: &[u32]) -> Result<()> {
        if tokens.is_empty() {
            return Err(Error::PromptEmpty);
        }
        if before + tokens.len() > self.shape.context {
            return Err(Error::PromptTooLong { prompt: before + tokens.len(), context: self.shape.context });
        }
        let unknown = tokens.iter().find(|token| **token as usize >= self.shape.vocabulary);
        let vocabulary = self.shape.vocabulary;
        unknown.map_or(Ok(()), |token| Err(Error::TokenUnknown { token: *token, vocabulary }))
    }

    fn last_states(&self, state: &Tensor, rows: usize) -> Result<States> {
        let all = state.dim(0)?;
        let rows = rows.min(all);
        if rows == 0 {
            return Ok(States { normed: None });
        }
        let last = state.narrow(0, all - rows, rows)?.contiguous()?;
        let normed = ops::normalize(&last, &self.norm, &self.shape)?;
        // Quantizing NaN would turn it into numbers that look like logits.
        if !normed.sum_all()?.to_scalar::<f32>()?.is_finite() {
            return Err(Error::LogitsUnusable);
        }
        Ok(States { normed: Some(normed) })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Model;
    use crate::device::Device;
    use crate::testing::write_tiny_model;

    /// A model of random weights, for the tests of this crate's parts.
    pub(crate) fn tiny_model() -> Model {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tiny.gguf");
        write_tiny_model(&path, 5).unwrap();
        Model::load(&path, Device::Cpu).unwrap()
    }
}
