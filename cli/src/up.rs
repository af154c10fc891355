//! `silverback up`: all parts in one process, until it is asked to stop.

use silverback_workers::Method;
use tracing::info;

use crate::{
    args::UpArguments,
    config::Config,
    error::{CliError, Exit},
    metrics,
    models::Progress,
    parts, stop,
};

/// Serves until it is asked to stop.
pub async fn run(arguments: &UpArguments, config: &Config) -> Result<Exit, CliError> {
    let _metrics = metrics::serve(arguments.metrics)?;
    let progress = Progress::detect();
    let parts = stop::until_interrupted(parts::start(
        Method::default(),
        (arguments.listen, Some(arguments.http)),
        config,
        &progress,
    ))
    .await?;
    info!("ready: ask with `silverback ask --router {}`", parts.address());
    if let Some(http) = parts.http() {
        info!("OpenAI clients: base URL http://{http}/v1");
    }
    stop::asked_to_stop().await;
    parts.stop().await?;
    Ok(Exit::Complete)
}
