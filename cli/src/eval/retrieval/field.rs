//! The fields requests belong to, each with its packs, as specialists have them.

use std::sync::Arc;

use silverback_catalogue::{Catalogue, OperationRef};
use silverback_workers::{Retriever, Specialty, WorkerFiles, built_in_specialties, load_encoder};

use super::query::{Accepted, Query};
use crate::error::CliError;

/// One field.
pub struct Field {
    /// What its specialist knows.
    pub specialty: Specialty,
    /// How its specialist finds operations.
    pub retriever: Retriever,
}

/// All fields.
pub struct Fields {
    fields: Vec<Field>,
    /// Requests that fit nowhere go round: each field should see some.
    turn: usize,
}

// === impl Fields ===

impl Fields {
    /// Opens the packs of every specialty that is shipped.
    pub fn open(files: &WorkerFiles) -> Result<Self, CliError> {
        let embedder = Arc::new(load_encoder(&files.embeddings)?);
        let mut fields = Vec::new();
        for specialty in built_in_specialties() {
            let packs: Vec<_> =
                specialty.providers.iter().map(|name| files.packs.join(format!("{name}.pack"))).collect();
            let catalogue = Arc::new(Catalogue::open(&packs)?);
            fields.push(Field { specialty, retriever: Retriever::new(catalogue, Some(embedder.clone())) });
        }
        Ok(Self { fields, turn: 0 })
    }

    /// The field of a request.
    pub fn of(&mut self, query: &Query) -> Result<&Field, CliError> {
        if query.provider == "none" {
            self.turn += 1;
            return Ok(&self.fields[self.turn % self.fields.len()]);
        }
        self.by_provider(&query.provider).ok_or_else(|| {
            let hint = "requests can be measured for the vendors of the specialties that are shipped";
            CliError::usage(format!("no specialty serves the vendor {:?}", query.provider), hint)
        })
    }

    /// The field that serves a vendor.
    pub fn by_provider(&self, provider: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.specialty.providers.iter().any(|name| name == provider))
    }

    /// All of them.
    pub fn all(&self) -> &[Field] {
        &self.fields
    }
}

// === impl Field ===

impl Field {
    /// Operations that are right; empty when the catalogue has none of these names.
    pub fn resolve(&self, accepted: &[Accepted]) -> Vec<OperationRef> {
        let mut found = Vec::new();
        for (number, pack) in (0..).zip(self.retriever.catalogue().packs()) {
            for accepted in accepted {
                match accepted {
                    Accepted::Command(words) => {
                        let words: Vec<&str> = words.iter().map(String::as_str).collect();
                        found.extend(pack.find_command(&words).map(|index| OperationRef { pack: number, index }));
                    }
                    Accepted::Name { provider, service, operation } if provider == pack.provider() => {
                        let services = pack.services().iter().map(|entry| entry.name.as_str());
                        let services = services.filter(|name| service.as_ref().is_none_or(|wanted| wanted == name));
                        let indexes = services.filter_map(|service| pack.find(service, operation));
                        found.extend(indexes.map(|index| OperationRef { pack: number, index }));
                    }
                    Accepted::Name { .. } => {}
                }
            }
        }
        found
    }
}
