//! An operation with arguments, and where each value came from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{CallId, StepId};

/// What may be done with an operation when its outcome is unknown; the order is danger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// The same again gives the same state.
    Idempotent,
    /// The vendor takes an idempotency key.
    Keyed,
    /// Never again before finding out what happened. Unknown counts as this.
    #[default]
    Irreversible,
}

/// One call of one operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its name: local to its step until merged, then the plan's own.
    pub id: CallId,
    /// The step it answers.
    pub step: StepId,
    /// The vendor.
    pub provider: String,
    /// Service or group within the vendor.
    pub service: String,
    /// The vendor's own name of the operation.
    pub operation: String,
    /// Values and [`Reference`](crate::Reference)s by parameter name.
    pub arguments: Map<String, Value>,
    /// What happens to the world.
    pub effect: Effect,
    /// `reversible`, `none` or the inverse operation's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// Calls that must have ended before; every call referred to is among them.
    #[serde(default)]
    pub after: Vec<CallId>,
    /// The same in the vendor's own language.
    #[serde(flatten)]
    pub invocation: Invocation,
    /// Where the argument values came from.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// `sha256:…` of the catalogue pack it was written and checked against.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub catalogue: String,
}

/// How the call is said to its vendor: `"command": […]`, `"http": {…}` or `"mcp": {…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Invocation {
    /// An argument vector, never a shell string.
    Command(Vec<String>),
    /// A request that lacks only its secrets.
    Http(HttpRequest),
    /// A tool of an MCP server.
    Mcp(McpTool),
}

/// A tool of an MCP server; its arguments are the call's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpTool {
    /// The name that the server was added under; whoever executes knows its address.
    pub server: String,
    /// The tool's own name.
    pub tool: String,
}

/// An HTTP operation, ready to send but for its secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Absolute, with its query.
    pub url: String,
    /// Without secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

/// Where one argument value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// JSON pointer into the arguments, e.g. `/CidrBlock`.
    pub argument: String,
    /// The kind of source.
    pub source: EvidenceSource,
    /// First byte of the span in the step's text; equal to `end` when there is no span.
    #[serde(default)]
    pub start: u32,
    /// One past the last byte of the span.
    #[serde(default)]
    pub end: u32,
    /// The words of the span, the earlier call's id, or the session referent.
    #[serde(default)]
    pub text: String,
    /// Name of the resolver: `money`, `ticker`, `date`, …
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resolver: String,
}

/// The kinds of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceSource {
    /// A span of the request.
    Request,
    /// A referent of the session.
    Session,
    /// A result of an earlier call.
    Call,
    /// A named resolver that worked on a span of the request.
    Resolver,
    /// The operation allows exactly one value here.
    Schema,
}

// === impl Effect ===

impl Effect {
    /// Does it leave the world as it was?
    pub fn is_read(self) -> bool {
        self == Effect::Read
    }
}

// === impl Call ===

impl Call {
    /// `provider service operation`, for messages.
    pub fn title(&self) -> String {
        [&self.provider, &self.service, &self.operation].map(String::as_str).join(" ")
    }

    /// The same call as seen from outside its step: its own name and every name in it get their step.
    pub fn seen_from_outside(&self) -> Call {
        let step = self.step;
        let mut call = self.clone();
        call.rename(|id| id.seen_from_outside(step));
        call
    }

    /// Gives every call named in this one, itself included, a new name. The invocation is left as it was rendered.
    pub(crate) fn rename(&mut self, name: impl Fn(CallId) -> CallId) {
        self.id = name(self.id);
        for id in &mut self.after {
            *id = name(*id);
        }
        for value in self.arguments.values_mut() {
            crate::rewrite_references(value, &name);
        }
        for evidence in &mut self.evidence {
            let named = evidence.text.parse().ok().filter(|_| evidence.source == EvidenceSource::Call);
            evidence.text = named.map_or_else(|| evidence.text.clone(), |id: CallId| name(id).to_string());
        }
    }
}
