//! The forward pass of a BERT encoder (Devlin et al. 2018) on plain numbers, one thread a batch.
//!
//! Not candle's: it shares every small step among threads that wait for each other, computes the padding of short texts and takes `erf`
//! number by number; together more than half of the time. Products are the `gemm` crate's, as in candle. Texts lie behind each other
//! without padding, so that a text's numbers do not depend on its neighbours.

use std::{collections::HashMap, sync::Arc};

use candle_core::{DType, Tensor};
use gemm::Parallelism;
use serde::Deserialize;

/// The part of `config.json` that counts.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Config {
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub vocab_size: usize,
    pub max_position_embeddings: usize,
    pub layer_norm_eps: f64,
    pub hidden_act: String,
}

/// A loaded encoder.
pub(super) struct Bert {
    /// The biggest table by far, and the same for every adapter.
    words: Arc<Vec<f32>>,
    /// Positions, with the type of a first sentence added.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    heads: usize,
    width: usize,
}

struct Layer {
    /// Query, key and value behind each other.
    mixed: Linear,
    attended: Linear,
    attended_norm: Norm,
    up: Linear,
    down: Linear,
    down_norm: Norm,
}

/// `y = x · Wᵀ + b`
struct Linear {
    /// `[out, in]`
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

/// A matrix inside of numbers: where it begins and how far apart its rows and columns are.
#[derive(Clone, Copy)]
struct View {
    start: usize,
    row: usize,
    column: usize,
}

/// Takes tensors out of a file by name and checks their shapes.
struct Weights<'a>(&'a HashMap<String, Tensor>);

type Result<T> = std::result::Result<T, String>;

// === impl Bert ===

impl Bert {
    /// Takes the weights apart.
    ///
    /// # Errors
    /// What the model cannot be: another activation, a tensor that is missing or of another shape.
    pub fn load(weights: &HashMap<String, Tensor>, config: &Config) -> Result<Self> {
        let (width, heads) = (config.hidden_size, config.num_attention_heads);
        if config.hidden_act != "gelu" {
            return Err(format!("its activation is {}, only gelu is supported", config.hidden_act));
        }
        if heads == 0 || width == 0 || !width.is_multiple_of(heads) {
            return Err(format!("{width} numbers cannot be shared among {heads} heads"));
        }
        let weights = Weights(weights);
        let table = |name: &str, rows| weights.numbers(&format!("embeddings.{name}_embeddings.weight"), &[rows, width]);
        let mut positions = table("position", config.max_position_embeddings)?;
        let types = weights.rows("embeddings.token_type_embeddings.weight", width)?;
        positions.chunks_exact_mut(width).for_each(|row| add(row, &types[..width]));
        let layers = (0..config.num_hidden_layers).map(|number| Layer::load(&weights, number, config));
        Ok(Self {
            words: Arc::new(table("word", config.vocab_size)?),
            positions,
            norm: weights.norm("embeddings.LayerNorm", config)?,
            layers: layers.collect::<Result<_>>()?,
            heads,
            width,
        })
    }

    /// The same, holding its table of words together with another of the same model.
    #[must_use]
    pub fn sharing_words_of(mut self, other: &Self) -> Self {
        self.words = other.words.clone();
        self
    }

    /// Numbers per state.
    pub fn width(&self) -> usize {
        self.width
    }

    /// States of all tokens, `[tokens, width]`, text after text. Every id must be below the size of the vocabulary and every text no longer
    /// than there are positions.
    pub fn forward(&self, texts: &[&[u32]]) -> Vec<f32> {
        let mut states = Vec::with_capacity(texts.iter().map(|text| text.len()).sum::<usize>() * self.width);
        for text in texts {
            for (id, position) in text.iter().zip(self.positions.chunks_exact(self.width)) {
                let start = *id as usize * self.width;
                states.extend(self.words[start..start + self.width].iter().zip(position).map(|(a, b)| a + b));
            }
        }
        self.norm.apply(&mut states);
        for layer in &self.layers {
            layer.forward(&mut states, texts, self.heads);
        }
        states
    }
}

// === impl Layer ===

