//! The story of a conversation with tools: read ▶ call ▶ ground ▶ fit ▶ once more, while more is meant.
//!
//! The catalogue comes with the request: tools are read as an MCP server's are, and decoded under a grammar of their schemas. Whether
//! any of them fits, and whether another call is meant, is measured and not left to what the model happens to write: small models
//! never refuse by themselves (PARTS.md). Nothing is run here; the caller runs what it is given.

mod fit;
mod service;
mod toolbox;

use std::sync::Arc;

use silverback_catalogue::{Operation, check};
use silverback_decoding::{Context, Date, Evidence, ToolCall, ground_tool, unplaced};
use silverback_engine::{Completion, Embedder, FinishReason, Message};
use silverback_proto::v1;
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub use self::service::Tools;
use self::toolbox::{Conversation, Toolbox};
use crate::{
    WorkerError,
    specialist::evidence_of,
    usage::Meter,
    writer::{Order, Writer},
};

/// Calls of one answer; more is a model that does not end.
const MAX_CALLS: usize = 16;
/// What the model writes before a call.
const OPEN: &str = "<tool_call>";
/// What it writes after one.
const CLOSE: &str = "\n</tool_call>";

/// Writes calls of tools that come with a conversation.
pub struct ToolCaller {
    writer: Writer,
    embedder: Arc<Embedder>,
}

/// A conversation and who can end it.
pub struct Task {
    /// What is asked.
    pub request: v1::CallToolsRequest,
    /// Ends the work.
    pub cancel: CancellationToken,
}

/// What happens on the way, told as it happens.
pub enum Said {
    /// Where the work is.
    Stage(&'static str),
    /// A call that stands.
    Call(v1::ToolCall),
    /// A piece of an answer in words.
    Text(String),
}

/// A call as the model wrote it and as it stands.
struct Written {
    /// Later calls follow it.
    text: String,
    operation: Operation,
    call: ToolCall,
}

/// A request on its way.
struct Answering<'a> {
    toolbox: Toolbox,
    conversation: Conversation,
    evidence: Evidence,
    order: Order,
    task: &'a Task,
    meter: Meter,
}

// === impl ToolCaller ===

impl ToolCaller {
    /// A caller on a shared model.
    pub fn new(writer: Writer, embedder: Arc<Embedder>) -> Self {
        Self { writer, embedder }
    }

    /// Answers a conversation; `tell` hears each call and piece of text as soon as it stands.
    ///
    /// # Errors
    /// [`WorkerError::ToolsRefused`] for tools or a conversation that cannot be used, [`WorkerError::CallUnfinished`] for a call that
    /// did not end within its tokens, and what happens in the engine.
    pub async fn answer(&self, task: &Task, mut tell: impl FnMut(Said)) -> Result<v1::CallToolsDone, WorkerError> {
        let mut answering = Answering::begin(task)?;
        if answering.toolbox.is_empty() {
            return self.speak(&mut answering, 0.0, tell).await;
        }
        tell(Said::Stage("call"));
        let written = self.call(&mut answering, "").await?;
        // What was called and has its result is not called again.
        let is_known = answering.conversation.made.contains(&written.told());
        let fits = if is_known { 0.0 } else { self.fit(&answering, &written).await? };
        if task.request.choice() != v1::ToolChoice::Required && fits < fit::CALL_FROM {
            return self.decline(&mut answering, fits, tell).await;
        }
        let mut said = follow("", &written.text);
        tell(Said::Call(written.into_wire()));
        for _ in 1..MAX_CALLS {
            let Some(next) = self.next(&mut answering, &said).await? else { break };
            said = follow(&said, &next.text);
            tell(Said::Call(next.into_wire()));
        }
        Ok(answering.done(v1::call_tools_done::Reason::Calls, fits))
    }

    /// Decodes the next call under the grammar of the tools, after those that were said.
    async fn call(&self, answering: &mut Answering<'_>, said: &str) -> Result<Written, WorkerError> {
        let order = Order {
            opener: open(said),
            grammar: Some(answering.toolbox.grammar()),
            max_tokens: answering.max_tokens(),
            ..answering.order.clone()
        };
        let completion = self.writer.write(order).await.map_err(as_refusal)?;
        answering.meter.add(&completion.usage);
        let (name, arguments) = parse(&completion)?;
        let operation = answering.toolbox.operation(&name).ok_or_else(|| unfinished(&completion))?.clone();
        let call = ground_tool(&operation, arguments, &answering.evidence);
        Ok(Written { text: completion.text, call: lawful(&operation, call)?, operation })
    }

    /// Another call, when one is meant: it says what no call has said yet, and nothing that nobody said.
    async fn next(&self, answering: &mut Answering<'_>, said: &str) -> Result<Option<Written>, WorkerError> {
        if answering.task.request.single {
            return Ok(None);
        }
        let left = unplaced(&answering.evidence, said);
        if left == 0 {
            return Ok(None);
        }
        let next = self.call(answering, said).await?;
        let is_new = !said.contains(&next.text) && next.call.unsaid.is_empty();
        let after = unplaced(&answering.evidence, &follow(said, &next.text));
        debug!(is_new, left, after, text = next.text, "another call");
        Ok(Some(next).filter(|_| is_new && after < left))
    }

