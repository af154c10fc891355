//! What is answered while parts are away.

use std::{sync::Arc, time::Duration};

use silverback_proto::externalscaler::external_scaler_server::SERVICE_NAME;
use silverback_registry::{Presence, Registry, RegistryConfig, store::EtcdStore, testing::EtcdProcess};
use silverback_scaler::ScalerLimits;
use tonic::{Code, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{
    double::{Router, steps},
    stage::{is_active, limits, memory, metric, of, pushed, scaler, soon, until_metric},
};

async fn health(address: std::net::SocketAddr) -> ServingStatus {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let service = HealthCheckRequest { service: SERVICE_NAME.into() };
    soon(HealthClient::new(channel).check(service)).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn the_last_backlog_of_a_killed_router_counts_on() {
    let registry = memory().await;
    let mut router = Router::start();
    router.say(vec![steps("aws", 1, 0, 1)]);
    let announced = router.announce(&registry).await;
    let (_scaler, mut keda) = scaler(&registry, limits()).await;
    until_metric(&mut keda, "aws", 2.0).await;
    router.kill();
    announced.withdraw().await.unwrap();
    assert_eq!(metric(&mut keda, "aws").await.unwrap(), 2.0);
    assert!(is_active(&mut keda, "aws").await);
}

#[tokio::test]
async fn but_not_for_ever() {
    let registry = memory().await;
    let mut router = Router::start();
    router.say(vec![steps("aws", 1, 0, 1)]);
    let _announced = router.announce(&registry).await;
    let forgetful = ScalerLimits { keep_lost: Duration::from_millis(300), ..limits() };
    let (_scaler, mut keda) = scaler(&registry, forgetful).await;
    let mut stream = soon(keda.stream_is_active(of("aws"))).await.unwrap().into_inner();
    while pushed(&mut stream).await != Some(true) {}
    router.kill();
    assert_eq!(pushed(&mut stream).await, Some(false));
}

#[tokio::test]
async fn a_router_that_ends_in_good_order_takes_its_backlog_with_it() {
    let registry = memory().await;
    let router = Router::start();
    router.say(vec![steps("aws", 1, 0, 1)]);
    let announced = router.announce(&registry).await;
    let (_scaler, mut keda) = scaler(&registry, limits()).await;
    until_metric(&mut keda, "aws", 2.0).await;
    announced.withdraw().await.unwrap();
    assert_eq!(metric(&mut keda, "aws").await.unwrap(), 2.0, "the registry may be wrong; its requests are real");
    router.end_streams();
    until_metric(&mut keda, "aws", 0.0).await;
}

#[tokio::test]
async fn a_silent_router_is_asked_anew() {
    let registry = memory().await;
    let router = Router::start();
    router.say(vec![steps("aws", 1, 0, 0)]);
    let _announced = router.announce(&registry).await;
    let impatient = ScalerLimits { silence: Duration::from_millis(200), ..limits() };
    let (_scaler, mut keda) = scaler(&registry, impatient).await;
    // The double repeats nothing by itself.
    soon(router.until_opened(3)).await;
    assert_eq!(metric(&mut keda, "aws").await.unwrap(), 1.0);
}

#[tokio::test]
async fn a_router_that_cannot_be_reached_stops_nobody_else() {
    let registry = memory().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = registry.announce_router(&Presence::at(format!("http://{closed}")).unwrap());
    nobody.announced().await.unwrap();
    let router = Router::start();
    router.say(vec![steps("aws", 0, 0, 1)]);
    let _announced = router.announce(&registry).await;
    let (scaler, mut keda) = scaler(&registry, limits()).await;
    until_metric(&mut keda, "aws", 1.0).await;
    assert_eq!(health(scaler.address()).await, ServingStatus::Serving);
}

#[tokio::test]
async fn before_the_registry_has_spoken_keda_is_told_to_ask_again() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = EtcdStore::connect(&[closed.to_string()], Duration::from_millis(100)).await.unwrap();
    let registry = Registry::on_store(Arc::new(store), RegistryConfig::default()).unwrap();
    let (scaler, mut keda) = scaler(&registry, limits()).await;
    assert_eq!(soon(metric(&mut keda, "aws")).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(soon(keda.is_active(of("aws"))).await.unwrap_err().code(), Code::Unavailable);
    soon(keda.get_metric_spec(of("aws"))).await.expect("the spec comes from the metadata alone");
    assert_eq!(health(scaler.address()).await, ServingStatus::NotServing);
    let mut stream = soon(keda.stream_is_active(of("aws"))).await.unwrap().into_inner();
    soon(scaler.shutdown()).await.unwrap();
    assert_eq!(pushed(&mut stream).await, None, "no wrong word was said before");
}

#[tokio::test]
async fn while_etcd_is_away_the_last_state_is_answered_and_backlogs_are_followed() {
    let mut etcd = EtcdProcess::start().await;
    let registry = Registry::connect(&etcd.url(), RegistryConfig::default()).await.unwrap();
    let router = Router::start();
    router.say(vec![steps("aws", 0, 0, 1)]);
    let _announced = router.announce(&registry).await;
    let (_scaler, mut keda) = scaler(&registry, limits()).await;
    until_metric(&mut keda, "aws", 1.0).await;
    etcd.kill();
    assert!(is_active(&mut keda, "aws").await);
    router.say(vec![steps("aws", 4, 0, 1)]);
    until_metric(&mut keda, "aws", 5.0).await;
}
