//! A router with a registry in memory, some doubles and a client.

use std::{future::Future, path::Path, time::Duration};

use silverback_proto::v1::{self, answer_event::Event, plan_event, router_service_client::RouterServiceClient};
use silverback_registry::{
    Announcement, Capability, Card, CardKind, Digest, Limits, Registry, RegistryConfig, WorkerId, WorkerRecord,
};
use silverback_router::{Router, RouterConfig, RunningRouter};
use tempfile::TempDir;
use tonic::{Status, transport::Channel};

use crate::{catalogue, double::Double};

pub type Client = RouterServiceClient<Channel>;

/// What holds a test's parts together; dropping it stops them.
pub struct Troop {
    pub registry: Registry,
    pub folder: TempDir,
    /// Digest of the pack in `folder`.
    pub pack: String,
    announced: Vec<Announcement>,
}

/// Fails the test instead of hanging it.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("done within the test's deadline")
}

pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let poll = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), poll).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// A call as a worker sends it, with a lie about its effect and its command.
pub fn call(id: &str, pack: &str, operation: &str, arguments: &str) -> Event {
    Event::Call(v1::Call {
        id: id.into(),
        provider: "aws".into(),
        service: "ec2".into(),
        operation: operation.into(),
        arguments_json: arguments.into(),
        effect: v1::Effect::Read.into(),
        command: vec!["rm".into(), "-rf".into(), "/".into()],
        catalogue: pack.into(),
        ..v1::Call::default()
    })
}

pub fn ask(text: &str) -> v1::AskRequest {
    v1::AskRequest { text: text.into(), today: String::new() }
}

pub async fn connect(router: &RunningRouter) -> Channel {
    Channel::from_shared(format!("http://{}", router.address())).unwrap().connect().await.unwrap()
}

pub async fn all_events(client: &mut Client, text: &str) -> Result<Vec<plan_event::Event>, Status> {
    let mut stream = client.ask_stream(ask(text)).await?.into_inner();
    let mut events = Vec::new();
    while let Some(event) = stream.message().await? {
        events.push(event.event.expect("an event is never empty"));
    }
    Ok(events)
}

// === impl Troop ===

impl Troop {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pack = catalogue::write_pack(folder.path());
        let registry = Registry::connect("memory:", RegistryConfig::default()).await.unwrap();
        Self { registry, folder, pack, announced: Vec::new() }
    }

    pub async fn announce(&mut self, id: &str, capability: &str, double: &Double) {
        let kind = if capability == "plan" { CardKind::General } else { CardKind::Specialist };
        let card = Card {
            model: "double".into(),
            model_digest: Digest::of(b"model"),
            adapter: None,
            catalogue: Some(self.pack.parse().unwrap()),
            catalogue_name: Some("tiny".into()),
            grammar_version: "1".into(),
            limits: Limits { max_concurrent: 4, max_prompt_tokens: 4096 },
            kind,
            description: format!("what {capability} does"),
            examples: vec![format!("an example of {capability}")],
        };
        let (id, capability) = (WorkerId::new(id).unwrap(), Capability::new(capability).unwrap());
        let record = WorkerRecord::new(id, capability, format!("http://{}", double.address), &card);
        let announcement = self.registry.announce(&record, &card).unwrap();
        announcement.announced().await.unwrap();
        self.announced.push(announcement);
    }

    pub fn config(&self, packs: &Path) -> RouterConfig {
        let mut config = RouterConfig::new(self.registry.clone(), packs);
        config.listen = "127.0.0.1:0".parse().unwrap();
        config
    }

    /// A router over the tiny catalogue that has seen every worker announced so far.
    pub async fn router(&self) -> (RunningRouter, Client) {
        self.router_with(self.config(self.folder.path())).await
    }

    pub async fn router_with(&self, config: RouterConfig) -> (RunningRouter, Client) {
        let router = Router::start(config).await.unwrap();
        let mut client = Client::new(connect(&router).await);
        self.wait_for_all(&mut client).await;
        (router, client)
    }

    /// Until this router has seen every worker announced so far.
    pub async fn wait_for_all(&self, client: &mut Client) {
        while client.list_workers(v1::ListWorkersRequest {}).await.unwrap().get_ref().workers.len()
            < self.announced.len()
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
