//! `silverback ask` and `silverback workers` against a router that says what the test wants shown.

use serde_json::Value;
use silverback_proto::{
    ErrorCode,
    v1::{Call, Effect, Plan, PlanUsage, Step, StepStarted, Unanswered, plan_event::Event},
};

use crate::support::{Script, ScriptedRouter, Silverback};

fn step() -> Step {
    Step { id: "s1".into(), capability: "aws".into(), text: "stop instance i-0abc123".into(), after: vec![] }
}

fn call() -> Call {
    Call {
        id: "c1".into(),
        step: "s1".into(),
        provider: "aws".into(),
        service: "ec2".into(),
        operation: "StopInstances".into(),
        arguments_json: r#"{"InstanceIds":["i-0abc123"]}"#.into(),
        effect: Effect::Idempotent.into(),
        command: ["aws", "ec2", "stop-instances", "--instance-ids", "i-0abc123"].map(str::to_owned).to_vec(),
        ..Call::default()
    }
}

fn plan(unanswered: Vec<Unanswered>) -> Plan {
    Plan {
        id: "p_1".into(),
        hash: "sha256:ab".into(),
        steps: vec![step()],
        calls: vec![call()],
        unanswered,
        usage: Some(PlanUsage { total_ms: 1500.0, ..PlanUsage::default() }),
        ..Plan::default()
    }
}

fn events(unanswered: Vec<Unanswered>) -> Vec<Event> {
    let started = StepStarted { step: "s1".into(), worker: "w1".into(), attempt: 1, stage: "draft".into() };
    let ready = Call { id: "s1.c1".into(), ..call() };
    vec![
        Event::Stage("plan".into()),
        Event::Planned(step()),
        Event::StepStarted(started),
        Event::CallReady(ready),
        Event::Merged(plan(unanswered)),
    ]
}

fn slack() -> Unanswered {
    Unanswered { text: "post to Slack".into(), reason: "no worker serves it".into(), ..Unanswered::default() }
}

struct Asked {
    _folder: tempfile::TempDir,
    router: ScriptedRouter,
    command: Silverback,
}

fn ask(script: Script, arguments: &[&str]) -> Asked {
    let folder = tempfile::tempdir().unwrap();
    let router = ScriptedRouter::start(script);
    let command = Silverback::new(folder.path()).env("SILVERBACK_ROUTER", router.address()).arguments(arguments);
    Asked { _folder: folder, router, command }
}

#[test]
fn a_complete_plan_is_shown_and_ends_with_0() {
    let done = ask(Script::Events(events(vec![])), &["ask", "stop", "instance", "i-0abc123"]).command.run();
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("c1  aws ec2 stop-instances --instance-ids i-0abc123  (idempotent)"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("1 step, 1 call, 0 unanswered in 1.5 s"), "{}", done.stdout);
    assert!(!done.stdout.contains('\u{1b}'), "no colours where no terminal is");
    let told =
        ["plan", "s1 aws  stop instance i-0abc123", "s1 on w1", "s1 aws ec2 stop-instances --instance-ids i-0abc123"];
    assert_eq!(done.stderr.lines().collect::<Vec<_>>(), told);
}

#[test]
fn something_unanswered_ends_with_1_and_its_reason() {
    let done = ask(Script::Events(events(vec![slack()])), &["ask", "x"]).command.run();
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stdout.contains("post to Slack\n    ✗ no worker serves it"), "{}", done.stdout);
}

#[test]
fn json_is_the_plan_document_and_nothing_else() {
    let done = ask(Script::Events(events(vec![slack()])), &["ask", "x", "--json"]).command.run();
    assert_eq!(done.code, 1);
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(document["plan"], "p_1");
    assert_eq!(document["calls"][0]["arguments"]["InstanceIds"][0], "i-0abc123");
    assert_eq!(document["calls"][0]["effect"], "idempotent");
    assert_eq!(document["unanswered"][0]["reason"], "no worker serves it");
}

#[test]
fn the_request_may_come_through_a_pipe() {
    for arguments in [vec!["ask"], vec!["ask", "-"]] {
        let done = ask(Script::Events(events(vec![])), &arguments).command.run_with_input(b"stop it\n");
        assert_eq!(done.code, 0, "{done:?}");
    }
}

#[test]
fn a_refusal_keeps_its_code_and_its_advice() {
    let cases = [
        (ErrorCode::InvalidRequest, 2),
        (ErrorCode::Exhausted, 3),
        (ErrorCode::Unavailable, 3),
        (ErrorCode::DeadlineExceeded, 3),
        (ErrorCode::Internal, 70),
    ];
    for (code, exit) in cases {
        let done = ask(Script::Refusal(code.status("it is so; do that")), &["ask", "x"]).command.run();
        assert_eq!((done.code, done.stdout.as_str()), (exit, ""), "{done:?}");
        assert_eq!((done.last_error(), done.last_hint()), ("it is so", "do that"));
    }
}

#[test]
fn a_stream_that_ends_early_is_no_plan() {
    let done = ask(Script::Events(vec![Event::Planned(step())]), &["ask", "x"]).command.run();
    assert_eq!((done.code, done.stdout.as_str()), (3, ""), "{done:?}");
    assert!(done.last_error().contains("ended before the plan was complete"), "{}", done.stderr);
}

#[test]
fn a_plan_that_breaks_the_contract_is_refused() {
    let broken = Plan { calls: vec![Call { arguments_json: "[]".into(), ..call() }], ..plan(vec![]) };
    let done = ask(Script::Events(vec![Event::Merged(broken)]), &["ask", "x", "--json"]).command.run();
    assert_eq!((done.code, done.stdout.as_str()), (3, ""), "{done:?}");
    assert!(done.last_error().contains("not a JSON object"), "{}", done.stderr);
}

#[test]
fn ctrl_c_ends_with_130_and_cancels_the_work() {
    let asked = ask(Script::Silence(vec![Event::Planned(step())]), &["ask", "x"]);
    let mut running = asked.command.spawn();
    running.wait_for_line("s1 aws");
    let done = running.interrupt();
    assert_eq!((done.code, done.stdout.as_str()), (130, ""), "{done:?}");
    asked.router.wait_until_cancelled();
}

#[test]
fn workers_are_a_table_or_json() {
    let table = ask(Script::Events(vec![]), &["workers"]).command.run();
    assert_eq!(table.code, 0, "{table:?}");
    assert_eq!(
        table.stdout.lines().nth(1),
        Some("aws         w1      127.0.0.1:9  qwen              ready"),
        "{}",
        table.stdout
    );
    let json = ask(Script::Events(vec![]), &["workers", "--json"]).command.run();
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["workers"][0]["capability"], "aws");
}

#[test]
fn a_router_of_its_own_needs_a_shared_registry() {
    for registry in [&[][..], &["--registry", "memory:"]] {
        let folder = tempfile::tempdir().unwrap();
        let command = Silverback::new(folder.path()).arguments(["router", "--listen", "127.0.0.1:0"]);
        let done = command.arguments(registry).run();
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.last_hint().contains("silverback up"), "{}", done.stderr);
    }
}
