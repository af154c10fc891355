//! A call that the gate refuses is told to the specialist, once.

use std::sync::{Arc, Mutex};

use metrics_exporter_prometheus::PrometheusBuilder;
use silverback_proto::v1::{AnswerRequest, Plan, answer_event::Event};
use silverback_router::RunningRouter;

use crate::{
    double::{Double, Script},
    troop::{Troop, ask, call, soon},
};

const TEXT: &str = "create a VPC 10.0.0.0/16";
const RIGHT: &str = r#"{"CidrBlock":"10.0.0.0/16"}"#;
const WRONG: &str = r#"{"CidrBlock":16,"Nmae":"x"}"#;

/// What a specialist was asked, the plan that came of it, and the router.
struct Outcome {
    asked: Vec<AnswerRequest>,
    plan: Plan,
    router: RunningRouter,
}

/// Asks a troop whose specialist `worker` answers with `reply`, given the digest of the pack.
async fn outcome(worker: &str, reply: impl Fn(&AnswerRequest, &str) -> Vec<Event> + Send + Sync + 'static) -> Outcome {
    let mut troop = Troop::new().await;
    let asked: Arc<Mutex<Vec<AnswerRequest>>> = Arc::default();
    let (heard, pack) = (asked.clone(), troop.pack.clone());
    let specialist = Double::start(Script::answering(move |request| {
        heard.lock().unwrap().push(request.clone());
        reply(request, &pack)
    }));
    let general = Double::start(Script::plan(&[TEXT]));
    troop.announce("g", "plan", &general).await;
    troop.announce(worker, "aws", &specialist).await;
    let (router, mut client) = troop.router().await;
    let plan = soon(client.ask(ask(TEXT))).await.unwrap().into_inner();
    let asked = asked.lock().unwrap().clone();
    Outcome { asked, plan, router }
}

#[tokio::test]
async fn a_wrong_call_is_asked_for_again_with_what_is_wrong_with_it() {
    let right_when_told = |request: &AnswerRequest, pack: &str| {
        vec![call("c1", pack, "CreateVpc", if request.repair.is_empty() { WRONG } else { RIGHT })]
    };
    let Outcome { asked, plan, router } = outcome("a", right_when_told).await;
    assert_eq!((plan.calls.len(), plan.unanswered.len()), (1, 0), "{:?}", plan.unanswered);
    assert_eq!(plan.calls[0].command, ["aws", "ec2", "createvpc", "--cidr-block", "10.0.0.0/16"]);
    assert_eq!(asked.len(), 2);
    let told: Vec<_> = asked[1].repair.iter().map(|fault| (fault.pointer.as_str(), fault.code.as_str())).collect();
    assert_eq!(told, [("/CidrBlock", "type"), ("/Nmae", "unknown")]);
    assert_eq!(asked[1].repair[0].operation, "CreateVpc");
    assert!(asked[1].repair[0].message.contains("must be string"), "{:?}", asked[1].repair[0]);
    assert_eq!(asked[1].step, asked[0].step);
    let rejections = router.rejections();
    assert_eq!((rejections[0].worker.as_str(), rejections[0].count), ("a", 1), "{rejections:?}");
}

#[tokio::test]
async fn a_call_that_stays_wrong_is_asked_for_exactly_once_more_and_reported() {
    let never_right = |_: &AnswerRequest, pack: &str| vec![call("c1", pack, "CreateVpc", WRONG)];
    let Outcome { asked, plan, router } = outcome("a", never_right).await;
    assert_eq!(asked.len(), 2);
    assert_eq!((plan.calls.len(), plan.unanswered.len()), (0, 1));
    let reason = &plan.unanswered[0].reason;
    assert!(reason.contains("/CidrBlock: must be string") && reason.ends_with("asked again once"), "{reason}");
    assert_eq!(router.rejections()[0].count, 2);
}

#[tokio::test]
async fn a_right_call_is_asked_for_once() {
    let right = |_: &AnswerRequest, pack: &str| vec![call("c1", pack, "CreateVpc", RIGHT)];
    let Outcome { asked, plan, .. } = outcome("a", right).await;
    assert_eq!((asked.len(), plan.calls.len()), (1, 1));
}

#[tokio::test]
async fn a_repair_that_loses_a_right_call_is_not_taken() {
    let worse = |request: &AnswerRequest, pack: &str| {
        let wrong = call("c2", pack, "CreateVpc", WRONG);
        if request.repair.is_empty() { vec![call("c1", pack, "CreateVpc", RIGHT), wrong] } else { vec![wrong] }
    };
    let Outcome { asked, plan, .. } = outcome("a", worse).await;
    assert_eq!((asked.len(), plan.calls.len(), plan.unanswered.len()), (2, 1, 1), "{:?}", plan.unanswered);
}

#[tokio::test]
async fn what_a_worker_cannot_mend_is_not_asked_for_again() {
    let foreign = |_: &AnswerRequest, pack: &str| match call("c1", pack, "CreateVpc", RIGHT) {
        Event::Call(call) => vec![Event::Call(silverback_proto::v1::Call { provider: "stripe".into(), ..call })],
        _ => Vec::new(),
    };
    let Outcome { asked, plan, .. } = outcome("a", foreign).await;
    assert_eq!((asked.len(), plan.calls.len()), (1, 0));
}

#[tokio::test]
async fn rejected_calls_are_counted_and_made_up_names_make_no_series() {
    let metrics = PrometheusBuilder::new().install_recorder().unwrap();
    let wrong = |_: &AnswerRequest, pack: &str| {
        vec![call("c1", pack, "CreateVpc", WRONG), call("c2", pack, "Crea\"te\nVpcs", RIGHT)]
    };
    outcome("metered", wrong).await;
    let text = metrics.render();
    let line =
        |operation: &str| format!("silverback_calls_rejected_total{{worker=\"metered\",operation=\"{operation}\"}} 2");
    assert!(text.lines().any(|found| found == line("aws ec2 CreateVpc")), "{text}");
    assert!(text.lines().any(|found| found == line("unknown")), "{text}");
    assert!(!text.contains("Vpcs"), "{text}");
    assert!(text.contains("silverback_gate_check_seconds"), "{text}");
}
