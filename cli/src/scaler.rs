//! `silverback scaler`: tells KEDA how many workers of each capability are needed. Holds no model; any number of them say the same.

use silverback_scaler::{Scaler, ScalerConfig};

use crate::{
    args::ScalerArguments,
    config::Config,
    error::{CliError, Exit},
    router::shared_registry,
    stop,
};

/// Serves until it is asked to stop.
pub async fn run(arguments: &ScalerArguments, config: &Config) -> Result<Exit, CliError> {
    let mut settings = ScalerConfig::new(shared_registry(config).await?);
    settings.listen = arguments.listen;
    let scaler = Scaler::start(settings).await?;
    stop::asked_to_stop().await;
    scaler.shutdown().await?;
    Ok(Exit::Complete)
}
