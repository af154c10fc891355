//! Asks one model for drafts outside of a specialist: what the evaluation of retrieval measures.

use std::path::Path;

use silverback_catalogue::Retrieved;
use silverback_engine::{Device, EngineConfig};
use tokio_util::sync::CancellationToken;

use crate::{
    WorkerError,
    likelihood::{self, Asked},
    retriever::Retriever,
    specialist::draft_order,
    specialty::Specialty,
    writer::Writer,
};

/// Tokens of a draft that can name an operation; its values are not looked at here.
const MAX_TOKENS: usize = 24;

/// A model that drafts.
pub struct Drafter {
    writer: Writer,
}

// === impl Drafter ===

impl Drafter {
    /// Loads a GGUF file; takes seconds.
    ///
    /// # Errors
    /// As [`Writer::load`].
    pub fn load(model: &Path, device: Device) -> Result<Self, WorkerError> {
        Ok(Self { writer: Writer::load(model, device, EngineConfig::default())? })
    }

    /// The draft of a specialist up to its first option.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn draft(&self, specialty: &Specialty, text: &str) -> Result<String, WorkerError> {
        let mut order = draft_order(&specialty.draft, text);
        order.max_tokens = MAX_TOKENS;
        order.stop.push(" -".to_owned());
        let completion = self.writer.write(order).await?;
        Ok(format!("{}{}", specialty.draft.opener, completion.text))
    }

    /// Weighs what was found by the likelihood of its names, as a specialist does.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn weigh(
        &self,
        specialty: &Specialty,
        retriever: &Retriever,
        (text, draft): (&str, &str),
        retrieved: &mut Retrieved,
    ) -> Result<(), WorkerError> {
        let asked = Asked { specialty, retriever, text, draft, cancel: &CancellationToken::new() };
        likelihood::weigh(&asked, &self.writer, retrieved).await
    }
}
