//! What becomes of a request's steps when workers die, stall, refuse or lie.

#![allow(clippy::unwrap_used)]

mod double;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use double::{Double, Script, call};
use silverback_dispatch::{
    Checked, Context, Directory, DispatchConfig, Dispatcher, EventSink, Gate, Peers, StepEvent, Worker,
};
use silverback_graph::{Answer, Call, Step, StepId};
use silverback_proto::{ErrorCode, v1::answer_event::Event};
use tokio::sync::mpsc;

/// Lets every call through: what is tested here is who is asked.
struct OpenGate;

#[tonic::async_trait]
impl Gate for OpenGate {
    async fn check(&self, _: &Worker, _: &Step, _: &[Call], answer: Answer) -> Checked {
        Checked { answer, rejected: Vec::new() }
    }
}

#[derive(Clone, Default)]
struct Workers(Arc<Mutex<Vec<Worker>>>);

impl Directory for Workers {
    fn serving(&self, capability: &str) -> Vec<Worker> {
        self.0.lock().unwrap().iter().filter(|worker| worker.capability == capability).cloned().collect()
    }
}

/// A dispatcher over some doubles, with its event stream.
struct Bench {
    dispatcher: Arc<Dispatcher>,
    sink: EventSink,
    events: mpsc::Receiver<StepEvent>,
}

// === impl Bench ===

impl Bench {
    fn new(workers: &[(&str, &Double)], config: DispatchConfig) -> Self {
        let found = workers.iter().map(|(capability, double)| double.worker(capability)).collect();
        let peers = Arc::new(Peers::new(config.connect_timeout));
        let directory = Arc::new(Workers(Arc::new(Mutex::new(found))));
        let dispatcher = Arc::new(Dispatcher::new(directory, peers, Arc::new(OpenGate), config));
        let (sink, events) = mpsc::channel(1024);
        Self { dispatcher, sink, events }
    }

    /// Answers these steps, all known from the start.
    fn answer(&self, steps: Vec<Step>) -> impl Future<Output = BTreeMap<StepId, Answer>> + use<> {
        let (sender, receiver) = mpsc::unbounded_channel();
        steps.into_iter().for_each(|step| sender.send(step).unwrap());
        drop(sender);
        self.answer_as_written(receiver)
    }

    fn answer_as_written(
        &self,
        steps: mpsc::UnboundedReceiver<Step>,
    ) -> impl Future<Output = BTreeMap<StepId, Answer>> + use<> {
        let (dispatcher, sink) = (self.dispatcher.clone(), self.sink.clone());
        async move {
            let context = Context { request: "r1".into(), text: "the request".into(), today: String::new() };
            dispatcher.answer_steps(&context, steps, &sink).await
        }
    }

    /// Answers these steps while somebody reads the events.
    async fn answer_to_a_reader(self, steps: Vec<Step>) -> BTreeMap<StepId, Answer> {
        let answering = tokio::spawn(self.answer(steps));
        let Bench { sink, mut events, .. } = self;
        drop(sink);
        while events.recv().await.is_some() {}
        answering.await.unwrap()
    }

    /// The next start of a step in this stage, as (worker, attempt).
    async fn next_stage(&mut self, wanted: &str) -> (String, u32) {
        loop {
            match self.events.recv().await.expect("the sink is held open") {
                StepEvent::Started { worker, attempt, stage, .. } if stage == wanted => return (worker, attempt),
                _ => {}
            }
        }
    }
}

fn step(number: usize, capability: &str, after: &[usize]) -> Step {
    let id = |number: usize| StepId::nth(number - 1);
    Step {
        id: id(number),
        capability: capability.into(),
        text: format!("text {number}"),
        after: after.iter().map(|number| id(*number)).collect(),
    }
}

fn of(answers: &BTreeMap<StepId, Answer>, number: usize) -> &Answer {
    &answers[&StepId::nth(number - 1)]
}

fn reason(answers: &BTreeMap<StepId, Answer>, number: usize) -> &str {
    &of(answers, number).unanswered[0].reason
}

fn impatient() -> DispatchConfig {
    DispatchConfig { silence: Duration::from_millis(150), ..DispatchConfig::default() }
}

