//! What KEDA is answered when it asks.

use silverback_proto::{
    CodedStatus, ErrorCode,
    externalscaler::{GetMetricsRequest, ScaledObjectRef},
};
use silverback_registry::Presence;
use silverback_scaler::DEFAULT_TARGET;
use tonic::{Code, Request};

use crate::{
    double::{Router, steps},
    stage::{is_active, limits, memory, metric, of, reference, scaler, soon, until_metric},
};

#[tokio::test]
async fn the_metric_is_every_step_of_every_router_and_each_replica_says_the_same() {
    let registry = memory().await;
    let routers = [Router::start(), Router::start()];
    routers[0].say(vec![steps("aws", 1, 2, 3), steps("plan", 0, 0, 1)]);
    routers[1].say(vec![steps("aws", 10, 20, 30)]);
    let _announced = [routers[0].announce(&registry).await, routers[1].announce(&registry).await];
    let mut replicas = [scaler(&registry, limits()).await, scaler(&registry, limits()).await];
    for (_, keda) in &mut replicas {
        until_metric(keda, "aws", 66.0).await;
        until_metric(keda, "plan", 1.0).await;
        assert!(is_active(keda, "aws").await && is_active(keda, "plan").await);
        assert!(!is_active(keda, "gcp").await);
        assert_eq!(metric(keda, "gcp").await.unwrap(), 0.0);
    }
    routers[1].say(Vec::new());
    for (_, keda) in &mut replicas {
        until_metric(keda, "aws", 6.0).await;
    }
}

#[tokio::test]
async fn the_spec_says_steps_a_worker_and_streams_the_same() {
    let (_scaler, mut keda) = scaler(&memory().await, limits()).await;
    let spec = soon(keda.get_metric_spec(of("aws/s3"))).await.unwrap().into_inner();
    let found = &spec.metric_specs[0];
    assert_eq!((found.metric_name.as_str(), found.target_size_float), ("silverback-steps-aws-s3", DEFAULT_TARGET));
    assert_eq!(found.target_size, 0, "floats only");
    let mut streamed = soon(keda.stream_metric_spec(of("aws/s3"))).await.unwrap().into_inner();
    assert_eq!(soon(streamed.message()).await.unwrap(), Some(spec));
    let asked = reference(&[("capability", "aws"), ("target", "1.5")]);
    assert_eq!(soon(keda.get_metric_spec(asked)).await.unwrap().into_inner().metric_specs[0].target_size_float, 1.5);
}

#[tokio::test]
async fn bad_metadata_is_told_by_every_method_with_what_to_do() {
    let (_scaler, mut keda) = scaler(&memory().await, limits()).await;
    let bad = || reference(&[("capability", "A W S"), ("target", "0")]);
    let request = GetMetricsRequest { scaled_object_ref: Some(bad()), metric_name: "x".into() };
    let refused = [
        soon(keda.is_active(bad())).await.unwrap_err(),
        soon(keda.stream_is_active(bad())).await.unwrap_err(),
        soon(keda.get_metric_spec(bad())).await.unwrap_err(),
        soon(keda.stream_metric_spec(bad())).await.unwrap_err(),
        soon(keda.get_metrics(request)).await.unwrap_err(),
    ];
    for status in refused {
        assert_eq!((status.code(), status.error_code()), (Code::InvalidArgument, ErrorCode::InvalidRequest));
        assert!(status.message().contains("write segments of a–z"), "{}", status.message());
        assert!(status.message().contains("`target` is `0`; write steps"), "{}", status.message());
    }
    let nameless = GetMetricsRequest { scaled_object_ref: None, metric_name: String::new() };
    assert_eq!(soon(keda.get_metrics(nameless)).await.unwrap_err().code(), Code::InvalidArgument);
    let other = GetMetricsRequest { scaled_object_ref: Some(of("aws")), metric_name: "silverback-steps-gcp".into() };
    let status = soon(keda.get_metrics(other)).await.unwrap_err();
    assert!(status.message().contains("only `silverback-steps-aws`"), "{}", status.message());
}

#[tokio::test]
async fn a_huge_request_is_refused_and_the_next_one_answered() {
    let (_scaler, mut keda) = scaler(&memory().await, limits()).await;
    let huge = ScaledObjectRef { name: "x".repeat(1 << 20), ..of("aws") };
    soon(keda.is_active(Request::new(huge))).await.unwrap_err();
    until_metric(&mut keda, "aws", 0.0).await;
}

#[tokio::test]
async fn a_loading_worker_counts_as_active_until_it_is_there() {
    let registry = memory().await;
    let (_scaler, mut keda) = scaler(&registry, limits()).await;
    let capability = "aws".parse().unwrap();
    let loading = registry.announce_loading(&capability, &Presence::at("http://127.0.0.1:1").unwrap());
    let mut pushed = soon(keda.stream_is_active(of("aws"))).await.unwrap().into_inner();
    while !soon(pushed.message()).await.unwrap().unwrap().result {}
    assert!(is_active(&mut keda, "aws").await);
    assert_eq!(metric(&mut keda, "aws").await.unwrap(), 0.0, "it has nothing to do yet");
    loading.withdraw().await.unwrap();
    while soon(pushed.message()).await.unwrap().unwrap().result {}
    assert!(!is_active(&mut keda, "aws").await);
}
