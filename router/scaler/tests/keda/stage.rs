//! A registry, a scaler over it, and KEDA's side of the contract.

use std::{collections::BTreeMap, future::Future, time::Duration};

use silverback_proto::externalscaler::{
    GetMetricsRequest, IsActiveResponse, ScaledObjectRef, external_scaler_client::ExternalScalerClient,
};
use silverback_registry::{Registry, RegistryConfig};
use silverback_scaler::{RunningScaler, Scaler, ScalerConfig, ScalerLimits};
use tonic::{Code, Status, Streaming, transport::Channel};

pub type Keda = ExternalScalerClient<Channel>;

/// Fails the test instead of hanging it.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("done within the test's deadline")
}

pub async fn memory() -> Registry {
    Registry::connect("memory:", RegistryConfig::default()).await.unwrap()
}

/// Says "nothing to do" without a calm before it: tests wait for events, not for time.
pub fn limits() -> ScalerLimits {
    ScalerLimits { calm: Duration::ZERO, retry_ceiling: Duration::from_millis(200), ..ScalerLimits::default() }
}

pub async fn scaler(registry: &Registry, limits: ScalerLimits) -> (RunningScaler, Keda) {
    let mut config = ScalerConfig::new(registry.clone());
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.limits = limits;
    let scaler = Scaler::start(config).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", scaler.address())).unwrap().connect().await.unwrap();
    (scaler, Keda::new(channel))
}

pub fn reference(metadata: &[(&str, &str)]) -> ScaledObjectRef {
    let entries = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let scaler_metadata: BTreeMap<_, _> = entries.collect();
    ScaledObjectRef { name: "workers".into(), namespace: "silverback".into(), scaler_metadata }
}

pub fn of(capability: &str) -> ScaledObjectRef {
    reference(&[("capability", capability), ("scalerAddress", "scaler:7413")])
}

pub async fn metric(keda: &mut Keda, capability: &str) -> Result<f64, Status> {
    let metric_name = format!("silverback-steps-{}", capability.replace('/', "-"));
    let request = GetMetricsRequest { scaled_object_ref: Some(of(capability)), metric_name: metric_name.clone() };
    let values = keda.get_metrics(request).await?.into_inner().metric_values;
    assert_eq!(values.len(), 1);
    assert_eq!((values[0].metric_name.as_str(), values[0].metric_value), (metric_name.as_str(), 0), "floats only");
    Ok(values[0].metric_value_float)
}

/// Until the metric has this value; what comes before may be anything but an error other than "not yet".
pub async fn until_metric(keda: &mut Keda, capability: &str, wanted: f64) {
    let poll = async {
        loop {
            match metric(keda, capability).await {
                Ok(value) if value == wanted => return,
                Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
                Ok(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), poll)
        .await
        .unwrap_or_else(|_| panic!("{capability} is never {wanted}"));
}

pub async fn is_active(keda: &mut Keda, capability: &str) -> bool {
    soon(keda.is_active(of(capability))).await.unwrap().into_inner().result
}

/// The next that is pushed; `None` after a clean end.
pub async fn pushed(stream: &mut Streaming<IsActiveResponse>) -> Option<bool> {
    soon(stream.message()).await.unwrap().map(|answer| answer.result)
}
