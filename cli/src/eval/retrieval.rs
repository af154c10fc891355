//! `silverback eval --retrieval`: is the right operation found, by each source alone and by all together, and how fast?
//!
//! Reads files of requests ▶ drafts each (kept between runs) ▶ asks every source ▶ counts. Errors of `*.test.jsonl` are never shown:
//! only their totals leave this program.

mod book;
mod field;
mod fit;
mod measure;
mod query;
mod report;

use std::{fs, path::Path};

use self::{book::DraftBook, field::Fields, measure::measure};
use crate::{
    args::EvalArguments,
    config::Config,
    error::{CliError, Exit},
    models::{ModelError, Progress},
    prepare::prepare,
    terminal,
};

/// Measures all files and prints a table; fits the weights when asked.
pub async fn run(arguments: &EvalArguments, config: &Config) -> Result<Exit, CliError> {
    let mut queries = Vec::new();
    for path in &arguments.files {
        queries.extend(query::read(path)?);
    }
    let files = prepare(config, &Progress::detect()).await?;
    let mut fields = Fields::open(&files)?;
    let mut book = DraftBook::open(&config.cache.drafts(), &files, config.device)?;
    let mut measured = Vec::new();
    for (number, query) in queries.into_iter().enumerate() {
        let field = fields.of(&query)?;
        let draft = book.draft(&field.specialty, &query.text).await?;
        measured.extend(measure(field, query, draft));
        if number % 50 == 49 {
            terminal::say(&format!("{} requests", number + 1));
        }
    }
    if let Some(path) = &arguments.fit {
        let table = fit::fit(&measured, &fields);
        write(path, &table)?;
        for case in &mut measured {
            case.weigh_with(table.providers.get(&case.field).unwrap_or(&table.default));
        }
    }
    for case in &mut measured {
        let Some(field) = fields.by_provider(&case.field) else { continue };
        let mut weighed = case.fused.clone();
        if !field.specialty.draft.opener.is_empty() {
            let asked = (case.query.text.as_str(), case.draft.as_str());
            book.drafter()?.weigh(&field.specialty, &field.retriever, asked, &mut weighed).await?;
            case.note_weighed(&weighed);
        }
        field.retriever.read(&case.query.text, &mut weighed);
        case.note_read(&weighed);
    }
    if arguments.misses {
        terminal::say(&report::misses(&measured, &fields));
    }
    terminal::put(&report::table(&measured)).map_err(CliError::OutputClosed)?;
    Ok(Exit::Complete)
}

fn write(path: &Path, table: &silverback_catalogue::retrieve::WeightTable) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(table).expect("weights are plain data") + "\n";
    fs::write(path, text).map_err(|error| ModelError::at(path)(error).into())
}
