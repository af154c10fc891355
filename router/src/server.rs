//! The gRPC edge: Ask, AskStream, ListWorkers, WatchBacklog, health and reflection.

use std::{net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, future::OptionFuture, stream};
use silverback_dispatch::{Dispatcher, Peers};
use silverback_proto::{
    DESCRIPTORS, ErrorCode,
    v1::{
        self,
        backlog_service_server::BacklogServiceServer,
        router_service_server::{RouterService, RouterServiceServer},
    },
};
use silverback_registry::{Announcement, Presence};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};
use tracing::info;

use crate::{
    CatalogueGate, Rejection, RequestPath, RouterConfig, RouterError,
    backlog::BacklogEdge,
    general::Generals,
    openai,
    pool::Pool,
    wire::ClientSink,
    workers::{PLAN, TOOLS, Workers},
};

/// Events waiting for one client; when they are full its request waits.
const CLIENT_BUFFER: usize = 64;

/// How often a quiet client is asked whether it is still there.
const CLIENT_PING: Duration = Duration::from_secs(20);

/// Starts routers.
pub struct Router;

/// A router that serves until it is shut down or dropped.
pub struct RunningRouter {
    address: SocketAddr,
    http: Option<SocketAddr>,
    gate: Arc<CatalogueGate>,
    announcement: Option<Announcement>,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    grace: Duration,
}

struct Edge {
    path: Arc<RequestPath>,
    workers: Workers,
}

// === impl Router ===

impl Router {
    /// Binds, follows the registry and serves. A registry that is away is no error: its workers appear when it is back.
    ///
    /// # Errors
    /// `ListenFailed` and `PacksFailed`.
    pub async fn start(config: RouterConfig) -> Result<RunningRouter, RouterError> {
        let failed = |source| RouterError::ListenFailed { address: config.listen, source, flag: "--listen" };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (grace, http, registry) = (config.limits.shutdown_grace, config.http, config.registry.clone());
        let presence = presence(config.advertise.clone(), address)?;
        let workers = Workers::new(config.registry.follow());
        let path = Arc::new(lay_path(config, workers.clone())?);
        let (gate, stop) = (path.gate.clone(), CancellationToken::new());
        let http = match http {
            Some(listen) => Some(openai::serve(listen, path.clone(), stop.clone()).await?),
            None => None,
        };
        let backlog = BacklogEdge::new(path.dispatcher.lobby().backlog().clone(), stop.clone());
        let edge = RouterServiceServer::new(Edge { path, workers });
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<RouterServiceServer<Edge>>().await;
        let server = Server::builder()
            // A client that vanished without a word must not keep its workers busy.
            .http2_keepalive_interval(Some(CLIENT_PING))
            .layer(crate::wire::utf8_layer())
            .add_service(health_service)
            .add_service(reflection().build_v1().map_err(serve_failed)?)
            // grpcurl and other clients of before 2023 ask for the alpha version.
            .add_service(reflection().build_v1alpha().map_err(serve_failed)?)
            .add_service(BacklogServiceServer::new(backlog))
            .add_service(edge);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let serving = tokio::spawn(server.serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned()));
        // Last: who is announced can be asked.
        let announcement = presence.map(|presence| registry.announce_router(&presence));
        info!(%address, "router serves");
        Ok(RunningRouter { address, http, gate, announcement, stop, serving, grace })
    }
}

// === impl RunningRouter ===

impl RunningRouter {
    /// Where it listens, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the OpenAI-compatible edge listens, if it is on.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Calls that workers made and the router did not pass on.
    pub fn rejections(&self) -> Vec<Rejection> {
        self.gate.rejections()
    }

    /// Takes no more requests, gives those in progress a few seconds, then ends.
    ///
    /// # Errors
    /// `ServeFailed` when the server had failed before.
    pub async fn shutdown(mut self) -> Result<(), RouterError> {
        self.stop.cancel();
        let (announcement, grace) = (self.announcement.take(), self.grace);
        let leaving = timeout(grace, OptionFuture::from(announcement.map(Announcement::leave)));
        let (served, _) = tokio::join!(timeout(grace, &mut self.serving), leaving);
        match served {
            Ok(Ok(served)) => served.map_err(serve_failed),
            Ok(Err(lost)) => Err(serve_failed(lost)),
            // Whoever still waits has had the grace.
            Err(_) => Ok(()),
        }
    }
}

