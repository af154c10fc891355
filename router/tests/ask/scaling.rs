//! Scaling by capability: what the router has to do, and requests for a capability that has no worker yet.

use std::{collections::BTreeMap, time::Duration};

use silverback_proto::{
    CodedStatus, ErrorCode,
    externalscaler::{GetMetricsRequest, ScaledObjectRef, external_scaler_client::ExternalScalerClient},
    v1::{self, WatchBacklogRequest, backlog_service_client::BacklogServiceClient},
};
use silverback_registry::{Capability, Declaration};
use silverback_router::{RouterConfig, RunningRouter};
use silverback_scaler::{RunningScaler, Scaler, ScalerConfig};
use tonic::{Streaming, transport::Channel};

use crate::{
    double::{Double, Script},
    troop::{Client, Troop, ask, call, connect, soon},
};

const BUCKET: &str = "make a gcp bucket";
const VPC_AND_SUBNET: [&str; 2] = ["create a VPC 10.0.0.0/16", "create a subnet 10.0.1.0/24 in it"];

fn reading(pack: &str) -> Script {
    let pack = pack.to_owned();
    Script::answering(move |_| vec![call("c1", &pack, "DescribeVpcs", "{}")])
}

async fn declare(troop: &Troop, capability: &str) {
    let declaration = Declaration { description: format!("what {capability} does"), examples: Vec::new() };
    troop.registry.declare(&Capability::new(capability).unwrap(), &declaration).await.unwrap();
}

/// A troop that can plan, with `gcp` declared and nobody there for it.
async fn without_gcp() -> (Troop, Double) {
    let mut troop = Troop::new().await;
    let general = Double::start(Script::plan(&[BUCKET]));
    troop.announce("g", "plan", &general).await;
    declare(&troop, "gcp").await;
    (troop, general)
}

fn config(troop: &Troop) -> RouterConfig {
    troop.config(troop.folder.path())
}

/// Asks in the background.
fn asking(client: &Client, text: &str) -> tokio::task::JoinHandle<Result<v1::Plan, tonic::Status>> {
    let (mut client, text) = (client.clone(), text.to_owned());
    tokio::spawn(async move { Ok(client.ask(ask(&text)).await?.into_inner()) })
}

async fn watch(router: &RunningRouter) -> Streaming<v1::Backlog> {
    let mut client = BacklogServiceClient::new(connect(router).await);
    soon(client.watch_backlog(WatchBacklogRequest {})).await.unwrap().into_inner()
}

/// Waits for a report in which the capability has (waiting, queued, running).
async fn until(backlogs: &mut Streaming<v1::Backlog>, capability: &str, wanted: (u32, u32, u32)) {
    let reading = async {
        loop {
            let backlog = backlogs.message().await.unwrap().expect("the router runs");
            let found = backlog.capabilities.iter().find(|found| found.capability == capability);
            if found.map_or((0, 0, 0), |found| (found.waiting, found.queued, found.running)) == wanted {
                return;
            }
        }
    };
    soon(reading).await;
}

/// KEDA's side of a scaler over the troop's registry.
async fn scaler(troop: &Troop) -> (RunningScaler, ExternalScalerClient<Channel>) {
    let mut config = ScalerConfig::new(troop.registry.clone());
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.limits.calm = Duration::ZERO;
    let scaler = Scaler::start(config).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", scaler.address())).unwrap().connect().await.unwrap();
    (scaler, ExternalScalerClient::new(channel))
}

fn gcp() -> ScaledObjectRef {
    let scaler_metadata = BTreeMap::from([("capability".to_owned(), "gcp".to_owned())]);
    ScaledObjectRef { name: "gcp-workers".into(), namespace: "silverback".into(), scaler_metadata }
}

#[tokio::test]
async fn a_declared_capability_is_scaled_from_zero_and_its_request_answered() {
    let (mut troop, _general) = without_gcp().await;
    let (_router, client) = troop.router().await;
    let (_scaler, mut keda) = scaler(&troop).await;
    let mut active = soon(keda.stream_is_active(gcp())).await.unwrap().into_inner();
    assert!(!soon(active.message()).await.unwrap().unwrap().result);
    let asked = asking(&client, BUCKET);
    assert!(soon(active.message()).await.unwrap().unwrap().result, "KEDA is told to start one");
    let metric_name = soon(keda.get_metric_spec(gcp())).await.unwrap().into_inner().metric_specs[0].metric_name.clone();
    let request = GetMetricsRequest { scaled_object_ref: Some(gcp()), metric_name };
    assert_eq!(soon(keda.get_metrics(request)).await.unwrap().into_inner().metric_values[0].metric_value_float, 1.0);
    assert!(!asked.is_finished());
    let worker = Double::start(reading(&troop.pack));
    troop.announce("w", "gcp", &worker).await;
    let plan = soon(asked).await.unwrap().unwrap();
    assert_eq!((plan.calls.len(), plan.unanswered.len()), (1, 0), "{:?}", plan.unanswered);
    assert!(!soon(active.message()).await.unwrap().unwrap().result, "and that it is done");
}

