//! `ToolService` over gRPC: each answer is a task of its own that ends when its caller goes away.

use std::{pin::Pin, sync::Arc};

use futures::Stream;
use silverback_proto::v1::{self, call_tools_event::Event, tool_service_server::ToolService};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::{info, warn};

use super::{Said, Task, ToolCaller};
use crate::general::HEARTBEAT;

/// Tokens of a text or a call when the caller does not say.
pub(super) const DEFAULT_TOKENS: usize = 512;
/// Tokens that nobody gets more of; a bigger value lets one caller hold the model longer.
pub(super) const MAX_TOKENS: usize = 1024;

/// Serves conversations with tools.
pub struct Tools {
    caller: Arc<ToolCaller>,
}

type Sender = mpsc::UnboundedSender<Result<v1::CallToolsEvent, Status>>;
type Events = Pin<Box<dyn Stream<Item = Result<v1::CallToolsEvent, Status>> + Send>>;

// === impl Tools ===

impl Tools {
    /// A service of one caller.
    pub fn new(caller: ToolCaller) -> Self {
        Self { caller: Arc::new(caller) }
    }
}

#[tonic::async_trait]
impl ToolService for Tools {
    type CallToolsStream = Events;

    async fn call_tools(&self, request: Request<v1::CallToolsRequest>) -> Result<Response<Events>, Status> {
        // Bounded by what one answer can say: 16 calls, 1024 tokens, and a stage now and then.
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(run(self.caller.clone(), request.into_inner(), sender));
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(receiver))))
    }
}

/// Answers one conversation; a caller that went away cancels it, a quiet one hears every few seconds that work goes on.
async fn run(caller: Arc<ToolCaller>, request: v1::CallToolsRequest, sender: Sender) {
    let task = Task { request, cancel: CancellationToken::new() };
    let tell = |said| {
        let event = match said {
            Said::Stage(stage) => Event::Stage(stage.to_owned()),
            Said::Call(call) => Event::Call(call),
            Said::Text(text) if text.is_empty() => return,
            Said::Text(text) => Event::Text(text),
        };
        // Nobody listens any more: the task is cancelled below.
        let _ = sender.send(Ok(wire(event)));
    };
    let mut answering = std::pin::pin!(caller.answer(&task, tell));
    let answer = loop {
        tokio::select! {
            answer = &mut answering => break answer,
            () = tokio::time::sleep(HEARTBEAT) => drop(sender.send(Ok(wire(Event::Stage("busy".to_owned()))))),
            () = sender.closed() => {
                task.cancel.cancel();
                info!(request = %task.request.request, "the caller went away, tools cancelled");
                return;
            }
        }
    };
    let last = answer.map(|done| wire(Event::Done(done))).map_err(|error| {
        warn!(request = %task.request.request, %error, "tools failed");
        Status::from(error)
    });
    let _ = sender.send(last);
}

fn wire(event: Event) -> v1::CallToolsEvent {
    v1::CallToolsEvent { event: Some(event) }
}