impl Drop for RunningRouter {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
    }
}

// === impl Edge ===

#[tonic::async_trait]
impl RouterService for Edge {
    type AskStreamStream = Pin<Box<dyn Stream<Item = Result<v1::PlanEvent, Status>> + Send>>;

    async fn ask(&self, request: Request<v1::AskRequest>) -> Result<Response<v1::Plan>, Status> {
        let plan = self.path.answer(request.into_inner(), &ClientSink::deaf()).await;
        plan.map(|plan| Response::new(plan.into())).map_err(|error| error.status())
    }

    async fn ask_stream(&self, request: Request<v1::AskRequest>) -> Result<Response<Self::AskStreamStream>, Status> {
        let (sender, events) = mpsc::channel(CLIENT_BUFFER);
        let (path, client) = (self.path.clone(), ClientSink::new(sender));
        // In the stream's own set: when the client goes, the stream is dropped and the work on its request with it.
        let mut work = JoinSet::new();
        work.spawn(async move {
            let plan = path.answer(request.into_inner(), &client).await.map_err(|error| error.status())?;
            client.merged(plan).await;
            Ok(())
        });
        Ok(Response::new(Box::pin(stream::unfold((events, work), next_event))))
    }

    async fn list_workers(&self, _: Request<v1::ListWorkersRequest>) -> Result<Response<v1::ListWorkersReply>, Status> {
        Ok(Response::new(self.workers.list()))
    }
}

/// How others find the router; nothing where its own address is every address of the machine: all routers would have that one.
fn presence(advertised: Option<String>, address: SocketAddr) -> Result<Option<Presence>, RouterError> {
    if advertised.is_none() && address.ip().is_unspecified() {
        info!(%address, "scalers cannot find a router that listens everywhere, unless `silverback router --advertise` says where it is reached");
        return Ok(None);
    }
    let advertised = advertised.unwrap_or_else(|| format!("http://{address}"));
    Presence::at(advertised).map(Some).map_err(|source| RouterError::AdvertiseFailed { source })
}

type Work = (mpsc::Receiver<v1::PlanEvent>, JoinSet<Result<(), Status>>);

/// Events while there are any, then the error if the request failed.
async fn next_event((mut events, mut work): Work) -> Option<(Result<v1::PlanEvent, Status>, Work)> {
    if let Some(event) = events.recv().await {
        return Some((Ok(event), (events, work)));
    }
    match work.join_next().await? {
        Ok(Ok(())) => None,
        Ok(Err(status)) => Some((Err(status), (events, work))),
        Err(lost) => Some((Err(ErrorCode::Internal.status(lost.to_string())), (events, work))),
    }
}

/// Wires what a request passes through.
fn lay_path(config: RouterConfig, workers: Workers) -> Result<RequestPath, RouterError> {
    let peers = Arc::new(Peers::new(config.dispatch.connect_timeout));
    let gate = Arc::new(CatalogueGate::new(config.packs_dir, peers.clone(), &config.limits)?);
    let (silence, rest_after_loss) = (config.limits.general_silence, config.dispatch.rest_after_loss);
    let dispatcher = Dispatcher::new(Arc::new(workers.clone()), peers.clone(), gate.clone(), config.dispatch);
    let pool = |capability: &str| Pool {
        capability: capability.to_owned(),
        workers: workers.clone(),
        peers: peers.clone(),
        lobby: dispatcher.lobby().clone(),
        silence,
        rest_after_loss,
    };
    let (generals, tools) = (Generals { pool: pool(PLAN) }, pool(TOOLS));
    let places = Arc::new(Semaphore::new(config.limits.max_requests));
    Ok(RequestPath { workers, generals, tools, dispatcher, gate, places, limits: config.limits })
}

fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

fn serve_failed(error: impl std::fmt::Display) -> RouterError {
    RouterError::ServeFailed { reason: error.to_string() }
}
