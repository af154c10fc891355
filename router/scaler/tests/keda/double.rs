//! A router's double: says what backlog it is told to, over the real contract.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::{Stream, StreamExt};
use silverback_proto::v1::{
    Backlog, CapabilityBacklog, WatchBacklogRequest,
    backlog_service_server::{BacklogService, BacklogServiceServer},
};
use silverback_registry::{Announcement, Presence, Registry};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};
use tokio_stream::wrappers::{TcpListenerStream, WatchStream};
use tonic::{Request, Response, Status, transport::Server};

/// A running double. Dropping it kills it like a process.
pub struct Router {
    pub address: SocketAddr,
    /// Streams that were opened so far.
    opened: Arc<AtomicUsize>,
    backlog: watch::Sender<Option<Backlog>>,
    runtime: Option<Runtime>,
}

struct Service {
    said: watch::Receiver<Option<Backlog>>,
    opened: Arc<AtomicUsize>,
}

/// One capability's part of a backlog.
pub fn steps(capability: &str, waiting: u32, queued: u32, running: u32) -> CapabilityBacklog {
    CapabilityBacklog { capability: capability.into(), waiting, queued, running }
}

// === impl Router ===

impl Router {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (backlog, said) = watch::channel(Some(Backlog::default()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let (address, opened) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let service = Service { said, opened: opened.clone() };
        runtime.spawn(async move {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            Server::builder().add_service(BacklogServiceServer::new(service)).serve_with_incoming(incoming).await
        });
        Self { address, opened, backlog, runtime: Some(runtime) }
    }

    pub async fn announce(&self, registry: &Registry) -> Announcement {
        let announcement = registry.announce_router(&Presence::at(format!("http://{}", self.address)).unwrap());
        announcement.announced().await.unwrap();
        announcement
    }

    pub fn say(&self, capabilities: Vec<CapabilityBacklog>) {
        self.backlog.send_replace(Some(Backlog { capabilities }));
    }

    /// Ends its streams as a router does that stops.
    pub fn end_streams(&self) {
        self.backlog.send_replace(None);
    }

    /// Waits until it was asked this often.
    pub async fn until_opened(&self, times: usize) {
        while self.opened.load(Ordering::SeqCst) < times {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.kill();
    }
}

// === impl Service ===

#[tonic::async_trait]
impl BacklogService for Service {
    type WatchBacklogStream = Pin<Box<dyn Stream<Item = Result<Backlog, Status>> + Send>>;

    async fn watch_backlog(
        &self,
        _: Request<WatchBacklogRequest>,
    ) -> Result<Response<Self::WatchBacklogStream>, Status> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let said = WatchStream::new(self.said.clone());
        let backlogs = said.take_while(|said| std::future::ready(said.is_some()));
        Ok(Response::new(Box::pin(backlogs.filter_map(|said| std::future::ready(said.map(Ok))))))
    }
}
