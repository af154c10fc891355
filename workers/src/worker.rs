//! Starts a worker process: load ▶ warm up ▶ listen ▶ announce; and ends it: withdraw ▶ finish ▶ stop.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use silverback_decoding::Grammar;
use silverback_engine::{EngineConfig, FinishReason, Message};
use silverback_proto::{
    DESCRIPTORS,
    v1::{
        general_service_server::GeneralServiceServer, specialist_service_server::SpecialistServiceServer,
        tool_service_server::ToolServiceServer,
    },
};
use silverback_registry::{AnnounceState, Announcement};
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinHandle,
};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tracing::{info, warn};

use crate::{
    PLAN, TOOLS, WorkerConfig, WorkerError,
    announcer::Announcer,
    classify::Classifier,
    encoder::load_encoder,
    general::General,
    newcomers::{Newcomers, State, Wanted, load_specialist},
    roster::Roster,
    service::Specialists,
    specialist::{Shared, Specialist},
    specialty::{self, Specialty},
    tools::{ToolCaller, Tools},
    writer::{Order, Writer},
};

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
    newcomers: Arc<Newcomers>,
    following: JoinHandle<()>,
    stop_following: CancellationToken,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

/// The parts of a process that is loaded.
struct Loaded {
    /// One a process: the classifier and every specialist use them.
    shared: Shared,
    general: Option<General>,
    tools: Option<Tools>,
    specialists: Vec<Arc<Specialist>>,
}

/// What the command line asks for: shipped specialties are loaded at once, added ones are followed.
struct Asked {
    plan: bool,
    tools: bool,
    shipped: Vec<Specialty>,
    added: BTreeSet<String>,
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
        let asked = asked(&config)?;
        let listen_failed = |source| WorkerError::ListenFailed { address: config.listen.to_string(), source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen_failed)?;
        let address = listener.local_addr().map_err(listen_failed)?;
        let named = asked.added.clone();
        let announcer =
            Announcer::new(&config, config.advertise.clone().unwrap_or_else(|| format!("http://{address}")))?;
        let loading = announcer.announce_loading(&config.capabilities)?;
        let Loaded { shared, general, tools, specialists } = load(&config, asked).await?;

        let mut announcements = Vec::new();
        if general.is_some() {
            announcements.push(announcer.announce_general()?);
        }
        if tools.is_some() {
            announcements.push(announcer.announce_tools()?);
        }
        for specialist in &specialists {
            announcements.push(announcer.announce_specialist(specialist)?);
        }
        let roster = Arc::new(Roster::new(specialists));
        let stop = CancellationToken::new();
        let server = serve(listener, (general, tools), Arc::clone(&roster), stop.clone());

        let wanted = if config.serves_added { Wanted::All } else { Wanted::Named(named.clone()) };
        let packs = config.files.packs.clone();
        let newcomers =
            Arc::new(Newcomers { announcer, packs, roster, shared, wanted, state: Mutex::new(State::default()) });
        newcomers.look().await;
        newcomers.serve_all(&named)?;
        let states = announcements.iter().map(Announcement::states).chain(newcomers.states().await).collect();
        tokio::spawn(end_loading(loading, states));
        let stop_following = CancellationToken::new();
        let following = tokio::spawn(Arc::clone(&newcomers).follow(stop_following.clone()));
        info!(%address, capabilities = config.capabilities.join(","), model = %config.files.model_name, "worker serves");
        Ok(RunningWorker { address, announcements, newcomers, following, stop_following, stop, server })
    }
}

// === impl RunningWorker ===

impl RunningWorker {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until every capability stands in the registry; gives their number.
    ///
    /// # Errors
    /// When another worker owns the name.
    pub async fn announced(&self) -> Result<usize, WorkerError> {
        for announcement in &self.announcements {
            announcement.announced().await?;
        }
        Ok(self.announcements.len() + self.newcomers.announced().await?)
    }

    /// Leaves the registry, finishes what is at work, stops.
    pub async fn shutdown(self) {
        self.stop_following.cancel();
        if let Err(error) = self.following.await {
            warn!(%error, "following the packs ended badly");
        }
        self.newcomers.leave().await;
        for announcement in self.announcements {
            announcement.leave().await;
        }
        self.stop.cancel();
        if tokio::time::timeout(DRAIN, self.server).await.is_err() {
            warn!("steps at work did not end in time");
        }
    }
}

