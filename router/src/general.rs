//! The planner's door to the workers: whichever general one is least busy, and another when that one is lost; one specialist of each
//! capability to recognise texts.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream;
use silverback_dispatch::{DispatchError, Outstanding, Peer, Worker};
use silverback_planner::{General, GenerateStream};
use silverback_proto::{
    ErrorCode,
    v1::{
        self, general_service_client::GeneralServiceClient, generate_event::Event,
        specialist_service_client::SpecialistServiceClient,
    },
};
use tonic::{Response, Status, Streaming, transport::Channel};
use tracing::debug;

use crate::pool::{Asked, Pool};

/// The workers of capability `plan` as one.
#[derive(Clone)]
pub(crate) struct Generals {
    pub(crate) pool: Pool,
}

/// Text being written, perhaps by a second worker after the first was lost.
struct Writing {
    pool: Pool,
    request: v1::GenerateRequest,
    asked: Asked,
    /// What was passed on already.
    sent: String,
    /// What a second worker must write again before anything new is passed on.
    to_repeat: String,
    stream: Option<(Worker, Arc<Peer>, Streaming<v1::GenerateEvent>, Outstanding)>,
}

#[async_trait]
impl General for Generals {
    async fn generate(&self, request: v1::GenerateRequest) -> Result<GenerateStream, Status> {
        let mut writing = Writing {
            pool: self.pool.clone(),
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
        self.ask(|mut client| {
            let request = request.clone();
            async move { client.classify(request).await }
        })
        .await
    }

    async fn split(&self, request: v1::SplitRequest) -> Result<v1::SplitReply, Status> {
        self.ask(|mut client| {
            let request = request.clone();
            async move { client.split(request).await }
        })
        .await
    }

    async fn recognise(&self, capability: &str, text: &str) -> Option<v1::Recognition> {
        let pool = self.pool.of(capability);
        let (worker, peer) = pool.pick(&Asked::default()).ok()?;
        let request = v1::RecogniseRequest { capability: capability.to_owned(), texts: vec![text.to_owned()] };
        let mut client = SpecialistServiceClient::new(peer.channel());
        // One worker only: planning can do without, and a step finds out soon enough who is lost.
        match self.pool.within_silence(&worker, client.recognise(request)).await {
            Ok(reply) => reply.into_inner().texts.into_iter().next(),
            Err(error) => {
                debug!(capability, worker = %worker.id, %error, "a text was not recognised; the examples decide");
                None
            }
        }
    }
}

// === impl Generals ===

impl Generals {
    /// One question to one answer; another worker is asked when the first is lost.
    async fn ask<R, A>(&self, question: impl Fn(GeneralServiceClient<Channel>) -> A) -> Result<R, Status>
    where
        A: Future<Output = Result<Response<R>, Status>>,
    {
        let mut asked = Asked::default();
        loop {
            let (worker, peer) = self.pool.pick(&asked)?;
            let _outstanding = peer.occupy();
            let client = GeneralServiceClient::new(peer.channel());
            match self.pool.within_silence(&worker, question(client)).await {
                Ok(reply) => return Ok(reply.into_inner()),
                Err(error) => asked.note(&self.pool, &worker, &peer, error)?,
            }
        }
    }
}

// === impl Writing ===

impl Writing {
    async fn open(&mut self) -> Result<(), Status> {
        while self.stream.is_none() {
            let (worker, peer) = self.pool.pick(&self.asked)?;
            let outstanding = peer.occupy();
            let mut client = GeneralServiceClient::new(peer.channel());
            match self.pool.within_silence(&worker, client.generate(self.request.clone())).await {
                Ok(stream) => self.stream = Some((worker, peer, stream.into_inner(), outstanding)),
                Err(error) => self.asked.note(&self.pool, &worker, &peer, error)?,
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
            let event = match self.pool.within_silence(worker, stream.message()).await {
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
            self.asked.note(&self.pool, &worker, &peer, error)?;
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
