//! `SpecialistService` over gRPC: each answer is a task of its own that ends when its caller goes away.

use std::{collections::BTreeMap, convert::Infallible, path::PathBuf, pin::Pin, sync::Arc};

use futures::Stream;
use silverback_proto::{
    ErrorCode,
    v1::{self, answer_event::Event, specialist_service_server::SpecialistService},
};
use tokio::{
    io::AsyncReadExt,
    sync::{mpsc, watch},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::{info, warn};

use crate::{
    general::HEARTBEAT,
    specialist::{Outcome, Specialist, Task},
};

/// Bytes of a step's text that are read; the router admits 16 KiB for a whole request.
const MAX_STEP_BYTES: usize = 16 * 1024;
/// Earlier calls that a step may refer to.
const MAX_EARLIER: usize = 64;
/// Faults of an earlier answer that a step is asked again with.
const MAX_FAULTS: usize = 64;
/// Bytes of a pack sent at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Serves every specialty of this process by the capability of the step.
pub struct Specialists {
    by_capability: BTreeMap<String, Arc<Specialist>>,
    packs: PathBuf,
}

type Events = Pin<Box<dyn Stream<Item = Result<v1::AnswerEvent, Status>> + Send>>;
type Chunks = Pin<Box<dyn Stream<Item = Result<v1::PackChunk, Status>> + Send>>;

// === impl Specialists ===

impl Specialists {
    /// Specialists by capability, and the folder of their packs.
    pub fn new(specialists: Vec<Arc<Specialist>>, packs: PathBuf) -> Self {
        let named = |specialist: Arc<Specialist>| (specialist.specialty().capability.clone(), specialist);
        Self { by_capability: specialists.into_iter().map(named).collect(), packs }
    }

    /// The most specific specialist for a capability: `aws` also serves `aws/s3`.
    fn serving(&self, capability: &str) -> Result<Arc<Specialist>, Status> {
        let mut name = capability;
        loop {
            if let Some(found) = self.by_capability.get(name) {
                return Ok(found.clone());
            }
            let Some((parent, _)) = name.rsplit_once('/') else {
                return Err(ErrorCode::NotFound.status(format!("this worker does not serve \"{capability}\"")));
            };
            name = parent;
        }
    }

    fn pack_path(&self, digest: &str) -> Result<PathBuf, Status> {
        let packs = self.by_capability.values().flat_map(|specialist| specialist.catalogue().packs());
        let found = packs.into_iter().find(|pack| pack.digest() == digest);
        let missing = || ErrorCode::NotFound.status(format!("this worker does not use a catalogue {digest}"));
        found.map(|pack| self.packs.join(format!("{}.pack", pack.provider()))).ok_or_else(missing)
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

    async fn fetch_pack(&self, request: Request<v1::FetchPackRequest>) -> Result<Response<Chunks>, Status> {
        let path = self.pack_path(&request.into_inner().digest)?;
        let unreadable =
            |source: std::io::Error| ErrorCode::NotFound.status(format!("could not read the catalogue pack: {source}"));
        let mut file = tokio::fs::File::open(&path).await.map_err(unreadable)?;
        // Bound to 4: a slow reader keeps at most a megabyte here.
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            loop {
                let mut data = Vec::with_capacity(CHUNK_BYTES);
                let chunk = match (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut data).await {
                    Ok(0) => return,
                    Ok(_) => Ok(v1::PackChunk { data }),
                    Err(source) => Err(unreadable(source)),
                };
                if sender.send(chunk).await.is_err() {
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
                Outcome::Call(call) => Event::Call(*call),
                Outcome::NeedsInput(question) => Event::NeedsInput(question),
                Outcome::Refused(refused) => Event::Refused(refused),
            };
            let done = Event::Done(v1::AnswerDone { usage: Some(answer.usage), draft: answer.draft });
            let _ = sender.send(Ok(event(outcome))).await;
            let _ = sender.send(Ok(event(done))).await;
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
