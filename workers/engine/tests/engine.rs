//! The engine's promises, on the tiny random-weight model.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::LazyLock;

use proptest::prelude::*;
use silverback_engine::testing::write_tiny_model;
use silverback_engine::{
    Completion, Device, Engine, EngineConfig, Error, Event, FinishReason, Generation, MaskError, Model, TokenMask,
    TokenSet,
};

static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tiny.gguf");
    write_tiny_model(&path, 11).unwrap();
    Arc::new(Model::load(&path, Device::Cpu).unwrap())
});

fn engine(config: EngineConfig) -> Engine {
    Engine::start(MODEL.clone(), config)
}

fn run(engine: &Engine, generation: Generation) -> Completion {
    engine.generate(generation).unwrap().finish_blocking().unwrap()
}

fn prompt(seed: u32, len: u32) -> Vec<u32> {
    (0..len).map(|i| (i * i * 7 + i * 13 + seed * 101) % 256).collect()
}

fn without_speculation() -> EngineConfig {
    EngineConfig { speculation_tokens: 0, ..EngineConfig::default() }
}

/// A grammar that depends on everything said so far, and that checks the engine's manners.
struct Whim {
    seed: u64,
    said: Vec<u32>,
    offered: Option<TokenSet>,
    owed: Vec<u32>,
    length: usize,
}

impl Whim {
    fn new(seed: u64, length: usize) -> Self {
        Self { seed, said: Vec::new(), offered: None, owed: Vec::new(), length }
    }

    fn dice(&self, salt: u64, sides: u64) -> u64 {
        let fold =
            |hash: u64, token: &u32| (hash ^ u64::from(*token)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        let hash = self.said.iter().fold(self.seed ^ salt.wrapping_mul(0xD129_0B26_AC5A_4F57), fold);
        (hash.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33) % sides
    }
}

impl TokenMask for Whim {
    fn forced(&mut self) -> Result<Vec<u32>, MaskError> {
        assert!(self.owed.is_empty(), "asked again before all forced tokens were accepted");
        if self.dice(1, 5) == 0 {
            self.owed = (0..=self.dice(2, 3)).map(|i| (self.dice(3 + i, 256)) as u32).collect();
        }
        Ok(self.owed.clone())
    }

    fn allowed(&mut self) -> Result<TokenSet, MaskError> {
        let mut set = TokenSet::empty(304);
        (0..=self.dice(9, 40)).for_each(|i| set.insert(self.dice(100 + i, 256) as u32));
        self.offered = Some(set.clone());
        Ok(set)
    }

    fn accept(&mut self, token: u32) -> Result<(), MaskError> {
        if self.owed.is_empty() {
            assert!(self.offered.take().unwrap().contains(token), "token {token} was not offered");
        } else {
            assert_eq!(self.owed.remove(0), token, "a forced token was not said");
        }
        self.said.push(token);
        Ok(())
    }

    fn is_complete(&mut self) -> bool {
        self.owed.is_empty() && self.said.len() >= self.length
    }

