//! Turns vendors' own descriptions into [`Operation`]s.
//!
//! One module a source. Each gives an [`Imported`]; none knows packs, search or models. The vendors whose
//! descriptions are shipped have a module each; what users bring comes in through [`brought`]. Start at [`Imported`].

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::Result;
use crate::operation::Operation;

mod assemble;
pub mod aws;
pub mod brought;
mod clean;
pub mod document;
pub mod graphql;
pub mod kubectl;
pub mod kubernetes;
pub mod mcp;
pub mod openapi;
pub mod openbb;
mod paging;
mod schema;
pub mod stripe;

/// Everything one vendor offers, ready to be packed.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// `aws`, `kubernetes`, `stripe`, `openbb`, or the name the catalogue is added under.
    pub provider: String,
    /// Services, in a stable order: packs are reproducible byte for byte.
    pub services: Vec<ImportedService>,
}

/// One service (or group) of a vendor.
#[derive(Clone, Debug, Default)]
pub struct ImportedService {
    /// As the vendor's command line names it: `ec2`, `kubectl`, `charges`, `equity`.
    pub name: String,
    /// What people call it, for search: `Amazon Elastic Compute Cloud`.
    pub title: String,
    /// Shapes shared by the operations of this service, target of `#/$defs/NAME`.
    pub definitions: Arc<Map<String, Value>>,
    /// The operations; `definitions` in them is filled when they are read from a pack.
    pub operations: Vec<Operation>,
}

// === impl Imported ===

impl Imported {
    /// How many operations there are in all services.
    pub fn len(&self) -> usize {
        self.services.iter().map(|service| service.operations.len()).sum()
    }

    /// No operation at all?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives all operations another provider: a folder of service models under the name somebody adds it.
    ///
    /// # Errors
    /// A service or operation whose name cannot be shown or typed.
    pub fn belong_to(&mut self, provider: &str) -> Result<()> {
        self.provider = provider.to_owned();
        for operation in self.services.iter_mut().flat_map(|service| &mut service.operations) {
            if let Some(reason) = clean::problem_of_name(&operation.name) {
                return Err(document::refused(&operation.service, reason));
            }
            operation.provider = provider.to_owned();
        }
        Ok(())
    }
}