/// Fails the test instead of hanging it.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("done within the test's deadline")
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let poll = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), poll).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_later_step_gets_the_calls_of_the_steps_before_it() {
    let double = Double::start("w", Script::Answer(vec![call("c1", r#"{"VpcId":{"$ref":"c1","path":"x"}}"#)]));
    let mut bench = Bench::new(&[("aws", &double)], DispatchConfig::default());
    let answers = soon(bench.answer(vec![step(2, "aws", &[1]), step(1, "aws", &[])])).await;
    assert_eq!(of(&answers, 2).calls.len(), 1);
    let asked = double.asked();
    assert_eq!(asked[0].step.as_ref().unwrap().id, "s1");
    assert!(asked[0].earlier.is_empty());
    assert_eq!(asked[1].earlier[0].id, "s1-c1");
    assert!(asked[1].earlier[0].arguments_json.contains(r#""$ref":"s1-c1""#));
    assert_eq!(asked[1].request_text, "the request");
    let mut ready = Vec::new();
    while let Ok(event) = bench.events.try_recv() {
        if let StepEvent::CallReady(call) = event {
            ready.push(call.id.to_string());
        }
    }
    assert_eq!(ready, ["s1-c1", "s2-c1"]);
}

#[tokio::test]
async fn a_step_is_answered_while_later_ones_are_still_written() {
    let double = Double::start("w", Script::Answer(vec![call("c1", "{}")]));
    let mut bench = Bench::new(&[("aws", &double)], DispatchConfig::default());
    let (sender, receiver) = mpsc::unbounded_channel();
    let answering = tokio::spawn(bench.answer_as_written(receiver));
    sender.send(step(1, "aws", &[])).unwrap();
    soon(async { while !matches!(bench.events.recv().await, Some(StepEvent::CallReady(_))) {} }).await;
    sender.send(step(2, "aws", &[1])).unwrap();
    drop(sender);
    assert_eq!(soon(answering).await.unwrap().len(), 2);
}

#[tokio::test]
async fn retries_once_on_another_worker_when_one_dies_while_it_decodes() {
    let mut doubles =
        [Double::start("a", Script::Hold(vec![])), Double::start("b", Script::Hold(vec![call("c1", "{}")]))];
    let mut bench = Bench::new(&[("aws", &doubles[0]), ("aws", &doubles[1])], DispatchConfig::default());
    let answering = tokio::spawn(bench.answer(vec![step(1, "aws", &[])]));
    let (first, attempt) = soon(bench.next_stage("draft")).await;
    assert_eq!(attempt, 1);
    let place = doubles.iter().position(|double| double.id == first).unwrap();
    doubles[1 - place].release();
    doubles[place].kill();
    let (second, attempt) = soon(bench.next_stage("draft")).await;
    assert_ne!(first, second);
    assert_eq!(attempt, 2);
    let answers = soon(answering).await.unwrap();
    assert!(!answers[&StepId::nth(0)].unanswered.iter().any(|unanswered| unanswered.reason.contains("lost")));
}

#[tokio::test]
async fn the_rest_of_the_plan_comes_when_the_only_worker_of_a_step_dies() {
    let mut dying = Double::start("dying", Script::Hold(vec![]));
    let healthy = Double::start("healthy", Script::Answer(vec![call("c1", "{}")]));
    let mut bench = Bench::new(&[("aws", &dying), ("finance", &healthy)], DispatchConfig::default());
    let answering =
        tokio::spawn(bench.answer(vec![step(1, "aws", &[]), step(2, "finance", &[]), step(3, "finance", &[1])]));
    while soon(bench.next_stage("draft")).await.0 != "dying" {}
    dying.kill();
    let answers = soon(answering).await.unwrap();
    assert!(reason(&answers, 1).starts_with("worker dying was lost"), "{}", reason(&answers, 1));
    assert_eq!(of(&answers, 2).calls.len(), 1);
    assert_eq!(of(&answers, 3).calls.len(), 1, "a step behind a failed one is still asked");
}

#[tokio::test]
async fn a_silent_worker_is_left_for_another() {
    let silent = Double::start("silent", Script::Hold(vec![]));
    let mut bench = Bench::new(&[("aws", &silent)], impatient());
    let answers = soon(bench.answer(vec![step(1, "aws", &[])])).await;
    assert!(reason(&answers, 1).contains("said nothing for 0.15 s"), "{}", reason(&answers, 1));
    assert_eq!(soon(bench.next_stage("draft")).await.0, "silent");
    eventually("the silent worker is told to stop", || silent.open_answers() == 0).await;
}

#[tokio::test]
async fn a_stream_that_ends_too_early_is_a_lost_worker() {
    let short = Double::start("short", Script::StopEarly);
    let bench = Bench::new(&[("aws", &short)], DispatchConfig::default());
    let answers = soon(bench.answer(vec![step(1, "aws", &[])])).await;
    assert!(reason(&answers, 1).contains("ended before it was complete"), "{}", reason(&answers, 1));
}

#[tokio::test]
async fn a_refusal_for_the_requests_own_fault_is_not_retried() {
    let refusing = || Script::Refuse(ErrorCode::InvalidRequest.status("the step has no text"));
    let (one, two) = (Double::start("a", refusing()), Double::start("b", refusing()));
    let bench = Bench::new(&[("aws", &one), ("aws", &two)], DispatchConfig::default());
    let answers = soon(bench.answer(vec![step(1, "aws", &[])])).await;
    assert!(reason(&answers, 1).ends_with("refused: the step has no text"), "{}", reason(&answers, 1));
    assert_eq!(one.asked().len() + two.asked().len(), 1);
}

#[tokio::test]
async fn a_busy_worker_is_left_for_another_and_asked_at_most_once() {
    let busy = || Script::Refuse(ErrorCode::Exhausted.status("my queue is full"));
    let doubles = ["a", "b", "c"].map(|id| Double::start(id, busy()));
    let bench = Bench::new(&doubles.each_ref().map(|double| ("aws", double)), DispatchConfig::default());
    let answers = soon(bench.answer(vec![step(1, "aws", &[])])).await;
    assert!(reason(&answers, 1).contains("my queue is full"));
    let asked: Vec<_> = doubles.iter().map(|double| double.asked().len()).collect();
    assert_eq!(asked.iter().sum::<usize>(), 2, "two attempts: {asked:?}");
    assert!(asked.iter().all(|times| *times <= 1), "{asked:?}");
}

#[tokio::test]
async fn a_capability_without_workers_is_named() {
    let other = Double::start("w", Script::Answer(vec![]));
    let bench = Bench::new(&[("aws", &other)], DispatchConfig::default());
    let answers = soon(bench.answer(vec![step(1, "gcp", &[])])).await;
    assert_eq!(reason(&answers, 1), "no worker serves capability \"gcp\"");
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn steps_go_to_the_least_busy_worker() {
    let doubles = [Double::start("a", Script::Hold(vec![])), Double::start("b", Script::Hold(vec![]))];
    let bench = Bench::new(&[("aws", &doubles[0]), ("aws", &doubles[1])], DispatchConfig::default());
    let answering = tokio::spawn(bench.answer((1..=6).map(|number| step(number, "aws", &[])).collect()));
    eventually("three steps each", || doubles.iter().all(|double| double.open_answers() == 3)).await;
    doubles.iter().for_each(Double::release);
    assert_eq!(soon(answering).await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_lost_worker_is_asked_last() {
    let mut lost = Double::start("lost", Script::Answer(vec![]));
    let alive = Double::start("alive", Script::Answer(vec![call("c1", "{}")]));
    lost.kill();
    let bench = Bench::new(&[("aws", &lost), ("aws", &alive)], DispatchConfig::default());
    // Until the dead one was chosen once, and then some more: it must not be chosen again.
    for _ in 0..20 {
        let answers = soon(bench.answer(vec![step(1, "aws", &[])])).await;
        assert_eq!(of(&answers, 1).calls.len(), 1);
    }
    let mut bench = bench;
    let mut tries_of_lost = 0;
    while let Ok(event) = bench.events.try_recv() {
        tries_of_lost += usize::from(matches!(event, StepEvent::Started { worker, .. } if worker == "lost"));
    }
    assert!(tries_of_lost <= 1, "{tries_of_lost}");
}

#[tokio::test]
async fn what_exceeds_the_limit_of_a_capability_is_shed_at_once() {
    let double = Double::start("w", Script::Hold(vec![]));
    let config = DispatchConfig { max_steps_per_capability: 2, ..DispatchConfig::default() };
    let mut bench = Bench::new(&[("aws", &double)], config);
    let answering = tokio::spawn(bench.answer((1..=3).map(|number| step(number, "aws", &[])).collect()));
    let shed = soon(async {
        loop {
            if let Some(StepEvent::Failed(unanswered)) = bench.events.recv().await {
                return unanswered;
            }
        }
    });
    assert!(shed.await.reason.starts_with("too many steps"), "the third step");
    double.release();
    assert_eq!(soon(answering).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_cancelled_request_cancels_its_workers() {
    let double = Double::start("w", Script::Hold(vec![]));
    let mut bench = Bench::new(&[("aws", &double)], DispatchConfig::default());
    let answering = tokio::spawn(bench.answer(vec![step(1, "aws", &[])]));
    soon(bench.next_stage("draft")).await;
    assert_eq!(double.open_answers(), 1);
    answering.abort();
    eventually("the worker's stream is dropped", || double.open_answers() == 0).await;
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_reported() {
    let cases = [
        (Script::Answer(vec![call("c1", "[1]")]), "not a JSON object"),
        (Script::Answer(vec![call("first", "{}")]), "\"first\" is not a call id"),
        (Script::Answer((1..=33).map(|number| call(&format!("c{number}"), "{}")).collect()), "more than 32 calls"),
        (Script::Flood, "more than 10000 events"),
        (Script::Answer(vec![]), "found no call"),
        (
            Script::Answer(vec![Event::Refused(silverback_proto::v1::Refused { reason: "no\x1b[2Jfit".into() })]),
            "no [2Jfit",
        ),
    ];
    for (script, expected) in cases {
        let double = Double::start("w", script);
        let bench = Bench::new(&[("aws", &double)], DispatchConfig::default());
        let answers = soon(bench.answer_to_a_reader(vec![step(1, "aws", &[])])).await;
        assert!(reason(&answers, 1).contains(expected), "{}", reason(&answers, 1));
        assert!(of(&answers, 1).calls.is_empty());
    }
}
