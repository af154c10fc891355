//! A chat completion as one document.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use silverback_graph::Plan;
use silverback_proto::v1::{self, call_tools_done::Reason, call_tools_event::Event};

/// What an answer comes to.
#[derive(Default)]
pub(super) struct Reply {
    text: String,
    calls: Vec<v1::ToolCall>,
    done: v1::CallToolsDone,
}

// === impl Reply ===

impl Reply {
    /// A plan is an answer in words: its document.
    pub fn of_plan(plan: &Plan) -> Self {
        let usages = plan.usage.steps.values().chain([&plan.usage.plan]);
        let total = usages.fold(v1::Usage::default(), |sum, usage| v1::Usage {
            prompt_tokens: sum.prompt_tokens + usage.prompt_tokens,
            output_tokens: sum.output_tokens + usage.output_tokens,
            ..sum
        });
        let done = v1::CallToolsDone { reason: Reason::Text.into(), usage: Some(total), fits: 0.0 };
        let text = serde_json::to_string(plan).expect("a plan is plain data");
        Self { text, calls: Vec::new(), done }
    }

    /// Adds what a worker said.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Stage(_) => {}
            Event::Call(call) => self.calls.push(call),
            Event::Text(text) => self.text.push_str(&text),
            Event::Done(done) => self.done = done,
        }
    }

    /// The events it would have been, for a stream.
    pub fn into_events(self) -> Vec<Event> {
        let calls = self.calls.into_iter().map(Event::Call);
        let text = Some(self.text).filter(|text| !text.is_empty()).map(Event::Text);
        calls.chain(text).chain([Event::Done(self.done)]).collect()
    }

    /// `chat.completion`
    pub fn document(self, model: &str) -> Value {
        let reason = finish_reason(&self.done);
        let calls: Vec<Value> = self.calls.iter().map(call).collect();
        let content = if self.text.is_empty() && !calls.is_empty() { Value::Null } else { json!(self.text) };
        let mut message = json!({"role": "assistant", "content": content, "refusal": null});
        let evidence: Vec<Value> = self.calls.iter().map(evidence).collect();
        if !calls.is_empty() {
            message["tool_calls"] = json!(calls);
        }
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": reason});
        json!({"id": new_id(), "object": "chat.completion", "created": now(), "model": model, "choices": [choice],
            "usage": usage(&self.done), "silverback": {"fits": self.done.fits, "evidence": evidence}})
    }
}

/// One call, as the assistant's message holds it.
pub(super) fn call(call: &v1::ToolCall) -> Value {
    let id = format!("call_{:016x}", rand::random::<u64>());
    json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json}})
}

/// Where the values of a call came from: JSON pointer → words.
fn evidence(call: &v1::ToolCall) -> Value {
    let found = call.evidence.iter().map(|one| (one.argument.clone(), json!(one.text)));
    Value::Object(found.collect())
}

pub(super) fn finish_reason(done: &v1::CallToolsDone) -> &'static str {
    match done.reason() {
        Reason::Calls => "tool_calls",
        Reason::TokenLimit => "length",
        Reason::Text | Reason::Unspecified => "stop",
    }
}

pub(super) fn usage(done: &v1::CallToolsDone) -> Value {
    let usage = done.usage.unwrap_or_default();
    let cached = json!({"cached_tokens": usage.cached_tokens});
    json!({"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.output_tokens,
        "total_tokens": usage.prompt_tokens + usage.output_tokens, "prompt_tokens_details": cached})
}

pub(super) fn new_id() -> String {
    format!("chatcmpl-{:016x}", rand::random::<u64>())
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
