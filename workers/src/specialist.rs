//! The story of a step: draft ▶ retrieve ▶ judge ▶ write ▶ verify.
//!
//! The model first says the vendor's command freely, which is what it learnt. That draft only proposes: what it names is looked up in
//! the catalogue beside what the words of the step find, its values are held against the request, and what is still open is decoded
//! under a grammar of the chosen operation that can say nothing else. Nothing leaves unverified. Each step of it is a module below.

mod draft;
mod judge;
mod method;
mod repair;
mod reply;
mod results;
mod retrieve;
mod settle;
mod siblings;
mod write;

pub(crate) use draft::order as draft_order;
pub use method::Method;
pub(crate) use reply::evidence_of;

use std::sync::Arc;

use silverback_catalogue::{Catalogue, Retrieved, check, retrieve::WeightTable};
use silverback_decoding::{Context, Date, Evidence, leftover, without_quoted};
use silverback_engine::Embedder;
use silverback_proto::v1;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use self::judge::Proposal;
use crate::{WorkerError, retriever::Retriever, specialty::Specialty, usage::Meter, writer::Writer};

/// Writes calls for the steps of one field.
pub struct Specialist {
    specialty: Specialty,
    catalogue: Arc<Catalogue>,
    retriever: Retriever,
    writer: Writer,
    /// Probability of a fit below which a step is refused; 0 where nobody has measured what it means.
    refuse_below: f32,
    method: Method,
}

/// What the specialists of one process have in common.
#[derive(Clone)]
pub struct Shared {
    /// Used where packs hold vectors.
    pub embedder: Arc<Embedder>,
    /// The model.
    pub writer: Writer,
    /// See [`WorkerConfig::refuse_below`](crate::WorkerConfig::refuse_below).
    pub refuse_below: f32,
    /// How steps become calls.
    pub method: Method,
}

/// A step with what surrounds it.
pub struct Task {
    /// What is asked.
    pub request: v1::AnswerRequest,
    /// Ends the work.
    pub cancel: CancellationToken,
}

/// What a step came to.
pub struct Answer {
    /// A call, a question or a refusal.
    pub outcome: Outcome,
    /// What the model wrote freely, for diagnosis.
    pub draft: String,
    /// Time and tokens.
    pub usage: v1::Usage,
}

/// A call, a question or a refusal.
pub enum Outcome {
    /// The exact call; several where one operation is asked for on several things.
    Calls(Vec<v1::Call>),
    /// A required value that nobody gave.
    NeedsInput(v1::NeedsInput),
    /// No operation of this field fits.
    Refused(v1::Refused),
}

// === impl Task ===

impl Task {
    /// The step's own words.
    fn text(&self) -> &str {
        self.request.step.as_ref().map_or("", |step| step.text.as_str())
    }

    /// The same without what it quotes: what it wants done.
    fn wish(&self) -> String {
        without_quoted(self.text())
    }
}

// === impl Specialist ===

impl Specialist {
    /// A specialist over the packs of its field.
    pub fn new(specialty: Specialty, catalogue: Arc<Catalogue>, shared: Shared) -> Self {
        let Shared { embedder, writer, refuse_below, method } = shared;
        // "Fits" is calibrated for the vendors whose weights were fitted; for an API that somebody brought it says little.
        let refuse_below = if WeightTable::shipped().is_fitted_for(&catalogue) { refuse_below } else { 0.0 };
        let retriever = Retriever::new(catalogue.clone(), Some(embedder));
        Self { specialty, catalogue, retriever, writer, refuse_below, method }
    }

    /// What it announces.
    pub fn specialty(&self) -> &Specialty {
        &self.specialty
    }

    /// How it finds operations.
    pub fn retriever(&self) -> &Retriever {
        &self.retriever
    }

