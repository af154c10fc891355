//! Conversations with tools: one worker of capability `tools` answers the whole of one.

use std::{sync::Arc, time::Duration};

use silverback_dispatch::{Counted, DispatchError, Outstanding, Peer, Worker};
use silverback_proto::v1::{self, call_tools_event::Event, tool_service_client::ToolServiceClient};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tonic::{Status, Streaming};

use crate::{
    RouterError,
    pool::{Asked, Pool},
};

/// Bytes of a worker's answer that are read.
const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// One conversation being answered. Dropping it cancels the work.
pub(crate) struct Conversation {
    pool: Pool,
    request: v1::CallToolsRequest,
    asked: Asked,
    deadline: (Instant, Duration),
    /// Was anything passed on? A second worker would say it again.
    is_begun: bool,
    is_done: bool,
    open: Option<Open>,
    /// From the first time it is asked until it is answered.
    counted: Option<Counted>,
    _place: OwnedSemaphorePermit,
}

struct Open {
    worker: Worker,
    peer: Arc<Peer>,
    events: Streaming<v1::CallToolsEvent>,
    _outstanding: Outstanding,
}

// === impl Conversation ===

impl Conversation {
    pub(crate) fn new(
        pool: Pool,
        mut request: v1::CallToolsRequest,
        deadline: Duration,
        place: OwnedSemaphorePermit,
    ) -> Self {
        request.request = format!("r_{:016x}", rand::random::<u64>());
        let deadline = (Instant::now() + deadline, deadline);
        let asked = Asked::default();
        Self {
            pool,
            request,
            asked,
            deadline,
            is_begun: false,
            is_done: false,
            open: None,
            counted: None,
            _place: place,
        }
    }

    /// What is said next; `None` after `done`.
    ///
    /// # Errors
    /// The worker's, when another would do no better.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Status> {
        let (at, deadline) = self.deadline;
        let late = |_| RouterError::DeadlineExceeded { deadline }.status();
        timeout_at(at, self.advance()).await.map_err(late)?
    }

    async fn advance(&mut self) -> Result<Option<Event>, Status> {
        loop {
            if self.is_done {
                return Ok(None);
            }
            let mut open = match self.open.take() {
                Some(open) => open,
                None => self.ask().await?,
            };
            match self.pool.within_silence(&open.worker, open.events.message()).await {
                Ok(Some(v1::CallToolsEvent { event: Some(event) })) => {
                    self.is_done = matches!(event, Event::Done(_));
                    self.counted = self.counted.take().filter(|_| !self.is_done);
                    self.is_begun |= !matches!(event, Event::Stage(_));
                    self.open = Some(open);
                    return Ok(Some(event));
                }
                Ok(Some(_)) => self.open = Some(open),
                Ok(None) => {
                    let ended = Status::unknown("the answer ended before it was complete");
                    self.lose(&open, DispatchError::from_status(&open.worker.id, ended))?;
                }
                Err(error) => self.lose(&open, error)?,
            }
        }
    }

    async fn ask(&mut self) -> Result<Open, Status> {
        if self.counted.is_none() {
            self.counted = Some(self.pool.enter().await.map_err(|error| error.status())?);
        }
        loop {
            let (worker, peer) = self.pool.pick(&self.asked)?;
            let outstanding = peer.occupy();
            let mut client = ToolServiceClient::new(peer.channel())
                .max_encoding_message_size(MAX_MESSAGE_BYTES)
                .max_decoding_message_size(MAX_MESSAGE_BYTES);
            match self.pool.within_silence(&worker, client.call_tools(self.request.clone())).await {
                Ok(events) => {
                    return Ok(Open { worker, peer, events: events.into_inner(), _outstanding: outstanding });
                }
                Err(error) => self.asked.note(&self.pool, &worker, &peer, error)?,
            }
        }
    }

    fn lose(&mut self, open: &Open, error: DispatchError) -> Result<(), Status> {
        let status = error.code().status(error.to_string());
        self.asked.note(&self.pool, &open.worker, &open.peer, error)?;
        if self.is_begun { Err(status) } else { Ok(()) }
    }
}
