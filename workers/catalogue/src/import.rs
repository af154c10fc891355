//! Turns vendors' own descriptions into [`Operation`]s.
//!
//! One module a source. Each gives an [`Imported`]; none knows packs, search or models. Start at [`Imported`].

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::operation::Operation;

pub mod aws;
pub mod kubectl;
pub mod kubernetes;
pub mod openbb;
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
}
