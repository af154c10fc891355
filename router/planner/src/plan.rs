//! The way from a request to its steps: split into wishes ▶ say each in full, where there are several ▶ give each to a capability or refuse it.

use std::{collections::BTreeMap, ops::Range};

use futures::{StreamExt, future::join_all};
use silverback_graph::{Step, StepId, Unanswered, Usage};
use silverback_proto::v1::{self, generate_done::Reason, generate_event::Event, generate_request::Constraint};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::{
    General, PlannerError,
    faithful::is_faithful,
    order, prompt,
    quoted::Masked,
    refusal::{self, Scores},
    sense::{beside, weigh},
    wishes::wishes,
};

/// Tokens a plan may take: 16 steps of an ordinary sentence.
const MAX_PLAN_TOKENS: u32 = 600;

/// What can be asked for now, from the registry's snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityInfo {
    /// As in the registry, e.g. `aws`.
    pub name: String,
    /// One line for the planner's prompt.
    pub description: String,
    /// Requests that it serves, for classification.
    pub examples: Vec<String>,
}

/// The steps of a request, and what is refused.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// All steps that were sent.
    pub steps: Vec<Step>,
    /// Pieces that no capability serves, or that were lost.
    pub unanswered: Vec<Unanswered>,
    /// The general worker's time and tokens.
    pub usage: Usage,
}

/// Splits `text` into steps and sends each one as soon as it is known.
///
/// # Errors
/// When no general worker answers.
pub async fn plan(
    general: &dyn General,
    text: &str,
    capabilities: &[CapabilityInfo],
    steps: mpsc::UnboundedSender<Step>,
) -> Result<Planned, PlannerError> {
    let masked = Masked::of(text);
    let planned = Planned::default();
    let (lines, ids) = (Vec::new(), Vec::new());
    let whole = None;
    let mut planning = Planning { general, masked: &masked, capabilities, steps, planned, whole, lines, ids };
    let wishes = planning.split().await?;
    debug!(?wishes, "split");
    match wishes.as_slice() {
        // Its own words say more than any other's.
        [wish] => planning.take(wish).await?,
        wishes => planning.say_in_full(wishes).await?,
    }
    Ok(planning.planned)
}

/// One request on its way.
struct Planning<'a> {
    general: &'a dyn General,
    /// With names for quoted texts.
    masked: &'a Masked,
    capabilities: &'a [CapabilityInfo],
    steps: mpsc::UnboundedSender<Step>,
    planned: Planned,
    /// What the request is about as one, where it holds several wishes.
    whole: Option<Scores>,
    /// The wishes so far.
    lines: Vec<String>,
    /// What became of each: the step's id, or nothing when it was refused.
    ids: Vec<Option<StepId>>,
}

// === impl Planning ===

