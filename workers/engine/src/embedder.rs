//! Sentences to vectors: a BERT encoder such as all-MiniLM-L6-v2, its token states averaged and scaled to length one.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

use crate::error::{Error, Result};

/// Sentences of similar length computed at once. More costs memory, fewer costs time.
const BATCH_SENTENCES: usize = 32;

/// What all-MiniLM-L6-v2 was trained on; the rest of a longer text is not read.
const MAX_TOKENS: usize = 256;

/// A loaded sentence encoder.
pub struct Embedder {
    model: BertModel,
    tokenizer: Tokenizer,
    width: usize,
}

// === impl Embedder ===

impl Embedder {
    /// Loads `config.json`, `tokenizer.json` and `model.safetensors` from a directory.
    ///
    /// # Errors
    /// [`Error::ModelOpenFailed`] and [`Error::ModelDamaged`], naming the file.
    pub fn load(dir: &Path) -> Result<Self> {
        let config: Config =
            serde_json::from_slice(&read(dir, "config.json")?).map_err(|why| damaged(dir, "config.json", &why))?;
        let mut tokenizer =
            Tokenizer::from_bytes(read(dir, "tokenizer.json")?).map_err(|why| damaged(dir, "tokenizer.json", &why))?;
        let max_length = MAX_TOKENS.min(config.max_position_embeddings);
        let truncation = TruncationParams { max_length, ..TruncationParams::default() };
        tokenizer
            .with_padding(None)
            .with_truncation(Some(truncation))
            .map_err(|why| damaged(dir, "tokenizer.json", &why))?;
        if tokenizer.get_vocab_size(true) > config.vocab_size {
            return Err(damaged(dir, "tokenizer.json", &"it has more tokens than the model"));
        }
        let weights_damaged = |why: candle_core::Error| damaged(dir, "model.safetensors", &why);
        let weights = read(dir, "model.safetensors")?;
        let weights =
            VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).map_err(weights_damaged)?;
        let model = BertModel::load(weights, &config).map_err(weights_damaged)?;
        Ok(Self { model, tokenizer, width: config.hidden_size })
    }

    /// Numbers per vector: 384 for all-MiniLM-L6-v2.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One vector of length 1 per text, in order. A text's vector does not depend on the texts beside it.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`] or [`Error::ForwardFailed`].
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let encodings = self.tokenizer.encode_batch(texts.to_vec(), true);
        let encodings = encodings.map_err(|why| Error::TokenizeFailed(why.to_string()))?;
        // Texts of like length together: padding is computed for nothing.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|index| encodings[*index].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in order.chunks(BATCH_SENTENCES) {
            let members: Vec<&Encoding> = batch.iter().map(|index| &encodings[*index]).collect();
            for (index, vector) in batch.iter().zip(self.embed_batch(&members)?) {
                vectors[*index] = vector;
            }
        }
        Ok(vectors)
    }

    fn embed_batch(&self, batch: &[&Encoding]) -> Result<Vec<Vec<f32>>> {
        let longest = batch.iter().map(|encoding| encoding.len()).max().unwrap_or(0);
        let dims = (batch.len(), longest);
        let padded = |ids: &[u32]| ids.iter().copied().chain(std::iter::repeat(0)).take(longest).collect::<Vec<u32>>();
        let ids: Vec<u32> = batch.iter().flat_map(|encoding| padded(encoding.get_ids())).collect();
        let mask: Vec<u32> = batch.iter().flat_map(|encoding| padded(encoding.get_attention_mask())).collect();
        let ids = Tensor::from_vec(ids, dims, &Device::Cpu)?;
        let mask = Tensor::from_vec(mask, dims, &Device::Cpu)?;
        let states = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let weights = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let sums = states.broadcast_mul(&weights)?.sum(1)?;
        // The mean and the sum point the same way, and only the direction is kept.
        let norms = sums.sqr()?.sum_keepdim(1)?.sqrt()?.maximum(f32::MIN_POSITIVE)?;
        Ok(sums.broadcast_div(&norms)?.to_vec2()?)
    }
}

fn read(dir: &Path, name: &str) -> Result<Vec<u8>> {
    let path = dir.join(name);
    std::fs::read(&path).map_err(|source| Error::ModelOpenFailed { path, source })
}

fn damaged(dir: &Path, name: &str, reason: &impl ToString) -> Error {
    Error::ModelDamaged { path: dir.join(name), reason: reason.to_string() }
}
