//! `silverback router`: a router of its own. Holds no model; finds its workers in etcd.

use silverback_registry::{Registry, RegistryConfig};
use silverback_router::{Router, RouterConfig};
use tracing::info;

use crate::{
    args::RouterArguments,
    config::Config,
    error::{CliError, Exit},
    metrics, stop,
    worker::as_url,
};

/// Serves until it is asked to stop.
pub async fn run(arguments: &RouterArguments, config: &Config) -> Result<Exit, CliError> {
    let _metrics = metrics::serve(arguments.metrics)?;
    let registry = shared_registry(config).await?;
    let mut settings = RouterConfig::new(registry, config.cache.packs());
    settings.listen = arguments.listen;
    settings.advertise = arguments.advertise.as_deref().map(as_url);
    settings.http = Some(arguments.http);
    let router = Router::start(settings).await?;
    info!(address = %router.address(), "ask it with `silverback ask --router {}`", router.address());
    stop::asked_to_stop().await;
    router.shutdown().await?;
    Ok(Exit::Complete)
}

/// The registry that several processes see; `memory:` ends at the border of one.
pub async fn shared_registry(config: &Config) -> Result<Registry, CliError> {
    match config.registry.as_deref() {
        Some(url) if url != "memory:" => Ok(Registry::connect(url, RegistryConfig::default()).await?),
        _ => Err(CliError::usage(
            "a part of its own needs a registry that the others see",
            "give --registry etcd://HOST:PORT, or run everything in one process with `silverback up`",
        )),
    }
}
