//! Runs the steps of one request: start what is ready, judge what comes back, go on until nothing is left.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use futures::stream::{FuturesUnordered, StreamExt};
use silverback_graph::{Answer, Call, Step, StepId, Unanswered};
use silverback_proto::v1;
use tokio::{sync::mpsc::UnboundedReceiver, task::unconstrained};
use tower::{Service, ServiceExt};
use tracing::{info, warn};

use crate::{
    Checked, DispatchConfig, DispatchError, Gate,
    backlog::Counted,
    balance::{Attempt, Balance, Reply},
    board::Board,
    directory::Directory,
    event::{EventSink, StepEvent},
    lobby::Lobby,
    peers::Peers,
    stack::{self, Stack},
};

/// What all steps of one request share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Unique per request; in every log line.
    pub request: String,
    /// The whole request as the person wrote it.
    pub text: String,
    /// RFC 3339 date that relative dates mean; empty means the worker's own.
    pub today: String,
}

/// One step with what is sent along.
#[derive(Clone, Copy)]
struct Asked<'a> {
    context: &'a Context,
    step: &'a Step,
    /// Calls it may refer to.
    earlier: &'a [Call],
    events: &'a EventSink,
}

/// Sends steps to workers and gathers their answers.
pub struct Dispatcher {
    balance: Balance,
    lobby: Lobby,
    gate: Arc<dyn Gate>,
    /// By the name of the capability in the step. Only served names get in, so the registry bounds it.
    stacks: Mutex<HashMap<String, Stack>>,
}

// === impl Dispatcher ===

impl Dispatcher {
    /// A dispatcher over the workers of `directory`, reached through `peers`, whose calls `gate` judges.
    pub fn new(directory: Arc<dyn Directory>, peers: Arc<Peers>, gate: Arc<dyn Gate>, config: DispatchConfig) -> Self {
        let config = Arc::new(config);
        let lobby = Lobby::new(directory.clone(), config.clone());
        Self { balance: Balance { directory, peers, config }, lobby, gate, stacks: Mutex::default() }
    }

    /// Where steps are counted, and where they wait for the first worker.
    pub fn lobby(&self) -> &Lobby {
        &self.lobby
    }

    /// Answers every step that comes in until the sender is dropped; one answer per step id. Dropping the future cancels all of it.
    pub async fn answer_steps(
        &self,
        context: &Context,
        mut steps: UnboundedReceiver<Step>,
        events: &EventSink,
    ) -> BTreeMap<StepId, Answer> {
        let mut board = Board::default();
        let mut running = FuturesUnordered::new();
        let mut counted = HashMap::new();
        let mut is_open = true;
        loop {
            for step in board.take_ready() {
                let earlier = board.earlier(&step);
                let counted = counted.remove(&step.id).unwrap_or_else(|| self.lobby.enter(&step.capability));
                running.push(self.answer_step(context, (step, counted), earlier, events));
            }
            tokio::select! {
                Some((step, answer)) = running.next() => board.finish(step, answer),
                step = steps.recv(), if is_open => match step {
                    Some(step) => report(events, self.take_in(step, &mut board, &mut counted)).await,
                    None => is_open = false,
                },
                else => break,
            }
        }
        report(events, board.give_up()).await;
        board.into_answers()
    }

    /// Gives a step its place on the board and counts it; says why when it can have none.
    fn take_in(&self, step: Step, board: &mut Board, counted: &mut HashMap<StepId, Counted>) -> Option<Unanswered> {
        let (id, entered) = (step.id, self.lobby.enter(&step.capability));
        let refused = board.add(step);
        if refused.is_none() {
            counted.insert(id, entered);
        }
        refused
    }