impl<'a> Planning<'a> {
    /// The wishes of the request, at most [`prompt::MAX_STEPS`]; what is beyond is refused.
    async fn split(&mut self) -> Result<Vec<&'a str>, PlannerError> {
        let text = self.masked.text.as_str();
        let request = v1::SplitRequest { text: text.to_owned() };
        let failed = |source| PlannerError::GeneralFailed { stage: "split", source };
        let split = self.general.split(request).await.map_err(failed)?;
        let mut wishes = wishes(text, &split.beginnings);
        for wish in wishes.drain(prompt::MAX_STEPS.min(wishes.len())..) {
            let reason = format!("a request may ask for {} actions; ask for this one alone", prompt::MAX_STEPS);
            let text = self.masked.restore(wish);
            self.planned.unanswered.push(Unanswered { text, reason, ..Unanswered::default() });
        }
        Ok(wishes)
    }

    /// Lets the general worker say each wish so that it can be read alone, and takes each as soon as it is written; what it does not
    /// write is taken in its own words.
    async fn say_in_full(&mut self, wishes: &[&str]) -> Result<(), PlannerError> {
        self.whole = Some(self.scores(&self.masked.text).await?);
        let mut left = 0..wishes.len();
        match self.take_written(wishes, &mut left).await {
            // Another worker may do better, and so may the caller later.
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => warn!(%error, "wishes are not said in full, their own words must do"),
            Ok(()) => {}
        }
        for index in left {
            self.take(wishes[index]).await?;
        }
        Ok(())
    }

    async fn take_written(&mut self, wishes: &[&str], left: &mut Range<usize>) -> Result<(), PlannerError> {
        let request = v1::GenerateRequest {
            system: prompt::SYSTEM.to_owned(),
            examples: prompt::examples(),
            prompt: prompt::request(wishes),
            constraint: Some(Constraint::Lark(prompt::grammar(wishes.len()))),
            max_tokens: MAX_PLAN_TOKENS,
            answer_prefix: String::new(),
        };
        let failed = |source| PlannerError::GeneralFailed { stage: "planned", source };
        let mut events = self.general.generate(request).await.map_err(failed)?;
        let mut open = String::new();
        while let Some(event) = events.next().await {
            match event.map_err(failed)?.event {
                Some(Event::Text(text)) => open.push_str(&text),
                Some(Event::Done(done)) => {
                    self.planned.usage += Usage::from(done.usage.unwrap_or_default());
                    // Of a line that was cut off nobody knows what is missing.
                    if done.reason() == Reason::Complete {
                        open.push('\n');
                    }
                }
                None => {}
            }
            while let Some(end) = open.find('\n') {
                let line: String = open.drain(..=end).collect();
                let Some(index) = left.next() else { break };
                let (line, wish) = (line.trim(), wishes[index]);
                let is_faithful = is_faithful(line, index, wishes);
                debug!(line, wish, is_faithful, "said in full");
                self.take(if is_faithful { line } else { wish }).await?;
            }
        }
        Ok(())
    }

    /// Makes a step of a wish and sends it, or refuses it.
    async fn take(&mut self, wish: &str) -> Result<(), PlannerError> {
        let scores = self.scores(wish).await?;
        let after = order::depends_on(wish, &self.lines);
        let before = after.first().and_then(|index| self.ids[*index]);
        // "Scale producer to 1" after "Scale consumer to 0": who shares a word with an earlier line is of its field, when of any.
        let alike = || order::alike(wish, &self.lines).and_then(|index| self.ids[index]);
        let before = before.filter(|_| order::has_pronoun(wish)).or_else(alike);
        self.lines.push(wish.to_owned());
        let inherited = before.filter(|_| !refusal::is_foreign(&scores));
        let inherited = inherited.and_then(|id| self.planned.steps.iter().find(|step| step.id == id));
        let inherited = inherited.map(|step| step.capability.clone());
        let Some(capability) = refusal::best(&scores).map(str::to_owned).or(inherited) else {
            debug!(wish, ?scores, "no capability fits");
            let reason = format!("no worker serves a capability for this; served now: {}", self.served());
            let text = self.masked.restore(wish);
            self.planned.unanswered.push(Unanswered { text, reason, ..Unanswered::default() });
            self.ids.push(None);
            return Ok(());
        };
        let after = after.into_iter().filter_map(|index| self.ids[index]).collect();
        let id = StepId::nth(self.planned.steps.len());
        let step = Step { id, capability, text: self.masked.restore(wish), after };
        self.ids.push(Some(id));
        self.planned.steps.push(step.clone());
        // The receiver is gone when the request was cancelled; the stream ends by itself then.
        let _ = self.steps.send(step);
        Ok(())
    }

    async fn scores(&self, text: &str) -> Result<Scores, PlannerError> {
        let (examples, recognised) = tokio::join!(self.classify(text), self.recognise(text));
        let scores = weigh(examples?, &recognised);
        Ok(match &self.whole {
            Some(whole) => beside(scores, whole),
            None => scores,
        })
    }

    async fn recognise(&self, text: &str) -> BTreeMap<String, v1::Recognition> {
        let asked = self.capabilities.iter().map(|info| async {
            let found = self.general.recognise(&info.name, text).await?;
            Some((info.name.clone(), found))
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn classify(&self, text: &str) -> Result<Scores, PlannerError> {
        let capabilities = self
            .capabilities
            .iter()
            .map(|info| v1::CapabilityExamples { capability: info.name.clone(), examples: info.examples.clone() })
            .collect();
        let request = v1::ClassifyRequest { texts: vec![text.to_owned()], capabilities };
        let failed = |source| PlannerError::GeneralFailed { stage: "classified", source };
        let reply = self.general.classify(request).await.map_err(failed)?;
        let mut scores = reply.texts.into_iter().next().map(|found| found.scores).unwrap_or_default();
        // Whatever a worker says: nothing is sent to a capability that nobody asked it for.
        scores.retain(|name, _| name == prompt::NONE || self.capabilities.iter().any(|info| info.name == *name));
        Ok(scores)
    }

    fn served(&self) -> String {
        let names: Vec<&str> = self.capabilities.iter().map(|info| info.name.as_str()).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    }
}
