//! The real models, when `SILVERBACK_TEST_MODEL_0_5B` and `SILVERBACK_TEST_MODEL_1_5B` name their files and `SILVERBACK_TEST_EMBEDDER` the
//! directory of all-MiniLM-L6-v2.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::gguf_file;
use candle_core::{Device as CandleDevice, Tensor};
use candle_transformers::models::quantized_qwen2::ModelWeights;
use silverback_engine::{
    Device, Embedder, Engine, EngineConfig, FinishReason, Generation, MaskError, Message, Model, Rows, TokenMask,
    TokenSet, Vocabulary,
};
use tokio_util::sync::CancellationToken;

const SMALL: &str = "SILVERBACK_TEST_MODEL_0_5B";
const LARGE: &str = "SILVERBACK_TEST_MODEL_1_5B";

fn path(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        eprintln!("skipped: {variable} is not set");
    }
    path
}

fn model(variable: &str) -> Option<Model> {
    path(variable).map(|path| Model::load(&path, Device::Cpu).unwrap())
}

fn prompts(model: &Model) -> Vec<Vec<u32>> {
    let questions =
        ["List my S3 buckets.", "Scale the web deployment to 5 replicas.", "Write a function that adds two numbers."];
    let ask =
        |question: &&str| model.encode_chat(&[Message::system("You are terse."), Message::user(*question)]).unwrap();
    questions.iter().map(ask).collect()
}

fn likeliest(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap()
}

fn load_stock(path: &Path) -> ModelWeights {
    let mut file = File::open(path).unwrap();
    let content = gguf_file::Content::read(&mut file).unwrap();
    ModelWeights::from_gguf(content, &mut file, &CandleDevice::Cpu).unwrap()
}

/// Greedy decoding by our choices. Where candle's differs, ours must be a near tie there: `tie` is how near.
fn assert_equals_stock(variable: &str, tie: f32) {
    let Some(path) = path(variable) else { return };
    let model = Model::load(&path, Device::Cpu).unwrap();
    let mut stock = load_stock(&path);
    let (mut same, mut total, mut furthest) = (0, 0, 0f32);
    for prompt in prompts(&model) {
        let (mut sequence, mut next, mut at) = (model.sequence(), prompt, 0);
        for _ in 0..32 {
            let ours = model.forward(&mut sequence, &next, Rows::Last(1), &CancellationToken::new()).unwrap();
            let ids = Tensor::new(next.as_slice(), &CandleDevice::Cpu).unwrap().unsqueeze(0).unwrap();
            let theirs: Vec<f32> = stock.forward(&ids, at).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            at += next.len();
            let (our_best, their_best) = (likeliest(ours.row(0)), likeliest(&theirs));
            let behind = theirs[their_best] - theirs[our_best];
            assert!(behind <= tie, "we say {our_best}, candle {their_best} by {behind}");
            (same, total) = (same + usize::from(our_best == their_best), total + 1);
            furthest = ours.row(0).iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(furthest, f32::max);
            next = vec![our_best as u32];
        }
    }
    eprintln!("{variable}: {same} of {total} tokens as candle's, logits at most {furthest} apart");
}

#[test]
fn the_1_5b_says_what_candles_stock_model_says() {
    assert_equals_stock(LARGE, 0.5);
}

#[test]
fn the_0_5b_says_what_candles_stock_model_says() {
    assert_equals_stock(SMALL, 0.5);
}

#[test]
fn tokens_are_the_familys_own() {
    let Some(model) = model(SMALL) else { return };
    let encode = |text: &str| model.tokenizer().encode(text).unwrap();
    assert_eq!(encode("Hello, world!"), [9707, 11, 1879, 0]);
    assert_eq!(encode("2024").len(), 4, "digits stand alone");
    assert_eq!(model.tokenizer().token_named("<|im_start|>"), Some(151_644));
    assert_eq!(model.vocabulary().eos, [151_645, 151_643]);
    let text = "naïve café e\u{301} \u{1F98D}\r\n\t{\"a\": [1, 2]}  <|im_end|> don't";
    assert_eq!(model.vocabulary().decode(&encode(text)), text);
}

