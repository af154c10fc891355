//! Keeps drafts between runs, so that tuning costs seconds: one JSON line a draft, by what it was made of.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use silverback_engine::Device;
use silverback_workers::{Drafter, Specialty, WorkerFiles};

use crate::{
    error::CliError,
    models::{ModelError, cache::make_parent},
    terminal,
};

/// Drafts by key; the model is loaded when the first one is missing.
pub struct DraftBook {
    known: HashMap<String, String>,
    file: File,
    path: PathBuf,
    model: (String, PathBuf, Device),
    drafter: Option<Drafter>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    draft: String,
}

// === impl DraftBook ===

impl DraftBook {
    /// Opens the file, makes it when it is missing. A line cut off by a crash is drafted again.
    pub fn open(path: &Path, files: &WorkerFiles, device: Device) -> Result<Self, CliError> {
        make_parent(path)?;
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(ModelError::at(path))?;
        let text = fs::read_to_string(path).map_err(ModelError::at(path))?;
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let known = lines.map(|line| (line.key, line.draft)).collect();
        let model = (files.model_digest.clone(), files.model.clone(), device);
        Ok(Self { known, file, path: path.to_owned(), model, drafter: None })
    }

    /// The draft of a text; empty for a field without a tongue.
    pub async fn draft(&mut self, specialty: &Specialty, text: &str) -> Result<String, CliError> {
        if specialty.draft.opener.is_empty() {
            return Ok(String::new());
        }
        let key = self.key(specialty, text);
        if let Some(draft) = self.known.get(&key) {
            return Ok(draft.clone());
        }
        let draft = self.drafter()?.draft(specialty, text).await?;
        let line = Line { key: key.clone(), draft: draft.clone() };
        let line = serde_json::to_string(&line).expect("a line is plain data") + "\n";
        self.file.write_all(line.as_bytes()).map_err(ModelError::at(&self.path))?;
        self.known.insert(key, draft.clone());
        Ok(draft)
    }

    /// The model that drafts; loads it when it was not needed before.
    pub fn drafter(&mut self) -> Result<&Drafter, CliError> {
        if self.drafter.is_none() {
            terminal::say("loading the model");
            self.drafter = Some(Drafter::load(&self.model.1, self.model.2)?);
        }
        Ok(self.drafter.as_ref().expect("it was loaded above"))
    }

    /// Model, prompt and text: whatever changes one of them makes another draft.
    fn key(&self, specialty: &Specialty, text: &str) -> String {
        let mut hasher = Sha256::new();
        for part in [&self.model.0, &specialty.draft.system, &specialty.draft.opener, text] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
