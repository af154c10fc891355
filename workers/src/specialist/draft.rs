//! Lets the model say freely what it knows, in the vendor's own tongue.

use silverback_engine::Message;

use super::{Specialist, Task};
use crate::{WorkerError, specialty::DraftPrompt, usage::Meter, writer::Order};

/// Longest draft in tokens: a command line with a few values. A bigger value costs 40 ms a token when the model rambles.
const MAX_DRAFT_TOKENS: usize = 96;

/// What asks for one drafted command line.
pub(crate) fn order(prompt: &DraftPrompt, step: &str) -> Order {
    Order {
        messages: vec![Message::system(prompt.system.clone()), Message::user(step.to_owned())],
        opener: prompt.opener.clone(),
        max_tokens: MAX_DRAFT_TOKENS,
        stop: vec!["\n".to_owned(), "```".to_owned()],
        ..Order::default()
    }
}

// === impl Specialist ===

impl Specialist {
    /// One drafted command line; empty when the field has no tongue that the model speaks.
    pub(super) async fn draft(&self, task: &Task, meter: &mut Meter) -> Result<String, WorkerError> {
        let prompt = &self.specialty.draft;
        if prompt.opener.is_empty() || !self.method.drafts() {
            return Ok(String::new());
        }
        let order = Order { cancel: task.cancel.clone(), ..order(prompt, &task.wish()) };
        let completion = self.writer.write(order).await?;
        meter.add(&completion.usage);
        Ok(format!("{}{}", prompt.opener, completion.text))
    }
}
