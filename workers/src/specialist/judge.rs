//! Judges each candidate together with its arguments: the operation that explains the request best wins.
//!
//! Retrieval proposes; required parameters without evidence speak against a candidate, values of the request that find no place in it
//! too. Not the model: shown a list it picks the right one in 8 of 20 (PARTS.md).

use std::sync::Arc;

use serde_json::{Map, Value};
use silverback_catalogue::{Candidate, Operation, OperationRef, Scope, check, command, match_draft};
use silverback_decoding::{
    Evidence, Form, GroundedCall, Offers, Span,
    evidence::{Kind, Place},
    ground_arguments, offers,
};

use super::{Specialist, Task, repair::Faults};

/// Weight of a required parameter for which the request gives nothing.
const MISSING: f32 = 0.15;
/// Weight of a value of the request that the operation has no place for.
const UNPLACED: f32 = 0.2;
/// The same of a number: it may count something that the operation need not know.
const UNPLACED_NUMBER: f32 = 0.1;
/// Weight of a proposal of the draft that stands.
const KEPT: f32 = 0.03;
/// What a required parameter counts for which the step holds a value: it explains why the value was said.
const FILLED: f32 = 0.06;

/// A candidate with what can be said for it.
pub struct Proposal {
    /// Where it is in the catalogue.
    pub reference: OperationRef,
    /// The operation.
    pub operation: Arc<Operation>,
    /// Arguments of the draft that stand.
    pub grounded: GroundedCall,
    /// What may be said besides.
    pub offers: Offers,
    /// Higher explains the request better.
    pub score: f32,
}

// === impl Specialist ===

impl Specialist {
    /// All candidates that the catalogue can open, best first.
    pub(super) fn judge(
        &self,
        candidates: &[Candidate],
        draft: &str,
        evidence: &Evidence,
        task: &Task,
    ) -> Vec<Proposal> {
        let lines = command::parse(draft);
        let borrowed = self.drafted(draft, &lines);
        let mut proposals = Vec::new();
        for candidate in candidates {
            let Ok(operation) = self.catalogue.operation(candidate.operation) else { continue };
            let faults = Faults::of(task, &operation);
            if faults.is_refused() {
                continue;
            }
            let mut drafted = match (lines.first(), &borrowed) {
                (Some(line), _) if candidate.sources.draft => command::bind(&operation, line).arguments,
                // Values that the model wrote for a neighbour: `get deployment pricing` knows the name for `rollout status`.
                (_, Some((other, arguments))) if self.are_neighbours(*other, candidate.operation) => {
                    arguments.clone().into_iter().filter(|(name, _)| operation.parameter(name).is_some()).collect()
                }
                _ => Map::new(),
            };
            drafted.retain(|name, _| !faults.concern(name));
            let grounded = ground_lawfully(&operation, drafted, evidence);
            let offers = offers(&operation, evidence, &grounded.kept);
            let unplaced = unplaced(evidence, &grounded, &offers);
            let filled = offers.parameters.iter().filter(|offer| offer.required).count();
            let kept = if candidate.sources.draft { grounded.kept.len().min(4) } else { 0 };
            let score = candidate.score + KEPT * kept as f32 + FILLED * filled.min(2) as f32
                - MISSING * offers.missing.len() as f32
                - unplaced;
            proposals.push(Proposal { reference: candidate.operation, operation, grounded, offers, score });
        }
        // Stable: equal scores stay in the order of retrieval.
        proposals.sort_by(|a, b| b.score.total_cmp(&a.score));
        proposals
    }

    /// The operation that the draft names best, with what it says for it.
    pub(super) fn drafted(
        &self,
        draft: &str,
        lines: &[command::CommandLine],
    ) -> Option<(OperationRef, Map<String, Value>)> {
        let named = match_draft(&self.catalogue, Scope::default(), draft, 1).first()?.operation;
        let operation = self.catalogue.operation(named).ok()?;
        Some((named, command::bind(&operation, lines.first()?).arguments))
    }

    /// Of one service, where parameters of one name mean one thing?
    fn are_neighbours(&self, one: OperationRef, other: OperationRef) -> bool {
        let service = |at| self.catalogue.name(at).map(|(provider, service, _)| (provider, service));
        service(one) == service(other)
    }
}

/// Grounds a draft's arguments without those that the vendor's own rules refuse: what is left out can be offered again.
fn ground_lawfully(operation: &Operation, mut drafted: Map<String, Value>, evidence: &Evidence) -> GroundedCall {
    let grounded = ground_arguments(operation, &drafted, evidence);
    let violations = check(operation, &Value::Object(grounded.kept.clone()));
    let unlawful = |name: &String| {
        violations.iter().any(|found| found.pointer.trim_start_matches('/').split('/').next() == Some(name))
    };
    let unlawful: Vec<String> = grounded.kept.keys().filter(|name| unlawful(name)).cloned().collect();
    if unlawful.is_empty() {
        return grounded;
    }
    drafted.retain(|name, _| !unlawful.contains(name));
    ground_arguments(operation, &drafted, evidence)
}

/// What speaks against a call that has no place for values of the step.
fn unplaced(evidence: &Evidence, grounded: &GroundedCall, offers: &Offers) -> f32 {
    let said = serde_json::to_string(&grounded.kept).unwrap_or_default();
    let is_placed = |span: &&Span| {
        let is_proof =
            grounded.proofs.iter().any(|proof| proof.start <= span.start && span.end <= proof.end && proof.end > 0);
        is_proof || said.contains(&span.text) || offers.parameters.iter().any(|offer| can_hold(&offer.form, span))
    };
    let values = evidence.spans().filter(|span| span.place == Place::Step && !is_placed(span));
    let weight = |span: &Span| match span.kind {
        Kind::Number(_) => UNPLACED_NUMBER,
        _ if span.is_plainly_a_value() => UNPLACED,
        _ => 0.0,
    };
    values.map(weight).sum()
}

/// Could this be said at a place of this form?
fn can_hold(form: &Form, span: &Span) -> bool {
    match form {
        Form::OneOf(values) => match &span.kind {
            Kind::Money(_) => values.iter().any(Value::is_number),
            _ => values.iter().any(|value| value.to_string().contains(&span.text)),
        },
        Form::Copied(text) => text.contains(&span.text),
        Form::List { element, .. } => can_hold(element, span),
        Form::Object(members) => members.iter().any(|member| can_hold(&member.form, span)),
    }
}
