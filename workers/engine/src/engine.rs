//! One thread that owns the arithmetic, and the handle through which everybody asks it for tokens.
//!
//! Requests are served one at a time, first come, first served. `run` holds one generation from prompt to last token and is the seam
//! for several at once: it advances in steps, each one forward pass.

mod run;
mod stream;
mod weigh;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use self::run::Run;
pub use self::stream::{Completion, Event, FinishReason, GenerationStream, Usage};
pub use self::weigh::Weighing;
use crate::config::EngineConfig;
use crate::error::{Error, Result};
use crate::mask::TokenMask;
use crate::model::{Model, Sequence};
use crate::prefix::PrefixCache;

/// One request for tokens.
pub struct Generation {
    /// The prompt; see [`Model::encode_chat`].
    pub prompt: Vec<u32>,
    /// Most tokens of output, forced ones included. What does not fit the context is cut off this number.
    pub max_tokens: usize,
    /// What may be said; anything when `None`.
    pub mask: Option<Box<dyn TokenMask>>,
    /// Texts that end the answer and are not part of it.
    pub stop: Vec<String>,
    /// Ends the generation within one step.
    pub cancel: CancellationToken,
    /// 0 takes the likeliest token, 1 follows the model's own likelihoods.
    pub temperature: f32,
    /// Makes a temperature above 0 reproducible.
    pub seed: u64,
    /// How many tokens of the prompt are worth remembering; all when `None`.
    pub keep_prefix: Option<usize>,
}

/// Handle to a running engine; clones share it. The thread ends after the last handle is gone.
#[derive(Clone)]
pub struct Engine {
    model: Arc<Model>,
    config: Arc<EngineConfig>,
    jobs: Sender<Work>,
}

/// A generation on its way to the thread.
struct Job {
    generation: Generation,
    cancel: CancellationToken,
    events: Sender<Result<Event>>,
    queued: Instant,
}

/// What the thread is asked for.
enum Work {
    Generate(Job),
    Weigh(weigh::Job),
}

/// What the thread keeps between generations.
struct Workbench {
    model: Arc<Model>,
    config: Arc<EngineConfig>,
    sequence: Sequence,
    prefixes: PrefixCache,
}

// === impl Generation ===

impl Generation {
    /// Greedy, without grammar or stop texts.
    pub fn new(prompt: Vec<u32>, max_tokens: usize) -> Self {
        Self {
            prompt,
            max_tokens,
            mask: None,
            stop: Vec::new(),
            cancel: CancellationToken::new(),
            temperature: 0.0,
            seed: 0,
            keep_prefix: None,
        }
    }
}

// === impl Engine ===

impl Engine {
    /// Starts the thread.
    pub fn start(model: Arc<Model>, config: EngineConfig) -> Self {
        let (jobs, queue) = channel(config.queue_limit.max(1));
        let config = Arc::new(config);
        let bench = Workbench::new(model.clone(), config.clone());
        std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || serve(bench, queue))
            .expect("a thread can be started when a process starts");
        Self { model, config, jobs }
    }

    /// The model, for its tokenizer, vocabulary and template.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Longest prompt plus answer in tokens.
    pub fn context_tokens(&self) -> usize {
        self.config.context_tokens.min(self.model.shape().context)
    }

    /// Queues a generation. Dropping the stream cancels it within one step.
    ///
    /// # Errors
    /// At once: [`Error::QueueFull`], [`Error::PromptEmpty`], [`Error::PromptTooLong`], [`Error::TokenUnknown`], [`Error::EngineStopped`].
    /// Later ones come through the stream.
    pub fn generate(&self, mut generation: Generation) -> Result<GenerationStream> {
        self.check(generation.prompt.len(), &generation.prompt)?;
        let room = self.context_tokens() - generation.prompt.len();
        generation.max_tokens = generation.max_tokens.min(room);
        // One event a token and one at the end: a reader that stops reading holds up nobody, and memory stays bounded.
        let (events, receiver) = channel(generation.max_tokens + 2);
        let cancel = generation.cancel.child_token();
        let stream = GenerationStream::new(receiver, cancel.clone().drop_guard());
        let job = Job { generation, cancel, events, queued: Instant::now() };
        self.queue(Work::Generate(job))?;
        Ok(stream)
    }

    /// Log-likelihood of each text after the prompt, in their order.
    ///
    /// # Errors
    /// As [`Engine::generate`].
    pub async fn weigh(&self, weighing: Weighing) -> Result<Vec<f32>> {
        let longest = weighing.texts.iter().map(Vec::len).max().unwrap_or_default();
        let tokens = weighing.texts.iter().flatten().chain(&weighing.prompt);
        self.check(weighing.prompt.len(), tokens)?;
        let (prompt, context) = (weighing.prompt.len() + longest, self.context_tokens());
        if prompt >= context {
            return Err(Error::PromptTooLong { prompt, context });
        }
        if weighing.texts.iter().any(Vec::is_empty) {
            return Err(Error::PromptEmpty);
        }
        let (reply, answer) = oneshot::channel();
        self.queue(Work::Weigh(weigh::Job { weighing, reply }))?;
        answer.await.map_err(|_| Error::EngineStopped)?
    }

    fn queue(&self, work: Work) -> Result<()> {
        self.jobs.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => Error::QueueFull { limit: self.config.queue_limit },
            TrySendError::Closed(_) => Error::EngineStopped,
        })
    }

    fn check<'a>(&self, prompt: usize, tokens: impl IntoIterator<Item = &'a u32>) -> Result<()> {
        let context = self.context_tokens();
        if prompt == 0 {
            return Err(Error::PromptEmpty);
        }
        if prompt >= context {
            return Err(Error::PromptTooLong { prompt, context });
        }
        let vocabulary = self.model.shape().vocabulary;
        let unknown = tokens.into_iter().find(|token| **token as usize >= vocabulary);
        unknown.map_or(Ok(()), |token| Err(Error::TokenUnknown { token: *token, vocabulary }))
    }
}

// === impl Workbench ===

impl Workbench {
    fn new(model: Arc<Model>, config: Arc<EngineConfig>) -> Self {
        let sequence = model.sequence();
        let prefixes = PrefixCache::new(config.prefix_cache_bytes);
        Self { model, config, sequence, prefixes }
    }
}

/// Serves until the last handle is gone. Whatever happens in one piece of work becomes that one's error.
fn serve(mut bench: Workbench, mut queue: Receiver<Work>) {
    while let Some(work) = queue.blocking_recv() {
        match work {
            Work::Generate(job) => {
                let events = job.events.clone();
                let outcome = guarded(&mut bench, |bench| Run::new(job, bench).finish());
                if let Err(error) = outcome {
                    tracing::debug!(%error, "generation failed");
                    // A full or closed channel means that nobody reads: then the error concerns nobody.
                    let _ = events.try_send(Err(error));
                }
            }
            Work::Weigh(weigh::Job { weighing, reply }) => {
                let outcome = guarded(&mut bench, |bench| bench.weigh(&weighing));
                // As above.
                let _ = reply.send(outcome);
            }
        }
    }
}

fn guarded<T>(bench: &mut Workbench, work: impl FnOnce(&mut Workbench) -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| work(bench))).unwrap_or_else(|panic| {
        // What the panic left half-written is not to be trusted.
        *bench = Workbench::new(bench.model.clone(), bench.config.clone());
        Err(Error::Panicked(panic_text(panic.as_ref())))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".into())
}