    async fn answer_step(
        &self,
        context: &Context,
        (step, mut counted): (Step, Counted),
        earlier: Vec<Call>,
        events: &EventSink,
    ) -> (StepId, Answer) {
        let asked = Asked { context, step: &step, earlier: &earlier, events };
        let answering = async {
            self.lobby.wait_for_worker(&mut counted).await?;
            self.answer_lawfully(asked).await
        };
        let answer = answering.await.unwrap_or_else(|error: DispatchError| {
            let unanswered = vec![Unanswered::of_step(&step, error.to_string())];
            Answer { unanswered, ..Answer::default() }
        });
        // It keeps no worker busy while a slow client takes its calls.
        drop(counted);
        for call in &answer.calls {
            // Nobody listens when the client is gone; the request is cancelled by whoever notices that.
            let _ = events.send(StepEvent::CallReady(Box::new(call.seen_from_outside()))).await;
        }
        report(events, answer.unanswered.clone()).await;
        (step.id, answer)
    }

    /// An answer that passed the gate. One that did not is asked for once more, with what is wrong told to the worker: a second
    /// repair would seldom help and cost as much again.
    async fn answer_lawfully(&self, asked: Asked<'_>) -> Result<Answer, DispatchError> {
        let first = self.send_and_check(asked, Vec::new()).await?;
        let faults = first.faults();
        if faults.is_empty() {
            return Ok(first.into_answer());
        }
        info!(request = %asked.context.request, step = %asked.step.id, faults = faults.len(), "step asked for again");
        match self.send_and_check(asked, faults).await {
            Ok(second) => Ok(better_of(first, second).into_answer()),
            Err(error) => {
                warn!(request = %asked.context.request, step = %asked.step.id, %error, "step could not be repaired");
                Ok(first.into_answer())
            }
        }
    }

    async fn send_and_check(&self, asked: Asked<'_>, repair: Vec<v1::Fault>) -> Result<Checked, DispatchError> {
        let reply = self.send(asked, repair).await?;
        Ok(self.gate.check(&reply.worker, asked.step, asked.earlier, reply.answer).await)
    }

    async fn send(&self, asked: Asked<'_>, repair: Vec<v1::Fault>) -> Result<Reply, DispatchError> {
        let Asked { context, step, earlier, events } = asked;
        let request = v1::AnswerRequest {
            request: context.request.clone(),
            step: Some(step.clone().into()),
            request_text: context.text.clone(),
            earlier: earlier.iter().cloned().map(v1::Call::from).collect(),
            session: Vec::new(),
            today: context.today.clone(),
            repair,
        };
        let attempt = Attempt {
            step: step.id,
            capability: step.capability.clone(),
            request: Arc::new(request),
            events: events.clone(),
            tried: Vec::new(),
            last_error: None,
        };
        let mut stack = self.stack(&step.capability)?;
        // Unconstrained: when tokio's cooperative budget is used up the semaphore says "not yet", which the shedding layer
        // would take for overload.
        let ready = unconstrained(stack.ready()).await?;
        Ok(ready.call(attempt).await?)
    }

    fn stack(&self, capability: &str) -> Result<Stack, DispatchError> {
        if self.balance.directory.serving(capability).is_empty() {
            return Err(DispatchError::NoWorker { capability: capability.to_owned() });
        }
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || stack::build(self.balance.clone());
        Ok(stacks.entry(capability.to_owned()).or_insert_with(build).clone())
    }
}

/// The repaired answer, unless it has lost calls that the first one had right. The time and tokens of both were spent.
fn better_of(first: Checked, second: Checked) -> Checked {
    let (mut better, other) =
        if second.answer.calls.len() < first.answer.calls.len() { (first, second) } else { (second, first) };
    better.answer.usage += other.answer.usage;
    for rejected in &mut better.rejected {
        rejected.unanswered.reason.push_str("; the specialist was told and asked again once");
    }
    better
}

async fn report(events: &EventSink, failed: impl IntoIterator<Item = Unanswered>) {
    for unanswered in failed {
        let _ = events.send(StepEvent::Failed(unanswered)).await;
    }
}
