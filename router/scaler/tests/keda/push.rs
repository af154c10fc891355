//! What KEDA is told without asking.

use std::time::Duration;

use silverback_scaler::ScalerLimits;
use tonic::Code;

use crate::{
    double::{Router, steps},
    stage::{limits, memory, of, pushed, reference, scaler, soon, until_metric},
};

#[tokio::test]
async fn true_is_pushed_when_a_capability_gets_something_to_do_and_false_when_it_is_done() {
    let registry = memory().await;
    let router = Router::start();
    let _announced = router.announce(&registry).await;
    let (_scaler, mut keda) = scaler(&registry, limits()).await;
    let mut stream = soon(keda.stream_is_active(of("aws"))).await.unwrap().into_inner();
    assert_eq!(pushed(&mut stream).await, Some(false));
    router.say(vec![steps("aws", 0, 1, 0), steps("gcp", 0, 0, 9)]);
    assert_eq!(pushed(&mut stream).await, Some(true));
    router.say(vec![steps("gcp", 0, 0, 9)]);
    assert_eq!(pushed(&mut stream).await, Some(false));
}

#[tokio::test]
async fn an_activation_is_exceeded_before_anybody_is_told() {
    let registry = memory().await;
    let router = Router::start();
    let _announced = router.announce(&registry).await;
    let (_scaler, mut keda) = scaler(&registry, limits()).await;
    let asked = reference(&[("capability", "aws"), ("activation", "2")]);
    let mut stream = soon(keda.stream_is_active(asked)).await.unwrap().into_inner();
    assert_eq!(pushed(&mut stream).await, Some(false));
    router.say(vec![steps("aws", 2, 0, 0)]);
    until_metric(&mut keda, "aws", 2.0).await;
    router.say(vec![steps("aws", 3, 0, 0)]);
    assert_eq!(pushed(&mut stream).await, Some(true));
}

#[tokio::test]
async fn a_pause_in_the_work_is_no_news() {
    let registry = memory().await;
    let router = Router::start();
    let _announced = router.announce(&registry).await;
    let patient = ScalerLimits { calm: Duration::from_secs(3600), ..limits() };
    let (scaler, mut keda) = scaler(&registry, patient).await;
    router.say(vec![steps("aws", 0, 0, 1)]);
    until_metric(&mut keda, "aws", 1.0).await;
    let mut stream = soon(keda.stream_is_active(of("aws"))).await.unwrap().into_inner();
    assert_eq!(pushed(&mut stream).await, Some(true));
    for running in [0, 1, 0] {
        router.say(vec![steps("aws", 0, 0, running)]);
        until_metric(&mut keda, "aws", f64::from(running)).await;
    }
    soon(scaler.shutdown()).await.unwrap();
    assert_eq!(pushed(&mut stream).await, None, "nothing was said but the first");
}

#[tokio::test]
async fn streams_end_without_an_error_when_the_scaler_stops() {
    let (scaler, mut keda) = scaler(&memory().await, limits()).await;
    let mut active = soon(keda.stream_is_active(of("aws"))).await.unwrap().into_inner();
    let mut spec = soon(keda.stream_metric_spec(of("aws"))).await.unwrap().into_inner();
    assert_eq!(pushed(&mut active).await, Some(false));
    soon(spec.message()).await.unwrap().unwrap();
    soon(scaler.shutdown()).await.unwrap();
    assert_eq!(pushed(&mut active).await, None);
    assert_eq!(soon(spec.message()).await.unwrap(), None);
}

#[tokio::test]
async fn more_streams_than_the_limit_are_refused_until_one_ends() {
    let one = ScalerLimits { max_streams: 1, ..limits() };
    let (_scaler, mut keda) = scaler(&memory().await, one).await;
    let first = soon(keda.stream_is_active(of("aws"))).await.unwrap();
    let status = soon(keda.stream_metric_spec(of("aws"))).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("start another replica"), "{}", status.message());
    drop(first);
    soon(async { while keda.stream_metric_spec(of("aws")).await.is_err() {} }).await;
}
