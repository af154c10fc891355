//! Starts a worker process: load ▶ warm up ▶ listen ▶ announce; and ends it: withdraw ▶ finish ▶ stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use silverback_catalogue::Catalogue;
use silverback_decoding::Grammar;
use silverback_engine::{Embedder, EngineConfig, FinishReason, Message};
use silverback_proto::{
    DESCRIPTORS,
    v1::{general_service_server::GeneralServiceServer, specialist_service_server::SpecialistServiceServer},
};
use silverback_registry::{Announcement, Capability, Card, CardKind, Limits, WorkerId, WorkerRecord};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tracing::{info, warn};

use crate::{
    PLAN, WorkerConfig, WorkerError,
    classify::Classifier,
    general::General,
    service::Specialists,
    specialist::Specialist,
    specialty::{self, Specialty},
    writer::{Order, Writer},
};

/// Changes when what a grammar lets through changes; part of the card.
const GRAMMAR_VERSION: &str = "1";

/// Longest wait for steps at work when the process ends.
const DRAIN: Duration = Duration::from_secs(30);

/// Largest message that is read: a step with its earlier calls.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// A worker that is not started yet.
pub struct Worker {
    config: WorkerConfig,
}

/// A worker at work; stop it with [`RunningWorker::shutdown`].
pub struct RunningWorker {
    address: SocketAddr,
    announcements: Vec<Announcement>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

/// The parts of a process that is loaded.
struct Loaded {
    general: Option<General>,
    specialists: Vec<Arc<Specialist>>,
}

// === impl Worker ===

impl Worker {
    /// A worker with this setup.
    pub fn new(config: WorkerConfig) -> Self {
        Self { config }
    }

    /// Loads the model, proves that it can write under a grammar, listens and announces every capability.
    ///
    /// # Errors
    /// When a file is missing or damaged, the address is taken, or the warm-up does not parse. An unreachable registry is no error:
    /// announcing goes on in the background.
    pub async fn start(self) -> Result<RunningWorker, WorkerError> {
        let config = self.config;
        let specialties = specialties(&config.capabilities)?;
        let serves_plan = config.capabilities.iter().any(|name| name == PLAN);
        let listen_failed = |source| WorkerError::ListenFailed { address: config.listen.to_string(), source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen_failed)?;
        let address = listener.local_addr().map_err(listen_failed)?;

        let (files, device) = (config.files.clone(), config.device);
        let loading = tokio::task::spawn_blocking(move || {
            let writer = Writer::load(&files.model, device, EngineConfig::default())?;
            let embedder = Arc::new(Embedder::load(&files.embeddings)?);
            Ok::<_, WorkerError>((writer.clone(), load(&files, specialties, &embedder, writer, serves_plan)?))
        });
        let (writer, loaded) =
            loading.await.map_err(|source| WorkerError::WarmUpFailed { reason: source.to_string() })??;
        warm_up(&writer).await?;
        for specialist in &loaded.specialists {
            specialist.warm_up().await?;
        }

        let cards = cards(&config, &loaded)?;
        let stop = CancellationToken::new();
        let server = serve(listener, loaded, &config, stop.clone());
        let advertised = config.advertise.clone().unwrap_or_else(|| format!("http://{address}"));
        let announcements = announce(&config, &advertised, cards)?;
        info!(%address, capabilities = config.capabilities.join(","), model = %config.files.model_name, "worker serves");
        Ok(RunningWorker { address, announcements, stop, server })
    }
}

// === impl RunningWorker ===

impl RunningWorker {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until every capability stands in the registry.
    ///
    /// # Errors
    /// When another worker owns the name.
    pub async fn announced(&self) -> Result<(), WorkerError> {
        for announcement in &self.announcements {
            announcement.announced().await?;
        }
        Ok(())
    }

