//! The way from a request to its steps: skip or split into lines ▶ give each line to a capability or refuse it ▶ check what is lost.

use std::collections::BTreeMap;

use futures::{StreamExt, future::join_all};
use silverback_graph::{Step, StepId, Unanswered, Usage};
use silverback_proto::v1::{self, generate_event::Event, generate_request::Constraint};
use tokio::sync::mpsc;
use tracing::debug;

use crate::{
    General, PlannerError, order, prompt,
    quoted::Masked,
    refusal::{self, Scores},
    sense::Sense,
    shape,
    simple::{is_fragment, is_one_action},
    wish::{Heard, is_wish, literals},
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

/// Splits `text` into steps and sends each one as soon as it is written.
///
/// # Errors
/// When no general worker answers, or what it writes is no plan twice.
pub async fn plan(
    general: &dyn General,
    text: &str,
    capabilities: &[CapabilityInfo],
    steps: mpsc::UnboundedSender<Step>,
) -> Result<Planned, PlannerError> {
    let planned = Planned::default();
    let masked = Masked::of(text);
    let text = masked.text.as_str();
    let mut planning = Planning {
        general,
        text,
        masked: &masked,
        capabilities,
        steps,
        planned,
        whole: None,
        held: None,
        heard: Vec::new(),
        lines: Vec::new(),
        ids: Vec::new(),
    };
    if is_one_action(text) && planning.skip_planner().await? {
        return Ok(planning.planned);
    }
    let mut problem = planning.write_lines(None).await?;
    if problem.is_some() && planning.planned.steps.is_empty() {
        problem = planning.write_lines(problem.as_deref()).await?;
    }
    match problem {
        Some(problem) if planning.planned.steps.is_empty() && planning.planned.unanswered.is_empty() => {
            Err(PlannerError::UnusablePlan { problem })
        }
        _ => {
            planning.report_lost_values();
            Ok(planning.planned)
        }
    }
}

/// One request on its way.
struct Planning<'a> {
    general: &'a dyn General,
    /// With names for quoted texts.
    text: &'a str,
    masked: &'a Masked,
    capabilities: &'a [CapabilityInfo],
    steps: mpsc::UnboundedSender<Step>,
    planned: Planned,
    /// What is known of the request as one, where that was asked.
    whole: Option<Sense>,
    /// What the next line may still belong to.
    held: Option<Held>,
    /// What was written so far.
    heard: Vec<Heard>,
    /// The wishes so far.
    lines: Vec<String>,
    /// What became of each: the step's id, or nothing when it was refused.
    ids: Vec<Option<StepId>>,
}

/// A line, or several that say one thing.
struct Held {
    text: String,
    sense: Sense,
    /// Is there something to be done among it?
    is_wish: bool,
}

// === impl Planning ===