    /// Nothing fits: after a result the model speaks, else that is said plainly.
    async fn decline(
        &self,
        answering: &mut Answering<'_>,
        fits: f32,
        mut tell: impl FnMut(Said),
    ) -> Result<v1::CallToolsDone, WorkerError> {
        if answering.conversation.ends_with_result {
            return self.speak(answering, fits, tell).await;
        }
        tell(Said::Text("None of the given tools fits this request.".to_owned()));
        Ok(answering.done(v1::call_tools_done::Reason::Text, fits))
    }

    /// Answers in words.
    async fn speak(
        &self,
        answering: &mut Answering<'_>,
        fits: f32,
        mut tell: impl FnMut(Said),
    ) -> Result<v1::CallToolsDone, WorkerError> {
        tell(Said::Stage("text"));
        // Shown tools, this model writes calls and nothing else.
        let order = Order { tools: Vec::new(), max_tokens: answering.max_tokens(), ..answering.order.clone() };
        let mut stream = self.writer.stream(order)?;
        while let Some(event) = stream.next().await {
            match event? {
                silverback_engine::Event::Token { text, .. } if text.is_empty() => {}
                silverback_engine::Event::Token { text, .. } => tell(Said::Text(text)),
                silverback_engine::Event::Done { reason, text, usage } => {
                    answering.meter.add(&usage);
                    tell(Said::Text(text));
                    let is_cut = reason == FinishReason::MaxTokens;
                    let reason = if is_cut {
                        v1::call_tools_done::Reason::TokenLimit
                    } else {
                        v1::call_tools_done::Reason::Text
                    };
                    return Ok(answering.done(reason, fits));
                }
            }
        }
        Err(WorkerError::CallUnfinished { reason: "the text ended before it was complete".to_owned() })
    }
}

// === impl Answering ===

impl<'a> Answering<'a> {
    fn begin(task: &'a Task) -> Result<Self, WorkerError> {
        let toolbox = Toolbox::read(&task.request.tools)?;
        let conversation = Conversation::read(&task.request.turns)?;
        let context = Context {
            request_text: conversation.text.clone(),
            session: Vec::new(),
            today: Date::parse_iso(&task.request.today).unwrap_or_else(Date::today_utc),
        };
        let evidence = Evidence::gather(&conversation.last, &context);
        let messages: Vec<Message> = conversation.messages.clone();
        let order = Order { messages, tools: toolbox.told.clone(), cancel: task.cancel.clone(), ..Order::default() };
        Ok(Self { toolbox, conversation, evidence, order, task, meter: Meter::start() })
    }

    fn max_tokens(&self) -> usize {
        match self.task.request.max_tokens {
            0 => service::DEFAULT_TOKENS,
            asked => (asked as usize).min(service::MAX_TOKENS),
        }
    }

    fn done(&self, reason: v1::call_tools_done::Reason, fits: f32) -> v1::CallToolsDone {
        v1::CallToolsDone { reason: reason.into(), usage: Some(self.meter.read()), fits: f64::from(fits) }
    }
}

type Arguments = serde_json::Map<String, serde_json::Value>;

/// What the model reads before its next call.
fn open(said: &str) -> String {
    if said.is_empty() { format!("{OPEN}\n") } else { format!("{said}\n{OPEN}\n") }
}

/// What was said with one more call.
fn follow(said: &str, call: &str) -> String {
    format!("{}{call}{CLOSE}", open(said))
}

fn parse(completion: &Completion) -> Result<(String, Arguments), WorkerError> {
    #[derive(serde::Deserialize)]
    struct Said {
        name: String,
        arguments: Arguments,
    }
    let said: Said = serde_json::from_str(&completion.text).map_err(|_| unfinished(completion))?;
    Ok((said.name, said.arguments))
}

fn unfinished(completion: &Completion) -> WorkerError {
    let reason = format!("a call did not end within {} tokens; allow more, or ask for less", completion.tokens.len());
    WorkerError::CallUnfinished { reason }
}

/// A grammar that cannot be made is the fault of the tools.
fn as_refusal(error: WorkerError) -> WorkerError {
    match error {
        WorkerError::DecodingFailed(source) => WorkerError::ToolsRefused { reason: source.to_string() },
        other => other,
    }
}

/// The gate of the catalogue stands behind every grammar.
fn lawful(operation: &Operation, call: ToolCall) -> Result<ToolCall, WorkerError> {
    let arguments = serde_json::Value::Object(call.arguments.clone());
    match check(operation, &arguments).into_iter().next() {
        Some(found) => Err(WorkerError::CallUnfinished {
            reason: format!("the call of {} breaks its schema: {} {}", operation.name, found.pointer, found.message),
        }),
        None => Ok(call),
    }
}

// === impl Written ===

impl Written {
    /// As earlier calls of the conversation are told.
    fn told(&self) -> serde_json::Value {
        serde_json::json!({"name": self.operation.name, "arguments": self.call.arguments})
    }

    fn into_wire(self) -> v1::ToolCall {
        v1::ToolCall {
            name: self.operation.name,
            arguments_json: serde_json::Value::Object(self.call.arguments).to_string(),
            evidence: self.call.proofs.iter().map(evidence_of).collect(),
        }
    }
}
