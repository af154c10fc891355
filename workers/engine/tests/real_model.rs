//! The real models, when `SILVERBACK_TEST_MODEL_0_5B` and `SILVERBACK_TEST_MODEL_1_5B` name their files.

use std::path::PathBuf;
use std::sync::Arc;

use silverback_engine::{
    Device, Engine, EngineConfig, FinishReason, Generation, MaskError, Message, Model, TokenMask, TokenSet, Vocabulary,
};

fn model(variable: &str) -> Option<Model> {
    let Some(path) = std::env::var_os(variable).map(PathBuf::from) else {
        eprintln!("skipped: {variable} is not set to a GGUF file");
        return None;
    };
    Some(Model::load(&path, Device::Cpu).unwrap())
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
fn the_1_5b_answers_and_obeys_a_mask() {
    let Some(model) = model("SILVERBACK_TEST_MODEL_1_5B") else { return };
    let started = std::time::Instant::now();
    let engine = Engine::start(Arc::new(model), EngineConfig::default());
    let messages = [Message::system("You answer with one aws command line."), Message::user("List my S3 buckets.")];
    let prompt = engine.model().encode_chat(&messages).unwrap();
    let answer = engine.generate(Generation::new(prompt.clone(), 24)).unwrap().finish_blocking().unwrap();
    eprintln!("{answer:?} {:?}", started.elapsed());
    assert!(answer.text.contains("aws s3"), "{answer:?}");
    let mut masked = Generation::new(prompt, 24);
    masked.mask = Some(Box::new(Digits::new(engine.model().vocabulary(), 5)));
    let answer = engine.generate(masked).unwrap().finish_blocking().unwrap();
    eprintln!("{answer:?} {:?}", started.elapsed());
    assert!(answer.text.chars().all(|c| c.is_ascii_digit()));
    assert!(matches!(answer.reason, FinishReason::GrammarComplete | FinishReason::EndOfText));
    assert!(answer.usage.cached_tokens > 0);
}