    /// Leaves the registry, finishes what is at work, stops.
    pub async fn shutdown(self) {
        for announcement in self.announcements {
            if let Err(error) = announcement.withdraw().await {
                warn!(%error, "could not leave the registry; the lease will end by itself");
            }
        }
        self.stop.cancel();
        if tokio::time::timeout(DRAIN, self.server).await.is_err() {
            warn!("steps at work did not end in time");
        }
    }
}

fn specialties(capabilities: &[String]) -> Result<Vec<Specialty>, WorkerError> {
    let mut found = Vec::new();
    for capability in capabilities.iter().filter(|name| *name != PLAN) {
        let unknown = || {
            let mut known: Vec<String> =
                specialty::built_in().into_iter().map(|specialty| specialty.capability).collect();
            known.insert(0, PLAN.to_owned());
            WorkerError::UnknownCapability { capability: capability.clone(), known: known.join(", ") }
        };
        found.push(specialty::find(capability).ok_or_else(unknown)?);
    }
    Ok(found)
}

/// One encoder a process: the classifier and every specialist share it.
fn load(
    files: &crate::WorkerFiles,
    specialties: Vec<Specialty>,
    embedder: &Arc<Embedder>,
    writer: Writer,
    serves_plan: bool,
) -> Result<Loaded, WorkerError> {
    let general = |writer| Ok::<_, WorkerError>(General::new(writer, Arc::new(Classifier::new(embedder.clone())?)));
    let general = serves_plan.then(|| general(writer.clone())).transpose()?;
    let mut specialists = Vec::new();
    for specialty in specialties {
        specialists.push(load_specialist(files, specialty, embedder.clone(), writer.clone())?);
    }
    Ok(Loaded { general, specialists })
}

fn load_specialist(
    files: &crate::WorkerFiles,
    specialty: Specialty,
    embedder: Arc<Embedder>,
    writer: Writer,
) -> Result<Arc<Specialist>, WorkerError> {
    let mut paths = Vec::new();
    for provider in &specialty.providers {
        let path = files.packs.join(format!("{provider}.pack"));
        if !path.is_file() {
            return Err(WorkerError::PackMissing {
                provider: provider.clone(),
                place: files.packs.display().to_string(),
            });
        }
        paths.push(path);
    }
    let catalogue = Arc::new(Catalogue::open(&paths)?);
    Ok(Arc::new(Specialist::new(specialty, catalogue, Some(embedder), writer)))
}

/// A generation under a grammar must parse before anybody is told that this worker serves.
async fn warm_up(writer: &Writer) -> Result<(), WorkerError> {
    let order = Order {
        messages: vec![
            Message::system("You answer with JSON.".to_owned()),
            Message::user("Say that you are ready.".to_owned()),
        ],
        grammar: Some(Grammar::from_json_schema(&serde_json::json!({
            "type": "object", "properties": {"ready": {"type": "boolean"}}, "required": ["ready"], "additionalProperties": false
        }))),
        max_tokens: 16,
        ..Order::default()
    };
    let completion = writer.write(order).await?;
    let is_parsed =
        serde_json::from_str::<serde_json::Value>(&completion.text).is_ok_and(|value| value["ready"].is_boolean());
    if completion.reason == FinishReason::MaxTokens || !is_parsed {
        return Err(WorkerError::WarmUpFailed { reason: format!("the model wrote {:?}", completion.text) });
    }
    Ok(())
}

/// What is announced: the general worker's card and one a specialist.
fn cards(config: &WorkerConfig, loaded: &Loaded) -> Result<Vec<(String, Card)>, WorkerError> {
    let base = Card {
        model: config.files.model_name.clone(),
        model_digest: config.files.model_digest.parse()?,
        adapter: None,
        catalogue: None,
        catalogue_name: None,
        grammar_version: GRAMMAR_VERSION.to_owned(),
        limits: Limits { max_concurrent: config.max_concurrent, max_prompt_tokens: 8192 },
        kind: CardKind::General,
        description: "splits requests into steps".to_owned(),
        examples: Vec::new(),
    };
    let general = loaded.general.iter().map(|_| (PLAN.to_owned(), base.clone()));
    let specialists = loaded.specialists.iter().map(|specialist| {
        let specialty = specialist.specialty();
        let card = Card {
            catalogue: specialist.catalogue().digest().parse().ok(),
            catalogue_name: Some(specialty.providers.join("+")),
            kind: CardKind::Specialist,
            description: specialty.description.clone(),
            examples: specialty.routing.examples.clone(),
            ..base.clone()
        };
        (specialty.capability.clone(), card)
    });
    Ok(general.chain(specialists).collect())
}

fn announce(
    config: &WorkerConfig,
    address: &str,
    cards: Vec<(String, Card)>,
) -> Result<Vec<Announcement>, WorkerError> {
    let mut announcements = Vec::new();
    for (capability, card) in cards {
        // The address makes the name: a worker that comes back at its place takes its old name, not a second one.
        let id =
            WorkerId::new(address.trim_start_matches("http://").replace(|c: char| !c.is_ascii_alphanumeric(), "-"))?;
        let record = WorkerRecord::new(id, Capability::new(capability)?, address.to_owned(), &card);
        announcements.push(config.registry.announce(&record, &card)?);
    }
    Ok(announcements)
}

fn serve(listener: TcpListener, loaded: Loaded, config: &WorkerConfig, stop: CancellationToken) -> JoinHandle<()> {
    let packs = config.files.packs.clone();
    tokio::spawn(async move {
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status("", tonic_health::ServingStatus::Serving).await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .build_v1()
            .expect("the checked-in descriptors are well-formed");
        let general = loaded
            .general
            .map(|general| GeneralServiceServer::new(general).max_decoding_message_size(MAX_MESSAGE_BYTES));
        let specialists = Specialists::new(loaded.specialists, packs);
        let served = Server::builder()
            .add_service(health_service)
            .add_service(reflection)
            .add_optional_service(general)
            .add_service(SpecialistServiceServer::new(specialists).max_decoding_message_size(MAX_MESSAGE_BYTES))
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.cancelled())
            .await;
        if let Err(error) = served {
            warn!(%error, "the worker's server ended");
        }
    })
}
