//! The planner's door to the general workers: whichever is least busy, and another when that one is lost.

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::stream;
use silverback_dispatch::{Directory, DispatchError, Outstanding, Peer, Peers, Worker};
use silverback_planner::{General, GenerateStream};
use silverback_proto::{
    ErrorCode,
    v1::{self, general_service_client::GeneralServiceClient, generate_event::Event},
};
use tokio::time::timeout;
use tonic::{Status, Streaming};
use tracing::warn;

use crate::workers::{PLAN, Workers};

/// Why two: the same text that kills two workers would kill a third.
const MAX_ATTEMPTS: usize = 2;

/// The workers of capability `plan` as one.
#[derive(Clone)]
pub(crate) struct Generals {
    pub(crate) workers: Workers,
    pub(crate) peers: Arc<Peers>,
    /// A worker that says nothing for this long is dead.
    pub(crate) silence: Duration,
    /// How long a lost worker is asked last.
    pub(crate) rest_after_loss: Duration,
}

/// Text being written, perhaps by a second worker after the first was lost.
struct Writing {
    generals: Generals,
    request: v1::GenerateRequest,
    asked: Asked,
    /// What was passed on already.
    sent: String,
    /// What a second worker must write again before anything new is passed on.
    to_repeat: String,
    stream: Option<(Worker, Arc<Peer>, Streaming<v1::GenerateEvent>, Outstanding)>,
}

/// Workers that failed this request, and how the last one did.
#[derive(Default)]
struct Asked {
    tried: Vec<String>,
    last: Option<Status>,
}

#[async_trait]
impl General for Generals {
    async fn generate(&self, request: v1::GenerateRequest) -> Result<GenerateStream, Status> {
        let mut writing = Writing {
            generals: self.clone(),
            request,
            asked: Asked::default(),
            sent: String::new(),
            to_repeat: String::new(),
            stream: None,
        };
        // Opened here, so that a planner without any worker fails at once and not in the middle of a stream.
        writing.open().await?;
        let next = |mut writing: Writing| async move {
            let event = writing.next().await.transpose()?;
            Some((event, writing))
        };
        Ok(Box::pin(stream::unfold(writing, next)))
    }

    async fn classify(&self, request: v1::ClassifyRequest) -> Result<v1::ClassifyReply, Status> {
        let mut asked = Asked::default();
        loop {
            let (worker, peer) = self.pick(&asked)?;
            let _outstanding = peer.occupy();
            let mut client = GeneralServiceClient::new(peer.channel());
            match self.within_silence(&worker, client.classify(request.clone())).await {
                Ok(reply) => return Ok(reply.into_inner()),
                Err(error) => asked.note(self, &worker, &peer, error)?,
            }
        }
    }
}

// === impl Generals ===

impl Generals {
    fn pick(&self, asked: &Asked) -> Result<(Worker, Arc<Peer>), Status> {
        let workers = self.workers.serving(PLAN);
        let nobody = || {
            let hint = "start one with `silverback worker --capability plan`, or all parts with `silverback up`";
            ErrorCode::Unavailable.status(format!("no worker serves capability \"{PLAN}\"; {hint}"))
        };
        self.peers.least_busy(workers, &asked.tried).ok_or_else(|| asked.last.clone().unwrap_or_else(nobody))
    }

    async fn within_silence<T>(
        &self,
        worker: &Worker,
        sign: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, DispatchError> {
        let silent = |_| DispatchError::WorkerSilent { worker: worker.id.clone(), silence: self.silence };
        let result = timeout(self.silence, sign).await.map_err(silent)?;
        result.map_err(|status| DispatchError::from_status(&worker.id, status))
    }
}

// === impl Asked ===

impl Asked {
    /// Remembers a failure.
    ///
    /// # Errors
    /// Gives it back when another worker would do no better.
    fn note(&mut self, generals: &Generals, worker: &Worker, peer: &Peer, error: DispatchError) -> Result<(), Status> {
        warn!(worker = %worker.id, address = %worker.address, %error, "general worker failed");
        if error.is_loss() {
            peer.rest(generals.rest_after_loss);
        }
        self.tried.push(worker.id.clone());
        let status = error.code().status(error.to_string());
        if !error.is_worth_another_worker() || self.tried.len() >= MAX_ATTEMPTS {
            return Err(status);
        }
        self.last = Some(status);
        Ok(())
    }
}

// === impl Writing ===

impl Writing {
    async fn open(&mut self) -> Result<(), Status> {
        while self.stream.is_none() {
            let (worker, peer) = self.generals.pick(&self.asked)?;
            let outstanding = peer.occupy();
            let mut client = GeneralServiceClient::new(peer.channel());
            match self.generals.within_silence(&worker, client.generate(self.request.clone())).await {
                Ok(stream) => self.stream = Some((worker, peer, stream.into_inner(), outstanding)),
                Err(error) => self.asked.note(&self.generals, &worker, &peer, error)?,
            }
        }
        self.to_repeat = self.sent.clone();
        Ok(())
    }

    /// The next event that was not passed on before; `None` after `done` or an error.
    async fn next(&mut self) -> Result<Option<v1::GenerateEvent>, Status> {
        loop {
            let Some((worker, _, stream, _)) = &mut self.stream else {
                return Ok(None);
            };
            let event = match self.generals.within_silence(worker, stream.message()).await {
                Ok(Some(v1::GenerateEvent { event: Some(event) })) => event,
                Ok(Some(_)) => continue,
                Ok(None) => {
                    let status = Status::unknown("the text ended before it was complete");
                    let error = DispatchError::from_status(&worker.id, status);
                    self.go_elsewhere(error).await?;
                    continue;
                }
                Err(error) => {
                    self.go_elsewhere(error).await?;
                    continue;
                }
            };
            let event = match event {
                Event::Done(done) => {
                    self.stream = None;
                    return Ok(Some(v1::GenerateEvent { event: Some(Event::Done(done)) }));
                }
                Event::Text(text) => self.take_new(text)?,
            };
            if let Some(text) = event {
                self.sent.push_str(&text);
                return Ok(Some(v1::GenerateEvent { event: Some(Event::Text(text)) }));
            }
        }
    }

    async fn go_elsewhere(&mut self, error: DispatchError) -> Result<(), Status> {
        if let Some((worker, peer, ..)) = self.stream.take() {
            self.asked.note(&self.generals, &worker, &peer, error)?;
        }
        self.open().await
    }

    /// Cuts off what the first worker wrote already. At temperature 0 the second writes the same; when it does not, the steps
    /// that were sent on belong to another plan and the request must be asked anew.
    fn take_new(&mut self, text: String) -> Result<Option<String>, Status> {
        if self.to_repeat.is_empty() {
            return Ok(Some(text).filter(|text| !text.is_empty()));
        }
        let repeated = self.to_repeat.len().min(text.len());
        if text.as_bytes()[..repeated] != self.to_repeat.as_bytes()[..repeated] {
            self.stream = None;
            let message = "the planning worker was lost and another one planned differently; ask again";
            return Err(ErrorCode::Unavailable.status(message));
        }
        // Equal bytes, so both cuts are at the same character boundary.
        self.to_repeat.drain(..repeated);
        Ok(text.get(repeated..).filter(|rest| !rest.is_empty()).map(str::to_owned))
    }
}
