//! `silverback workers`: who is registered, as a router sees it.

use serde_json::json;
use silverback_proto::v1::{ListWorkersRequest, WorkerInfo, router_service_client::RouterServiceClient};

use crate::{
    args::WorkersArguments,
    ask::{Patience, connect},
    config::{Config, DEFAULT_ROUTER},
    error::{CliError, Exit},
    terminal::{self, one_line},
};

/// An older snapshot means that the registry is away.
const STALE_MS: u64 = 30_000;

/// Asks a router and writes a table.
pub async fn run(arguments: &WorkersArguments, config: &Config) -> Result<Exit, CliError> {
    let address = config.router.as_deref().unwrap_or(DEFAULT_ROUTER);
    let router = connect(address, Patience::Named).await?;
    let reply = RouterServiceClient::new(router).list_workers(ListWorkersRequest {}).await?.into_inner();
    let text = if arguments.json {
        let rows = reply.workers.iter().map(document).collect::<Vec<_>>();
        let whole = json!({ "workers": rows, "snapshot_age_ms": reply.snapshot_age_ms });
        serde_json::to_string_pretty(&whole).expect("it is plain data") + "\n"
    } else {
        table(&reply.workers)
    };
    terminal::put(&text).map_err(CliError::OutputClosed)?;
    if reply.snapshot_age_ms > STALE_MS {
        let seconds = reply.snapshot_age_ms / 1000;
        terminal::say(&format!("warning: the router has not heard from its registry for {seconds} s"));
    }
    Ok(Exit::Complete)
}

fn table(workers: &[WorkerInfo]) -> String {
    if workers.is_empty() {
        return "no worker is registered\n".to_owned();
    }
    let header = ["CAPABILITY", "WORKER", "ADDRESS", "MODEL", "CATALOGUE", "STATE"].map(str::to_owned);
    let rows = workers.iter().map(|worker| {
        let short = |digest: &str| digest.chars().take("sha256:".len() + 12).collect::<String>();
        let catalogue = short(&worker.catalogue);
        [&worker.capability, &worker.id, &worker.address, &worker.model, &catalogue, &worker.state]
            .map(|cell| one_line(cell))
    });
    terminal::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
}

fn document(worker: &WorkerInfo) -> serde_json::Value {
    json!({
        "id": worker.id, "capability": worker.capability, "address": worker.address, "card": worker.card,
        "model": worker.model, "catalogue": worker.catalogue, "state": worker.state,
    })
}
