//! What the router adds: time of a whole request through it, less the time its workers need when they are asked directly.
//!
//! One request = one classification + one answer with one call, checked against a catalogue; worker's double in the same
//! process on its own runtime and a real socket. `cargo bench -p silverback-router`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../tests/ask/catalogue.rs"]
mod catalogue;
#[allow(dead_code)]
#[path = "../tests/ask/double.rs"]
mod double;
#[allow(dead_code)]
#[path = "../tests/ask/troop.rs"]
mod troop;

use std::time::{Duration, Instant};

use double::{Double, Script};
use metrics_exporter_prometheus::PrometheusBuilder;
use silverback_proto::v1::{
    self, general_service_client::GeneralServiceClient, specialist_service_client::SpecialistServiceClient,
};
use tonic::transport::Channel;
use troop::{Troop, ask, call};

const WARM_UP: usize = 300;
const REQUESTS: usize = 3000;
const TEXT: &str = "Create a VPC 10.0.0.0/16";

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let metrics = PrometheusBuilder::new().set_buckets(&[0.001]).unwrap().install_recorder().unwrap();
    let mut troop = Troop::new().await;
    let pack = troop.pack.clone();
    let reply = move |_: &v1::AnswerRequest| vec![call("c1", &pack, "CreateVpc", r#"{"CidrBlock":"10.0.0.0/16"}"#)];
    let worker = Double::start(Script { score: 0.95, ..Script::answering(reply) });
    troop.announce("g", "plan", &worker).await;
    troop.announce("a", "aws", &worker).await;
    let (_router, client) = troop.router().await;
    let endpoint = Channel::from_shared(format!("http://{}", worker.address)).unwrap().tcp_nodelay(true);
    let direct = endpoint.connect().await.unwrap();

    // Taken in turns, so that whatever else the machine does falls on both.
    let (mut through, mut alone) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + REQUESTS {
        let (one, two) = (ask_router(client.clone()).await, ask_worker(direct.clone()).await);
        if round >= WARM_UP {
            through.push(one);
            alone.push(two);
        }
    }
    let mut added: Vec<_> = through.iter().zip(&alone).map(|(through, alone)| through.saturating_sub(*alone)).collect();
    println!("{REQUESTS} requests after {WARM_UP} to warm up, one at a time; milliseconds");
    println!("{:<34} {:>8} {:>8} {:>8}", "", "p50", "p90", "p99");
    report("through the router", &mut through);
    report("the same two calls without it", &mut alone);
    report("added by the router (pairwise)", &mut added);
    let text = metrics.render();
    let number = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("silverback_gate_check_seconds_{name} ")));
        line.unwrap().trim().parse().unwrap()
    };
    let (sum, count) = (number("sum"), number("count"));
    println!("gate alone, mean of {count} answers of one call {:>21.3}", sum / count * 1000.0);
}

async fn ask_router(mut client: troop::Client) -> Duration {
    let start = Instant::now();
    let plan = client.ask(ask(TEXT)).await.unwrap().into_inner();
    let took = start.elapsed();
    assert_eq!(plan.calls.len(), 1, "{:?}", plan.unanswered);
    took
}

async fn ask_worker(channel: Channel) -> Duration {
    let start = Instant::now();
    let texts = vec![TEXT.to_owned()];
    let classify = v1::ClassifyRequest { texts, ..Default::default() };
    GeneralServiceClient::new(channel.clone()).classify(classify).await.unwrap();
    let request = v1::AnswerRequest { request_text: TEXT.to_owned(), ..Default::default() };
    let mut events = SpecialistServiceClient::new(channel).answer(request).await.unwrap().into_inner();
    while events.message().await.unwrap().is_some() {}
    start.elapsed()
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    println!("{what:<34} {:>8.3} {:>8.3} {:>8.3}", at(50), at(90), at(99));
}
