//! Speed and memory of one model file: `cargo bench -p silverback-engine --bench decode -- MODEL.gguf [--stock] [--embedder=DIR]`.
//!
//! Prints minimum, median and maximum of the rounds (`--rounds=5`). `--stock` runs candle's own model of the same file in the same process,
//! alternating with ours, after which the peak memory is that of both.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use candle_core::Tensor;
use candle_core::quantized::gguf_file::Content;
use candle_transformers::models::quantized_qwen2::ModelWeights;
use silverback_engine::{
    Device, Embedder, Engine, EngineConfig, Generation, MaskError, Message, Model, Rows, Sequence, TokenMask, TokenSet,
};
use tokio_util::sync::CancellationToken;

const PREFILL: usize = 512;
const DECODE: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(path) = arguments.iter().find(|argument| !argument.starts_with("--")).map(PathBuf::from) else {
        println!("skipped: name a GGUF file, as in `cargo bench --bench decode -- MODEL.gguf`");
        return;
    };
    let started = Instant::now();
    let model = Arc::new(Model::load(&path, Device::Cpu).unwrap());
    println!("load                 {:>8.2} s, peak memory {} MB", started.elapsed().as_secs_f64(), peak_megabytes());
    let started = Instant::now();
    pass(&model, &mut model.sequence(), &[1]);
    println!("first token          {:>8.2} s", started.elapsed().as_secs_f64());
    let mut stock = arguments.iter().any(|argument| argument == "--stock").then(|| load_stock(&path));
    let rounds = arguments.iter().find_map(|argument| argument.strip_prefix("--rounds=")?.parse().ok()).unwrap_or(5);
    measure_widths(&model, rounds);
    measure_speed(&model, stock.as_mut(), rounds);
    measure_speculation(&model, rounds);
    measure_narrow_mask(&model, rounds);
    if let Some(dir) = arguments.iter().find_map(|argument| argument.strip_prefix("--embedder=")) {
        measure_embedder(Path::new(dir), rounds);
    }
    println!("peak memory          {:>8} MB", peak_megabytes());
}

fn load_stock(path: &Path) -> ModelWeights {
    let started = Instant::now();
    let mut file = File::open(path).unwrap();
    let content = Content::read(&mut file).unwrap();
    let stock = ModelWeights::from_gguf(content, &mut file, &candle_core::Device::Cpu).unwrap();
    println!("stock: load          {:>8.2} s", started.elapsed().as_secs_f64());
    stock
}

fn measure_speed(model: &Model, mut stock: Option<&mut ModelWeights>, rounds: usize) {
    let prompt: Vec<u32> = (0..PREFILL as u32).map(|i| 1000 + i * 7 % 5000).collect();
    let [mut prefill, mut decode, mut stock_prefill, mut stock_decode] = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        let mut sequence = model.sequence();
        prefill.push(rate(PREFILL, || prompt.chunks(256).for_each(|chunk| pass(model, &mut sequence, chunk))));
        decode.push(rate(DECODE, || (0..DECODE).for_each(|_| pass(model, &mut sequence, &[1000]))));
        let Some(stock) = &mut stock else { continue };
        stock_prefill.push(rate(PREFILL, || stock_pass(stock, &prompt, 0)));
        stock_decode.push(rate(DECODE, || (0..DECODE).for_each(|i| stock_pass(stock, &[1000], PREFILL + i))));
    }
    print("prefill 512", prefill, "tokens/s");
    print("decode 64", decode, "tokens/s");
    if stock.is_some() {
        print("stock: prefill 512", stock_prefill, "tokens/s");
        print("stock: decode 64", stock_decode, "tokens/s");
    }
}

/// What guessing ahead pays: the time of a pass over several tokens.
fn measure_widths(model: &Model, rounds: usize) {
    for width in [1, 2, 3, 4, 5, 6, 8, 16, 32, 64] {
        let mut sequence = model.sequence();
        pass(model, &mut sequence, &[1000; 128]);
        let times = (0..rounds).map(|_| {
            let started = Instant::now();
            let tokens = vec![1000; width];
            model.forward(&mut sequence, &tokens, Rows::Last(width.min(8)), &CancellationToken::new()).unwrap();
            started.elapsed().as_secs_f64() * 1e3
        });
        print(&format!("pass of {width}"), times.collect(), "ms");
    }
}

