//! The general worker: text under a grammar, where wishes begin in a text, and which capability it is about.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::Stream;
use silverback_decoding::Grammar;
use silverback_engine::{Embedder, Event, FinishReason, GenerationStream, Message};
use silverback_proto::{
    ErrorCode,
    v1::{
        self, general_service_server::GeneralService, generate_done::Reason, generate_event,
        generate_request::Constraint,
    },
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::{
    WorkerError,
    classify::Classifier,
    usage::Meter,
    writer::{Order, Writer},
};

/// Output tokens when the caller does not say.
const DEFAULT_TOKENS: u32 = 256;
/// Output tokens that nobody gets more of; a bigger value lets one caller hold the model longer.
const MAX_TOKENS: u32 = 1024;
/// Longest silence while the model is busy with others or reads the prompt.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// Texts classified in one call: 64 take about half a second.
const MAX_TEXTS: usize = 64;
/// Longest text that is split: more than a router admits.
const MAX_TEXT_BYTES: usize = 32 << 10;
/// Probability of a beginning below which it is not worth to be told.
const LEAST_LIKELY: f32 = 0.05;

/// Serves `GeneralService` on one shared model.
pub struct General {
    writer: Writer,
    classifier: Arc<Classifier>,
    encoder: Arc<Embedder>,
}

type Events = Pin<Box<dyn Stream<Item = Result<v1::GenerateEvent, Status>> + Send>>;

// === impl General ===

impl General {
    /// A general worker.
    pub fn new(writer: Writer, classifier: Arc<Classifier>, encoder: Arc<Embedder>) -> Self {
        Self { writer, classifier, encoder }
    }
}

#[tonic::async_trait]
impl GeneralService for General {
    type GenerateStream = Events;

    async fn generate(&self, request: Request<v1::GenerateRequest>) -> Result<Response<Events>, Status> {
        let order = order(request.into_inner())?;
        let generation = self.writer.stream(order)?;
        Ok(Response::new(events(generation)))
    }

    async fn classify(&self, request: Request<v1::ClassifyRequest>) -> Result<Response<v1::ClassifyReply>, Status> {
        let request = request.into_inner();
        if request.texts.len() > MAX_TEXTS {
            let reason = format!("{} texts to classify; the limit is {MAX_TEXTS}", request.texts.len());
            return Err(ErrorCode::InvalidRequest.status(reason));
        }
        let classifier = self.classifier.clone();
        let classes: Vec<_> =
            request.capabilities.into_iter().map(|class| (class.capability, class.examples)).collect();
        // Embedding computes for milliseconds: not on the threads that serve everybody.
        let scores = tokio::task::spawn_blocking(move || classifier.classify(&request.texts, &classes))
            .await
            .map_err(|source| ErrorCode::Internal.status(format!("classification did not finish: {source}")))??;
        Ok(Response::new(v1::ClassifyReply {
            texts: scores.into_iter().map(|scores| v1::Classification { scores }).collect(),
        }))
    }

    async fn split(&self, request: Request<v1::SplitRequest>) -> Result<Response<v1::SplitReply>, Status> {
        let text = request.into_inner().text;
        if text.len() > MAX_TEXT_BYTES {
            let reason = format!("{} bytes to split; the limit is {MAX_TEXT_BYTES}", text.len());
            return Err(ErrorCode::InvalidRequest.status(reason));
        }
        let encoder = self.encoder.clone();
        let words = tokio::task::spawn_blocking(move || encoder.split(&text))
            .await
            .map_err(|source| ErrorCode::Internal.status(format!("splitting did not finish: {source}")))?
            .map_err(|source| WorkerError::EmbedFailed { source })?;
        let likely = words.unwrap_or_default().into_iter().filter(|(_, probability)| *probability >= LEAST_LIKELY);
        let beginning = |(at, probability)| {
            Some(v1::Beginning { at: u32::try_from(at).ok()?, probability: f64::from(probability) })
        };
        Ok(Response::new(v1::SplitReply { beginnings: likely.filter_map(beginning).collect() }))
    }
}

fn order(request: v1::GenerateRequest) -> Result<Order, Status> {
    let grammar = match request.constraint {
        None => None,
        Some(Constraint::Lark(lark)) => Some(Grammar::from_lark(lark)),
        Some(Constraint::JsonSchema(text)) => Some(Grammar::from_json_schema(
            &serde_json::from_str(&text)
                .map_err(|source| ErrorCode::InvalidRequest.status(format!("json_schema is no JSON: {source}")))?,
        )),
    };
    let max_tokens = if request.max_tokens == 0 { DEFAULT_TOKENS } else { request.max_tokens.min(MAX_TOKENS) };
    let mut messages = vec![Message::system(request.system)];
    for turn in request.examples {
        messages.push(Message::user(turn.user));
        messages.push(Message::assistant(turn.assistant));
    }
    messages.push(Message::user(request.prompt));
    Ok(Order { messages, opener: request.answer_prefix, grammar, max_tokens: max_tokens as usize, ..Order::default() })
}

/// Engine events as wire events; ends after `done` or the first error. Dropping the stream cancels the generation.
fn events(mut generation: GenerationStream) -> Events {
    // Bound to 16: a reader that stops reading holds its own generation up, nobody else's.
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut meter = Meter::start();
        let mut text = String::new();
        loop {
            let event = tokio::select! {
                event = generation.next() => event,
                // Waiting for the model is no silence: a router takes a silent worker for a dead one.
                () = tokio::time::sleep(HEARTBEAT) => Some(Ok(Event::Token { id: 0, text: String::new() })),
            };
            let Some(event) = event else { return };
            let events = match event {
                Err(error) => vec![Err(WorkerError::from(error).into())],
                Ok(Event::Token { text: piece, .. }) => {
                    text.push_str(&piece);
                    vec![Ok(wire(generate_event::Event::Text(piece)))]
                }
                Ok(Event::Done { reason, text: rest, usage }) => {
                    meter.add(&usage);
                    text.push_str(&rest);
                    let reason = if reason == FinishReason::MaxTokens { Reason::TokenLimit } else { Reason::Complete };
                    let done =
                        v1::GenerateDone { reason: reason.into(), text: text.clone(), usage: Some(meter.read()) };
                    vec![Ok(wire(generate_event::Event::Text(rest))), Ok(wire(generate_event::Event::Done(done)))]
                }
            };
            for event in events {
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        }
    });
    Box::pin(ReceiverStream::new(receiver))
}

fn wire(event: generate_event::Event) -> v1::GenerateEvent {
    v1::GenerateEvent { event: Some(event) }
}