impl Layer {
    fn load(weights: &Weights<'_>, number: usize, config: &Config) -> Result<Self> {
        let (width, inner) = (config.hidden_size, config.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let mut mixed = Linear { weight: Vec::new(), bias: Vec::new(), inputs: width };
        for part in ["query", "key", "value"] {
            let one = weights.linear(&name(&format!("attention.self.{part}")), width, width)?;
            mixed.weight.extend(one.weight);
            mixed.bias.extend(one.bias);
        }
        Ok(Self {
            mixed,
            attended: weights.linear(&name("attention.output.dense"), width, width)?,
            attended_norm: weights.norm(&name("attention.output.LayerNorm"), config)?,
            up: weights.linear(&name("intermediate.dense"), width, inner)?,
            down: weights.linear(&name("output.dense"), inner, width)?,
            down_norm: weights.norm(&name("output.LayerNorm"), config)?,
        })
    }

    fn forward(&self, states: &mut [f32], texts: &[&[u32]], heads: usize) {
        let attended = attend(&self.mixed.apply(states), texts, heads);
        add(states, &self.attended.apply(&attended));
        self.attended_norm.apply(states);
        let mut inner = self.up.apply(states);
        gelu(&mut inner);
        add(states, &self.down.apply(&inner));
        self.down_norm.apply(states);
    }
}

/// Each token looks at all tokens of its text. `mixed` is `[tokens, 3 · width]`, the result `[tokens, width]`.
fn attend(mixed: &[f32], texts: &[&[u32]], heads: usize) -> Vec<f32> {
    let tokens: usize = texts.iter().map(|text| text.len()).sum();
    let (wide, width) = (mixed.len() / tokens.max(1), mixed.len() / tokens.max(1) / 3);
    let head_width = width / heads;
    let scale = 1.0 / (head_width as f32).sqrt();
    let mut attended = vec![0.0; tokens * width];
    let mut scores = Vec::new();
    let mut first = 0;
    for len in texts.iter().map(|text| text.len()) {
        scores.resize(len * len, 0.0);
        for head in 0..heads {
            let part = |which: usize| first * wide + which * width + head * head_width;
            let query = View { start: part(0), row: wide, column: 1 };
            let key = View { start: part(1), row: 1, column: wide };
            let value = View { start: part(2), row: wide, column: 1 };
            let score = View { start: 0, row: len, column: 1 };
            multiply((len, head_width, len), (mixed, query), (mixed, key), (&mut scores, score));
            scores.chunks_exact_mut(len).for_each(|row| softmax(row, scale));
            let out = View { start: first * width + head * head_width, row: width, column: 1 };
            multiply((len, len, head_width), (&scores, score), (mixed, value), (&mut attended, out));
        }
        first += len;
    }
    attended
}

// === impl Linear ===

impl Linear {
    fn apply(&self, input: &[f32]) -> Vec<f32> {
        let (rows, outputs) = (input.len() / self.inputs, self.bias.len());
        let mut out = vec![0.0; rows * outputs];
        let by_row = |row| View { start: 0, row, column: 1 };
        let turned = View { start: 0, row: 1, column: self.inputs };
        let shape = (rows, self.inputs, outputs);
        multiply(shape, (input, by_row(self.inputs)), (&self.weight, turned), (&mut out, by_row(outputs)));
        out.chunks_exact_mut(outputs).for_each(|row| add(row, &self.bias));
        out
    }
}

/// `out[m, n] = left[m, k] · right[k, n]`; shape is `(m, k, n)`.
#[allow(unsafe_code)]
fn multiply((m, k, n): (usize, usize, usize), left: (&[f32], View), right: (&[f32], View), out: (&mut [f32], View)) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(left.1.holds(m, k, left.0) && right.1.holds(k, n, right.0) && out.1.holds(m, n, out.0));
    // SAFETY: all three matrices lie inside of their slices, as asserted, and `out` is borrowed alone.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.0.as_mut_ptr().add(out.1.start),
            out.1.column as isize,
            out.1.row as isize,
            false,
            left.0.as_ptr().add(left.1.start),
            left.1.column as isize,
            left.1.row as isize,
            right.0.as_ptr().add(right.1.start),
            right.1.column as isize,
            right.1.row as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

// === impl View ===

impl View {
    /// Does a matrix of this shape, neither of them 0, lie inside?
    fn holds(&self, rows: usize, columns: usize, numbers: &[f32]) -> bool {
        self.start + (rows - 1) * self.row + (columns - 1) * self.column < numbers.len()
    }
}

// === impl Norm ===

impl Norm {
    /// Moves each row to mean 0 and variance 1, then scales it.
    fn apply(&self, states: &mut [f32]) {
        let width = self.weight.len();
        for row in states.chunks_exact_mut(width) {
            let mean = sum(row, |x| x) / width as f32;
            let variance = sum(row, |x| (x - mean) * (x - mean)) / width as f32;
            let scale = 1.0 / (variance + self.epsilon).sqrt();
            for (x, (weight, bias)) in row.iter_mut().zip(self.weight.iter().zip(&self.bias)) {
                *x = (*x - mean) * scale * weight + bias;
            }
        }
    }
}

// === impl Weights ===

impl Weights<'_> {
    fn numbers(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let tensor = self.0.get(name).ok_or_else(|| format!("it has no tensor {name}"))?;
        if tensor.dims() != shape {
            return Err(format!("{name} is {:?}, not {shape:?}", tensor.dims()));
        }
        let numbers = || tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1();
        numbers().map_err(|why: candle_core::Error| format!("{name}: {why}"))
    }

