//! A worker's double: one process that is general and specialist, speaks the real contract and fails on demand.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::{Stream, StreamExt, stream};
use silverback_proto::v1::{
    self, AnswerEvent, AnswerRequest, GenerateEvent, GenerateRequest,
    answer_event::Event,
    general_service_server::{GeneralService, GeneralServiceServer},
    generate_event,
    specialist_service_server::{SpecialistService, SpecialistServiceServer},
};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

type Reply = dyn Fn(&AnswerRequest) -> Vec<Event> + Send + Sync;
type Events<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What a double says.
#[derive(Clone)]
pub struct Script {
    /// The planner's text, one chunk each.
    pub text: Vec<String>,
    /// After this many chunks the text waits for `release`.
    pub text_holds_at: Option<usize>,
    /// What every classified text about AWS scores; texts about `gcp` score the same for that.
    pub score: f64,
    /// The specialist's events before `done`.
    pub reply: Arc<Reply>,
    /// Waits for `release` before `done`.
    pub answer_holds: bool,
    /// What FetchPack sends.
    pub pack: Option<PathBuf>,
}

/// A running double. Dropping it kills it like a process.
pub struct Double {
    pub address: SocketAddr,
    pub packs_sent: Arc<AtomicUsize>,
    pub answers_open: Arc<AtomicUsize>,
    release: watch::Sender<bool>,
    runtime: Option<Runtime>,
}

#[derive(Clone)]
struct Worker {
    script: Script,
    packs_sent: Arc<AtomicUsize>,
    answers_open: Arc<AtomicUsize>,
    release: watch::Receiver<bool>,
}

/// Counts an answer as open until its stream is dropped.
struct Open(Arc<AtomicUsize>);

// === impl Script ===

impl Default for Script {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            text_holds_at: None,
            score: 0.5,
            reply: Arc::new(|_| Vec::new()),
            answer_holds: false,
            pack: None,
        }
    }
}

impl Script {
    pub fn plan(lines: &[&str]) -> Self {
        Self { text: lines.iter().map(|line| format!("{line}\n")).collect(), ..Self::default() }
    }

    pub fn answering(reply: impl Fn(&AnswerRequest) -> Vec<Event> + Send + Sync + 'static) -> Self {
        Self { reply: Arc::new(reply), ..Self::default() }
    }
}

// === impl Double ===

impl Double {
    pub fn start(script: Script) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (release, released) = watch::channel(false);
        let worker = Worker { script, packs_sent: Arc::default(), answers_open: Arc::default(), release: released };
        let (packs_sent, answers_open) = (worker.packs_sent.clone(), worker.answers_open.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            Server::builder()
                .tcp_nodelay(true)
                .add_service(GeneralServiceServer::new(worker.clone()))
                .add_service(SpecialistServiceServer::new(worker))
                .serve_with_incoming(TcpListenerStream::new(TcpListener::from_std(listener).unwrap()))
                .await
        });
        Self { address, packs_sent, answers_open, release, runtime: Some(runtime) }
    }

    pub fn release(&self) {
        self.release.send_replace(true);
    }

    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.kill();
    }
}

// === impl Worker ===

impl Worker {
    fn released(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut release = self.release.clone();
        async move {
            let _ = release.wait_for(|released| *released).await;
        }
    }
}

#[tonic::async_trait]
impl GeneralService for Worker {
    type GenerateStream = Events<GenerateEvent>;

    async fn generate(&self, _: Request<GenerateRequest>) -> Result<Response<Self::GenerateStream>, Status> {
        let text = |chunk: String| generate_event::Event::Text(chunk);
        let done = v1::GenerateDone { reason: v1::generate_done::Reason::Complete.into(), ..Default::default() };
        let done = stream::iter([generate_event::Event::Done(done)]);
        let hold = self.script.text_holds_at;
        let (now, later) = self.script.text.split_at(hold.unwrap_or(self.script.text.len()));
        let released = self.released();
        let wait = stream::once(async move {
            if hold.is_some() {
                released.await;
            }
        });
        let later: Vec<_> = later.iter().cloned().map(text).collect();
        let rest = wait.flat_map(move |()| stream::iter(later.clone()));
        let events = stream::iter(now.iter().cloned().map(text).collect::<Vec<_>>()).chain(rest).chain(done);
        Ok(Response::new(Box::pin(events.map(|event| Ok(GenerateEvent { event: Some(event) })))))
    }

    async fn classify(&self, request: Request<v1::ClassifyRequest>) -> Result<Response<v1::ClassifyReply>, Status> {
        let classify = |text: &String| {
            let capability = if text.contains("gcp") { "gcp" } else { "aws" };
            v1::Classification { scores: BTreeMap::from([(capability.to_owned(), self.script.score)]) }
        };
        let texts = request.into_inner().texts.iter().map(classify).collect();
        Ok(Response::new(v1::ClassifyReply { texts }))
    }

    /// A wish after each comma.
    async fn split(&self, request: Request<v1::SplitRequest>) -> Result<Response<v1::SplitReply>, Status> {
        let text = request.into_inner().text;
        let beginning = |at: usize| v1::Beginning { at: u32::try_from(at + 2).unwrap(), probability: 1.0 };
        let beginnings = text.match_indices(", ").map(|(at, _)| beginning(at)).collect();
        Ok(Response::new(v1::SplitReply { beginnings }))
    }
}

#[tonic::async_trait]
impl SpecialistService for Worker {
    type AnswerStream = Events<AnswerEvent>;
    type FetchPackStream = Events<v1::PackChunk>;

    async fn answer(&self, request: Request<AnswerRequest>) -> Result<Response<Self::AnswerStream>, Status> {
        self.answers_open.fetch_add(1, Ordering::SeqCst);
        let open = Open(self.answers_open.clone());
        let events =
            stream::iter([Event::Stage("draft".into())]).chain(stream::iter((self.script.reply)(request.get_ref())));
        let (released, holds) = (self.released(), self.script.answer_holds);
        let done = stream::once(async move {
            if holds {
                released.await;
            }
            Event::Done(v1::AnswerDone::default())
        });
        let events = events.chain(done).map(move |event| {
            let _still_open = &open;
            Ok(AnswerEvent { event: Some(event) })
        });
        Ok(Response::new(Box::pin(events)))
    }

    async fn recognise(&self, _: Request<v1::RecogniseRequest>) -> Result<Response<v1::RecogniseReply>, Status> {
        // As a worker of an older version.
        Err(Status::unimplemented("I recognise nothing"))
    }

    async fn fetch_pack(&self, _: Request<v1::FetchPackRequest>) -> Result<Response<Self::FetchPackStream>, Status> {
        let path = self.script.pack.as_ref().ok_or_else(|| Status::not_found("I have no such pack"))?;
        self.packs_sent.fetch_add(1, Ordering::SeqCst);
        let chunks: Vec<_> =
            fs::read(path)?.chunks(1000).map(|data| Ok(v1::PackChunk { data: data.to_vec() })).collect();
        Ok(Response::new(Box::pin(stream::iter(chunks))))
    }
}

// === impl Open ===

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
