//! Fills what the draft left open: what has one value is taken, what has a choice is decoded under the grammar.

use serde_json::{Map, Value};
use silverback_catalogue::{Operation, command};
use silverback_decoding::{CallStyle, Evidence, Grammar, GroundedCall, Offers, Proof, Source, ground_arguments};
use silverback_engine::Message;
use tracing::warn;

use super::{
    Specialist, Task,
    judge::Proposal,
    repair::Faults,
    settle::{Settled, settle},
};
use crate::{WorkerError, usage::Meter, writer::Order};

/// Most tokens of a decoded call.
const MAX_CALL_TOKENS: usize = 256;

/// The part of the prompt that repeats.
const SYSTEM: &str = "You fill in the arguments of an API call from a request. Use only values of the request. \
Leave out every argument that the request does not ask for. Answer with the JSON of the call.";

// === impl Specialist ===

impl Specialist {
    /// The proposal with everything said that can be said.
    pub(super) async fn write(
        &self,
        mut proposal: Proposal,
        task: &Task,
        evidence: &Evidence,
        meter: &mut Meter,
    ) -> Result<Proposal, WorkerError> {
        let faults = Faults::of(task, &proposal.operation);
        let Settled { mut arguments, open } = settle(&proposal, evidence, &faults);
        if !open.parameters.is_empty() {
            arguments.extend(self.decode(&proposal, &open, task, meter).await?);
        }
        // Judged once more as a whole: every value that leaves has its proof.
        proposal.grounded = ground_arguments(&proposal.operation, &arguments, evidence);
        add_companions(&proposal.operation, &mut proposal.grounded);
        // The catalogue knows alternatives: a selector in place of a name.
        let missing = command::missing(&proposal.operation, &proposal.grounded.kept);
        proposal.grounded.missing = missing.into_iter().map(str::to_owned).collect();
        Ok(proposal)
    }

    async fn decode(
        &self,
        proposal: &Proposal,
        open: &Offers,
        task: &Task,
        meter: &mut Meter,
    ) -> Result<Map<String, Value>, WorkerError> {
        let grammar = Grammar::for_call(&[(&proposal.operation, open)], CallStyle::Spaced)?;
        let order = Order {
            messages: vec![Message::system(SYSTEM.to_owned()), Message::user(prompt(proposal, open, task))],
            grammar: Some(grammar),
            max_tokens: MAX_CALL_TOKENS,
            cancel: task.cancel.clone(),
            ..Order::default()
        };
        let completion = self.writer.write(order).await?;
        meter.add(&completion.usage);
        let mut call: Value = serde_json::from_str(&completion.text).unwrap_or_else(|source| {
            // The token limit cut it off: what is missing is asked for, nothing half-said is kept.
            warn!(request = %task.request.request, %source, "a decoded call did not end");
            Value::Null
        });
        Ok(call.get_mut("arguments").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default())
    }
}

/// Adds what a said parameter has no effect without: `--include` takes only what an `--exclude` before it left out. The vendor's
/// description is the proof: nobody has to say it.
fn add_companions(operation: &Operation, grounded: &mut GroundedCall) {
    let said: Vec<&Value> = grounded.kept.keys().filter_map(|name| operation.parameter(name)).collect();
    let needed = said.into_iter().filter_map(|schema| schema.get("x-needs")?.as_object()).flatten();
    for (name, value) in needed.filter(|(name, _)| operation.parameter(name).is_some()) {
        if grounded.kept.contains_key(name) {
            continue;
        }
        grounded.kept.insert(name.clone(), value.clone());
        let pointer = if value.is_array() { format!("/{name}/0") } else { format!("/{name}") };
        let (text, resolver) = (String::new(), String::new());
        grounded.proofs.push(Proof { pointer, source: Source::Schema, start: 0, end: 0, text, resolver });
    }
}

fn prompt(proposal: &Proposal, open: &Offers, task: &Task) -> String {
    let operation = &proposal.operation;
    let mut text = format!("Call: {} ({})\nArguments:\n", operation.key(), operation.summary);
    for offer in &open.parameters {
        let description =
            operation.parameter(&offer.name).and_then(|schema| schema.get("description")).and_then(Value::as_str);
        text.push_str(&format!("- {}: {}\n", offer.name, description.unwrap_or("see its name")));
    }
    if !proposal.grounded.kept.is_empty() {
        text.push_str(&format!("Already said: {}\n", Value::Object(proposal.grounded.kept.clone())));
    }
    text.push_str(&Faults::of(task, operation).told());
    text.push_str(&format!("Request: {}", task.text()));
    text
}
