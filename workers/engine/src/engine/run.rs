//! One generation, from its prompt to its last token.
//!
//! A token is *said* when it is part of the answer, and *computed* when its keys and values are in the sequence. Said tokens wait in
//! `pending` until the next forward pass computes them together with a guess at what follows; tokens the grammar forces are said
//! without a pass of their own.

use std::time::Instant;

use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::{Event, FinishReason, Generation, Job, Usage, Workbench};
use crate::error::{Error, Result};
use crate::mask::TokenSet;
use crate::model::{Logits, States};
use crate::sample::Sampler;
use crate::speculate::propose;
use crate::text::TextStream;

/// Guessing is for decoding: behind this many waiting tokens a pass is a prefill, where wrong guesses would cost most.
const GUESS_BEHIND_TOKENS: usize = 8;

/// Candidates are few when they are at most this part of the vocabulary.
const FEW_PART: usize = 16;

/// Length of a guess after a wrong one: a pass over two tokens costs little more than over one.
const CAREFUL_GUESS: usize = 1;

/// The state of one generation.
pub(super) struct Run<'a> {
    generation: Generation,
    cancel: CancellationToken,
    events: Sender<Result<Event>>,
    bench: &'a mut Workbench,
    sampler: Sampler,
    text: TextStream,
    /// The prompt and everything said.
    tokens: Vec<u32>,
    /// Said, not computed.
    pending: Vec<u32>,
    /// How many tokens the next guess may have.
    trust: usize,
    reason: Option<FinishReason>,
    usage: Usage,
    clock: Clock,
}

struct Clock {
    started: Instant,
    first_logits: Option<Instant>,
}

// === impl Run ===

impl<'a> Run<'a> {
    pub(super) fn new(mut job: Job, bench: &'a mut Workbench) -> Self {
        let started = Instant::now();
        let queue_ms = milliseconds(job.queued, started);
        let tokens = std::mem::take(&mut job.generation.prompt);
        let usage = Usage { prompt_tokens: tokens.len(), queue_ms, ..Usage::default() };
        Self {
            sampler: Sampler::new(job.generation.temperature, job.generation.seed),
            text: TextStream::new(std::mem::take(&mut job.generation.stop)),
            generation: job.generation,
            cancel: job.cancel,
            events: job.events,
            bench,
            tokens,
            pending: Vec::new(),
            trust: CAREFUL_GUESS,
            reason: None,
            usage,
            clock: Clock { started, first_logits: None },
        }
    }

