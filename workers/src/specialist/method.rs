//! Leaves parts of the way out, so that what each of them brings can be measured. Only `silverback eval --method` asks for it.

use serde_json::{Map, Value};
use silverback_catalogue::{Candidate, OperationRef, command};
use silverback_decoding::{Grammar, GroundedCall, Offers};
use silverback_engine::Message;

use super::{Outcome, Specialist, Task, judge::Proposal, reply};
use crate::{WorkerError, usage::Meter, writer::Order};

/// Most tokens of a call under a plain grammar: the model fills what it is shown.
const MAX_CALL_TOKENS: usize = 256;
/// Parameters that are told; some operations have hundreds.
const MAX_TOLD: usize = 40;

/// How a step becomes a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Draft, then ground: what serves.
    #[default]
    Ground,
    /// The free draft as it is: its names matched, its values believed.
    Draft,
    /// The same candidates, the first of them filled under the grammar of its schema, values believed.
    Grammar,
    /// Without a draft: candidates by words and meaning, values by evidence alone.
    Evidence,
}

// === impl Method ===

impl Method {
    /// Does it begin with a draft?
    pub(super) fn drafts(self) -> bool {
        self != Self::Evidence
    }

    /// Is every value held against the request?
    pub(super) fn grounds(self) -> bool {
        matches!(self, Self::Ground | Self::Evidence)
    }
}

// === impl Specialist ===

impl Specialist {
    /// The call whose values are believed.
    pub(super) async fn believe(
        &self,
        task: &Task,
        draft: &str,
        candidates: &[Candidate],
        meter: &mut Meter,
    ) -> Result<Outcome, WorkerError> {
        let chosen = match (self.method, candidates.first()) {
            (Method::Draft, _) => self.drafted(draft, &command::parse(draft)),
            (_, Some(first)) => Some((first.operation, self.fill(task, first.operation, meter).await?)),
            (_, None) => None,
        };
        let Some((reference, arguments)) = chosen else { return Ok(self.refuse()) };
        let operation = self.catalogue.operation(reference)?;
        let grounded = GroundedCall { kept: arguments, ..GroundedCall::default() };
        let proposal = Proposal { reference, operation, grounded, offers: Offers::default(), score: 0.0 };
        Ok(reply::calls(&self.catalogue, &[proposal], task))
    }

    /// All parameters are shown, the grammar is the schema's.
    async fn fill(
        &self,
        task: &Task,
        reference: OperationRef,
        meter: &mut Meter,
    ) -> Result<Map<String, Value>, WorkerError> {
        let operation = self.catalogue.operation(reference)?;
        let mut told = format!("Call: {} ({})\nArguments:\n", operation.key(), operation.summary);
        for (name, schema) in operation.properties().take(MAX_TOLD) {
            let description = schema.get("description").and_then(Value::as_str).unwrap_or("see its name");
            told.push_str(&format!("- {name}: {description}\n"));
        }
        told.push_str(&format!("Request: {}", task.text()));
        let order = Order {
            messages: vec![
                Message::system("You fill in the arguments of an API call from a request."),
                Message::user(told),
            ],
            grammar: Some(Grammar::for_tools(std::slice::from_ref(&*operation))),
            max_tokens: MAX_CALL_TOKENS,
            cancel: task.cancel.clone(),
            ..Order::default()
        };
        let completion = self.writer.write(order).await?;
        meter.add(&completion.usage);
        let mut call: Value = serde_json::from_str(&completion.text).unwrap_or_default();
        Ok(call.get_mut("arguments").and_then(Value::as_object_mut).map(std::mem::take).unwrap_or_default())
    }
}