fn measure_speculation(model: &Arc<Model>, rounds: usize) {
    let text = "Copy this list exactly: i-0abc123, i-0def456, vpc-12345678, subnet-87654321, arn:aws:s3:::raw/clean.csv, logs-eu-west-1";
    let prompt = model.encode_chat(&[Message::system("You copy."), Message::user(text)]).unwrap();
    for speculation_tokens in [0, 3, 7] {
        let engine = Engine::start(model.clone(), EngineConfig { speculation_tokens, ..EngineConfig::default() });
        let mut usage = Vec::new();
        let times = (0..rounds).map(|_| {
            let answer = engine.generate(Generation::new(prompt.clone(), DECODE)).unwrap().finish_blocking().unwrap();
            usage.push(answer.usage);
            answer.usage.decode_ms as f64
        });
        print(&format!("copy, {speculation_tokens} guessed"), times.collect(), "ms");
        println!("    {:?}", usage[0]);
    }
}

/// Ten tokens to choose from at each step, never a forced one.
struct Narrow;

impl TokenMask for Narrow {
    fn forced(&mut self) -> Result<Vec<u32>, MaskError> {
        Ok(Vec::new())
    }

    fn allowed(&mut self) -> Result<TokenSet, MaskError> {
        Ok((0..10).map(|i| 1000 + i * 1000).collect())
    }

    fn accept(&mut self, _token: u32) -> Result<(), MaskError> {
        Ok(())
    }

    fn is_complete(&mut self) -> bool {
        false
    }

    fn may_stop(&mut self) -> bool {
        false
    }
}

fn measure_narrow_mask(model: &Arc<Model>, rounds: usize) {
    let engine = Engine::start(model.clone(), EngineConfig { speculation_tokens: 0, ..EngineConfig::default() });
    let prompt: Vec<u32> = (0..128).map(|i| 1000 + i * 7).collect();
    let rates = (0..rounds).map(|_| {
        let generation = Generation { mask: Some(Box::new(Narrow)), ..Generation::new(prompt.clone(), DECODE) };
        let usage = engine.generate(generation).unwrap().finish_blocking().unwrap().usage;
        usage.decode_passes as f64 / usage.decode_ms as f64 * 1e3
    });
    print("decode, 10 choices", rates.collect(), "tokens/s");
}

fn measure_embedder(dir: &Path, rounds: usize) {
    let embedder = Embedder::load(dir).unwrap();
    let sentence = "Create a bucket for the logs of the web servers in Ireland";
    for count in [1, 32] {
        let times = (0..rounds).map(|_| {
            let started = Instant::now();
            embedder.embed(&vec![sentence; count]).unwrap();
            started.elapsed().as_secs_f64() * 1e3
        });
        print(&format!("embed {count}"), times.collect(), "ms");
    }
}

fn pass(model: &Model, sequence: &mut Sequence, tokens: &[u32]) {
    model.forward(sequence, tokens, Rows::Last(1), &CancellationToken::new()).unwrap();
}

fn stock_pass(stock: &mut ModelWeights, tokens: &[u32], at: usize) {
    let ids = Tensor::new(tokens, &candle_core::Device::Cpu).unwrap().unsqueeze(0).unwrap();
    stock.forward(&ids, at).unwrap();
}

fn rate(tokens: usize, work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    tokens as f64 / started.elapsed().as_secs_f64()
}

fn print(what: &str, mut values: Vec<f64>, unit: &str) {
    values.sort_by(f64::total_cmp);
    let (min, median, max) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    println!("{what:<20} {min:>8.1} {median:>8.1} {max:>8.1} {unit}");
}

/// Highest resident memory of this process so far.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1024
}