    /// A table with any number of rows, at least one.
    fn rows(&self, name: &str, width: usize) -> Result<Vec<f32>> {
        let rows = self.0.get(name).and_then(|tensor| tensor.dims().first().copied()).unwrap_or(0);
        self.numbers(name, &[rows.max(1), width])
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear> {
        let weight = self.numbers(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Linear { weight, bias: self.numbers(&format!("{name}.bias"), &[outputs])?, inputs })
    }

    fn norm(&self, name: &str, config: &Config) -> Result<Norm> {
        let one = |part: &str| self.numbers(&format!("{name}.{part}"), &[config.hidden_size]);
        Ok(Norm { weight: one("weight")?, bias: one("bias")?, epsilon: config.layer_norm_eps as f32 })
    }
}

fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// Sums in eight lanes: a plain sum is one long chain of additions.
fn sum(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (pieces, rest) = numbers.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for piece in pieces {
        lanes.iter_mut().zip(piece).for_each(|(lane, x)| *lane += of(*x));
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| of(*x)).sum::<f32>()
}

fn softmax(row: &mut [f32], scale: f32) {
    let most = row.iter().copied().fold(f32::MIN, f32::max);
    row.iter_mut().for_each(|x| *x = exp((*x - most) * scale));
    let inverse = 1.0 / sum(row, |x| x);
    row.iter_mut().for_each(|x| *x *= inverse);
}

/// `x/2 · (1 + erf(x/√2))`, with erf to 2e-7 (Abramowitz and Stegun 1964, 7.1.26): no branches, so that lanes fill.
fn gelu(numbers: &mut [f32]) {
    for x in numbers {
        let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
        let t = 1.0 / (1.0 + 0.327_591_1 * z);
        let series = ((((1.061_405_4 * t - 1.453_152_1) * t) + 1.421_413_8) * t - 0.284_496_74) * t + 0.254_829_6;
        let erf = (1.0 - series * t * exp(-z * z)).copysign(*x);
        *x = 0.5 * *x * (1.0 + erf);
    }
}

/// `e^x` for x ≤ 0, to 1e-5 of its size: 2^n by the exponent's bits, the rest by a series.
fn exp(x: f32) -> f32 {
    let turns = x.max(-87.0) * std::f32::consts::LOG2_E;
    // Adding this number rounds to whole ones.
    let whole = (turns + 12_582_912.0) - 12_582_912.0;
    let rest = (turns - whole) * std::f32::consts::LN_2;
    let series = 1.0
        + rest * (1.0 + rest * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest / 720.0)))));
    series * f32::from_bits(((whole as i32 + 127) << 23) as u32)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use candle_nn::VarBuilder;
    use candle_transformers::models::bert::{BertModel, Config as Reference};

    use super::*;

    const CONFIG: &str = r#"{"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 24, "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "max_position_embeddings": 12,
        "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0,
        "position_embedding_type": "absolute", "use_cache": false, "model_type": "bert"}"#;

    fn weights() -> HashMap<String, Tensor> {
        let mut weights = HashMap::new();
        let mut random = |name: String, shape: &[usize]| {
            let tensor = Tensor::randn(0f32, 0.4, shape, &Device::Cpu).unwrap();
            weights.insert(name, tensor);
        };
        for (name, rows) in [("word", 40), ("position", 12), ("token_type", 2)] {
            random(format!("embeddings.{name}_embeddings.weight"), &[rows, 16]);
        }
        let mut pair = |name: &str, shape: &[usize]| {
            random(format!("{name}.weight"), shape);
            random(format!("{name}.bias"), &shape[..1]);
        };
        pair("embeddings.LayerNorm", &[16]);
        for layer in 0..2 {
            let mut pair = |name: &str, shape: &[usize]| pair(&format!("encoder.layer.{layer}.{name}"), shape);
            for name in ["self.query", "self.key", "self.value", "output.dense"] {
                pair(&format!("attention.{name}"), &[16, 16]);
            }
            pair("attention.output.LayerNorm", &[16]);
            pair("intermediate.dense", &[24, 16]);
            pair("output.dense", &[16, 24]);
            pair("output.LayerNorm", &[16]);
        }
        weights
    }

    #[test]
    fn states_are_those_of_candle() {
        let weights = weights();
        let bert = Bert::load(&weights, &serde_json::from_str(CONFIG).unwrap()).unwrap();
        let variables = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
        let reference: Reference = serde_json::from_str(CONFIG).unwrap();
        let reference = BertModel::load(variables, &reference).unwrap();
        let texts: [&[u32]; 3] = [&[1, 5, 39, 7, 0, 2], &[3], &[8, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]];
        let states = bert.forward(&texts);
        let mut at = 0;
        for text in texts {
            let ids = Tensor::new(text, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
            let wanted = reference.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap();
            let wanted: Vec<f32> = wanted.flatten_all().unwrap().to_vec1().unwrap();
            for (found, wanted) in states[at..at + wanted.len()].iter().zip(&wanted) {
                assert!((found - wanted).abs() < 1e-4, "{found} for {wanted}");
            }
            at += wanted.len();
        }
        assert_eq!(states.len(), at);
    }

    #[test]
    fn exp_and_gelu_are_exact_enough() {
        for step in 0..8700 {
            let x = -(step as f32) / 100.0;
            let wanted = f64::from(x).exp();
            assert!((f64::from(exp(x)) - wanted).abs() <= wanted * 1e-5 + 1e-37, "{x}");
        }
        for (x, wanted) in [(0.0, 0.0), (1.0, 0.841_344_7), (-1.0, -0.158_655_25), (5.0, 4.999_998_6), (-30.0, 0.0)] {
            let mut numbers = [x];
            gelu(&mut numbers);
            assert!((numbers[0] - wanted).abs() < 1e-6, "{x}: {}", numbers[0]);
        }
    }

    #[test]
    fn another_model_is_refused_with_what_is_wrong() {
        let refused = |change: fn(&mut HashMap<String, Tensor>, &mut Config)| {
            let (mut weights, mut config) = (weights(), serde_json::from_str(CONFIG).unwrap());
            change(&mut weights, &mut config);
            Bert::load(&weights, &config).err().expect("refused")
        };
        assert!(refused(|_, config| config.hidden_act = "relu".into()).contains("relu"));
        assert!(refused(|_, config| config.num_attention_heads = 3).contains("3 heads"));
        assert!(refused(|_, config| config.intermediate_size = 25).contains("intermediate.dense"));
        assert!(refused(|weights, _| drop(weights.remove("embeddings.LayerNorm.bias"))).contains("LayerNorm.bias"));
    }
}
