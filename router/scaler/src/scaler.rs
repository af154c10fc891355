//! The story of a scaler: follow the registry ▶ follow the routers in it ▶ sum up ▶ answer KEDA.

use std::{net::SocketAddr, time::Duration};

use silverback_proto::{EXTERNAL_SCALER_DESCRIPTORS, externalscaler::external_scaler_server::ExternalScalerServer};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::TcpIncoming};
use tonic_health::server::HealthReporter;
use tracing::info;

use crate::{ScalerConfig, ScalerError, demand::Demand, follow::Follower, reports::Reports, service::ScalerEdge};

/// Largest request that is read, in bytes: a name and a few lines of metadata.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// How often a quiet KEDA is asked whether it is still there.
const CLIENT_PING: Duration = Duration::from_secs(20);

/// Starts scalers.
pub struct Scaler;

/// A scaler that serves until it is shut down or dropped.
pub struct RunningScaler {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    /// Reads what is answered from.
    _following: JoinSet<()>,
    grace: Duration,
}

// === impl Scaler ===

impl Scaler {
    /// Binds, follows and serves. A registry that is away is no error: until it was read once, KEDA is told to ask again, and
    /// after that the last state stays.
    ///
    /// # Errors
    /// `ListenFailed` and `ServeFailed`.
    pub async fn start(config: ScalerConfig) -> Result<RunningScaler, ScalerError> {
        let ScalerConfig { listen, registry, limits } = config;
        let failed = |source| ScalerError::ListenFailed { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        let (snapshots, reports) = (registry.follow(), Reports::new(limits.keep_lost));
        let demand = Demand::new(snapshots.clone(), reports.clone(), limits.max_routers);
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_not_serving::<ExternalScalerServer<ScalerEdge>>().await;
        let follower = Follower { snapshots, reports, limits: limits.clone() };
        let mut following = JoinSet::new();
        following.spawn(async { match follower.run().await {} });
        following.spawn(tell_when_known(demand.clone(), health));

        let (stop, grace) = (CancellationToken::new(), limits.shutdown_grace);
        let edge = ExternalScalerServer::new(ScalerEdge::new(demand, stop.clone(), limits))
            .max_decoding_message_size(MAX_REQUEST_BYTES);
        let server = Server::builder()
            .http2_keepalive_interval(Some(CLIENT_PING))
            .add_service(health_service)
            .add_service(reflection().build_v1().map_err(serve_failed)?)
            .add_service(reflection().build_v1alpha().map_err(serve_failed)?)
            .add_service(edge);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let serving = tokio::spawn(server.serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned()));
        info!(%address, "scaler serves");
        Ok(RunningScaler { address, stop, serving, _following: following, grace })
    }
}

// === impl RunningScaler ===

impl RunningScaler {
    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every stream in good order, takes no more requests, then ends.
    ///
    /// # Errors
    /// `ServeFailed` when the server had failed before.
    pub async fn shutdown(mut self) -> Result<(), ScalerError> {
        self.stop.cancel();
        match timeout(self.grace, &mut self.serving).await {
            Ok(Ok(served)) => served.map_err(serve_failed),
            Ok(Err(lost)) => Err(serve_failed(lost)),
            // Whoever still waits has had the grace.
            Err(_) => Ok(()),
        }
    }
}

impl Drop for RunningScaler {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
    }
}

/// Ready, for Kubernetes' probe of the service, as soon as its answers are those of the other replicas.
async fn tell_when_known(mut demand: Demand, health: HealthReporter) {
    while demand.check_known().is_err() {
        demand.changed().await;
    }
    health.set_serving::<ExternalScalerServer<ScalerEdge>>().await;
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(EXTERNAL_SCALER_DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

fn serve_failed(error: impl std::fmt::Display) -> ScalerError {
    ScalerError::ServeFailed { reason: error.to_string() }
}
