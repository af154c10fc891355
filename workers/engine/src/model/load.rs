//! From a GGUF file to a [`Model`]: everything is checked before it is used.

use std::path::Path;

use candle_core::quantized::QMatMul;
use candle_core::{Device, Tensor};

use super::layer::Layer;
use super::linear::{Linear, RawMatrix};
use super::rope::Rope;
use super::{Model, Shape};
use crate::chat::ChatTemplate;
use crate::error::{Error, Result};
use crate::gguf::GgufFile;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::Vocabulary;

const ARCHITECTURE: &str = "qwen2";

/// More than any model of the family has; a bigger number in a file is damage, not a model.
const MAX_LAYERS: usize = 1024;
const MAX_WIDTH: usize = 1 << 20;

pub(super) fn load(path: &Path, device: crate::device::Device) -> Result<Model> {
    let mut file = GgufFile::open(path)?;
    let architecture = file.text("general.architecture")?;
    if architecture != ARCHITECTURE {
        let found = architecture.to_string();
        return Err(Error::ArchitectureUnsupported { path: path.to_path_buf(), found, supported: ARCHITECTURE });
    }
    let vocabulary = Vocabulary::read(&file)?;
    let shape = read_shape(&file, vocabulary.len())?;
    let tokenizer = Tokenizer::read(&file, &vocabulary)?;
    let template = file.has("tokenizer.chat_template").then(|| file.text("tokenizer.chat_template")).transpose()?;
    let template = ChatTemplate::new(template)?;
    let device = device.open()?;
    let mut loader = Loader { file: &mut file, device: &device, shape };
    let embedding = loader.matrix("token_embd", shape.vocabulary, shape.hidden)?;
    // Models with tied embeddings have no matrix of their own for the output.
    let output = match loader.file.has_tensor("output.weight") {
        true => loader.linear("output", shape.vocabulary, shape.hidden)?,
        false => Linear::new(&embedding, None, &device)?,
    };
    // Only the rows that are looked up are dequantized, so the table costs no second copy.
    let embedding = QMatMul::from_qtensor(embedding.on(&device)?)?;
    let layers = (0..shape.layers).map(|index| loader.layer(index)).collect::<Result<_>>()?;
    let norm = loader.vector("output_norm.weight", shape.hidden)?;
    let rope = Rope::new(&shape, &device)?;
    Ok(Model { shape, device, embedding, layers, norm, output, rope, tokenizer, vocabulary, template })
}

fn read_shape(file: &GgufFile, vocabulary: usize) -> Result<Shape> {
    let number = |key: &str| file.number(&format!("{ARCHITECTURE}.{key}"));
    let rope_key = format!("{ARCHITECTURE}.rope.freq_base");
    let shape = Shape {
        layers: number("block_count")?,
        hidden: number("embedding_length")?,
        feed_forward: number("feed_forward_length")?,
        heads: number("attention.head_count")?,
        kv_heads: number("attention.head_count_kv")?,
        context: number("context_length")?,
        vocabulary,
        norm_epsilon: file.float(&format!("{ARCHITECTURE}.attention.layer_norm_rms_epsilon"))?,
        rope_base: if file.has(&rope_key) { file.float(&rope_key)? } else { 10_000.0 },
    };
    let within = |value: usize, max: usize| (1..=max).contains(&value);
    let is_sound = within(shape.layers, MAX_LAYERS)
        && within(shape.hidden, MAX_WIDTH)
        && within(shape.feed_forward, MAX_WIDTH)
        && within(shape.context, MAX_WIDTH)
        && within(shape.heads, shape.hidden)
        && within(shape.kv_heads, shape.heads)
        && shape.hidden.is_multiple_of(2 * shape.heads)
        && shape.heads.is_multiple_of(shape.kv_heads)
        && shape.norm_epsilon.is_finite()
        && shape.rope_base.is_finite()
        && shape.rope_base > 0.0;
    if is_sound { Ok(shape) } else { Err(file.damaged(format!("its numbers do not make a model: {shape:?}"))) }
}

struct Loader<'a> {
    file: &'a mut GgufFile,
    device: &'a Device,
    shape: Shape,
}

// === impl Loader ===

impl Loader<'_> {
    fn layer(&mut self, index: usize) -> Result<Layer> {
        let shape = self.shape;
        let (hidden, kv, inner) = (shape.hidden, shape.kv_width(), shape.feed_forward);
        Ok(Layer {
            shape,
            attention_norm: self.vector(&format!("blk.{index}.attn_norm.weight"), hidden)?,
            query: self.linear(&format!("blk.{index}.attn_q"), hidden, hidden)?,
            key: self.linear(&format!("blk.{index}.attn_k"), kv, hidden)?,
            value: self.linear(&format!("blk.{index}.attn_v"), kv, hidden)?,
            attention_output: self.linear(&format!("blk.{index}.attn_output"), hidden, hidden)?,
            mlp_norm: self.vector(&format!("blk.{index}.ffn_norm.weight"), hidden)?,
            gate: self.linear(&format!("blk.{index}.ffn_gate"), inner, hidden)?,
            up: self.linear(&format!("blk.{index}.ffn_up"), inner, hidden)?,
            down: self.linear(&format!("blk.{index}.ffn_down"), hidden, inner)?,
        })
    }

    fn linear(&mut self, name: &str, out: usize, input: usize) -> Result<Linear> {
        let weight = self.matrix(name, out, input)?;
        let bias = format!("{name}.bias");
        let bias = if self.file.has_tensor(&bias) { Some(self.vector(&bias, out)?) } else { None };
        Linear::new(&weight, bias, self.device)
    }

    fn matrix(&mut self, name: &str, out: usize, input: usize) -> Result<RawMatrix> {
        let (bytes, dtype) = self.file.bytes(&format!("{name}.weight"), &[out, input])?;
        Ok(RawMatrix { bytes, dtype, dims: (out, input) })
    }

    fn vector(&mut self, name: &str, len: usize) -> Result<Tensor> {
        let (bytes, dtype) = self.file.bytes(name, &[len])?;
        let vector = RawMatrix { bytes, dtype, dims: (1, len) }.on(self.device)?;
        Ok(vector.dequantize(self.device)?.flatten_all()?)
    }
}
