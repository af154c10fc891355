//! The plan document: a value that does nothing.

use std::{collections::BTreeMap, ops::AddAssign};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Call, Merged, Step, StepId, canonical_json, digest};

/// The steps and the merged calls, with a hash; serializes as the plan document of the command line, the SDKs and HTTP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `p_` and the first 12 digits of the hash: the same steps and calls are the same plan.
    #[serde(rename = "plan")]
    pub id: String,
    /// `sha256:…` over the canonical JSON of `{"calls","steps"}`; what a person accepts.
    pub hash: String,
    /// By id.
    pub steps: Vec<Step>,
    /// In an order in which they can run.
    pub calls: Vec<Call>,
    /// What got no call, and why.
    pub unanswered: Vec<Unanswered>,
    /// What merging found.
    pub diagnostics: Vec<Diagnostic>,
    /// Not part of the hash.
    pub usage: PlanUsage,
}

/// A piece of the request that got no call, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// The piece, in the words of the request or of the step.
    pub text: String,
    /// One line.
    pub reason: String,
    /// What to ask the person, when a value is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The step, when one was made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
}

/// Something the merge noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable, lower case with dashes: `duplicate-call`, `two-writers`, `dangling-reference`, …
    pub code: String,
    /// One line for people.
    pub message: String,
    /// Ids of steps and calls concerned.
    pub about: Vec<String>,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not meant.
    Warning,
    /// Something was left out of the plan because of it.
    Error,
}

/// Time and tokens of one model's work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Prompt tokens that came from the shared prefix and were not computed again.
    pub cached_tokens: u32,
    /// Tokens written.
    pub output_tokens: u32,
    /// Output tokens that the grammar forced.
    pub forced_tokens: u32,
    /// Milliseconds waiting for the engine.
    pub queue_ms: f64,
    /// Milliseconds searching the catalogue.
    pub retrieve_ms: f64,
    /// Milliseconds reading prompts.
    pub prefill_ms: f64,
    /// Milliseconds writing tokens.
    pub decode_ms: f64,
    /// Milliseconds in all.
    pub total_ms: f64,
}

/// Time and tokens of a whole plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanUsage {
    /// Milliseconds from request to reply.
    pub total_ms: f64,
    /// The planner's share.
    pub plan: Usage,
    /// Each specialist's share.
    pub steps: BTreeMap<StepId, Usage>,
}

// === impl Plan ===

impl Plan {
    /// Closes a merged plan: computes its hash and its id. Nothing may change after this but `usage`.
    pub fn seal(mut steps: Vec<Step>, merged: Merged) -> Self {
        steps.sort_by_key(|step| step.id);
        let hash = digest(&canonical_json(&json!({ "calls": merged.calls, "steps": steps })));
        let short = hash.trim_start_matches("sha256:").chars().take(12).collect::<String>();
        Self {
            id: format!("p_{short}"),
            hash,
            steps,
            calls: merged.calls,
            unanswered: merged.unanswered,
            diagnostics: merged.diagnostics,
            usage: PlanUsage::default(),
        }
    }

    /// Does every piece of the request have its calls?
    pub fn is_complete(&self) -> bool {
        self.unanswered.is_empty()
    }
}

// === impl Unanswered ===

impl Unanswered {
    /// A step that got no call.
    pub fn of_step(step: &Step, reason: impl Into<String>) -> Self {
        Self { text: step.text.clone(), reason: reason.into(), question: None, step: Some(step.id) }
    }
}

// === impl Usage ===

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(other.cached_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.forced_tokens = self.forced_tokens.saturating_add(other.forced_tokens);
        self.queue_ms += other.queue_ms;
        self.retrieve_ms += other.retrieve_ms;
        self.prefill_ms += other.prefill_ms;
        self.decode_ms += other.decode_ms;
        self.total_ms += other.total_ms;
    }
}
