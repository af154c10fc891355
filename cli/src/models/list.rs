//! Lists and verifies what is in the cache.

use std::path::PathBuf;

use serde::Serialize;

use super::{Cache, Model, ModelError, ModelFile, cache::Presence, progress::Progress};

/// One file as `models list` shows it.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Model name.
    pub model: String,
    /// `base`, `light`, `embedding` or `source`.
    pub role: &'static str,
    /// Is it fetched when nobody names anything?
    pub default: bool,
    /// File name.
    pub file: String,
    /// Exact length.
    pub bytes: u64,
    /// SPDX expression.
    pub licence: String,
    /// What is in the cache.
    pub state: &'static str,
    /// Lower case hexadecimal.
    pub sha256: String,
    /// Where it lies, or would lie.
    pub path: PathBuf,
    /// In the order they are tried.
    pub sources: Vec<String>,
}

/// What verifying one file found.
#[derive(Debug)]
pub enum Verdict {
    /// Its sha256 is right.
    Right,
    /// It is not here.
    Missing,
    /// It is here and wrong.
    Wrong(ModelError),
}

/// One row a file, in the manifest's order.
pub fn rows(models: &[&Model], cache: &Cache) -> Vec<Row> {
    let files = models.iter().flat_map(|model| model.files.iter().map(move |file| (*model, file)));
    files.map(|(model, file)| row(model, file, cache)).collect()
}

fn row(model: &Model, file: &ModelFile, cache: &Cache) -> Row {
    Row {
        model: model.name.clone(),
        role: model.role.name(),
        default: model.default,
        file: file.file.clone(),
        bytes: file.bytes,
        licence: model.licence.clone(),
        state: match cache.presence(file) {
            Presence::Missing => "missing",
            Presence::Stamped => "here",
            Presence::Unchecked => "unchecked",
        },
        sha256: file.sha256.clone(),
        path: cache.blob(file),
        sources: file.sources.iter().map(super::manifest::Source::label).collect(),
    }
}

/// Hashes one file. Blocks.
pub fn verify(model: &Model, file: &ModelFile, cache: &Cache, progress: &Progress) -> Result<Verdict, ModelError> {
    if cache.presence(file) == Presence::Missing {
        return Ok(Verdict::Missing);
    }
    let meter = progress.start(&format!("{} {}", model.name, file.file), file.bytes);
    let found = cache.check(file, |bytes| meter.hashed(bytes))?;
    meter.finish(None);
    Ok(found.map_or(Verdict::Right, |found| {
        let (file_name, path) = (file.file.clone(), cache.blob(file));
        Verdict::Wrong(ModelError::Damaged { file: file_name, model: model.name.clone(), path, found })
    }))
}
