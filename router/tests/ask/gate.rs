//! What is never passed on, and where packs come from.

use std::{fs, sync::atomic::Ordering};

use silverback_catalogue::{PackWriter, pack::archive};
use silverback_proto::v1::{AnswerRequest, Plan, answer_event::Event, plan_event};

use crate::{
    double::{Double, Script},
    troop::{Client, Troop, all_events, ask, call, soon},
};

const ONE_LINE: [&str; 1] = ["create a VPC 10.0.0.0/16"];

/// The plan that one specialist's events lead to, and what the client saw of them.
async fn plan_of(events: impl Fn(&str) -> Vec<Event>) -> (Plan, Vec<plan_event::Event>) {
    let mut troop = Troop::new().await;
    let events = events(&troop.pack);
    let (general, aws) =
        (Double::start(Script::plan(&ONE_LINE)), Double::start(Script::answering(move |_| events.clone())));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (router, mut client) = troop.router().await;
    let mut events = soon(all_events(&mut client, "create a VPC 10.0.0.0/16")).await.unwrap();
    let Some(plan_event::Event::Merged(plan)) = events.pop() else { panic!("no plan at the end") };
    let rejected: u64 = router.rejections().iter().map(|rejection| rejection.count).sum();
    assert_eq!(rejected > 0, !plan.unanswered.is_empty());
    (plan, events)
}

#[tokio::test]
async fn a_call_that_is_not_in_the_catalogue_is_never_passed_on() {
    let cases = [
        ("CreateVpcs", r#"{"CidrBlock":"10.0.0.0/16"}"#, "aws has no operation ec2 CreateVpcs"),
        ("CreateVpc", r#"{"CidrBlock":"10.0.0.0/16","Nmae":"x"}"#, "there is no parameter `Nmae`"),
        ("CreateVpc", "{}", "`CidrBlock` is required"),
        ("DescribeVpcs", r#"{"MaxResults":"many"}"#, "/MaxResults"),
    ];
    for (operation, arguments, expected) in cases {
        let (plan, events) = plan_of(|pack| vec![call("c1", pack, operation, arguments)]).await;
        assert!(plan.calls.is_empty());
        assert!(plan.unanswered[0].reason.contains(expected), "{}", plan.unanswered[0].reason);
        assert!(!events.iter().any(|event| matches!(event, plan_event::Event::CallReady(_))), "seen though refused");
    }
}

#[tokio::test]
async fn a_reference_must_lead_to_a_value_of_the_right_kind() {
    let subnet = |path: &str| format!(r#"{{"VpcId":{{"$ref":"c1","path":"{path}"}},"CidrBlock":"10.0.1.0/24"}}"#);
    let cases =
        [("Vpc.Id", "the result of CreateVpc has no Vpc.Id"), ("Vpc", "is an object, but a single value is needed")];
    for (path, expected) in cases {
        let vpc = |pack: &str| call("c1", pack, "CreateVpc", r#"{"CidrBlock":"10.0.0.0/16"}"#);
        let (plan, _) = plan_of(|pack| vec![vpc(pack), call("c2", pack, "CreateSubnet", &subnet(path))]).await;
        assert_eq!(plan.calls.len(), 1);
        assert!(plan.unanswered[0].reason.contains(expected), "{}", plan.unanswered[0].reason);
    }
}

#[tokio::test]
async fn a_call_of_another_vendor_than_its_catalogue_is_refused() {
    let foreign = |pack: &str| match call("c1", pack, "CreateVpc", r#"{"CidrBlock":"10.0.0.0/16"}"#) {
        Event::Call(call) => Event::Call(silverback_proto::v1::Call { provider: "stripe".into(), ..call }),
        other => other,
    };
    let (plan, _) = plan_of(|pack| vec![foreign(pack)]).await;
    assert!(
        plan.unanswered[0].reason.contains("its catalogue is of aws, not of stripe"),
        "{}",
        plan.unanswered[0].reason
    );
}

async fn ask_for_vpc(client: &mut Client) -> Plan {
    soon(client.ask(ask("create a VPC 10.0.0.0/16"))).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_pack_that_is_not_here_is_fetched_once_and_kept() {
    let mut troop = Troop::new().await;
    let pack = troop.pack.clone();
    let mut script = Script::answering(move |_| vec![call("c1", &pack, "CreateVpc", r#"{"CidrBlock":"10.0.0.0/16"}"#)]);
    script.pack = Some(troop.folder.path().join("aws.pack"));
    let (general, aws) = (Double::start(Script::plan(&ONE_LINE)), Double::start(script));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let empty = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (_router, mut client) = troop.router_with(troop.config(empty.path())).await;
        assert_eq!(ask_for_vpc(&mut client).await.calls.len(), 1);
    }
    assert_eq!(aws.packs_sent.load(Ordering::SeqCst), 1, "the second router found it on the disk");
}

#[tokio::test]
async fn calls_of_an_older_pack_pass_after_a_rebuild() {
    let mut troop = Troop::new().await;
    let old = troop.pack.clone();
    archive::keep(&troop.folder.path().join("aws.pack"), &old).unwrap();
    let new = PackWriter::new("aws").finish(troop.folder.path().join("aws.pack")).unwrap().digest;
    archive::keep(&troop.folder.path().join("aws.pack"), &new).unwrap();
    assert_ne!(old, new);
    let reply = move |_: &AnswerRequest| vec![call("c1", &old, "CreateVpc", r#"{"CidrBlock":"10.0.0.0/16"}"#)];
    let (general, aws) = (Double::start(Script::plan(&ONE_LINE)), Double::start(Script::answering(reply)));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (_router, mut client) = troop.router().await;
    assert_eq!(ask_for_vpc(&mut client).await.calls.len(), 1);
    assert_eq!(aws.packs_sent.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_pack_that_is_not_what_it_should_be_is_refused() {
    let mut troop = Troop::new().await;
    let (good, bad) = (troop.folder.path().join("aws.pack"), troop.folder.path().join("bad"));
    let mut bytes = fs::read(&good).unwrap();
    let place = bytes.len() - 3;
    bytes[place] ^= 1;
    fs::write(&bad, bytes).unwrap();
    let pack = troop.pack.clone();
    let mut script = Script::answering(move |_| vec![call("c1", &pack, "CreateVpc", r#"{"CidrBlock":"10.0.0.0/16"}"#)]);
    script.pack = Some(bad);
    let (general, aws) = (Double::start(Script::plan(&ONE_LINE)), Double::start(script));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let empty = tempfile::tempdir().unwrap();
    let (_router, mut client) = troop.router_with(troop.config(empty.path())).await;
    let reason = ask_for_vpc(&mut client).await.unanswered.remove(0).reason;
    assert!(reason.contains("cannot be fetched"), "{reason}");
    assert_eq!(fs::read_dir(empty.path().join("fetched")).unwrap().count(), 0, "nothing of it is kept");
    let mut config = troop.config(empty.path());
    config.limits.max_pack_bytes = 100;
    let (_router, mut client) = troop.router_with(config).await;
    let reason = ask_for_vpc(&mut client).await.unanswered.remove(0).reason;
    assert!(reason.contains("larger than 100 bytes"), "{reason}");
}
