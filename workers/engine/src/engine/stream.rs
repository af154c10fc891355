//! What comes back from a generation.

use tokio::sync::mpsc::Receiver;
use tokio_util::sync::DropGuard;

use crate::error::{Error, Result};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A token was said.
    Token {
        /// Its id.
        id: u32,
        /// Text that became certain with it; empty while a character or a possible stop text is incomplete.
        text: String,
    },
    /// The last event.
    Done {
        /// Why it ended.
        reason: FinishReason,
        /// Text that was still held back.
        text: String,
        /// What it took.
        usage: Usage,
    },
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model ended its answer.
    EndOfText,
    /// The grammar is complete.
    GrammarComplete,
    /// A stop text came.
    StopText,
    /// As many tokens as asked for, or as fit.
    MaxTokens,
    /// The caller cancelled.
    Cancelled,
}

/// What a generation took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Those of them that were not computed again.
    pub cached_tokens: usize,
    /// Tokens said, forced and guessed ones included.
    pub output_tokens: usize,
    /// Those the grammar left no choice about.
    pub forced_tokens: usize,
    /// Those that were guessed ahead and proved right.
    pub guessed_tokens: usize,
    /// Forward passes after the prompt's.
    pub decode_passes: usize,
    /// Milliseconds in the queue.
    pub queue_ms: u64,
    /// Milliseconds until the first logits.
    pub prefill_ms: u64,
    /// Milliseconds from there to the end.
    pub decode_ms: u64,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The answer without the stop text.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub reason: FinishReason,
    /// What it took.
    pub usage: Usage,
}

/// The events of one generation, in order; dropping it cancels the generation.
pub struct GenerationStream {
    events: Receiver<Result<Event>>,
    _cancel: DropGuard,
}

// === impl GenerationStream ===

impl GenerationStream {
    pub(super) fn new(events: Receiver<Result<Event>>, cancel: DropGuard) -> Self {
        Self { events, _cancel: cancel }
    }

    /// The next event; `None` after [`Event::Done`] or an error.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        self.events.recv().await
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    /// What ended the generation early, [`Error::EngineStopped`] when the engine went away.
    pub async fn finish(mut self) -> Result<Completion> {
        let mut answer = Partial::default();
        while let Some(event) = self.events.recv().await {
            if let Some(completion) = answer.add(event?) {
                return Ok(completion);
            }
        }
        Err(Error::EngineStopped)
    }

    /// As [`GenerationStream::finish`], for threads outside an async runtime.
    ///
    /// # Errors
    /// As there.
    pub fn finish_blocking(mut self) -> Result<Completion> {
        let mut answer = Partial::default();
        while let Some(event) = self.events.blocking_recv() {
            if let Some(completion) = answer.add(event?) {
                return Ok(completion);
            }
        }
        Err(Error::EngineStopped)
    }
}

#[derive(Default)]
struct Partial {
    text: String,
    tokens: Vec<u32>,
}

// === impl Partial ===

impl Partial {
    fn add(&mut self, event: Event) -> Option<Completion> {
        match event {
            Event::Token { id, text } => {
                self.tokens.push(id);
                self.text += &text;
                None
            }
            Event::Done { reason, text, usage } => {
                let (text, tokens) = (std::mem::take(&mut self.text) + &text, std::mem::take(&mut self.tokens));
                Some(Completion { text, tokens, reason, usage })
            }
        }
    }
}
