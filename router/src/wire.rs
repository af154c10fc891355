//! Events as clients get them.

use silverback_dispatch::StepEvent;
use silverback_graph::{Plan, Step};
use silverback_proto::{
    ErrorCode,
    v1::{self, plan_event::Event},
};
use tokio::sync::mpsc;
use tonic::{Code, Status};

/// Where a client's events go. Sending to a client that is gone does nothing: its request is cancelled elsewhere.
#[derive(Clone)]
pub(crate) struct ClientSink(mpsc::Sender<v1::PlanEvent>);

// === impl ClientSink ===

impl ClientSink {
    pub(crate) fn new(sender: mpsc::Sender<v1::PlanEvent>) -> Self {
        Self(sender)
    }

    /// For a caller who waits for the whole plan.
    pub(crate) fn deaf() -> Self {
        Self(mpsc::channel(1).0)
    }

    pub(crate) async fn stage(&self, stage: &str) {
        self.send(Event::Stage(stage.to_owned())).await;
    }

    pub(crate) async fn planned(&self, step: &Step) {
        self.send(Event::Planned(step.clone().into())).await;
    }

    pub(crate) async fn merged(&self, plan: Plan) {
        self.send(Event::Merged(plan.into())).await;
    }

    pub(crate) async fn step(&self, event: StepEvent) {
        self.send(match event {
            StepEvent::Started { step, worker, attempt, stage } => {
                Event::StepStarted(v1::StepStarted { step: step.to_string(), worker, attempt, stage })
            }
            StepEvent::CallReady(call) => Event::CallReady((*call).into()),
            StepEvent::Failed(unanswered) => Event::StepFailed(unanswered.into()),
        })
        .await;
    }

    async fn send(&self, event: Event) {
        let _ = self.0.send(v1::PlanEvent { event: Some(event) }).await;
    }
}

/// A request that is not UTF-8 fails in the decoder, which calls that an internal error; it is the request's fault.
pub(crate) fn utf8_layer<S>() -> impl tower::Layer<S, Service = tower::util::MapResponse<S, fn(Http) -> Http>> + Clone {
    tower::util::MapResponseLayer::new(blame_request as fn(Http) -> Http)
}

type Http = tonic::codegen::http::Response<tonic::body::Body>;

fn blame_request(response: Http) -> Http {
    let is_not_utf8 = Status::from_header_map(response.headers())
        .is_some_and(|status| status.code() == Code::Internal && status.message().contains("UTF-8"));
    if !is_not_utf8 {
        return response;
    }
    ErrorCode::InvalidRequest.status("the request is not UTF-8; send plain text in UTF-8").into_http()
}
