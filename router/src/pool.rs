//! The workers of one capability as one: whichever is least busy, and another when that one is lost.

use std::{future::Future, sync::Arc, time::Duration};

use silverback_dispatch::{Counted, Directory, DispatchError, Lobby, Peer, Peers, Worker};
use silverback_proto::ErrorCode;
use tokio::time::timeout;
use tonic::Status;
use tracing::warn;

use crate::{RouterError, workers::Workers};

/// Why two: the same text that kills two workers would kill a third.
const MAX_ATTEMPTS: usize = 2;

/// The workers of a capability that requests are given to whole, not as steps.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) capability: String,
    pub(crate) workers: Workers,
    pub(crate) peers: Arc<Peers>,
    /// Where the work is counted, and waits for the first worker.
    pub(crate) lobby: Lobby,
    /// A worker that says nothing for this long is dead.
    pub(crate) silence: Duration,
    /// How long a lost worker is asked last.
    pub(crate) rest_after_loss: Duration,
}

/// Workers that failed one request, and how the last one did.
#[derive(Default)]
pub(crate) struct Asked {
    tried: Vec<String>,
    last: Option<Status>,
}

// === impl Pool ===

impl Pool {
    /// The same for the workers of another capability.
    pub(crate) fn of(&self, capability: &str) -> Self {
        Self { capability: capability.to_owned(), ..self.clone() }
    }

    /// Counts one more request among what these workers have to do. Where none is there but one is expected, waits for it.
    ///
    /// # Errors
    /// `NotDispatched` when too many wait already.
    pub(crate) async fn enter(&self) -> Result<Counted, RouterError> {
        let mut counted = self.lobby.enter(&self.capability);
        match self.lobby.wait_for_worker(&mut counted).await {
            // Picking one says what to start.
            Ok(()) | Err(DispatchError::NoWorker { .. }) => Ok(counted),
            Err(source) => Err(RouterError::NotDispatched { source }),
        }
    }

    /// A worker that was not asked yet.
    ///
    /// # Errors
    /// How the last one failed, or that there is none.
    pub(crate) fn pick(&self, asked: &Asked) -> Result<(Worker, Arc<Peer>), Status> {
        let capability = &self.capability;
        let nobody = || {
            let hint = format!(
                "start one with `silverback worker --capability {capability}`, or all parts with `silverback up`"
            );
            ErrorCode::Unavailable.status(format!("no worker serves capability \"{capability}\"; {hint}"))
        };
        let workers = self.workers.serving(capability);
        self.peers.least_busy(workers, &asked.tried).ok_or_else(|| asked.last.clone().unwrap_or_else(nobody))
    }

    /// Waits for a sign of life.
    ///
    /// # Errors
    /// The worker's own, or that it was silent.
    pub(crate) async fn within_silence<T>(
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
    pub(crate) fn note(
        &mut self,
        pool: &Pool,
        worker: &Worker,
        peer: &Peer,
        error: DispatchError,
    ) -> Result<(), Status> {
        warn!(capability = %pool.capability, worker = %worker.id, address = %worker.address, %error, "worker failed");
        if error.is_loss() {
            peer.rest(pool.rest_after_loss);
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
