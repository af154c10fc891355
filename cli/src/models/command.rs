//! `silverback models …`.

use indicatif::HumanBytes;

use super::{
    Model, Progress, Puller,
    list::{self, Row, Verdict},
    pull::Trust,
};
use crate::{
    args::ModelsCommand,
    config::Config,
    error::{CliError, Exit},
    terminal,
};

/// Runs one of the `models` commands.
pub async fn run(command: &ModelsCommand, config: &Config) -> Result<Exit, CliError> {
    let done = match command {
        ModelsCommand::Pull { names } => pull(names, config).await,
        ModelsCommand::List { names, json } => show(names, *json, config),
        ModelsCommand::Verify { names } => {
            let (names, config) = (names.clone(), config.clone());
            tokio::task::spawn_blocking(move || verify(&names, &config)).await.expect("hashing does not panic")
        }
    };
    done.map(|()| Exit::Complete)
}

async fn pull(names: &[String], config: &Config) -> Result<(), CliError> {
    let manifest = config.manifest()?;
    let puller = Puller::new(config.cache.clone(), config.sources.clone(), Progress::detect());
    for model in manifest.select(names)? {
        puller.pull(model, Trust::Nothing).await?;
    }
    Ok(())
}

fn show(names: &[String], json: bool, config: &Config) -> Result<(), CliError> {
    let manifest = config.manifest()?;
    let models = if names.is_empty() { manifest.models.iter().collect() } else { manifest.select(names)? };
    let rows = list::rows(&models, &config.cache);
    let text =
        if json { serde_json::to_string_pretty(&rows).expect("rows are plain data") + "\n" } else { table(&rows) };
    terminal::put(&text).map_err(CliError::OutputClosed)
}

fn table(rows: &[Row]) -> String {
    let header = ["MODEL", "ROLE", "FILE", "SIZE", "LICENCE", "STATE"].map(str::to_owned);
    let lines = rows.iter().map(|row| {
        let name = if row.default { format!("{} *", row.model) } else { row.model.clone() };
        let size = HumanBytes(row.bytes).to_string();
        [name, row.role.to_owned(), row.file.clone(), size, row.licence.clone(), row.state.to_owned()]
    });
    let mut text = terminal::table(&std::iter::once(header).chain(lines).collect::<Vec<_>>());
    text.push_str("\n* fetched by default. Sources: `silverback models list --json`\n");
    text
}

fn verify(names: &[String], config: &Config) -> Result<(), CliError> {
    let manifest = config.manifest()?;
    let is_named = !names.is_empty();
    let models: Vec<&Model> = if is_named { manifest.select(names)? } else { manifest.models.iter().collect() };
    let progress = Progress::detect();
    let mut wrong = Vec::new();
    let mut right = 0;
    for (model, file) in models.iter().flat_map(|model| model.files.iter().map(move |file| (*model, file))) {
        match list::verify(model, file, &config.cache, &progress)? {
            Verdict::Right => {
                right += 1;
                let line = format!("{} {}: right\n", model.name, file.file);
                terminal::put(&line).map_err(CliError::OutputClosed)?;
            }
            Verdict::Wrong(error) => wrong.push(error),
            Verdict::Missing if is_named => wrong.push(config.cache.missing(model, file)),
            Verdict::Missing => {}
        }
    }
    // The last one is reported by whoever called.
    let Some(last) = wrong.pop() else {
        terminal::say(&format!("{right} files are right"));
        return Ok(());
    };
    for error in wrong {
        CliError::Models(error).report();
    }
    Err(CliError::Models(last))
}
