//! All parts in this process: a memory registry, a router, and one worker that serves every capability on one model.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use silverback_proto::v1::{ListWorkersRequest, router_service_client::RouterServiceClient};
use silverback_registry::{Registry, RegistryConfig};
use silverback_router::{Router, RouterConfig, RunningRouter};
use silverback_workers::{Method, RunningWorker, Worker};

use crate::{
    ask::{Patience, connect},
    config::Config,
    error::CliError,
    models::Progress,
    prepare::prepare,
    worker,
};

/// The way from an announcement to the router's snapshot takes a millisecond or two.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Ten seconds: then something is wrong.
const MAX_LOOKS: u32 = 2000;

/// A router and its worker. They end when this is dropped.
pub struct Parts {
    router: RunningRouter,
    worker: RunningWorker,
}

/// An address of this machine with any free port.
pub fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// Brings what is missing, then starts everything; ready to be asked when this returns.
///
/// Listens at the first address, and for clients of OpenAI's API at the second; steps become calls by `method`.
pub async fn start(
    method: Method,
    (listen, http): (SocketAddr, Option<SocketAddr>),
    config: &Config,
    progress: &Progress,
) -> Result<Parts, CliError> {
    let registry = Registry::connect("memory:", RegistryConfig::default()).await?;
    let mut settings = RouterConfig::new(registry.clone(), config.cache.packs());
    settings.listen = listen;
    settings.http = http;
    // The router first: an address that is taken should be known before a gigabyte is fetched.
    let router = Router::start(settings).await?;
    let files = prepare(config, progress).await?;
    let capabilities = worker::shipped_capabilities();
    progress.say(&format!("loading {}", files.model_name));
    let mut settings = worker::settings(capabilities, registry, files, config);
    settings.serves_added = true;
    settings.method = method;
    let worker = Worker::new(settings).start().await?;
    let expected = worker.announced().await?;
    let parts = Parts { router, worker };
    parts.wait_until_known(expected).await?;
    Ok(parts)
}

// === impl Parts ===

impl Parts {
    /// Where the router listens.
    pub fn address(&self) -> SocketAddr {
        self.router.address()
    }

    /// Where clients of OpenAI's API are served, if they are.
    pub fn http(&self) -> Option<SocketAddr> {
        self.router.http()
    }

    /// Announcing ends before the router has heard of it: a request in between would find nobody.
    async fn wait_until_known(&self, expected: usize) -> Result<(), CliError> {
        let channel = connect(&self.address().to_string(), Patience::Named).await?;
        let mut client = RouterServiceClient::new(channel);
        for _ in 0..MAX_LOOKS {
            let workers = client.list_workers(ListWorkersRequest {}).await?.into_inner().workers;
            if workers.len() >= expected {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(CliError::Defect("the router does not see the workers of its own process".to_owned()))
    }

    /// Lets requests in progress end, then stops everything.
    pub async fn stop(self) -> Result<(), CliError> {
        self.router.shutdown().await?;
        self.worker.shutdown().await;
        Ok(())
    }
}
