//! One model with its grammars, shared by every role in the process: prompts in, text out.

use std::{path::Path, sync::Arc};

use silverback_decoding::{Grammar, GrammarFactory, TokenTable};
use silverback_engine::{
    Completion, Device, Engine, EngineConfig, Generation, GenerationStream, Message, Model, TokenKind, Weighing,
};
use tokio_util::sync::CancellationToken;

use crate::{WorkerError, mask::GrammarMask};

/// Writes text with one shared model. Clones share it.
#[derive(Clone)]
pub struct Writer {
    engine: Engine,
    grammars: Arc<GrammarFactory>,
}

/// What to write.
#[derive(Clone, Default)]
pub struct Order {
    /// System message first; the part that repeats is computed once.
    pub messages: Vec<Message>,
    /// What may be called, in the form that the model was trained on.
    pub tools: Vec<serde_json::Value>,
    /// Words the answer begins with; they are not in the completion.
    pub opener: String,
    /// What may be said; anything when `None`.
    pub grammar: Option<Grammar>,
    /// Most tokens of output.
    pub max_tokens: usize,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Ends the work within one step.
    pub cancel: CancellationToken,
}

// === impl Writer ===

impl Writer {
    /// Loads a GGUF file and starts its engine; takes seconds.
    ///
    /// # Errors
    /// When the file is no model that the engine knows, or its vocabulary cannot be used under a grammar.
    pub fn load(path: &Path, device: Device, config: EngineConfig) -> Result<Self, WorkerError> {
        let model = Arc::new(Model::load(path, device)?);
        let grammars = Arc::new(GrammarFactory::new(token_table(&model)?)?);
        Ok(Self { engine: Engine::start(model, config), grammars })
    }

    /// Starts to write; tokens come through the stream.
    ///
    /// # Errors
    /// When the prompt is too long, the grammar too large or the queue full.
    pub fn stream(&self, order: Order) -> Result<GenerationStream, WorkerError> {
        let model = self.engine.model();
        let prompt = self.prompt(&order)?;
        let mut generation = Generation::new(prompt, order.max_tokens);
        if let Some(grammar) = &order.grammar {
            let matcher = self.grammars.compile(grammar)?;
            generation.mask = Some(Box::new(GrammarMask::new(matcher, model.vocabulary().len())));
        }
        generation.stop = order.stop;
        generation.cancel = order.cancel;
        Ok(self.engine.generate(generation)?)
    }

    /// Log-likelihood of each of these answers to the order, after its opener and in their order; an empty one is the end of the turn.
    ///
    /// # Errors
    /// When a prompt is too long or the queue full.
    pub async fn weigh(&self, order: Order, answers: &[String]) -> Result<Vec<f32>, WorkerError> {
        let tokenizer = self.engine.model().tokenizer();
        let end = || self.engine.model().vocabulary().eos.iter().copied().take(1).collect();
        let text = |answer: &String| if answer.is_empty() { Ok(end()) } else { tokenizer.encode(answer) };
        let texts = answers.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        let prompt = self.prompt(&order)?;
        Ok(self.engine.weigh(Weighing { prompt, texts, cancel: order.cancel }).await?)
    }

    fn prompt(&self, order: &Order) -> Result<Vec<u32>, WorkerError> {
        let model = self.engine.model();
        let mut prompt = model.encode_chat_with_tools(&order.messages, &order.tools)?;
        if !order.opener.is_empty() {
            prompt.extend(model.tokenizer().encode(&order.opener)?);
        }
        Ok(prompt)
    }

    /// Writes the whole text.
    ///
    /// # Errors
    /// As [`Writer::stream`], and what happens on the way.
    pub async fn write(&self, order: Order) -> Result<Completion, WorkerError> {
        Ok(self.stream(order)?.finish().await?)
    }
}

fn token_table(model: &Arc<Model>) -> Result<TokenTable, WorkerError> {
    let vocabulary = model.vocabulary();
    let is_special = |id: &u32| vocabulary.kinds[*id as usize] != TokenKind::Text;
    let special: Vec<u32> = (0..vocabulary.len() as u32).filter(is_special).collect();
    let tokens: Vec<Vec<u8>> = (0..vocabulary.len() as u32)
        .map(|id| if is_special(&id) { Vec::new() } else { vocabulary.text_bytes(id).to_vec() })
        .collect();
    let eos = vocabulary.eos.first().copied().unwrap_or_default();
    let tokenizer = model.clone();
    let tokenize =
        move |bytes: &[u8]| tokenizer.tokenizer().encode(&String::from_utf8_lossy(bytes)).unwrap_or_default();
    Ok(TokenTable::new(tokens, eos, special, Box::new(tokenize))?)
}
