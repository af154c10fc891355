//! One piece of a request for one capability.

use serde::{Deserialize, Serialize};

use crate::StepId;

/// One piece of a request; steps form a directed acyclic graph through `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name within the plan.
    pub id: StepId,
    /// Most specific capability that serves it, e.g. `aws` or `aws/s3`.
    pub capability: String,
    /// What is asked, in the person's words as far as possible.
    pub text: String,
    /// Steps whose calls this one may refer to.
    #[serde(default)]
    pub after: Vec<StepId>,
}
