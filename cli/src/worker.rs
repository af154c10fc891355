//! `silverback worker`: a worker of its own, and the one that `up` and `ask` start in their own process.

use std::net::SocketAddr;

use silverback_registry::Registry;
use silverback_workers::{
    Method, PLAN, RunningWorker, TOOLS, Worker, WorkerConfig, WorkerFiles, added_specialties, built_in_specialties,
};

use crate::{
    args::WorkerArguments,
    config::Config,
    error::{CliError, Exit},
    models::Progress,
    prepare::prepare,
    router::shared_registry,
    stop,
};

/// Steps at work at once in one process: the processor is shared, so more of them finish no sooner.
const MAX_CONCURRENT: u32 = 4;

/// Serves until it is asked to stop.
pub async fn run(arguments: &WorkerArguments, config: &Config) -> Result<Exit, CliError> {
    are_known(&arguments.capabilities, config)?;
    let registry = shared_registry(config).await?;
    let starting = async {
        let files = prepare(config, &Progress::detect()).await?;
        let mut settings = settings(arguments.capabilities.clone(), registry, files, config);
        settings.listen = arguments.listen;
        settings.advertise = arguments.advertise.as_deref().map(as_url);
        Ok(Worker::new(settings).start().await?)
    };
    let worker: RunningWorker = stop::until_interrupted(starting).await?;
    stop::asked_to_stop().await;
    worker.shutdown().await;
    Ok(Exit::Complete)
}

/// What a worker can serve without anything that was added.
pub fn shipped_capabilities() -> Vec<String> {
    let specialties = built_in_specialties().into_iter().map(|specialty| specialty.capability);
    [PLAN, TOOLS].map(str::to_owned).into_iter().chain(specialties).collect()
}

/// A worker on a free port of this machine.
pub fn settings(capabilities: Vec<String>, registry: Registry, files: WorkerFiles, config: &Config) -> WorkerConfig {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    WorkerConfig {
        capabilities,
        serves_added: false,
        registry,
        listen,
        advertise: None,
        files,
        device: config.device,
        refuse_below: config.refuse_below,
        method: Method::default(),
        max_concurrent: MAX_CONCURRENT,
    }
}

/// Fails when one of them is none of this silverback's: before a gigabyte is fetched for nothing.
pub fn are_known(capabilities: &[String], config: &Config) -> Result<(), CliError> {
    let added = added_specialties(&config.cache.packs()).into_iter().map(|specialty| specialty.capability);
    let known: Vec<String> = shipped_capabilities().into_iter().chain(added).collect();
    let Some(unknown) = capabilities.iter().find(|capability| !known.contains(capability)) else {
        return Ok(());
    };
    let hint = format!("it can serve {}", known.join(", "));
    Err(CliError::usage(format!("this silverback has no capability {unknown:?}"), hint))
}

/// An address as the registry has it.
pub fn as_url(address: &str) -> String {
    if address.contains("://") { address.to_owned() } else { format!("http://{address}") }
}