    /// The packs its calls are checked against.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Computes the prompts that repeat, so that the first request does not wait for them.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn warm_up(&self) -> Result<(), WorkerError> {
        let step = v1::Step { text: "warm up".to_owned(), ..v1::Step::default() };
        let request = v1::AnswerRequest { step: Some(step), ..v1::AnswerRequest::default() };
        let task = Task { request, cancel: CancellationToken::new() };
        self.draft(&task, &mut Meter::start()).await.map(drop)
    }

    /// Writes the call for a step; `stage` hears where the work is.
    ///
    /// # Errors
    /// When the engine or the catalogue fails. That nothing fits or a value is missing is no error but an [`Outcome`].
    pub async fn answer(&self, task: &Task, stage: impl Fn(&'static str)) -> Result<Answer, WorkerError> {
        let mut meter = Meter::start();
        let mut evidence = self.gather(task)?;
        stage("draft");
        let wish = task.wish();
        // The step's vector is ready long before its draft: it costs no time of its own.
        let (draft, vector) = tokio::join!(self.draft(task, &mut meter), self.retriever.vector_aside(&wish));
        let (draft, vector) = (draft?, vector?);
        stage("retrieve");
        let Retrieved { candidates, fits } = self.retrieve(task, &draft, vector.as_deref(), &mut meter).await?;
        if fits < self.refuse_below {
            return Ok(Answer { outcome: self.refuse(), draft, usage: meter.read() });
        }
        stage("ground");
        if !self.method.grounds() {
            let outcome = self.believe(task, &draft, &candidates, &mut meter).await?;
            return Ok(Answer { outcome, draft, usage: meter.read() });
        }
        self.point(&candidates, &mut evidence).await?;
        let mut proposals = self.judge(&candidates, &draft, &evidence, task);
        for proposal in proposals.iter().take(3) {
            debug!(%draft, operation = proposal.operation.name, score = proposal.score, kept = ?proposal.grounded.kept, dropped = ?proposal.grounded.dropped, offers = ?proposal.offers, "judged");
        }
        let Some(best) = proposals.drain(..).next() else {
            return Ok(Answer { outcome: self.refuse(), draft, usage: meter.read() });
        };
        let written = self.write(best, task, &evidence, &mut meter).await?;
        stage("verify");
        let outcome = self.verify(written, task, &evidence)?;
        Ok(Answer { outcome, draft, usage: meter.read() })
    }

    /// Reads all that the step, its request, its session and the calls before it can give.
    fn gather(&self, task: &Task) -> Result<Evidence, WorkerError> {
        let request = &task.request;
        let context = Context {
            request_text: request.request_text.clone(),
            session: self.referents(request)?,
            today: Date::parse_iso(&request.today).unwrap_or_else(Date::today_utc),
        };
        Ok(Evidence::gather(task.text(), &context))
    }

    /// Lets through only what the catalogue allows and what says all of the step: a written call, or what is missing in it.
    fn verify(&self, proposal: Proposal, task: &Task, evidence: &Evidence) -> Result<Outcome, WorkerError> {
        if !proposal.grounded.missing.is_empty() {
            return Ok(reply::needs_input(&proposal));
        }
        let arguments = serde_json::Value::Object(proposal.grounded.kept.clone());
        let violations = check(&proposal.operation, &arguments);
        if let Some(violation) = violations.first() {
            let reason = format!(
                "the best call, {}, would break its vendor's rules: {} {}",
                proposal.operation.name, violation.pointer, violation.message
            );
            return Ok(Outcome::Refused(v1::Refused { reason }));
        }
        let siblings = siblings::siblings(&proposal, evidence);
        let mut said = proposal.grounded.clone();
        said.proofs.extend(siblings.iter().flat_map(|one| one.grounded.proofs.clone()));
        if let Some(left) = leftover(&proposal.operation, &said, evidence) {
            return Ok(reply::left_over(&proposal.operation, &left));
        }
        let mut all = vec![proposal];
        all.extend(siblings);
        Ok(reply::calls(&self.catalogue, &all, task))
    }

    fn refuse(&self) -> Outcome {
        let reason = format!("no operation of \"{}\" fits", self.specialty.capability);
        Outcome::Refused(v1::Refused { reason })
    }
}
