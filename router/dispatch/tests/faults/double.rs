//! A worker's double: speaks the real contract on a real socket and fails on demand.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures::{Stream, StreamExt, stream};
use silverback_dispatch::Worker;
use silverback_proto::v1::{
    self, AnswerEvent, AnswerRequest, answer_event::Event, specialist_service_server::SpecialistService,
    specialist_service_server::SpecialistServiceServer,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// What the double does with a step.
#[derive(Clone)]
pub enum Script {
    /// Sends these and `done`.
    Answer(Vec<Event>),
    /// Sends a stage and then nothing, until it is killed or released.
    Hold(Vec<Event>),
    /// Ends the stream without `done`.
    StopEarly,
    /// Gives this status at once.
    Refuse(Status),
    /// Never stops sending.
    Flood,
}

/// A running double. Dropping it kills it like a process: sockets close, nothing is said.
pub struct Double {
    pub id: String,
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<AnswerRequest>>>,
    open: Arc<()>,
    release: watch::Sender<bool>,
    runtime: Option<Runtime>,
}

struct Specialist {
    script: Script,
    asked: Arc<Mutex<Vec<AnswerRequest>>>,
    open: Arc<()>,
    release: watch::Receiver<bool>,
}

/// A read call of an operation that needs no catalogue here.
pub fn call(id: &str, arguments: &str) -> Event {
    Event::Call(v1::Call {
        id: id.into(),
        provider: "aws".into(),
        service: "ec2".into(),
        operation: "DescribeVpcs".into(),
        arguments_json: arguments.into(),
        effect: v1::Effect::Read.into(),
        command: vec!["aws".into(), "ec2".into(), "describe-vpcs".into()],
        ..v1::Call::default()
    })
}

// === impl Double ===

impl Double {
    pub fn start(id: &str, script: Script) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (release, released) = watch::channel(false);
        let (asked, open) = (Arc::default(), Arc::new(()));
        let specialist = Specialist { script, asked: Arc::clone(&asked), open: Arc::clone(&open), release: released };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            Server::builder().add_service(SpecialistServiceServer::new(specialist)).serve_with_incoming(incoming).await
        });
        Self { id: id.into(), address, asked, open, release, runtime: Some(runtime) }
    }

    pub fn worker(&self, capability: &str) -> Worker {
        Worker {
            id: self.id.clone(),
            capability: capability.into(),
            address: format!("http://{}", self.address),
            catalogue: String::new(),
        }
    }

    pub fn asked(&self) -> Vec<AnswerRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// Answers that are still being written.
    pub fn open_answers(&self) -> usize {
        // One is ours, one the service's.
        Arc::strong_count(&self.open).saturating_sub(2)
    }

    /// Lets held answers end.
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

// === impl Specialist ===

type Events = Pin<Box<dyn Stream<Item = Result<AnswerEvent, Status>> + Send>>;

#[tonic::async_trait]
impl SpecialistService for Specialist {
    type AnswerStream = Events;
    type FetchPackStream = Pin<Box<dyn Stream<Item = Result<v1::PackChunk, Status>> + Send>>;

    async fn answer(&self, request: Request<AnswerRequest>) -> Result<Response<Events>, Status> {
        self.asked.lock().unwrap().push(request.into_inner());
        let done = || Event::Done(v1::AnswerDone::default());
        let mut released = self.release.clone();
        let events: Pin<Box<dyn Stream<Item = Event> + Send>> = match self.script.clone() {
            Script::Refuse(status) => return Err(status),
            Script::Answer(events) => Box::pin(stream::iter(events).chain(stream::iter([done()]))),
            Script::StopEarly => Box::pin(stream::iter([Event::Stage("draft".into())])),
            Script::Flood => Box::pin(stream::repeat(Event::Stage("draft".into()))),
            Script::Hold(events) => {
                let wait = stream::once(async move {
                    let _ = released.wait_for(|released| *released).await;
                    Event::Done(v1::AnswerDone::default())
                });
                Box::pin(stream::iter([Event::Stage("draft".into())]).chain(stream::iter(events)).chain(wait))
            }
        };
        let open = Arc::clone(&self.open);
        let events = events.map(move |event| {
            let _still_open = &open;
            Ok(AnswerEvent { event: Some(event) })
        });
        Ok(Response::new(Box::pin(events)))
    }

    async fn recognise(&self, _: Request<v1::RecogniseRequest>) -> Result<Response<v1::RecogniseReply>, Status> {
        Err(Status::unimplemented("texts are not recognised here"))
    }

    async fn fetch_pack(&self, _: Request<v1::FetchPackRequest>) -> Result<Response<Self::FetchPackStream>, Status> {
        Err(Status::unimplemented("no packs here"))
    }
}
