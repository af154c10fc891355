//! `SpecialistService` over gRPC: each answer is a task of its own that ends when its caller goes away.

use std::{convert::Infallible, pin::Pin, sync::Arc};

use futures::Stream;
use silverback_proto::{
    ErrorCode,
    v1::{self, answer_event::Event, specialist_service_server::SpecialistService},
};
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::{info, warn};

use crate::{
    general::HEARTBEAT,
    roster::Roster,
    specialist::{Outcome, Specialist, Task},
};

/// Bytes of a step's text that are read; the router admits 16 KiB for a whole request.
const MAX_STEP_BYTES: usize = 16 * 1024;
/// Earlier calls that a step may refer to.
const MAX_EARLIER: usize = 64;
/// Faults of an earlier answer that a step is asked again with.
const MAX_FAULTS: usize = 64;
/// Texts recognised at once.
const MAX_RECOGNISED: usize = 64;
/// Bytes of a pack sent at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Serves every specialty of this process by the capability of the step.
pub struct Specialists {
    roster: Arc<Roster>,
}

type Events = Pin<Box<dyn Stream<Item = Result<v1::AnswerEvent, Status>> + Send>>;
type Chunks = Pin<Box<dyn Stream<Item = Result<v1::PackChunk, Status>> + Send>>;

// === impl Specialists ===

impl Specialists {
    /// Whoever is on the roster at the time of a step.
    pub fn new(roster: Arc<Roster>) -> Self {
        Self { roster }
    }

    fn serving(&self, capability: &str) -> Result<Arc<Specialist>, Status> {
        let missing = || ErrorCode::NotFound.status(format!("this worker does not serve \"{capability}\""));
        self.roster.serving(capability).ok_or_else(missing)
    }
}

#[tonic::async_trait]
impl SpecialistService for Specialists {
    type AnswerStream = Events;
    type FetchPackStream = Chunks;

    async fn answer(&self, request: Request<v1::AnswerRequest>) -> Result<Response<Events>, Status> {
        let request = request.into_inner();
        check_limits(&request)?;
        let capability = request.step.as_ref().map_or("", |step| step.capability.as_str());
        let specialist = self.serving(capability)?;
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(run(specialist, request, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn recognise(&self, request: Request<v1::RecogniseRequest>) -> Result<Response<v1::RecogniseReply>, Status> {
        let v1::RecogniseRequest { capability, texts } = request.into_inner();
        if texts.len() > MAX_RECOGNISED || texts.iter().any(|text| text.len() > MAX_STEP_BYTES) {
            let reason = format!("{MAX_RECOGNISED} texts of {MAX_STEP_BYTES} bytes each can be recognised at once");
            return Err(ErrorCode::InvalidRequest.status(reason));
        }
        let specialist = self.serving(&capability)?;
        let recognising =
            spawn_blocking(move || texts.iter().map(|text| specialist.retriever().recognise(text)).collect());
        let failed = |source| ErrorCode::Internal.status(format!("could not recognise texts: {source}"));
        Ok(Response::new(v1::RecogniseReply { texts: recognising.await.map_err(failed)? }))
    }

    async fn fetch_pack(&self, request: Request<v1::FetchPackRequest>) -> Result<Response<Chunks>, Status> {
        let digest = request.into_inner().digest;
        let missing = || ErrorCode::NotFound.status(format!("this worker does not use a catalogue {digest}"));
        let (specialist, number) = self.roster.using(&digest).ok_or_else(missing)?;
        // Bound to 4: a slow reader keeps at most a megabyte here.
        let (sender, receiver) = mpsc::channel(4);
        // From the open file: what lies under its name now may be another pack.
        spawn_blocking(move || {
            let pack = &specialist.catalogue().packs()[number];
            let mut offset = 0;
            loop {
                let chunk = match pack.bytes_at(offset, CHUNK_BYTES) {
                    Ok(data) if data.is_empty() => return,
                    Ok(data) => {
                        offset += data.len() as u64;
                        Ok(v1::PackChunk { data })
                    }
                    Err(source) => {
                        Err(ErrorCode::NotFound.status(format!("could not read the catalogue pack: {source}")))
                    }
                };
                if chunk.is_err() {
                    offset = u64::MAX;
                }
                if sender.blocking_send(chunk).is_err() || offset == u64::MAX {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

fn check_limits(request: &v1::AnswerRequest) -> Result<(), Status> {
    let Some(step) = &request.step else {
        return Err(ErrorCode::InvalidRequest.status("an answer needs a step"));
    };
    if step.text.trim().is_empty() || step.text.len() > MAX_STEP_BYTES {
        let reason = format!("the step's text has {} bytes; 1 to {MAX_STEP_BYTES} are possible", step.text.len());
        return Err(ErrorCode::InvalidRequest.status(reason));
    }
    if request.earlier.len() > MAX_EARLIER {
        let reason = format!("{} earlier calls; the limit is {MAX_EARLIER}", request.earlier.len());
        return Err(ErrorCode::InvalidRequest.status(reason));
    }
    if request.repair.len() > MAX_FAULTS {
        let reason = format!("{} faults to repair; the limit is {MAX_FAULTS}", request.repair.len());
        return Err(ErrorCode::InvalidRequest.status(reason));
    }
    Ok(())
}

/// Answers one step; a caller that went away cancels it.
async fn run(
    specialist: Arc<Specialist>,
    request: v1::AnswerRequest,
    sender: mpsc::Sender<Result<v1::AnswerEvent, Status>>,
) {
    let cancel = CancellationToken::new();
    let task = Task { request, cancel: cancel.clone() };
    let (stages, current) = watch::channel("queued");
    let stage = move |name: &'static str| {
        stages.send_replace(name);
    };
    let answer = tokio::select! {
        answer = specialist.answer(&task, stage) => answer,
        never = report_stages(current, &sender) => match never {},
        () = sender.closed() => {
            cancel.cancel();
            info!(request = %task.request.request, "the caller went away, step cancelled");
            return;
        }
    };
    match answer {
        Ok(answer) => {
            let outcome = match answer.outcome {
                Outcome::Calls(calls) => calls.into_iter().map(Event::Call).collect(),
                Outcome::NeedsInput(question) => vec![Event::NeedsInput(question)],
                Outcome::Refused(refused) => vec![Event::Refused(refused)],
            };
            let done = Event::Done(v1::AnswerDone { usage: Some(answer.usage), draft: answer.draft });
            for said in outcome.into_iter().chain([done]) {
                let _ = sender.send(Ok(event(said))).await;
            }
        }
        Err(error) => {
            warn!(request = %task.request.request, %error, "step failed");
            let _ = sender.send(Err(error.into())).await;
        }
    }
}

/// Says each stage as it comes, and the current one again every few seconds: a silent worker counts as dead. Never ends.
async fn report_stages(
    mut current: watch::Receiver<&'static str>,
    sender: &mpsc::Sender<Result<v1::AnswerEvent, Status>>,
) -> Infallible {
    loop {
        let stage = (*current.borrow_and_update()).to_owned();
        // Progress may be lost when the reader is slow; the outcome may not.
        let _ = sender.try_send(Ok(event(Event::Stage(stage))));
        if let Ok(Err(_)) = tokio::time::timeout(HEARTBEAT, current.changed()).await {
            return std::future::pending().await;
        }
    }
}

fn event(event: Event) -> v1::AnswerEvent {
    v1::AnswerEvent { event: Some(event) }
}