    /// Runs to the end and sends the last event.
    ///
    /// # Errors
    /// Whatever ended the generation early; being cancelled is an end, not an error.
    pub(super) fn finish(mut self) -> Result<()> {
        let outcome = self.generate();
        let reason = match outcome {
            Ok(reason) => reason,
            Err(Error::Cancelled) => FinishReason::Cancelled,
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        let first = self.clock.first_logits.unwrap_or(now);
        self.usage.prefill_ms = milliseconds(self.clock.started, first);
        self.usage.decode_ms = milliseconds(first, now);
        let text = self.text.finish();
        tracing::debug!(?reason, usage = ?self.usage, "generation done");
        // A closed channel means that the caller went away, as it may.
        let _ = self.events.try_send(Ok(Event::Done { reason, text, usage: self.usage }));
        Ok(())
    }

    fn generate(&mut self) -> Result<FinishReason> {
        self.reuse_prefix()?;
        if self.generation.max_tokens == 0 {
            return Ok(FinishReason::MaxTokens);
        }
        self.note_grammar_end();
        self.say_forced()?;
        while self.reason.is_none() {
            self.step()?;
        }
        self.reason.ok_or(Error::Cancelled)
    }

    /// Takes over what the cache knows of the prompt; at least one token remains, since logits come from computing.
    fn reuse_prefix(&mut self) -> Result<()> {
        let bench = &mut *self.bench;
        let reusable = &self.tokens[..self.tokens.len() - 1];
        let cached = bench.prefixes.restore(reusable, &mut bench.sequence)?;
        self.usage.cached_tokens = cached;
        self.pending = self.tokens[cached..].to_vec();
        Ok(())
    }

    /// One forward pass and all the tokens that follow from it.
    fn step(&mut self) -> Result<()> {
        let allowed = self.allowed()?;
        if let Some(token) = allowed.as_ref().and_then(only_member) {
            self.usage.forced_tokens += 1;
            self.say(token)?;
            return self.say_forced();
        }
        let guess = self.guess(allowed.as_ref());
        let states = self.compute(&guess)?;
        self.follow(&guess, &states, allowed)
    }

    /// Says what the logits tell, as far as the guess proves right; forgets the rest of the guess.
    fn follow(&mut self, guess: &[u32], states: &States, mut allowed: Option<TokenSet>) -> Result<()> {
        let before = self.bench.sequence.len() - guess.len();
        let mut right = 0;
        let mut all = None;
        loop {
            let said = self.tokens.len();
            let token = self.pick(states, right, allowed.as_ref(), &mut all)?;
            self.say(token)?;
            self.say_forced()?;
            // `pending` now holds what was just said: take off what the guess has computed already.
            let computed = guess[right..].iter().zip(&self.tokens[said..]).take_while(|(a, b)| a == b).count();
            self.pending.drain(..computed.min(self.pending.len()));
            right += computed;
            self.usage.guessed_tokens += computed;
            if self.reason.is_some() || !self.pending.is_empty() {
                break;
            }
            allowed = self.allowed()?;
        }
        self.bench.sequence.truncate(before + right);
        if !guess.is_empty() {
            self.trust =
                if right == guess.len() { self.trust.saturating_mul(2).saturating_add(1) } else { CAREFUL_GUESS };
        }
        Ok(())
    }

    /// The token after one of the states. Few candidates are computed alone, many with those of all states at once and only once.
    fn pick(
        &mut self,
        states: &States,
        row: usize,
        allowed: Option<&TokenSet>,
        all: &mut Option<Logits>,
    ) -> Result<u32> {
        let model = &self.bench.model;
        let few = model.shape().vocabulary / FEW_PART;
        if let Some(set) = allowed.filter(|set| all.is_none() && set.count() <= few) {
            return self.sampler.pick(&model.some_logits(states, row, set)?, Some(set));
        }
        let logits = match all {
            Some(logits) => logits,
            None => all.insert(model.all_logits(states)?),
        };
        self.sampler.pick(logits.row(row), allowed)
    }

    /// Computes all pending tokens and the guess behind them; gives the states after the last pending token and after each guessed one.
    fn compute(&mut self, guess: &[u32]) -> Result<States> {
        let bench = &mut *self.bench;
        let chunk = bench.config.prefill_chunk_tokens.max(1);
        let mut pending = std::mem::take(&mut self.pending);
        while pending.len() > chunk {
            bench.model.advance(&mut bench.sequence, &pending[..chunk], 0, &self.cancel)?;
            pending.drain(..chunk);
        }
        pending.extend_from_slice(guess);
        let states = bench.model.advance(&mut bench.sequence, &pending, 1 + guess.len(), &self.cancel)?;
        if self.clock.first_logits.is_some() {
            self.usage.decode_passes += 1;
            return Ok(states);
        }
        self.clock.first_logits = Some(Instant::now());
        let keep = self.generation.keep_prefix.unwrap_or(usize::MAX).min(self.usage.prompt_tokens);
        bench.prefixes.insert(&bench.sequence, keep)?;
        Ok(states)
    }

    fn guess(&self, allowed: Option<&TokenSet>) -> Vec<u32> {
        let said = self.usage.output_tokens;
        if !self.sampler.is_greedy() || said == 0 || self.pending.len() > GUESS_BEHIND_TOKENS {
            return Vec::new();
        }
        // The last token needs no logits behind it.
        let limit = self.bench.config.speculation_tokens.min(self.trust).min(self.generation.max_tokens - said - 1);
        let guess = propose(&self.tokens, limit);
        let fits = |token: &u32| allowed.is_none_or(|set| set.contains(*token));
        if guess.first().is_some_and(fits) { guess.to_vec() } else { Vec::new() }
    }

    /// What may be said next; `None` means anything. End-of-text tokens are in it exactly when the grammar may stop.
    fn allowed(&mut self) -> Result<Option<TokenSet>> {
        let Some(mask) = &mut self.generation.mask else {
            return Ok(None);
        };
        let vocabulary = self.bench.model.vocabulary();
        let mut set = mask.allowed()?.resized(vocabulary.len());
        let may_stop = mask.may_stop();
        for token in &vocabulary.eos {
            if may_stop { set.insert(*token) } else { set.remove(*token) }
        }
        if set.is_empty() {
            return Err(Error::MaskDeadEnd { tokens: self.usage.output_tokens });
        }
        Ok(Some(set))
    }

    /// Says everything the grammar leaves no choice about.
    fn say_forced(&mut self) -> Result<()> {
        while self.reason.is_none() {
            let Some(mask) = &mut self.generation.mask else {
                return Ok(());
            };
            let forced = mask.forced()?;
            if forced.is_empty() {
                return Ok(());
            }
            for token in forced {
                self.check_known(token)?;
                self.usage.forced_tokens += 1;
                self.say(token)?;
                if self.reason.is_some() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn check_known(&self, token: u32) -> Result<()> {
        let vocabulary = self.bench.model.vocabulary().len();
        if (token as usize) < vocabulary { Ok(()) } else { Err(Error::TokenUnknown { token, vocabulary }) }
    }

    /// Makes a token part of the answer and notices when that ends it.
    fn say(&mut self, token: u32) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if self.bench.model.vocabulary().is_eos(token) {
            self.reason = Some(FinishReason::EndOfText);
            return Ok(());
        }
        if let Some(mask) = &mut self.generation.mask {
            mask.accept(token)?;
        }
        self.tokens.push(token);
        self.pending.push(token);
        self.usage.output_tokens += 1;
        let text = self.text.push(self.bench.model.vocabulary().text_bytes(token));
        // The channel has room for every token, so this fails only when the caller went away.
        self.events.try_send(Ok(Event::Token { id: token, text })).map_err(|_| Error::Cancelled)?;
        if self.text.is_stopped() {
            self.reason = Some(FinishReason::StopText);
        }
        self.note_grammar_end();
        if self.reason.is_none() && self.usage.output_tokens >= self.generation.max_tokens {
            self.reason = Some(FinishReason::MaxTokens);
        }
        Ok(())
    }

    fn note_grammar_end(&mut self) {
        let is_complete = self.generation.mask.as_mut().is_some_and(|mask| mask.is_complete());
        if self.reason.is_none() && is_complete {
            self.reason = Some(FinishReason::GrammarComplete);
        }
    }
}

fn only_member(set: &TokenSet) -> Option<u32> {
    let mut members = set.iter();
    members.next().filter(|_| members.next().is_none())
}

fn milliseconds(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_millis()).unwrap_or(u64::MAX)
}
