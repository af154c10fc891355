//! Sentences to vectors: a BERT encoder such as all-MiniLM-L6-v2, its token states averaged and scaled to length one.
//!
//! Descriptions and requests speak two tongues: an [`Adapter`] can give requests an encoder of their own, trained to land near the
//! descriptions that they mean. Others make it read a request and a description at once: how well do they go together (`reader.rs`), and
//! which words of the one does the other ask for (`finder.rs`)? One reads a request alone: where does a new wish begin (`splitter.rs`)?

mod adapter;
mod bert;
mod finder;
mod reader;
mod splitter;
mod vectors;
mod words;

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
use finder::Finder;
pub use finder::Found;
use reader::Reader;
use splitter::Splitter;
use tokenizers::{Tokenizer, TruncationParams};
use vectors::{dot, sum};

use crate::error::{Error, Result};

/// Sentences of similar length computed at once. More costs memory, fewer costs time.
const BATCH_SENTENCES: usize = 32;

/// What all-MiniLM-L6-v2 was trained on; the rest of a longer text is not read.
const MAX_TOKENS: usize = 256;

/// What is added to a model; each costs the memory of the weights that it changes (43 MB for all-MiniLM-L6-v2).
#[derive(Default)]
pub struct Adapters {
    /// For [`Embedder::embed_requests`].
    pub requests: Option<Adapter>,
    /// For [`Embedder::relevances`].
    pub reader: Option<Adapter>,
    /// For [`Embedder::find`].
    pub finder: Option<Adapter>,
    /// For [`Embedder::split`].
    pub splitter: Option<Adapter>,
}

/// A loaded sentence encoder.
pub struct Embedder {
    model: Bert,
    /// The same with an adapter in it.
    adapted: Option<Bert>,
    reader: Option<Reader>,
    finder: Option<Finder>,
    splitter: Option<Splitter>,
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
        Self::load_adapted(dir, &Adapters::default())
    }

    /// The same, with adapters.
    ///
    /// # Errors
    /// As [`Embedder::load`], and [`Error::AdapterRefused`] for one of another model.
    pub fn load_adapted(dir: &Path, adapters: &Adapters) -> Result<Self> {
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
        let weights = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|why| damaged(dir, "model.safetensors", &why))?;
        let build = |weights: &HashMap<String, Tensor>| {
            Bert::load(weights, &config).map_err(|why| damaged(dir, "model.safetensors", &why))
        };
        let model = build(&weights)?;
        let adapt = |adapter: &Adapter| {
            let mut weights = weights.clone();
            adapter.merge(&mut weights)?;
            Ok::<_, Error>(build(&weights)?.sharing_words_of(&model))
        };
        let adapted = adapters.requests.as_ref().map(adapt).transpose()?;
        let mark = |name: &str| {
            tokenizer.token_to_id(name).ok_or_else(|| damaged(dir, "tokenizer.json", &format!("it has no {name}")))
        };
        let marks = [mark("[CLS]")?, mark("[SEP]")?];
        let reader = adapters.reader.as_ref().map(|one| Reader::new(adapt(one)?, one, marks)).transpose()?;
        let finder = adapters.finder.as_ref().map(|one| Finder::new(adapt(one)?, one, marks)).transpose()?;
        let splitter = adapters.splitter.as_ref().map(|one| Splitter::new(adapt(one)?, one, marks)).transpose()?;
        Ok(Self { model, adapted, reader, finder, splitter, tokenizer, width: config.hidden_size })
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

    /// How well each description answers a request, by the adapter that reads both at once; differences count, not the numbers.
    /// `None` without that adapter.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`].
    pub fn relevances(&self, request: &str, descriptions: &[String]) -> Result<Option<Vec<f32>>> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let pairs = reader.pairs(&self.tokenizer, request, descriptions)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let batches: Vec<_> = pairs.chunks(pairs.len().div_ceil(cores).clamp(1, BATCH_SENTENCES)).collect();
        Ok(Some(beside(&batches, |batch| reader.read(batch)).concat()))
    }

    /// What a request gives each place of an operation, by the adapter that points; a place that cannot be read has no answer. `None`
    /// without that adapter.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`].
    pub fn find(&self, request: &str, title: &str, places: &[&str]) -> Result<Option<Vec<Found>>> {
        self.finder.as_ref().map(|finder| finder.find(&self.tokenizer, request, title, places)).transpose()
    }

    /// At which words of a request a new wish begins, by the adapter that splits: bytes and probabilities, in their order. `None` without
    /// that adapter.
    ///
    /// # Errors
    /// [`Error::TokenizeFailed`].
    pub fn split(&self, request: &str) -> Result<Option<Vec<(usize, f32)>>> {
        self.splitter.as_ref().map(|splitter| splitter.split(&self.tokenizer, request)).transpose()
    }

    fn embed_by(&self, model: &Bert, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let encodings = self.tokenizer.encode_batch(texts.to_vec(), true);
        let encodings = encodings.map_err(|why| Error::TokenizeFailed(why.to_string()))?;
        // Texts of like length together: batches then end at about the same time.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|index| encodings[*index].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        let batches: Vec<&[usize]> = order.chunks(BATCH_SENTENCES).collect();
        let embed = |batch: &&[usize]| {
            let texts: Vec<&[u32]> = batch.iter().map(|index| encodings[*index].get_ids()).collect();
            embed_batch(model, &texts)
        };
        for (batch, encoded) in batches.iter().zip(beside(&batches, embed)) {
            for (index, vector) in batch.iter().zip(encoded) {
                vectors[*index] = vector;
            }
        }
        Ok(vectors)
    }
}

/// Computes batches beside each other, each on one core; in their order.
fn beside<B: Sync, R: Send>(batches: &[B], compute: impl Fn(&B) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores == 1 || batches.len() < 2 {
        return batches.iter().map(compute).collect();
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(batches.len())));
    std::thread::scope(|scope| {
        for _ in 0..cores.min(batches.len()) {
            scope.spawn(|| {
                while let Some((at, batch)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, batches.get(at)?)))
                {
                    let computed = compute(batch);
                    done.lock().expect("no code panics while it holds this lock").push((at, computed));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no code panics while it holds this lock");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, computed)| computed).collect()
}

/// The mean and the sum of a text's states point the same way, and only the direction is kept.
fn embed_batch(model: &Bert, texts: &[&[u32]]) -> Vec<Vec<f32>> {
    let states = model.forward(texts);
    let mut rest = states.as_slice();
    let embed = |text: &&[u32]| {
        let own;
        (own, rest) = rest.split_at(text.len() * model.width());
        let mut sum = sum(own, model.width());
        let norm = dot(&sum, &sum).sqrt().max(f32::MIN_POSITIVE);
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
