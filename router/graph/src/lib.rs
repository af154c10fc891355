//! A plan as a value: steps, calls, references, validation, merge.
//!
//! Does no I/O, knows no model, no worker and no vendor, and nothing in it can act.
//! Start at [`Plan`] (the plan document), then [`merge`] (how answers become one plan).

mod call;
mod error;
mod hash;
mod id;
mod merge;
mod plan;
mod reference;
mod step;
mod validate;
mod wire;

pub use call::{Call, Effect, Evidence, EvidenceSource, HttpRequest, Invocation, McpTool};
pub use error::GraphError;
pub use hash::{canonical_json, digest};
pub use id::{CallId, StepId};
pub use merge::{Answer, MAX_CALLS, Merged, merge};
pub use plan::{Diagnostic, Plan, PlanUsage, Severity, Unanswered, Usage};
pub use reference::{Reference, references, rewrite_references};
pub use step::Step;
pub use validate::{Fault, MAX_STEPS, validate};
