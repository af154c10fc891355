//! `silverback declare`: which capabilities there should be, also while no worker serves them. Routers then plan for them and wait
//! for the first worker.

use silverback_registry::{Capability, Declaration};
use silverback_workers::{PLAN, TOOLS, added_specialties, built_in_specialties};

use crate::{
    args::DeclareArguments,
    config::Config,
    error::{CliError, Exit},
    router::shared_registry,
    terminal,
    worker::are_known,
};

/// Declares, or takes back.
pub async fn run(arguments: &DeclareArguments, config: &Config) -> Result<Exit, CliError> {
    let registry = shared_registry(config).await?;
    if !arguments.remove {
        are_known(&arguments.capabilities, config)?;
    }
    for name in &arguments.capabilities {
        let capability = Capability::new(name.clone())?;
        if arguments.remove {
            registry.undeclare(&capability).await?;
            terminal::say(&format!("no longer declared: {capability}"));
        } else {
            registry.declare(&capability, &declaration(name, config)).await?;
            terminal::say(&format!("declared: {capability}"));
        }
    }
    Ok(Exit::Complete)
}

/// What a worker's card would say, so that requests find their way while there is none.
fn declaration(capability: &str, config: &Config) -> Declaration {
    let mut known = built_in_specialties().into_iter().chain(added_specialties(&config.cache.packs()));
    match known.find(|specialty| specialty.capability == capability) {
        Some(specialty) => Declaration { description: specialty.description, examples: specialty.routing.examples },
        None => Declaration { description: without_specialty(capability).to_owned(), examples: Vec::new() },
    }
}

fn without_specialty(capability: &str) -> &'static str {
    match capability {
        PLAN => "splits requests into steps",
        TOOLS => "calls the tools of a conversation",
        _ => "serves steps",
    }
}