#[tokio::test]
async fn more_steps_than_the_bound_are_refused_at_once_with_the_reason() {
    let (troop, _general) = without_gcp().await;
    let mut config = config(&troop);
    config.dispatch.max_steps_without_worker = 1;
    let (router, client) = troop.router_with(config).await;
    let mut backlogs = watch(&router).await;
    let first = asking(&client, BUCKET);
    until(&mut backlogs, "gcp", (0, 1, 0)).await;
    let plan = soon(asking(&client, BUCKET)).await.unwrap().unwrap();
    let expected = "1 steps wait for the first worker of capability \"gcp\" already; ask again in 1 s";
    assert_eq!((plan.unanswered[0].reason.as_str(), plan.calls.len()), (expected, 0));
    assert!(!first.is_finished());
    first.abort();
    until(&mut backlogs, "gcp", (0, 0, 0)).await;
}

#[tokio::test]
async fn where_no_worker_comes_the_step_says_so() {
    let (troop, _general) = without_gcp().await;
    let mut config = config(&troop);
    config.dispatch.first_worker_deadline = Duration::from_millis(50);
    let (_router, client) = troop.router_with(config).await;
    let plan = soon(asking(&client, BUCKET)).await.unwrap().unwrap();
    assert_eq!(plan.unanswered[0].reason, "no worker serves capability \"gcp\"");
}

#[tokio::test]
async fn steps_that_wait_for_earlier_ones_are_in_the_backlog() {
    let mut troop = Troop::new().await;
    let script = Script { answer_holds: true, ..reading(&troop.pack) };
    let (general, aws) = (Double::start(Script::plan(&VPC_AND_SUBNET)), Double::start(script));
    troop.announce("g", "plan", &general).await;
    troop.announce("a", "aws", &aws).await;
    let (router, client) = troop.router().await;
    let mut backlogs = watch(&router).await;
    let asked = asking(&client, &VPC_AND_SUBNET.join(", "));
    until(&mut backlogs, "aws", (1, 0, 1)).await;
    aws.release();
    until(&mut backlogs, "aws", (0, 0, 0)).await;
    assert_eq!(soon(asked).await.unwrap().unwrap().steps.len(), 2);
}

#[tokio::test]
async fn a_cancelled_request_is_no_backlog() {
    let (troop, _general) = without_gcp().await;
    let (router, mut client) = troop.router().await;
    let mut backlogs = watch(&router).await;
    let events = soon(client.ask_stream(ask(BUCKET))).await.unwrap();
    until(&mut backlogs, "gcp", (0, 1, 0)).await;
    drop(events);
    until(&mut backlogs, "gcp", (0, 0, 0)).await;
}

#[tokio::test]
async fn a_declared_planner_is_waited_for_too() {
    let mut troop = Troop::new().await;
    let aws = Double::start(reading(&troop.pack));
    troop.announce("a", "aws", &aws).await;
    declare(&troop, "plan").await;
    let mut config = config(&troop);
    config.dispatch.max_steps_without_worker = 1;
    let (router, client) = troop.router_with(config).await;
    let mut backlogs = watch(&router).await;
    let asked = asking(&client, VPC_AND_SUBNET[0]);
    until(&mut backlogs, "plan", (0, 1, 0)).await;
    let status = soon(asking(&client, VPC_AND_SUBNET[0])).await.unwrap().unwrap_err();
    assert_eq!(status.error_code(), ErrorCode::Exhausted, "{status}");
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "1000");
    let general = Double::start(Script::plan(&VPC_AND_SUBNET[..1]));
    troop.announce("g", "plan", &general).await;
    assert_eq!(soon(asked).await.unwrap().unwrap().calls.len(), 1);
    until(&mut backlogs, "plan", (0, 0, 0)).await;
}

#[tokio::test]
async fn a_router_is_announced_where_others_reach_it() {
    let (troop, _general) = without_gcp().await;
    let announced = async |listen: &str, advertise: Option<&str>| {
        let mut config = config(&troop);
        config.listen = listen.parse().unwrap();
        config.advertise = advertise.map(str::to_owned);
        let router = silverback_router::Router::start(config).await.map_err(|error| error.to_string())?;
        let mut handle = troop.registry.follow();
        let found = if advertise.is_some() {
            let snapshot = soon(handle.wait_until(|snapshot| snapshot.routers().count() == 1)).await;
            snapshot.routers().next().unwrap().address.clone()
        } else {
            troop.registry.read().await.unwrap().routers().map(|router| router.address.clone()).collect()
        };
        soon(router.shutdown()).await.unwrap();
        Ok::<_, String>(found)
    };
    assert_eq!(
        announced("127.0.0.1:0", Some("http://router-0.silverback:7411")).await.unwrap(),
        "http://router-0.silverback:7411"
    );
    assert_eq!(announced("0.0.0.0:0", None).await.unwrap(), "", "that is the address of every router");
    assert!(announced("127.0.0.1:0", Some("router-0")).await.unwrap_err().contains("--advertise"));
}

#[tokio::test]
async fn a_router_that_stops_leaves_the_registry_and_ends_its_streams() {
    let (troop, _general) = without_gcp().await;
    let (router, _client) = troop.router().await;
    let mut handle = troop.registry.follow();
    let snapshot = soon(handle.wait_until(|snapshot| snapshot.routers().count() == 1)).await;
    assert_eq!(snapshot.routers().next().unwrap().address, format!("http://{}", router.address()));
    let mut backlogs = watch(&router).await;
    until(&mut backlogs, "gcp", (0, 0, 0)).await;
    soon(router.shutdown()).await.unwrap();
    assert_eq!(soon(backlogs.message()).await.unwrap(), None, "a clean end");
    assert_eq!(troop.registry.read().await.unwrap().routers().count(), 0);
}
