//! A chat completion as server-sent events: one `data:` line a piece, `[DONE]` at the end.

use std::{convert::Infallible, time::Duration};

use axum::response::sse::{self, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use silverback_proto::v1::call_tools_event::Event;
use tonic::Status;

use super::{
    error::Refusal,
    reply::{self, Reply},
};
use crate::tools::Conversation;

/// A comment line this often keeps proxies from closing a stream that waits for the model.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What all pieces of one answer have in common.
struct Pieces {
    id: String,
    created: u64,
    model: String,
    with_usage: bool,
    calls: usize,
    is_begun: bool,
}

/// A worker's events as they come.
pub(super) fn of_tools(
    conversation: Conversation,
    model: String,
    with_usage: bool,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let events = stream::unfold(Some(conversation), |conversation| async move {
        let mut conversation = conversation?;
        match conversation.next().await {
            Ok(Some(event)) => Some((Ok(event), Some(conversation))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    });
    send(events, model, with_usage)
}

/// An answer that is whole already.
pub(super) fn of_reply(
    reply: Reply,
    model: String,
    with_usage: bool,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    send(stream::iter(reply.into_events().into_iter().map(Ok)), model, with_usage)
}

fn send(
    events: impl Stream<Item = Result<Event, Status>> + Send + 'static,
    model: String,
    with_usage: bool,
) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let mut pieces =
        Pieces { id: reply::new_id(), created: reply::now(), model, with_usage, calls: 0, is_begun: false };
    let lines = events.flat_map(move |event| {
        let documents = match event {
            Ok(event) => pieces.of(event),
            Err(status) => vec![Refusal::of(&status).document().to_string()],
        };
        stream::iter(documents)
    });
    let ended = lines.chain(stream::iter(["[DONE]".to_owned()]));
    Sse::new(ended.map(|line| Ok(sse::Event::default().data(line)))).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

// === impl Pieces ===

impl Pieces {
    fn of(&mut self, event: Event) -> Vec<String> {
        match event {
            Event::Stage(_) => Vec::new(),
            Event::Text(text) => vec![self.delta(json!({ "content": text }), None)],
            Event::Call(call) => {
                let mut piece = reply::call(&call);
                piece["index"] = json!(self.calls);
                self.calls += 1;
                vec![self.delta(json!({"tool_calls": [piece]}), None)]
            }
            Event::Done(done) => {
                let mut pieces = vec![self.delta(json!({}), Some(reply::finish_reason(&done)))];
                if self.with_usage {
                    pieces.push(self.chunk(json!([]), reply::usage(&done)));
                }
                pieces
            }
        }
    }

    fn delta(&mut self, mut delta: Value, reason: Option<&str>) -> String {
        if !self.is_begun {
            self.is_begun = true;
            delta["role"] = json!("assistant");
        }
        self.chunk(json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}]), Value::Null)
    }

    fn chunk(&self, choices: Value, usage: Value) -> String {
        let mut chunk = json!({"id": self.id, "object": "chat.completion.chunk", "created": self.created,
            "model": self.model, "choices": choices});
        if self.with_usage {
            chunk["usage"] = usage;
        }
        chunk.to_string()
    }
}
