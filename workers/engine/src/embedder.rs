//! Sentences to vectors: a BERT encoder such as all-MiniLM-L6-v2, its token states averaged and scaled to length one.
//!
//! Descriptions and requests speak two tongues: an [`Adapter`] can give requests an encoder of their own, trained to land near the
//! descriptions that they mean.

mod adapter;
mod bert;

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

pub use adapter::Adapter;
use bert::{Bert, Config};
use candle_core::{Device, Tensor};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

use crate::error::{Error, Result};

/// Sentences of similar length computed at once. More costs memory, fewer costs time.
const BATCH_SENTENCES: usize = 32;

/// What all-MiniLM-L6-v2 was trained on; the rest of a longer text is not read.
const MAX_TOKENS: usize = 256;

/// A loaded sentence encoder.
pub struct Embedder {
    model: Bert,
    /// The same with an adapter in it.
    adapted: Option<Bert>,
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
        Self::load_adapted(dir, None)
    }

    /// The same, with an adapter for requests. Costs the memory of the weights that it changes (43 MB for all-MiniLM-L6-v2).
    ///
    /// # Errors
    /// As [`Embedder::load`], and [`Error::AdapterRefused`] for one of another model.
    pub fn load_adapted(dir: &Path, adapter: Option<&Adapter>) -> Result<Self> {
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
        let bytes = read(dir, "model.safetensors")?;
        let mut weights = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|why| damaged(dir, "model.safetensors", &why))?;
        let build = |weights: &HashMap<String, Tensor>| {
            Bert::load(weights, &config).map_err(|why| damaged(dir, "model.safetensors", &why))
        };
        let model = build(&weights)?;
        let adapted = match adapter {
            Some(adapter) => {
                adapter.merge(&mut weights)?;
                Some(build(&weights)?)
            }
            None => None,
        };
        Ok(Self { model, adapted, tokenizer, width: config.hidden_size })
    }

    /// Numbers per vector: 384 for all-MiniLM-L6-v2.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One vector of length 1 per text, in order. A text's vector does not depend on the texts beside it.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`].
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.embed_by(&self.model, texts)
    }

    /// The same for what users say, by the adapter if there is one.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    pub fn embed_requests(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.embed_by(self.adapted.as_ref().unwrap_or(&self.model), texts)
    }

    fn embed_by(&self, model: &Bert, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let encodings = self.tokenizer.encode_batch(texts.to_vec(), true);
        let encodings = encodings.map_err(|why| Error::TokenizeFailed(why.to_string()))?;
        // Texts of like length together: batches then end at about the same time.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|index| encodings[*index].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        let batches: Vec<&[usize]> = order.chunks(BATCH_SENTENCES).collect();
        for (batch, encoded) in batches.iter().zip(embed_batches(model, &batches, &encodings)) {
            for (index, vector) in batch.iter().zip(encoded) {
                vectors[*index] = vector;
            }
        }
        Ok(vectors)
    }
}

/// Computes batches beside each other, each on one core.
fn embed_batches(model: &Bert, batches: &[&[usize]], encodings: &[Encoding]) -> Vec<Vec<Vec<f32>>> {
    let embed = |batch: &[usize]| {
        let texts: Vec<&[u32]> = batch.iter().map(|index| encodings[*index].get_ids()).collect();
        embed_batch(model, &texts)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores == 1 || batches.len() < 2 {
        return batches.iter().map(|batch| embed(batch)).collect();
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(batches.len())));
    std::thread::scope(|scope| {
        for _ in 0..cores.min(batches.len()) {
            scope.spawn(|| {
                while let Some((at, batch)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, batches.get(at)?)))
                {
                    let encoded = embed(batch);
                    done.lock().expect("no code panics while it holds this lock").push((at, encoded));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no code panics while it holds this lock");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, encoded)| encoded).collect()
}

/// The mean and the sum of a text's states point the same way, and only the direction is kept.
fn embed_batch(model: &Bert, texts: &[&[u32]]) -> Vec<Vec<f32>> {
    let states = model.forward(texts);
    let mut rows = states.chunks_exact(model.width());
    let embed = |text: &&[u32]| {
        let mut sum = vec![0.0f32; model.width()];
        for row in rows.by_ref().take(text.len()) {
            sum.iter_mut().zip(row).for_each(|(sum, state)| *sum += state);
        }
        let norm = sum.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        sum.iter_mut().for_each(|number| *number /= norm);
        sum
    };
    texts.iter().map(embed).collect()
}

fn read(dir: &Path, name: &str) -> Result<Vec<u8>> {
    let path = dir.join(name);
    std::fs::read(&path).map_err(|source| Error::ModelOpenFailed { path, source })
}

fn damaged(dir: &Path, name: &str, reason: &impl ToString) -> Error {
    Error::ModelDamaged { path: dir.join(name), reason: reason.to_string() }
}
