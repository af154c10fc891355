//! Tells the registry what this process serves: one card a capability.

use silverback_registry::{Announcement, Capability, Card, CardKind, Limits, Presence, WorkerId, WorkerRecord};

use crate::{PLAN, TOOLS, WorkerConfig, WorkerError, specialist::Specialist};

/// Changes when what a grammar lets through changes; part of the card.
const GRAMMAR_VERSION: &str = "1";

/// Announces the capabilities of one process.
pub struct Announcer {
    registry: silverback_registry::Registry,
    address: String,
    /// What all cards of the process share.
    base: Card,
}

// === impl Announcer ===

impl Announcer {
    /// For a process that routers reach at `address`.
    ///
    /// # Errors
    /// The model's digest is none.
    pub fn new(config: &WorkerConfig, address: String) -> Result<Self, WorkerError> {
        let base = Card {
            model: config.files.model_name.clone(),
            model_digest: config.files.model_digest.parse()?,
            adapter: None,
            catalogue: None,
            catalogue_name: None,
            grammar_version: GRAMMAR_VERSION.to_owned(),
            limits: Limits { max_concurrent: config.max_concurrent, max_prompt_tokens: 8192 },
            kind: CardKind::General,
            description: "splits requests into steps".to_owned(),
            examples: Vec::new(),
        };
        Ok(Self { registry: config.registry.clone(), address, base })
    }

    /// Says that these capabilities are being loaded, so that nobody takes the process away before it serves.
    ///
    /// # Errors
    /// A name or the address breaks the registry's rules.
    pub fn announce_loading(&self, capabilities: &[String]) -> Result<Vec<Announcement>, WorkerError> {
        let presence = Presence::at(self.address.clone())?;
        let announce = |name: &String| Ok(self.registry.announce_loading(&Capability::new(name.clone())?, &presence));
        capabilities.iter().map(announce).collect()
    }

    /// Announces the general worker.
    ///
    /// # Errors
    /// The registry refuses the record.
    pub fn announce_general(&self) -> Result<Announcement, WorkerError> {
        self.announce(PLAN, &self.base)
    }

    /// Announces the caller of tools. No specialist: no step is given to it.
    ///
    /// # Errors
    /// The registry refuses the record.
    pub fn announce_tools(&self) -> Result<Announcement, WorkerError> {
        self.announce(TOOLS, &Card { description: "calls the tools of a conversation".to_owned(), ..self.base.clone() })
    }

    /// Announces a specialist.
    ///
    /// # Errors
    /// The registry refuses the record: a description or an example breaks its rules.
    pub fn announce_specialist(&self, specialist: &Specialist) -> Result<Announcement, WorkerError> {
        let specialty = specialist.specialty();
        let card = Card {
            catalogue: specialist.catalogue().digest().parse().ok(),
            catalogue_name: Some(specialty.providers.join("+")),
            kind: CardKind::Specialist,
            description: specialty.description.clone(),
            examples: specialty.routing.examples.clone(),
            ..self.base.clone()
        };
        self.announce(&specialty.capability, &card)
    }

    fn announce(&self, capability: &str, card: &Card) -> Result<Announcement, WorkerError> {
        // The address makes the name: a worker that comes back at its place takes its old name, not a second one.
        let name = self.address.trim_start_matches("http://").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let record = WorkerRecord::new(WorkerId::new(name)?, Capability::new(capability)?, self.address.clone(), card);
        Ok(self.registry.announce(&record, card)?)
    }
}
