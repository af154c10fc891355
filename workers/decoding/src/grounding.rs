//! Judges proposed values against the evidence: kept, corrected, or refused with a reason.
//!
//! A draft only proposes. A string must be a span of the request (its spelling wins unless the schema's enumeration
//! decides), a number must be said, a switch must be asked for; or a named resolver must make the value of a span. Start at
//! [`ground_arguments`].

use serde_json::{Map, Value};
use silverback_catalogue::operation::Operation;

use crate::evidence::Evidence;
use crate::pointing::UNASKED;
use crate::sign;
use crate::slot::Slot;

mod arguments;
mod compose;
mod placeholder;
mod scalar;
mod structure;
mod tool;

pub use arguments::{GroundedCall, ground_arguments};
pub use tool::{ToolCall, ground_tool, unplaced};

/// Where one value came from; the plan document shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// JSON pointer into the arguments, e.g. `/InstanceIds/0`.
    pub pointer: String,
    /// Kind of origin.
    pub source: Source,
    /// Byte offset into the step's text; equal to `end` when there is no span there.
    pub start: usize,
    /// Byte offset after the span.
    pub end: usize,
    /// The words of the span, the earlier call's id, or the session referent's name.
    pub text: String,
    /// Which resolver made the value of the span; empty when the span is the value.
    pub resolver: String,
}

/// Kind of origin of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A span of the request.
    Request,
    /// A referent of the session.
    Session,
    /// The result of an earlier call.
    Call,
    /// A named resolver that worked on a span of the request.
    Resolver,
    /// The operation allows exactly one value here.
    Schema,
}

/// A value with what proves it.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounded {
    /// The value to use; may differ from the proposal (`25` → `2500`).
    pub value: Value,
    /// One proof for each leaf of the value.
    pub proofs: Vec<Proof>,
    /// Parts of the proposal that were left out, each with its reason.
    pub dropped: Vec<Ungrounded>,
}

/// A proposal that nothing in the request supports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ungrounded {
    /// JSON pointer into the arguments.
    pub pointer: String,
    /// Why, for people.
    pub reason: String,
}

/// The judgement of one value.
pub type Verdict = std::result::Result<Grounded, Ungrounded>;

/// Judges a proposed value for a top-level parameter.
pub fn ground(operation: &Operation, parameter: &str, value: &Value, evidence: &Evidence) -> Verdict {
    let Some(slot) = Slot::of(operation, parameter) else {
        let pointer = format!("/{parameter}");
        return Err(Ungrounded { pointer, reason: format!("{} has no parameter {parameter:?}", operation.key()) });
    };
    if crate::slot::is_never(operation, slot.schema) {
        return Err(slot.refuse("this parameter is never written by a model"));
    }
    let is_read = evidence.pointed_asked(&slot).is_some();
    if !slot.required && is_read && sign::score(&slot, evidence, &[]) < UNASKED {
        return Err(slot.refuse(format!("nobody asked for {parameter}")));
    }
    structure::ground_value(&slot, value, evidence)
}

/// A judgement of nothing but one leaf.
pub(crate) fn leaf(value: Value, proof: Proof) -> Grounded {
    Grounded { value, proofs: vec![proof], dropped: Vec::new() }
}

/// Is this a reference to an earlier call's result?
pub(crate) fn is_reference(value: &Value) -> bool {
    reference_call(value).is_some()
}

/// The call a reference points at.
pub(crate) fn reference_call(value: &Value) -> Option<&str> {
    let object: &Map<String, Value> = value.as_object()?;
    (object.len() <= 2 && object.keys().all(|key| key == "$ref" || key == "path")).then_some(())?;
    object.get("$ref")?.as_str()
}

// === impl Slot ===

impl Slot<'_> {
    pub(crate) fn refuse(&self, reason: impl Into<String>) -> Ungrounded {
        Ungrounded { pointer: self.pointer.clone(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests;
