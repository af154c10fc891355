//! Lets the model's own likelihood of each candidate's name speak: the names that exist compete under the prompt of the draft.
//!
//! A free draft invents ("deactivate-access-key"), and the existing name that looks most like it may do the opposite. Here nothing is
//! written: a tree of the candidates' names is weighed. Specialists and the evaluation use the same one.

use silverback_catalogue::{Candidate, Catalogue, Invocation, Retrieved};
use tokio_util::sync::CancellationToken;

use crate::{
    WorkerError,
    belief::share_anew,
    retriever::Retriever,
    specialist::draft_order,
    specialty::Specialty,
    writer::{Order, Writer},
};

/// Candidates that are weighed; each more costs about 40 ms on two cores.
const WEIGHED: usize = 8;
/// Belief below which a candidate is not worth a pass.
const LEAST_BELIEF: f32 = 0.003;
/// Belief from which the first candidate needs no second opinion.
const SURE: f32 = 0.9;
/// Weight of a unit of log-likelihood against one of log-belief. Tuned on the tune parts of `tests/requests` (99 requests).
const WEIGHT: f32 = 0.4;

/// A step and who asks.
pub struct Asked<'a> {
    /// Whose tongue the names are in.
    pub specialty: &'a Specialty,
    /// Who found the candidates.
    pub retriever: &'a Retriever,
    /// The step's words.
    pub text: &'a str,
    /// What the model wrote freely.
    pub draft: &'a str,
    /// Ends the work.
    pub cancel: &'a CancellationToken,
}

/// Moves belief among the first candidates towards those whose names the model finds likely; what is certain stays.
///
/// # Errors
/// When the engine fails.
pub async fn weigh(asked: &Asked<'_>, writer: &Writer, retrieved: &mut Retrieved) -> Result<(), WorkerError> {
    let is_open = retrieved.candidates.first().is_some_and(|first| first.score < SURE);
    if asked.specialty.draft.opener.is_empty() || !is_open {
        return Ok(());
    }
    let head = retrieved.candidates.iter().take(WEIGHED).take_while(|one| one.score >= LEAST_BELIEF);
    let named: Option<Vec<(Candidate, String)>> =
        head.map(|candidate| Some((*candidate, name(asked.retriever.catalogue(), candidate)?))).collect();
    // Names of two tongues cannot be compared.
    let Some(named) = named.filter(|named| named.len() > 1) else { return Ok(()) };
    let (head, names): (Vec<Candidate>, Vec<String>) = named.into_iter().unzip();
    let order = Order { cancel: asked.cancel.clone(), ..draft_order(&asked.specialty.draft, asked.text) };
    let likelihoods = writer.weigh(order, &names).await?;
    let moved = share_anew(&head, &likelihoods, WEIGHT);
    retrieved.candidates.splice(..head.len(), moved);
    // The model likes the wrapper that it drafted.
    asked.retriever.unwrap(asked.draft, retrieved);
    Ok(())
}

/// The words of the candidate's command behind the program, as a draft goes on after its opener.
fn name(catalogue: &Catalogue, candidate: &Candidate) -> Option<String> {
    match &catalogue.operation(candidate.operation).ok()?.invocation {
        Invocation::Command { words } if words.len() > 1 => Some(format!(" {}", words[1..].join(" "))),
        _ => None,
    }
}