#[test]
fn the_chat_template_is_the_models_own() {
    let Some(model) = model(SMALL) else { return };
    let text = model.template().render(&[Message::user("hi")], &[]).unwrap();
    let system = "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n";
    assert_eq!(text, format!("{system}<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"));
    let tool = serde_json::json!({"type": "function", "function": {"name": "f", "parameters": {}}});
    let text = model.template().render(&[Message::system("s"), Message::user("hi")], &[tool]).unwrap();
    assert!(
        text.contains(
            "<tools>\n{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": {}}}\n</tools>"
        ),
        "{text}"
    );
}

/// Any number of digits up to a bound, then the end.
struct Digits {
    tokens: TokenSet,
    left: usize,
}

impl Digits {
    fn new(vocabulary: &Vocabulary, left: usize) -> Self {
        let is_digit = |id: &u32| matches!(vocabulary.text_bytes(*id), [byte] if byte.is_ascii_digit());
        Self { tokens: (0..vocabulary.len() as u32).filter(is_digit).collect(), left }
    }
}

impl TokenMask for Digits {
    fn forced(&mut self) -> Result<Vec<u32>, MaskError> {
        Ok(Vec::new())
    }

    fn allowed(&mut self) -> Result<TokenSet, MaskError> {
        Ok(self.tokens.clone())
    }

    fn accept(&mut self, token: u32) -> Result<(), MaskError> {
        assert!(self.tokens.contains(token), "a masked token was said");
        self.left -= 1;
        Ok(())
    }

    fn is_complete(&mut self) -> bool {
        self.left == 0
    }

    fn may_stop(&mut self) -> bool {
        true
    }
}

#[test]
fn the_1_5b_knows_aws_and_obeys_a_mask() {
    let Some(model) = model(LARGE) else { return };
    let engine = Engine::start(Arc::new(model), EngineConfig::default());
    let messages =
        [Message::system("You answer with one aws command line, nothing else."), Message::user("List my S3 buckets.")];
    let prompt = engine.model().encode_chat(&messages).unwrap();
    let run = |generation| engine.generate(generation).unwrap().finish_blocking().unwrap();
    let answer = run(Generation::new(prompt.clone(), 24));
    assert!(answer.text.contains("aws s3"), "{answer:?}");
    let mask: Box<dyn TokenMask> = Box::new(Digits::new(engine.model().vocabulary(), 5));
    let answer = run(Generation { mask: Some(mask), ..Generation::new(prompt, 24) });
    assert!(answer.text.chars().all(|c| c.is_ascii_digit()), "{answer:?}");
    assert!(matches!(answer.reason, FinishReason::GrammarComplete | FinishReason::EndOfText));
    assert!(answer.usage.cached_tokens > 0);
}

#[test]
fn guesses_change_no_token_of_the_1_5b() {
    let Some(model) = model(LARGE).map(Arc::new) else { return };
    let text = "Repeat exactly: i-0abc123, i-0def456, vpc-12345678, arn:aws:s3:::raw/clean.csv";
    let prompt = model.encode_chat(&[Message::user(text)]).unwrap();
    let run = |speculation_tokens| {
        let engine = Engine::start(model.clone(), EngineConfig { speculation_tokens, ..EngineConfig::default() });
        engine.generate(Generation::new(prompt.clone(), 48)).unwrap().finish_blocking().unwrap()
    };
    let (plain, guessed) = (run(0), run(3));
    assert_eq!(plain.tokens, guessed.tokens);
    assert!(guessed.usage.decode_passes < plain.usage.decode_passes, "{:?}", guessed.usage);
}

#[test]
fn sentences_of_like_meaning_lie_together() {
    let Some(dir) = path("SILVERBACK_TEST_EMBEDDER") else { return };
    let embedder = Embedder::load(&dir).unwrap();
    let texts = ["create a bucket", "make a new storage bucket in the cloud", "the weather is nice today", ""];
    let vectors = embedder.embed(&texts).unwrap();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    for (text, vector) in texts.iter().zip(&vectors) {
        assert_eq!(vector.len(), 384);
        assert!((dot(vector, vector) - 1.0).abs() < 1e-4);
        let alone = embedder.embed(&[text]).unwrap().remove(0);
        assert!(dot(vector, &alone) > 0.9999, "beside others {text:?} has another vector");
    }
    assert!(dot(&vectors[0], &vectors[1]) > 0.6 && dot(&vectors[0], &vectors[2]) < 0.2);
    assert!(embedder.embed(&[]).unwrap().is_empty());
}
