//! Decides what needs no model: a parameter with one value takes it when the request says that value for it.
//!
//! One piece of the request says one thing: a span that an argument already uses is no evidence for another optional one, except for
//! the two ends of a range ("on April 21" is first and last day).

use std::ops::Range;

use serde_json::{Map, Value};
use silverback_catalogue::{Operation, check};
use silverback_decoding::{Evidence, Form, GroundedCall, Offers, ParamOffer, Proof, Source, ground_arguments};

use super::{judge::Proposal, repair::Faults};

/// Words of names that mark the ends of a range.
const ENDS: [&str; 8] = ["start", "end", "from", "to", "since", "until", "before", "after"];

/// From this probability on a switch is turned though the draft does not.
const SWITCHED: f32 = 0.95;

/// What is said without asking the model, and what is left to it.
pub struct Settled {
    /// Arguments that stand.
    pub arguments: Map<String, Value>,
    /// Parameters with a choice.
    pub open: Offers,
}

/// A proposal on its way to be settled.
struct Settling<'a> {
    operation: &'a Operation,
    evidence: &'a Evidence,
    arguments: Map<String, Value>,
    /// Spans of the step that say something already, and for which parameter.
    used: Vec<(Range<usize>, String)>,
}

/// Sorts the offers of a proposal into what stands and what is open. What was refused before does not stand by itself again.
pub fn settle(proposal: &Proposal, evidence: &Evidence, faults: &Faults<'_>) -> Settled {
    let mut settling = Settling { operation: &proposal.operation, evidence, arguments: Map::new(), used: Vec::new() };
    settling.keep_draft(&proposal.grounded);
    let mut open = Offers { missing: proposal.offers.missing.clone(), ..Offers::default() };
    let (refused, offers): (Vec<_>, Vec<_>) =
        proposal.offers.parameters.iter().partition(|offer| faults.concern(&offer.name));
    open.parameters.extend(refused.into_iter().cloned());
    let (references, others): (Vec<_>, Vec<_>) = offers.into_iter().partition(|offer| reference(offer).is_some());
    for offer in references {
        settling.take_reference(offer);
    }
    for offer in others {
        if !settling.take(offer) && (offer.required || settling.has_unused_value(offer)) {
            open.parameters.push(offer.clone());
        }
    }
    Settled { arguments: settling.arguments, open }
}

// === impl Settling ===

impl Settling<'_> {
    fn keep_draft(&mut self, grounded: &GroundedCall) {
        for (name, value) in &grounded.kept {
            self.arguments.insert(name.clone(), value.clone());
        }
        for proof in &grounded.proofs {
            self.note(proof);
        }
    }

    /// What an earlier step makes is meant by its name: "charge jane@example.com" charges the customer, it is no address for a receipt.
    fn take_reference(&mut self, offer: &ParamOffer) {
        let Some(value) = reference(offer) else { return };
        self.arguments.insert(offer.name.clone(), value.clone());
        let named =
            self.evidence.session().iter().filter(|referent| Some(&referent.value) == value_text(value).as_ref());
        let step = self.evidence.step_text();
        let spans: Vec<Range<usize>> = named
            .filter_map(|referent| step.find(&referent.name).map(|start| start..start + referent.name.len()))
            .collect();
        for span in spans {
            let optional: Vec<String> =
                self.users_of(&span).into_iter().filter(|name| !self.operation.is_required(name)).collect();
            for name in optional {
                self.arguments.remove(&name);
            }
            self.used.push((span, offer.name.clone()));
        }
    }

    fn take(&mut self, offer: &ParamOffer) -> bool {
        let Some(value) = only_value(&offer.form) else { return false };
        let proofs = self.proofs(&offer.name, &value);
        let is_asked_for = || proofs.iter().any(|proof| self.is_news(proof, &offer.name));
        // A word of a switch's name is said too often without it being meant: the draft turns it, or a model that read the step.
        let is_meant = || if value.is_boolean() { self.is_switched(offer) } else { is_asked_for() };
        if !offer.required && !is_meant() {
            return false;
        }
        self.arguments.insert(offer.name.clone(), value);
        for proof in proofs {
            self.note(&proof);
        }
        true
    }

    /// Is one of the values of this choice said by words that say nothing yet?
    fn has_unused_value(&self, offer: &ParamOffer) -> bool {
        let values = offer.values().unwrap_or_default();
        let is_switch = values.iter().any(Value::is_boolean);
        (is_switch && self.is_switched(offer))
            || values
                .iter()
                .any(|value| self.proofs(&offer.name, value).iter().any(|proof| self.is_news(proof, &offer.name)))
    }

    fn is_switched(&self, offer: &ParamOffer) -> bool {
        self.evidence.asks_for(self.operation, &offer.name).is_some_and(|asked| asked >= SWITCHED)
    }

    fn proofs(&self, name: &str, value: &Value) -> Vec<Proof> {
        let alone = Map::from_iter([(name.to_owned(), value.clone())]);
        let violates = check(self.operation, &Value::Object(alone.clone()))
            .iter()
            .any(|found| found.pointer.starts_with(&format!("/{name}")));
        if violates { Vec::new() } else { ground_arguments(self.operation, &alone, self.evidence).proofs }
    }

    fn is_news(&self, proof: &Proof, name: &str) -> bool {
        match proof.source {
            Source::Call | Source::Session => true,
            Source::Schema => false,
            Source::Request | Source::Resolver => {
                // The first word says what to do: "Copy" is no value; "Follow the logs" asks for `follow` all the same.
                let is_verb = !self.evidence.step_text()[..proof.start.min(self.evidence.step_text().len())]
                    .contains(char::is_whitespace);
                (!is_verb || proof.text.eq_ignore_ascii_case(name))
                    && proof.start < proof.end
                    && self.users_of(&(proof.start..proof.end)).iter().all(|user| are_ends_of_a_range(user, name))
            }
        }
    }

    fn users_of(&self, span: &Range<usize>) -> Vec<String> {
        let overlapping = self.used.iter().filter(|(used, _)| used.start < span.end && span.start < used.end);
        overlapping.map(|(_, name)| name.clone()).collect()
    }

    fn note(&mut self, proof: &Proof) {
        if proof.start < proof.end {
            let name = proof.pointer.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
            self.used.push((proof.start..proof.end, name));
        }
    }
}

/// The one thing that can be said here; of a structure, every member with one value.
fn only_value(form: &Form) -> Option<Value> {
    let Form::Object(members) = form else { return form.only_value() };
    let mut object = Map::new();
    for member in members {
        match only_value(&member.form) {
            Some(value) => drop(object.insert(member.name.clone(), value)),
            None if member.required => return None,
            None => {}
        }
    }
    (!object.is_empty()).then_some(Value::Object(object))
}

/// The first value of an offer when it points at an earlier call.
fn reference(offer: &ParamOffer) -> Option<&Value> {
    offer.values()?.first().filter(|value| check::is_reference(value))
}

/// A referent keeps its reference as JSON text.
fn value_text(value: &Value) -> Option<String> {
    serde_json::to_string(value).ok()
}

fn are_ends_of_a_range(one: &str, other: &str) -> bool {
    let is_end = |name: &str| {
        let lower = name.to_ascii_lowercase();
        ENDS.iter().any(|word| lower.starts_with(word) || lower.ends_with(word))
    };
    one != other && is_end(one) && is_end(other)
}
