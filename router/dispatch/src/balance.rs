//! Picks the worker with the fewest of our steps.
//!
//! Not `tower::balance`: that keeps its own set of ready services from a stream of changes; here the snapshot is the set, and a
//! pick must leave out the workers that an earlier attempt used up. Load is what this router has sent, which needs no word from
//! the workers and cannot be stale.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use silverback_graph::{Answer, StepId};
use silverback_proto::v1;
use tower::Service;
use tracing::{debug, warn};

use crate::{
    DispatchConfig, DispatchError,
    directory::{Directory, Worker},
    event::EventSink,
    peers::Peers,
    worker,
};

/// One step on its way through the stack; cloned for each attempt.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) step: StepId,
    pub(crate) capability: String,
    pub(crate) request: Arc<v1::AnswerRequest>,
    pub(crate) events: EventSink,
    /// Ids of workers that failed.
    pub(crate) tried: Vec<String>,
    /// How the last of them failed.
    pub(crate) last_error: Option<DispatchError>,
}

/// What one worker answered.
pub(crate) struct Reply {
    pub(crate) worker: Worker,
    pub(crate) answer: Answer,
}

/// The innermost service: sends an attempt to a worker that it did not try yet.
#[derive(Clone)]
pub(crate) struct Balance {
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) config: Arc<DispatchConfig>,
}

// === impl Attempt ===

impl Attempt {
    /// 1 for the first try.
    pub(crate) fn number(&self) -> u32 {
        u32::try_from(self.tried.len()).unwrap_or(u32::MAX).saturating_add(1)
    }
}

// === impl Balance ===

impl Service<Attempt> for Balance {
    type Response = Reply;
    type Error = DispatchError;
    type Future = BoxFuture<'static, Result<Reply, DispatchError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DispatchError>> {
        // A worker is chosen per attempt, so there is nothing to wait for before one is known.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, attempt: Attempt) -> Self::Future {
        let balance = self.clone();
        Box::pin(async move { balance.send(attempt).await })
    }
}

impl Balance {
    async fn send(self, attempt: Attempt) -> Result<Reply, DispatchError> {
        let workers = self.directory.serving(&attempt.capability);
        let Some((worker, peer)) = self.peers.least_busy(workers, &attempt.tried) else {
            let no_worker = || DispatchError::NoWorker { capability: attempt.capability.clone() };
            return Err(attempt.last_error.clone().unwrap_or_else(no_worker));
        };
        debug!(step = %attempt.step, worker = %worker.id, load = peer.load(), "step sent");
        let _outstanding = peer.occupy();
        match worker::ask(&worker, peer.channel(), &attempt, &self.config).await {
            Ok(answer) => Ok(Reply { worker, answer }),
            Err(error) => {
                warn!(step = %attempt.step, worker = %worker.id, address = %worker.address, %error, "worker failed");
                if error.is_loss() {
                    peer.rest(self.config.rest_after_loss);
                }
                Err(error)
            }
        }
    }
}