/// Takes back that the process is loading, once what it has loaded is announced: in between there would be nobody.
async fn end_loading(loading: Vec<Announcement>, states: Vec<watch::Receiver<AnnounceState>>) {
    let is_settled = |state: &AnnounceState| !matches!(state, AnnounceState::Announcing | AnnounceState::Lost);
    for mut states in states {
        // Its sender is gone when the process ends; what is loading ends with it.
        let _ = states.wait_for(is_settled).await;
    }
    for announcement in loading {
        if let Err(error) = announcement.withdraw().await {
            warn!(%error, "could not say that loading has ended; the lease will end by itself");
        }
    }
}

fn asked(config: &WorkerConfig) -> Result<Asked, WorkerError> {
    let packs = &config.files.packs;
    let mut asked = Asked { plan: false, tools: false, shipped: Vec::new(), added: BTreeSet::new() };
    for capability in &config.capabilities {
        let shipped = specialty::built_in().into_iter().find(|specialty| specialty.capability == *capability);
        match shipped {
            _ if capability == PLAN => asked.plan = true,
            _ if capability == TOOLS => asked.tools = true,
            Some(specialty) => asked.shipped.push(specialty),
            None if specialty::find(capability, packs).is_some() => drop(asked.added.insert(capability.clone())),
            None => {
                let known = specialty::built_in().into_iter().chain(specialty::added(packs));
                let mut known: Vec<String> = known.map(|specialty| specialty.capability).collect();
                known.splice(0..0, [PLAN, TOOLS].map(str::to_owned));
                return Err(WorkerError::UnknownCapability { capability: capability.clone(), known: known.join(", ") });
            }
        }
    }
    Ok(asked)
}

async fn load(config: &WorkerConfig, asked: Asked) -> Result<Loaded, WorkerError> {
    let (files, device) = (config.files.clone(), config.device);
    let (refuse_below, method) = (config.refuse_below, config.method);
    let loading = tokio::task::spawn_blocking(move || {
        let writer = Writer::load(&files.model, device, EngineConfig::default())?;
        let embedder = Arc::new(load_encoder(&files.embeddings)?);
        let general = |writer| {
            let classifier = Arc::new(Classifier::new(embedder.clone(), &files.routing)?);
            Ok::<_, WorkerError>(General::new(writer, classifier, embedder.clone()))
        };
        let general = asked.plan.then(|| general(writer.clone())).transpose()?;
        let tools = asked.tools.then(|| Tools::new(ToolCaller::new(writer.clone(), embedder.clone())));
        let shipped = asked.shipped.into_iter();
        let shared = Shared { embedder, writer, refuse_below, method };
        let specialists = shipped.map(|specialty| load_specialist(&files.packs, specialty, shared.clone()));
        let specialists = specialists.collect::<Result<Vec<_>, _>>()?;
        Ok::<_, WorkerError>(Loaded { shared, general, tools, specialists })
    });
    let loaded = loading.await.map_err(|source| WorkerError::WarmUpFailed { reason: source.to_string() })??;
    warm_up(&loaded.shared.writer).await?;
    for specialist in &loaded.specialists {
        specialist.warm_up().await?;
    }
    Ok(loaded)
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

fn serve(
    listener: TcpListener,
    (general, tools): (Option<General>, Option<Tools>),
    roster: Arc<Roster>,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status("", tonic_health::ServingStatus::Serving).await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .build_v1()
            .expect("the checked-in descriptors are well-formed");
        let general =
            general.map(|general| GeneralServiceServer::new(general).max_decoding_message_size(MAX_MESSAGE_BYTES));
        let tools = tools.map(|tools| ToolServiceServer::new(tools).max_decoding_message_size(MAX_MESSAGE_BYTES));
        let served = Server::builder()
            .add_service(health_service)
            .add_service(reflection)
            .add_optional_service(general)
            .add_optional_service(tools)
            .add_service(
                SpecialistServiceServer::new(Specialists::new(roster)).max_decoding_message_size(MAX_MESSAGE_BYTES),
            )
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.cancelled())
            .await;
        if let Err(error) = served {
            warn!(%error, "the worker's server ended");
        }
    })
}