    fn may_stop(&mut self) -> bool {
        self.dice(7, 11) == 0
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn guesses_and_memory_change_nothing_but_time(seed in any::<u64>(), len in 1u32..150, masked in any::<bool>()) {
        let fast = engine(EngineConfig { speculation_tokens: 6, ..EngineConfig::default() });
        let plain = engine(EngineConfig { prefix_cache_bytes: 0, ..without_speculation() });
        let generation = || {
            let mask = masked.then(|| Box::new(Whim::new(seed, 30)) as Box<dyn TokenMask>);
            Generation { mask, ..Generation::new(prompt(seed as u32 % 97, len), 48) }
        };
        let expected = run(&plain, generation());
        let first = run(&fast, generation());
        let again = run(&fast, generation());
        prop_assert_eq!(&first.tokens, &expected.tokens);
        prop_assert_eq!(&again.tokens, &expected.tokens);
        prop_assert_eq!(again.text, expected.text);
        prop_assert_eq!(again.reason, expected.reason);
        prop_assert_eq!(again.usage.cached_tokens, len as usize - 1);
        prop_assert_eq!(expected.usage.output_tokens, expected.tokens.len());
    }

    #[test]
    fn a_warm_sample_obeys_the_mask_and_its_seed(seed in any::<u64>()) {
        let engine = engine(EngineConfig::default());
        let generation = || Generation {
            mask: Some(Box::new(Whim::new(seed, 20))),
            temperature: 1.5,
            seed,
            ..Generation::new(prompt(3, 20), 40)
        };
        prop_assert_eq!(run(&engine, generation()).tokens, run(&engine, generation()).tokens);
    }
}

#[test]
fn guesses_are_made_and_some_prove_right() {
    // A tiny model that may not stop soon repeats itself.
    let generation = Generation { mask: Some(Box::new(Endless)), ..Generation::new(prompt(1, 40), 300) };
    let usage = run(&engine(EngineConfig { speculation_tokens: 6, ..EngineConfig::default() }), generation).usage;
    assert!(usage.guessed_tokens > 0, "{usage:?}");
    assert!(usage.decode_passes < usage.output_tokens, "{usage:?}");
}

#[test]
fn prompts_that_begin_alike_are_computed_once() {
    let engine = engine(EngineConfig { prefill_chunk_tokens: 50, ..EngineConfig::default() });
    let system = prompt(5, 200);
    let ask = |tail: &[u32]| Generation::new([&system[..], tail].concat(), 4);
    let plain = |tail: &[u32]| run(&self::engine(without_speculation()), ask(tail)).tokens;
    assert_eq!(run(&engine, ask(&[1, 2, 3])).usage.cached_tokens, 0);
    let second = run(&engine, ask(&[9, 8, 7, 6]));
    assert_eq!(second.usage.cached_tokens, 200);
    assert_eq!(second.tokens, plain(&[9, 8, 7, 6]));
    run(&engine, Generation::new(prompt(6, 300), 4));
    let third = run(&engine, ask(&[9, 8, 5]));
    assert_eq!(third.usage.cached_tokens, 202);
    assert_eq!(third.tokens, plain(&[9, 8, 5]));
}

#[test]
fn only_the_wanted_part_of_a_prompt_is_remembered() {
    let engine = engine(EngineConfig::default());
    run(&engine, Generation { keep_prefix: Some(100), ..Generation::new(prompt(5, 200), 2) });
    run(&engine, Generation::new(prompt(8, 30), 2));
    assert_eq!(run(&engine, Generation::new(prompt(5, 200), 2)).usage.cached_tokens, 100);
}

#[test]
fn dropping_the_stream_or_cancelling_frees_the_engine() {
    let engine = engine(without_speculation());
    let mut dropped =
        engine.generate(Generation { mask: Some(Box::new(Endless)), ..Generation::new(prompt(1, 50), 1900) }).unwrap();
    assert!(matches!(futures_free_next(&mut dropped), Event::Token { .. }));
    drop(dropped);
    let generation = Generation { mask: Some(Box::new(Endless)), ..Generation::new(prompt(2, 50), 1900) };
    let cancel = generation.cancel.clone();
    let mut cancelled = engine.generate(generation).unwrap();
    assert!(matches!(futures_free_next(&mut cancelled), Event::Token { .. }));
    cancel.cancel();
    let completion = cancelled.finish_blocking().unwrap();
    assert_eq!(completion.reason, FinishReason::Cancelled);
    assert!(completion.usage.output_tokens < 1900);
    assert_eq!(run(&engine, Generation::new(prompt(1, 50), 3)).usage.output_tokens, 3);
}

fn futures_free_next(stream: &mut silverback_engine::GenerationStream) -> Event {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(stream.next()).unwrap().unwrap()
}

/// Anything but the end.
struct Endless;

impl TokenMask for Endless {
    fn forced(&mut self) -> Result<Vec<u32>, MaskError> {
        Ok(Vec::new())
    }

