//! A router that says what it is told to: for how the command line shows it, not for what routers do.

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use futures::{Stream, StreamExt, stream};
use silverback_proto::v1::{
    self, AskRequest, ListWorkersReply, ListWorkersRequest, Plan, PlanEvent,
    plan_event::Event,
    router_service_server::{RouterService, RouterServiceServer},
};
use tokio::{net::TcpListener, runtime::Runtime, sync::Notify};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

/// What every request is answered with.
#[derive(Clone)]
pub enum Script {
    /// These events, then the end of the stream.
    Events(Vec<Event>),
    /// This status.
    Refusal(Status),
    /// These events, then nothing.
    Silence(Vec<Event>),
}

/// A router on loopback, until dropped.
pub struct ScriptedRouter {
    address: SocketAddr,
    dropped: Arc<Notify>,
    runtime: Runtime,
}

struct Service {
    script: Script,
    dropped: Arc<Notify>,
}

/// Tells when the client went away.
struct Tell(Arc<Notify>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

// === impl ScriptedRouter ===

impl ScriptedRouter {
    pub fn start(script: Script) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let dropped = Arc::new(Notify::new());
        let service = RouterServiceServer::new(Service { script, dropped: dropped.clone() });
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let incoming = TcpIncoming::from(listener);
            tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
        ScriptedRouter { address, dropped, runtime }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until a request's stream was dropped.
    pub fn wait_until_cancelled(&self) {
        let waited =
            self.runtime.block_on(async { tokio::time::timeout(super::DEADLINE, self.dropped.notified()).await });
        waited.expect("the request is cancelled");
    }
}

// === impl Service ===

#[tonic::async_trait]
impl RouterService for Service {
    async fn ask(&self, _: Request<AskRequest>) -> Result<Response<Plan>, Status> {
        Err(Status::unimplemented("the command line streams"))
    }

    type AskStreamStream = Pin<Box<dyn Stream<Item = Result<PlanEvent, Status>> + Send>>;

    async fn ask_stream(&self, _: Request<AskRequest>) -> Result<Response<Self::AskStreamStream>, Status> {
        let (events, is_silent) = match self.script.clone() {
            Script::Refusal(status) => return Err(status),
            Script::Events(events) => (events, false),
            Script::Silence(events) => (events, true),
        };
        let tell = Tell(self.dropped.clone());
        let events = stream::iter(events.into_iter().map(|event| Ok(PlanEvent { event: Some(event) })));
        let rest = if is_silent { stream::pending().left_stream() } else { stream::empty().right_stream() };
        let whole = events.chain(rest).map(move |event| {
            let _kept_with_the_stream = &tell;
            event
        });
        Ok(Response::new(Box::pin(whole)))
    }

    async fn list_workers(&self, _: Request<ListWorkersRequest>) -> Result<Response<ListWorkersReply>, Status> {
        let worker = v1::WorkerInfo {
            id: "w1".into(),
            capability: "aws".into(),
            address: "127.0.0.1:9".into(),
            model: "qwen".into(),
            state: "ready".into(),
            ..v1::WorkerInfo::default()
        };
        Ok(Response::new(ListWorkersReply { workers: vec![worker], snapshot_age_ms: 5 }))
    }
}
