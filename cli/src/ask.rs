//! `silverback ask`: the story file of the binary.
//!
//! Reads the request ▶ finds a router, or starts the parts in this process ▶ follows what happens ▶ shows the plan.
//! Nothing here acts: a plan is a value.

mod client;
mod input;
mod render;
mod tree;

use silverback_graph::Plan;
use silverback_workers::Method;
use tonic::transport::Channel;

use crate::{
    args::AskArguments,
    config::{Config, DEFAULT_ROUTER},
    error::{CliError, Exit},
    models::Progress,
    parts::{self, Parts},
    terminal,
};

pub use client::{Patience, connect};

/// Answers one request; the exit says whether every piece of it got its calls.
pub async fn run(arguments: &AskArguments, config: &Config) -> Result<Exit, CliError> {
    let text = input::read(&arguments.text)?;
    let (router, _parts) = find_router(config).await?;
    let plan = client::ask(router, text, arguments.today.clone(), tree::View::detect()).await?;
    let shown = if arguments.json { document(&plan) } else { render::plan(&plan) };
    terminal::put(&shown).map_err(CliError::OutputClosed)?;
    Ok(if plan.is_complete() { Exit::Complete } else { Exit::Unanswered })
}

/// The router that was named, else one at the usual address, else one in this process, which lives as long as its parts.
pub async fn find_router(config: &Config) -> Result<(Channel, Option<Parts>), CliError> {
    if let Some(address) = &config.router {
        return Ok((connect(address, Patience::Named).await?, None));
    }
    // A model that was asked for is not the one that a running router has.
    if config.model.is_none()
        && let Ok(router) = connect(DEFAULT_ROUTER, Patience::Guessed).await
    {
        return Ok((router, None));
    }
    terminal::say("starting the parts in this process; `silverback up` keeps them running");
    own_router(Method::default(), config).await
}

/// A router in this process, whose workers make calls by this method.
pub async fn own_router(method: Method, config: &Config) -> Result<(Channel, Option<Parts>), CliError> {
    let parts = parts::start(method, (parts::any_port(), None), config, &Progress::detect()).await?;
    let router = connect(&parts.address().to_string(), Patience::Named).await?;
    Ok((router, Some(parts)))
}

fn document(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).expect("a plan is plain data") + "\n"
}