    fn allowed(&mut self) -> Result<TokenSet, MaskError> {
        Ok(TokenSet::full(256))
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

/// Fails in a chosen way at the third token.
struct Broken {
    how: &'static str,
    accepted: usize,
}

impl TokenMask for Broken {
    fn forced(&mut self) -> Result<Vec<u32>, MaskError> {
        match (self.accepted >= 2, self.how) {
            (true, "unknown") => Ok(vec![70_000]),
            _ => Ok(Vec::new()),
        }
    }

    fn allowed(&mut self) -> Result<TokenSet, MaskError> {
        match (self.accepted >= 2, self.how) {
            (true, "panic") => panic!("mask gave up"),
            (true, "error") => Err(MaskError("no more".into())),
            (true, "empty") => Ok(TokenSet::empty(304)),
            _ => Ok(TokenSet::full(256)),
        }
    }

    fn accept(&mut self, _token: u32) -> Result<(), MaskError> {
        self.accepted += 1;
        Ok(())
    }

    fn is_complete(&mut self) -> bool {
        false
    }

    fn may_stop(&mut self) -> bool {
        false
    }
}

#[test]
fn a_broken_mask_fails_its_own_request_only() {
    let engine = engine(EngineConfig::default());
    let expected = run(&engine, Generation::new(prompt(4, 30), 8)).tokens;
    let failure = |how: &'static str| {
        let mask: Box<dyn TokenMask> = Box::new(Broken { how, accepted: 0 });
        let generation = Generation { mask: Some(mask), ..Generation::new(prompt(4, 30), 8) };
        let error = engine.generate(generation).unwrap().finish_blocking().unwrap_err();
        assert_eq!(run(&engine, Generation::new(prompt(4, 30), 8)).tokens, expected, "after {how}");
        error
    };
    assert!(matches!(failure("panic"), Error::Panicked(text) if text == "mask gave up"));
    assert!(matches!(failure("error"), Error::MaskFailed(MaskError(text)) if text == "no more"));
    assert!(matches!(failure("empty"), Error::MaskDeadEnd { tokens: 2 }));
    assert!(matches!(failure("unknown"), Error::TokenUnknown { token: 70_000, .. }));
}

#[test]
fn damaged_weights_are_an_error_not_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tiny.gguf");
    write_tiny_model(&path, 11).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let content = candle_core::quantized::gguf_file::Content::read(&mut std::io::Cursor::new(&bytes)).unwrap();
    let at = (content.tensor_data_offset + content.tensor_infos["output_norm.weight"].offset) as usize;
    bytes[at..at + 256 * 4].copy_from_slice(&[0xFF; 256 * 4]);
    std::fs::write(&path, bytes).unwrap();
    let engine = Engine::start(Arc::new(Model::load(&path, Device::Cpu).unwrap()), EngineConfig::default());
    let error = engine.generate(Generation::new(prompt(1, 10), 3)).unwrap().finish_blocking().unwrap_err();
    assert!(matches!(error, Error::LogitsUnusable), "{error}");
}

#[test]
fn a_full_queue_and_bad_prompts_are_refused_at_once() {
    let engine = engine(EngineConfig { queue_limit: 1, context_tokens: 512, ..without_speculation() });
    let refusal = |prompt: Vec<u32>| engine.generate(Generation::new(prompt, 4)).map(|_| ()).unwrap_err();
    assert!(matches!(refusal(vec![]), Error::PromptEmpty));
    assert!(matches!(refusal(vec![1; 512]), Error::PromptTooLong { prompt: 512, context: 512 }));
    assert!(matches!(refusal(vec![304]), Error::TokenUnknown { token: 304, vocabulary: 304 }));
    let endless = || Generation { mask: Some(Box::new(Endless)), ..Generation::new(prompt(1, 10), 400) };
    let mut running = engine.generate(endless()).unwrap();
    // Its first token shows that it left the queue.
    assert!(matches!(futures_free_next(&mut running), Event::Token { .. }));
    let second = endless();
    let cancel = second.cancel.clone();
    let waiting = engine.generate(second).unwrap();
    let error = refusal(vec![1]);
    assert!(matches!(error, Error::QueueFull { limit: 1 }) && error.is_retryable(), "{error}");
    assert_eq!(running.finish_blocking().unwrap().usage.output_tokens, 400);
    cancel.cancel();
    assert_eq!(waiting.finish_blocking().unwrap().reason, FinishReason::Cancelled);
    assert_eq!(run(&engine, Generation::new(vec![1; 511], 4)).usage.output_tokens, 1);
}

#[test]
fn a_stop_text_ends_the_answer_and_is_not_part_of_it() {
    let engine = engine(EngineConfig::default());
    let whole = run(&engine, Generation::new(prompt(2, 30), 40)).text;
    let middle: Vec<char> = whole.chars().skip(5).take(3).collect();
    let stop: String = middle.into_iter().collect();
    let answer =
        run(&engine, Generation { stop: vec![stop.clone(), String::new()], ..Generation::new(prompt(2, 30), 40) });
    assert_eq!(answer.text, whole.split(&stop).next().unwrap());
    assert_eq!(answer.reason, FinishReason::StopText);
}

/// Says fixed tokens without any choice.
struct Recital {
    tokens: Vec<u32>,
    at: usize,
}

impl TokenMask for Recital {
    fn forced(&mut self) -> Result<Vec<u32>, MaskError> {
        Ok(self.tokens[self.at..].to_vec())
    }

    fn allowed(&mut self) -> Result<TokenSet, MaskError> {
        Ok(self.tokens[self.at..].iter().copied().take(1).collect())
    }

    fn accept(&mut self, token: u32) -> Result<(), MaskError> {
        assert_eq!(token, self.tokens[self.at]);
        self.at += 1;
        Ok(())
    }

    fn is_complete(&mut self) -> bool {
        self.at == self.tokens.len()
    }

    fn may_stop(&mut self) -> bool {
        self.is_complete()
    }
}

#[test]
fn what_the_grammar_forces_costs_no_pass() {
    let engine = engine(EngineConfig::default());
    let tokens = MODEL.tokenizer().encode("{\"bucket\": 12}").unwrap();
    let generation = Generation {
        mask: Some(Box::new(Recital { tokens: tokens.clone(), at: 0 })),
        ..Generation::new(prompt(2, 30), 99)
    };
    let answer = run(&engine, generation);
    assert_eq!(answer.text, "{\"bucket\": 12}");
    assert_eq!(answer.reason, FinishReason::GrammarComplete);
    assert_eq!((answer.usage.forced_tokens, answer.usage.decode_passes), (tokens.len(), 0));
    let short = Generation { mask: Some(Box::new(Recital { tokens, at: 0 })), ..Generation::new(prompt(2, 30), 3) };
    let answer = run(&engine, short);
    assert_eq!((answer.reason, answer.usage.output_tokens), (FinishReason::MaxTokens, 3));
}
