//! Says what may be done with an operation when something goes wrong, and who says so.
//!
//! Importers fill a [`Semantics`]; the executor, the router and people read it. Everything has an [`Origin`]: a machine-readable
//! trait of the vendor, the vendor's text, or a rule of ours with its name. What nobody said is absent, and absent is the
//! dangerous answer: no key, no dry run, no inverse, effect irreversible. Knows no vendor. Start at [`Semantics`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{Effect, Operation};

mod origin;

pub use origin::Origin;

/// What is known of an operation beyond its shape. The default knows nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Semantics {
    /// Who says the effect class.
    #[serde(skip_serializing_if = "Origin::is_unknown")]
    pub effect_from: Origin,
    /// Arguments that change the effect class; the first that applies counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variations: Vec<Variation>,
    /// Where the idempotency key goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
    /// How to ask what would happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<DryRun>,
    /// How the next page is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// What can be waited for with this operation or after it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiters: Vec<Waiter>,
    /// Errors after which the same may be tried again, as far as the effect class allows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorRule>,
    /// What takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inverse: Option<Inverse>,
}

/// One argument makes the call more or less dangerous: `--delete` of `s3 sync`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variation {
    /// Top-level parameter.
    pub parameter: String,
    /// Values it applies to; empty means any but `false`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// The class of such a call.
    pub effect: Effect,
    /// Who says so.
    pub from: Origin,
}

/// Same key, same outcome: what makes an operation [`Effect::Keyed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// Where it is written.
    #[serde(flatten)]
    pub place: KeyPlace,
    /// Who says so.
    pub from: Origin,
}

/// A parameter or a header, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPlace {
    /// A top-level parameter.
    Parameter(String),
    /// An HTTP header.
    Header(String),
}

/// With one of these values nothing is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DryRun {
    /// Top-level parameter.
    pub parameter: String,
    /// The values that only ask; any other value acts.
    pub values: Vec<Value>,
    /// Who says so.
    pub from: Origin,
}

/// Names of parameters (`input`, `limit`) and paths into the result (`output`, `more`, `results`); `[-1]` is the last element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Parameters that take the token of the next page.
    pub input: Vec<String>,
    /// Where the result says it, in the order of `input`.
    pub output: Vec<String>,
    /// Parameter that bounds a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// True when there is another page; without it, an absent token ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// The lists that pages are parts of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<String>,
    /// Who says so.
    pub from: Origin,
}

/// Calls an operation again and again until something holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The vendor's name: `InstanceRunning`.
    pub name: String,
    /// The operation that is called: this one, or, for what may be waited for afterwards, another of the service.
    pub polls: String,
    /// What it waits for: `Reservations[].Instances[].State.Name = running (all)`.
    pub until: String,
    /// Seconds between calls.
    pub delay: u32,
    /// Calls before it gives up.
    pub attempts: u32,
    /// Who says so.
    pub from: Origin,
}

/// What an error code tells about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// Refused for load, nothing was done: the same again later is safe in every effect class.
    Throttled,
    /// May pass by itself; whether it was done is unknown, so the effect class decides.
    Transient,
}

/// Error codes of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRule {
    /// What they tell.
    pub kind: ErrorKind,
    /// The vendor's codes; `HTTP 429` stands for a status.
    pub codes: Vec<String>,
    /// Who says so.
    pub from: Origin,
}

/// The operation of the same service that takes this one back, and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inverse {
    /// Its name, the same as [`Operation::undo`].
    pub operation: String,
    /// Its arguments in order.
    pub arguments: Vec<(String, ArgumentSource)>,
    /// Who says so.
    pub from: Origin,
}

/// Where an argument of the inverse comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArgumentSource {
    /// Path into the result of the forward call; `[*]` gathers a list.
    Result(String),
    /// The forward call's own argument; left out when the call does not give it.
    Argument(String),
    /// Always this.
    Constant(Value),
}

// === impl Semantics ===

impl Semantics {
    /// Is nothing known?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

// === impl Variation ===

impl Variation {
    fn applies(&self, arguments: &Value) -> bool {
        match arguments.get(&self.parameter) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(value) => self.values.is_empty() || self.values.contains(value),
        }
    }
}

// === impl DryRun ===

impl DryRun {
    /// Do these arguments only ask? A reference or an unknown value does not count as asking.
    pub fn is_asked(&self, arguments: &Value) -> bool {
        arguments.get(&self.parameter).is_some_and(|value| self.values.contains(value))
    }
}

// === impl Operation ===

impl Operation {
    /// Effect class of a call with these arguments: what a plan shows and an executor keeps to.
    ///
    /// Arguments can make an operation harmless (`--dry-run=server`) or worse (`s3 sync --delete`).
    pub fn effect_of(&self, arguments: &Value) -> Effect {
        if self.semantics.dry_run.as_ref().is_some_and(|dry_run| dry_run.is_asked(arguments)) {
            return Effect::Read;
        }
        let varied = self.semantics.variations.iter().find(|variation| variation.applies(arguments));
        varied.map_or(self.effect, |variation| variation.effect)
    }

    /// What an error code (or `HTTP 503`) tells about trying again; `None` means nothing: do not.
    pub fn error_kind(&self, code: &str) -> Option<ErrorKind> {
        let rule = self.semantics.errors.iter().find(|rule| rule.codes.iter().any(|known| known == code));
        rule.map(|rule| rule.kind)
    }
}

#[cfg(test)]
mod tests;