impl Planning<'_> {
    /// Makes the whole request one step when its capability is obvious; `false` leaves it to the planner.
    async fn skip_planner(&mut self) -> Result<bool, PlannerError> {
        let sense = self.sense(self.text).await?;
        if !refusal::is_obvious(&sense.scores) {
            self.whole = Some(sense);
            return Ok(false);
        }
        debug!(scores = ?sense.scores, "one obvious capability, planner skipped");
        self.take(Held { text: self.text.trim().to_owned(), sense, is_wish: true });
        Ok(true)
    }

    /// Lets the general worker write; gives what is wrong with its lines, if anything.
    async fn write_lines(&mut self, problem: Option<&str>) -> Result<Option<String>, PlannerError> {
        let request = v1::GenerateRequest {
            system: prompt::SYSTEM.to_owned(),
            examples: prompt::examples(),
            prompt: prompt::request(self.text, problem),
            constraint: Some(Constraint::Lark(prompt::grammar())),
            max_tokens: MAX_PLAN_TOKENS,
            answer_prefix: String::new(),
        };
        let failed = |source| PlannerError::GeneralFailed { stage: "planned", source };
        let mut events = self.general.generate(request).await.map_err(failed)?;
        let mut open = String::new();
        let mut is_complete = false;
        while let Some(event) = events.next().await {
            match event.map_err(failed)?.event {
                Some(Event::Text(text)) => open.push_str(&text),
                Some(Event::Done(done)) => {
                    is_complete = done.reason() == v1::generate_done::Reason::Complete;
                    self.planned.usage += Usage::from(done.usage.unwrap_or_default());
                }
                None => {}
            }
            while let Some(end) = open.find('\n') {
                let line: String = open.drain(..=end).collect();
                self.take_lines(&line).await?;
            }
        }
        self.take_lines(&open).await?;
        self.release_last().await?;
        Ok((!is_complete).then(|| "the list of actions did not end".to_owned()))
    }

    /// Takes a line in, or two that the model left in one.
    async fn take_lines(&mut self, line: &str) -> Result<(), PlannerError> {
        for line in shape::actions(line) {
            self.take_line(line).await?;
        }
        Ok(())
    }

    /// Takes a line in; the one before it goes out, unless the two say one thing.
    async fn take_line(&mut self, line: &str) -> Result<(), PlannerError> {
        let line = line.trim();
        // A small model that has said everything may begin again: what it said before is not a second wish.
        let is_held = self.held.as_ref().is_some_and(|held| held.text == line);
        if line.is_empty() || is_held || self.lines.iter().any(|before| before == line) {
            return Ok(());
        }
        let is_fragment = self.held.is_some() && is_fragment(line);
        let sense = if is_fragment { Sense::default() } else { self.sense(line).await? };
        let heard = Heard::of(line, &sense);
        let is_wish = !is_fragment && is_wish(self.text, line, &sense, &heard, &self.heard);
        self.heard.push(heard);
        debug!(line, scores = ?sense.scores, operation = ?sense.operation(), is_wish, "a line");
        let new = Held { text: line.to_owned(), sense, is_wish };
        self.held = Some(match self.held.take() {
            None => new,
            Some(held) if held.is_wish && new.is_wish => {
                self.take(held);
                new
            }
            Some(held) => held.joined(new),
        });
        Ok(())
    }

    /// The last line goes out. When it is the only one, the request itself is the step: its own words say more than the planner's.
    async fn release_last(&mut self) -> Result<(), PlannerError> {
        let Some(mut held) = self.held.take() else { return Ok(()) };
        if self.lines.is_empty() && self.text.trim() != held.text {
            let sense = match self.whole.take() {
                Some(sense) => sense,
                None => self.sense(self.text).await?,
            };
            // The planner may have said better what it is about ("it" stands for something), or left a greeting out.
            let is_better = refusal::is_obvious(&held.sense.scores) && !refusal::is_obvious(&sense.scores);
            held =
                Held { text: self.text.trim().to_owned(), sense: if is_better { held.sense } else { sense }, ..held };
        }
        self.take(held);
        Ok(())
    }

    /// Makes a step of a line and sends it, or refuses it.
    fn take(&mut self, held: Held) {
        let Held { text: line, sense: Sense { scores, .. }, .. } = held;
        let after = order::depends_on(&line, &self.lines);
        self.lines.push(line.clone());
        let before = after.first().and_then(|index| self.ids[*index]);
        // "Scale producer to 1" after "Scale consumer to 0": who shares a word with an earlier line is of its field, when of any.
        let alike = || order::alike(&line, &self.lines[..self.lines.len() - 1]).and_then(|index| self.ids[index]);
        let before = before.filter(|_| order::has_pronoun(&line)).or_else(alike);
        let inherited = before.filter(|_| !refusal::is_foreign(&scores));
        let inherited = inherited.and_then(|id| self.planned.steps.iter().find(|step| step.id == id));
        let inherited = inherited.map(|step| step.capability.clone());
        let Some(capability) = refusal::best(&scores).map(str::to_owned).or(inherited) else {
            debug!(text = %line, ?scores, "no capability fits");
            let reason = format!("no worker serves a capability for this; served now: {}", self.served());
            let text = self.masked.restore(&line);
            self.planned.unanswered.push(Unanswered { text, reason, ..Unanswered::default() });
            self.ids.push(None);
            return;
        };
        let after = after.into_iter().filter_map(|index| self.ids[index]).collect();
        let id = StepId::nth(self.planned.steps.len());
        let step = Step { id, capability, text: self.masked.restore(&line), after };
        self.ids.push(Some(id));
        self.planned.steps.push(step.clone());
        // The receiver is gone when the request was cancelled; the stream ends by itself then.
        let _ = self.steps.send(step);
    }

    /// A value of the request that is in no step would be forgotten in silence: say it.
    fn report_lost_values(&mut self) {
        let said = self.lines.join("\n");
        for value in literals(self.text) {
            if !said.contains(value) {
                let reason = "the planner left this value out; say this part as a request of its own".to_owned();
                self.planned.unanswered.push(Unanswered {
                    text: self.masked.restore(value),
                    reason,
                    ..Unanswered::default()
                });
            }
        }
    }

    async fn sense(&self, text: &str) -> Result<Sense, PlannerError> {
        let (scores, recognised) = tokio::join!(self.classify(text), self.recognise(text));
        Ok(Sense::of(scores?, recognised))
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
        Ok(reply.texts.into_iter().next().map(|found| found.scores).unwrap_or_default())
    }

    fn served(&self) -> String {
        let names: Vec<&str> = self.capabilities.iter().map(|info| info.name.as_str()).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    }
}

// === impl Held ===

impl Held {
    /// The two as one. What they are about says the wish among them: a reason stands before what it is the reason of.
    fn joined(self, later: Self) -> Self {
        let says_more = later.is_wish || refusal::best(&self.sense.scores).is_none();
        Self {
            text: format!("{}, {}", self.text, later.text),
            sense: if says_more { later.sense } else { self.sense },
            is_wish: self.is_wish || later.is_wish,
        }
    }
}
