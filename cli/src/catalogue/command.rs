//! The `catalogue` commands.

use indicatif::HumanBytes;
use silverback_catalogue::{Catalogue, Pack, Scope};

use super::{add, diff, find, packs, show, stats};
use crate::{
    args::CatalogueCommand,
    config::Config,
    error::{CliError, Exit},
    models::Progress,
    terminal,
};

/// Runs one of the `catalogue` commands.
pub async fn run(command: &CatalogueCommand, config: &Config) -> Result<Exit, CliError> {
    let text = match command {
        CatalogueCommand::Build { botocore, kubectl, out } => {
            let only = packs::Only { botocore: botocore.clone(), kubectl: kubectl.clone(), out: out.clone() };
            build(only, config).await?
        }
        CatalogueCommand::Diff { old, new, limit, json } => {
            let found = diff::diff(&config.cache.packs(), old, new)?;
            if *json { document(&found) } else { diff::page(&found, *limit) }
        }
        CatalogueCommand::Add(arguments) => add::add(arguments, config, &Progress::detect()).await?,
        CatalogueCommand::Remove { name } => add::remove(name, config)?,
        CatalogueCommand::Search { words, provider, k, json } => {
            let catalogue = packs::open(config)?;
            let scope = Scope { provider: provider.as_deref(), service: None };
            is_known(&catalogue, provider.as_deref())?;
            let found = search(&catalogue, scope, &words.join(" "), *k)?;
            if found.is_empty() {
                return Ok(Exit::Unanswered);
            }
            if *json { document(&found) } else { lines(&found) }
        }
        CatalogueCommand::Show { name, json } => {
            let catalogue = packs::open(config)?;
            let operation = catalogue.operation(find::find(&catalogue, &name.join(" "))?)?;
            if *json { document(&show::document(&operation, catalogue.digest())) } else { show::page(&operation) }
        }
        CatalogueCommand::List { all: true, .. } => packs::table(&config.cache.packs())?,
        CatalogueCommand::List { path, .. } => list(&packs::open(config)?, path.as_deref())?,
        CatalogueCommand::Stats { json } => stats::stats(&packs::open(config)?, *json)?,
    };
    terminal::put(&text).map_err(CliError::OutputClosed)?;
    Ok(Exit::Complete)
}

async fn build(only: packs::Only, config: &Config) -> Result<String, CliError> {
    let built = packs::build(only, config, &Progress::detect()).await?;
    let mut rows = vec![["PROVIDER", "OPERATIONS", "SIZE", "DIGEST"].map(str::to_owned)];
    rows.extend(
        built
            .into_iter()
            .map(|pack| [pack.provider, pack.operations.to_string(), HumanBytes(pack.bytes).to_string(), pack.digest]),
    );
    Ok(terminal::table(&rows))
}

/// What a search shows of one operation.
#[derive(serde::Serialize)]
struct Found {
    operation: String,
    score: f32,
    effect: &'static str,
    summary: String,
}

fn search(catalogue: &Catalogue, scope: Scope<'_>, words: &str, k: usize) -> Result<Vec<Found>, CliError> {
    let mut found = Vec::new();
    for hit in catalogue.search_in(scope, words, k) {
        let operation = catalogue.operation(hit.operation)?;
        let summary = operation.summary.clone();
        found.push(Found { operation: operation.key(), score: hit.score, effect: operation.effect.name(), summary });
    }
    Ok(found)
}

fn lines(found: &[Found]) -> String {
    let rows = found.iter().map(|found| {
        [format!("{:.2}", found.score), terminal::one_line(&found.operation), terminal::one_line(&found.summary)]
    });
    terminal::table(&rows.collect::<Vec<_>>())
}

fn document(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("it is plain data") + "\n"
}

fn is_known(catalogue: &Catalogue, provider: Option<&str>) -> Result<(), CliError> {
    let Some(provider) = provider else { return Ok(()) };
    if catalogue.packs().iter().any(|pack| pack.provider() == provider) {
        return Ok(());
    }
    let known = catalogue.packs().iter().map(Pack::provider).collect::<Vec<_>>().join(", ");
    Err(CliError::usage(format!("no provider is named {provider:?}"), format!("there are {known}")))
}

/// Vendors; the services of a vendor; the operations of a service.
fn list(catalogue: &Catalogue, path: Option<&str>) -> Result<String, CliError> {
    let Some(path) = path else {
        let names = catalogue.packs().iter().map(|pack| format!("{}\n", pack.provider()));
        return Ok(names.collect());
    };
    let (provider, service) =
        path.split_once('/').map_or((path, None), |(provider, service)| (provider, Some(service)));
    is_known(catalogue, Some(provider))?;
    let mut packs = catalogue.packs().iter().filter(|pack| pack.provider() == provider);
    let pack = packs.next().expect("a known provider has a pack");
    let Some(service) = service else {
        let rows = pack
            .services()
            .iter()
            .map(|service| [service.name.clone(), service.count.to_string(), service.title.clone()]);
        return Ok(terminal::table(&rows.collect::<Vec<_>>()));
    };
    let Some(entry) = pack.service(service) else {
        let hint = format!("`silverback catalogue list {provider}` shows them");
        return Err(CliError::usage(format!("{provider} has no service {service:?}"), hint));
    };
    let names = (entry.first..entry.first + entry.count).filter_map(|index| pack.name(index));
    Ok(names.map(|(service, name)| format!("{provider}/{service}/{name}\n")).collect())
}
