//! How a request becomes one plan, and what is left when workers are lost on the way.

use std::sync::atomic::Ordering;

use silverback_graph::{Effect, Invocation, Plan};
use silverback_proto::{CodedStatus, ErrorCode, v1::plan_event::Event};
use silverback_registry::{Capability, Declaration};

use crate::{
    double::{Double, Script},
    troop::{Troop, all_events, ask, call, eventually, soon},
};

const VPC_AND_SUBNET: [&str; 2] = ["create a VPC 10.0.0.0/16", "create a subnet 10.0.1.0/24 in it"];

const THREE_WISHES: &str = "a VPC 10.0.0.0/16, a subnet 10.0.1.0/24 in it, list all networks that exist";

fn held_after_two_lines() -> Script {
    let mut script = Script::plan(&[VPC_AND_SUBNET[0], VPC_AND_SUBNET[1], "list all networks that exist"]);
    script.text_holds_at = Some(2);
    script
}

/// Makes the VPC in the first step and the subnet, which refers to it, in the second.
fn vpc_and_subnet(pack: &str) -> Script {
    let pack = pack.to_owned();
    Script::answering(move |request| match request.earlier.first() {
        _ if request.step.as_ref().is_some_and(|step| step.text.starts_with("list")) => {
            vec![call("c1", &pack, "DescribeVpcs", "{}")]
        }
        None => vec![call("c1", &pack, "CreateVpc", r#"{"CidrBlock":"10.0.0.0/16"}"#)],
        Some(vpc) => {
            let reference = format!(r#"{{"$ref":"{}","path":"Vpc.VpcId"}}"#, vpc.id);
            let arguments = format!(r#"{{"VpcId":{reference},"CidrBlock":"10.0.1.0/24"}}"#);
            vec![call("c1", &pack, "CreateSubnet", &arguments)]
        }
    })
}

#[tokio::test]
async fn a_compound_request_becomes_one_checked_plan() {
    let mut troop = Troop::new().await;
    let (general, aws) = (Double::start(Script::plan(&VPC_AND_SUBNET)), Double::start(vpc_and_subnet(&troop.pack)));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    let text = "Create a VPC 10.0.0.0/16, a subnet 10.0.1.0/24 in it.";
    let plan: Plan = soon(client.ask(ask(text))).await.unwrap().into_inner().try_into().unwrap();
    assert!(plan.is_complete(), "{:?}", plan.unanswered);
    assert_eq!(plan.calls.len(), 2);
    let subnet = &plan.calls[1];
    assert_eq!(subnet.id.to_string(), "c2");
    assert_eq!(subnet.arguments["VpcId"]["$ref"], "c1");
    assert_eq!(subnet.after, [plan.calls[0].id]);
    let words = ["aws", "ec2", "createsubnet", "--vpc-id", "${c1.Vpc.VpcId}", "--cidr-block", "10.0.1.0/24"];
    assert_eq!(subnet.invocation, Invocation::Command(words.map(str::to_owned).to_vec()));
    assert_eq!(plan.calls[0].effect, Effect::Irreversible, "the worker said read");
    assert_eq!(plan.calls[0].undo.as_deref(), Some("DeleteVpc"));
    assert!(plan.usage.total_ms > 0.0 && plan.usage.steps.len() == 2);
    let again = soon(client.ask(ask(text))).await.unwrap().into_inner();
    assert_eq!((again.hash, again.id), (plan.hash, plan.id));
}

#[tokio::test]
async fn events_tell_the_story_in_order_and_end_with_the_plan() {
    let mut troop = Troop::new().await;
    let (general, aws) = (Double::start(Script::plan(&VPC_AND_SUBNET)), Double::start(vpc_and_subnet(&troop.pack)));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    let events = soon(all_events(&mut client, "a VPC 10.0.0.0/16, a subnet 10.0.1.0/24 in it")).await.unwrap();
    let place = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted).expect("the event came");
    let planned = place(&|event| matches!(event, Event::Planned(step) if step.id == "s2"));
    let started =
        place(&|event| matches!(event, Event::StepStarted(start) if start.step == "s2" && start.worker == "a"));
    let ready = place(&|event| matches!(event, Event::CallReady(call) if call.id == "s2-c1"));
    assert!(planned < started && started < ready);
    assert!(matches!(events.first(), Some(Event::Stage(stage)) if stage == "plan"));
    assert!(matches!(events.last(), Some(Event::Merged(plan)) if plan.calls.len() == 2));
}

#[tokio::test]
async fn a_request_of_one_wish_needs_no_text_of_the_model() {
    let mut troop = Troop::new().await;
    let (general, aws) = (Double::start(Script::default()), Double::start(vpc_and_subnet(&troop.pack)));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    let plan = soon(client.ask(ask("Create a VPC 10.0.0.0/16."))).await.unwrap().into_inner();
    assert_eq!((plan.steps.len(), plan.calls.len()), (1, 1));
}

#[tokio::test]
async fn a_declared_capability_without_workers_is_named() {
    let mut troop = Troop::new().await;
    let lines = ["make a gcp bucket", VPC_AND_SUBNET[0]];
    let (general, aws) = (Double::start(Script::plan(&lines)), Double::start(vpc_and_subnet(&troop.pack)));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let declared = Declaration { description: "Google Cloud".into(), examples: Vec::new() };
    troop.registry.declare(&Capability::new("gcp").unwrap(), &declared).await.unwrap();
    let mut config = troop.config(troop.folder.path());
    config.dispatch.first_worker_deadline = std::time::Duration::ZERO;
    let (_router, mut client) = troop.router_with(config).await;
    let plan = soon(client.ask(ask("make a gcp bucket, create a VPC 10.0.0.0/16"))).await.unwrap().into_inner();
    assert_eq!(plan.unanswered[0].reason, "no worker serves capability \"gcp\"");
    assert_eq!(plan.unanswered[0].step, "s1");
    assert_eq!(plan.calls.len(), 1, "the rest of the plan comes");
}

#[tokio::test]
async fn the_plan_goes_on_where_the_lost_planner_stopped() {
    let mut troop = Troop::new().await;
    let mut generals = [held_after_two_lines(), held_after_two_lines()].map(Double::start);
    let aws = Double::start(vpc_and_subnet(&troop.pack));
    troop.announce("g1", "plan", &generals[0]).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    let mut events = soon(client.ask_stream(ask(THREE_WISHES))).await.unwrap().into_inner();
    // A first step is on its way; only now a second planner exists and the first one dies.
    while !matches!(soon(events.message()).await.unwrap().unwrap().event, Some(Event::Planned(_))) {}
    troop.announce("g2", "plan", &generals[1]).await;
    generals[1].release();
    soon(troop.wait_for_all(&mut client)).await;
    generals[0].kill();
    let mut planned = 1;
    loop {
        match soon(events.message()).await.unwrap().unwrap().event {
            Some(Event::Planned(_)) => planned += 1,
            Some(Event::Merged(plan)) => {
                assert_eq!((plan.steps.len(), plan.calls.len(), plan.unanswered.len()), (3, 3, 0));
                break;
            }
            _ => {}
        }
    }
    assert_eq!(planned, 3, "no line came twice, none is missing");
}

#[tokio::test]
async fn finished_steps_survive_the_loss_of_the_only_planner() {
    let mut troop = Troop::new().await;
    let (mut general, aws) = (Double::start(held_after_two_lines()), Double::start(vpc_and_subnet(&troop.pack)));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    let mut events = soon(client.ask_stream(ask(THREE_WISHES))).await.unwrap().into_inner();
    while !matches!(soon(events.message()).await.unwrap().unwrap().event, Some(Event::CallReady(_))) {}
    general.kill();
    let plan = loop {
        if let Some(Event::Merged(plan)) = soon(events.message()).await.unwrap().unwrap().event {
            break plan;
        }
    };
    assert!(!plan.calls.is_empty());
    assert!(plan.unanswered[0].reason.starts_with("planning broke off after "), "{}", plan.unanswered[0].reason);
}

#[tokio::test]
async fn without_planner_or_specialist_the_error_says_what_to_start() {
    let mut troop = Troop::new().await;
    let (_router, mut client) = troop.router().await;
    let status = soon(client.ask(ask("anything"))).await.unwrap_err();
    assert_eq!(status.error_code(), ErrorCode::Unavailable);
    assert!(status.message().contains("silverback worker"), "{}", status.message());
    let aws = Double::start(Script::default());
    troop.announce("a", "aws", &aws).await;
    soon(troop.wait_for_all(&mut client)).await;
    let status = soon(client.ask(ask("anything"))).await.unwrap_err();
    assert_eq!(status.error_code(), ErrorCode::Unavailable);
    assert!(status.message().contains("--capability plan"), "{}", status.message());
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_workers() {
    let mut troop = Troop::new().await;
    let script = Script { answer_holds: true, ..vpc_and_subnet(&troop.pack) };
    let (general, aws) = (Double::start(Script::plan(&VPC_AND_SUBNET)), Double::start(script));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    let mut events = soon(client.ask_stream(ask("a VPC 10.0.0.0/16"))).await.unwrap().into_inner();
    while !matches!(soon(events.message()).await.unwrap().unwrap().event, Some(Event::StepStarted(_))) {}
    eventually("the worker is asked", || aws.answers_open.load(Ordering::SeqCst) == 1).await;
    drop(events);
    eventually("the worker's stream is dropped", || aws.answers_open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn what_the_model_changes_is_said_in_the_requests_own_words() {
    let mut troop = Troop::new().await;
    let lines = ["create a VPC 10.9.9.0/16", "create a subnet in the VPC", "create a VPC 10.0.0.0/16"];
    let (general, aws) = (Double::start(Script::plan(&lines)), Double::start(vpc_and_subnet(&troop.pack)));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    let plan = soon(client.ask(ask(THREE_WISHES))).await.unwrap().into_inner();
    let steps: Vec<&str> = plan.steps.iter().map(|step| step.text.as_str()).collect();
    assert_eq!(steps, ["a VPC 10.0.0.0/16", "a subnet 10.0.1.0/24 in it", "list all networks that exist"]);
}

#[tokio::test]
async fn more_wishes_than_a_plan_may_hold_are_named() {
    let mut troop = Troop::new().await;
    let wishes: Vec<String> = (0..18).map(|number| format!("list the networks of zone-{number}")).collect();
    let lines: Vec<&str> = wishes.iter().map(String::as_str).collect();
    let aws = Script::answering(|_| Vec::new());
    let (general, aws) = (Double::start(Script::plan(&lines[..16])), Double::start(aws));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    let plan = soon(client.ask(ask(&wishes.join(", ")))).await.unwrap().into_inner();
    let beyond: Vec<&str> =
        plan.unanswered.iter().filter(|one| one.reason.contains("16 actions")).map(|one| one.text.as_str()).collect();
    assert_eq!((plan.steps.len(), beyond), (16, vec!["list the networks of zone-16", "list the networks of zone-17"]));
}
