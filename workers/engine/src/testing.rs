//! A tiny model with random weights, for tests that need the real machinery but not its knowledge.

use std::fs::File;
use std::io::{BufWriter, Error, Result};
use std::path::Path;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use crate::sample::uniform;
use crate::vocabulary::char_of;

/// Longest sequence of the tiny model, in tokens.
pub const TINY_CONTEXT: usize = 2048;

const LAYERS: usize = 2;
const HIDDEN: usize = 256;
const FEED_FORWARD: usize = 512;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;

/// Pairs that become one token, in order of rank; enough that words are more than their bytes.
const MERGES: &[&str] = &[
    "h e",
    "Ġ t",
    "i n",
    "e r",
    "o n",
    "Ġt he",
    "r e",
    "Ġ a",
    "a t",
    "e n",
    "o r",
    "Ġ s",
    "e s",
    "i s",
    "a l",
    "Ġ \"",
    "\" :",
    "Ġ {",
    "t e",
    "l e",
    "Ġ b",
    "u c",
    "k e",
    "uc ke",
    "ucke t",
    "Ġb ucket",
    "Ġ c",
    "Ġc re",
    "Ġcre at",
    "Ġcreat e",
    "0 0",
    "1 2",
];

const CONTROL: &[&str] = &["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
const ADDED: &[&str] = &["<tool_call>", "</tool_call>"];

/// Number of tokens: a multiple of 16, which the fast kernels want.
const VOCABULARY: usize = 304;

const TEMPLATE: &str = "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}\
    {%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

/// Writes a GGUF file of about 1 MB: Qwen2 architecture, ChatML template, byte-level vocabulary, weights drawn from `seed`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_tiny_model(path: &Path, seed: u64) -> Result<()> {
    let tensors = Weights { state: seed }.all().map_err(Error::other)?;
    let metadata = metadata();
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut file = BufWriter::new(File::create(path)?);
    gguf_file::write(&mut file, &metadata, &tensors).map_err(Error::other)
}

/// From now on every model of this process computes with candle's own products, as on a processor for which there are no kernels. To be
/// called before the first model is loaded.
pub fn switch_kernels_off() {
    crate::kernel::switch_off();
}

fn metadata() -> Vec<(&'static str, Value)> {
    let (tokens, types) = vocabulary();
    let number = |value: usize| Value::U32(value as u32);
    let texts = |texts: Vec<String>| Value::Array(texts.into_iter().map(Value::String).collect());
    let end = tokens.iter().position(|token| token == "<|im_end|>").expect("it is one of CONTROL");
    vec![
        ("general.architecture", Value::String("qwen2".into())),
        ("qwen2.block_count", number(LAYERS)),
        ("qwen2.context_length", number(TINY_CONTEXT)),
        ("qwen2.embedding_length", number(HIDDEN)),
        ("qwen2.feed_forward_length", number(FEED_FORWARD)),
        ("qwen2.attention.head_count", number(HEADS)),
        ("qwen2.attention.head_count_kv", number(KV_HEADS)),
        ("qwen2.rope.freq_base", Value::F32(10_000.0)),
        ("qwen2.attention.layer_norm_rms_epsilon", Value::F32(1e-6)),
        ("tokenizer.ggml.model", Value::String("gpt2".into())),
        ("tokenizer.ggml.pre", Value::String("qwen2".into())),
        ("tokenizer.ggml.eos_token_id", number(end)),
        ("tokenizer.ggml.tokens", texts(tokens)),
        ("tokenizer.ggml.token_type", Value::Array(types.into_iter().map(Value::I32).collect())),
        ("tokenizer.ggml.merges", texts(MERGES.iter().map(|merge| (*merge).to_string()).collect())),
        ("tokenizer.chat_template", Value::String(TEMPLATE.into())),
    ]
}

/// Bytes, merges, control and added tokens, padding; with their type codes.
fn vocabulary() -> (Vec<String>, Vec<i32>) {
    let bytes = (0..=255u8).map(|byte| (char_of(byte).to_string(), 1));
    let merged = MERGES.iter().map(|merge| (merge.replace(' ', ""), 1));
    let control = CONTROL.iter().map(|name| ((*name).to_string(), 3));
    let added = ADDED.iter().map(|name| ((*name).to_string(), 4));
    let mut all: Vec<(String, i32)> = bytes.chain(merged).chain(control).chain(added).collect();
    all.extend((all.len()..VOCABULARY).map(|id| (format!("[PAD{id}]"), 5)));
    all.into_iter().unzip()
}

struct Weights {
    state: u64,
}

// === impl Weights ===

impl Weights {
    fn all(&mut self) -> candle_core::Result<Vec<(String, QTensor)>> {
        let kv = HIDDEN / HEADS * KV_HEADS;
        let mut all = vec![
            ("token_embd.weight".into(), self.matrix(VOCABULARY, HIDDEN, GgmlDType::Q4K)?),
            ("output.weight".into(), self.matrix(VOCABULARY, HIDDEN, GgmlDType::Q6K)?),
            ("output_norm.weight".into(), self.vector(HIDDEN, 1.0)?),
        ];
        for layer in 0..LAYERS {
            let mut put = |name: &str, tensor| all.push((format!("blk.{layer}.{name}"), tensor));
            put("attn_norm.weight", self.vector(HIDDEN, 1.0)?);
            put("attn_q.weight", self.matrix(HIDDEN, HIDDEN, GgmlDType::Q4K)?);
            put("attn_q.bias", self.vector(HIDDEN, 0.0)?);
            put("attn_k.weight", self.matrix(kv, HIDDEN, GgmlDType::Q4K)?);
            put("attn_k.bias", self.vector(kv, 0.0)?);
            put("attn_v.weight", self.matrix(kv, HIDDEN, GgmlDType::Q6K)?);
            put("attn_v.bias", self.vector(kv, 0.0)?);
            put("attn_output.weight", self.matrix(HIDDEN, HIDDEN, GgmlDType::Q4K)?);
            put("ffn_norm.weight", self.vector(HIDDEN, 1.0)?);
            put("ffn_gate.weight", self.matrix(FEED_FORWARD, HIDDEN, GgmlDType::Q4K)?);
            put("ffn_up.weight", self.matrix(FEED_FORWARD, HIDDEN, GgmlDType::Q8_0)?);
            put("ffn_down.weight", self.matrix(HIDDEN, FEED_FORWARD, GgmlDType::Q6K)?);
        }
        Ok(all)
    }

    fn matrix(&mut self, rows: usize, columns: usize, dtype: GgmlDType) -> candle_core::Result<QTensor> {
        let spread = (3.0 / columns as f64).sqrt();
        let values: Vec<f32> = (0..rows * columns).map(|_| (self.draw() * spread) as f32).collect();
        QTensor::quantize(&Tensor::from_vec(values, (rows, columns), &Device::Cpu)?, dtype)
    }

    fn vector(&mut self, len: usize, center: f64) -> candle_core::Result<QTensor> {
        let values: Vec<f32> = (0..len).map(|_| (center + 0.1 * self.draw()) as f32).collect();
        QTensor::quantize(&Tensor::from_vec(values, len, &Device::Cpu)?, GgmlDType::F32)
    }

    /// Between -1 and 1.
    fn draw(&mut self) -> f64 {
        2.0 * uniform(&mut self.state) - 1.0
    }
}
