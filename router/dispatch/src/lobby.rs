//! Where steps wait for the first worker of a capability that should have one: scaling from zero takes a while.

use std::sync::Arc;

use tokio::time::timeout;
use tracing::info;

use crate::{
    DispatchConfig, DispatchError,
    backlog::{Backlog, Counted},
    directory::Directory,
};

/// Counts what there is to do and holds what nobody can do yet. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Lobby {
    directory: Arc<dyn Directory>,
    backlog: Backlog,
    config: Arc<DispatchConfig>,
}

// === impl Lobby ===

impl Lobby {
    pub(crate) fn new(directory: Arc<dyn Directory>, config: Arc<DispatchConfig>) -> Self {
        Self { directory, backlog: Backlog::default(), config }
    }

    /// What there is to do.
    pub fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Counts one more step, or whatever else is given to a worker as one.
    pub fn enter(&self, capability: &str) -> Counted {
        self.backlog.enter(capability)
    }

    /// Returns at once when its capability has workers; else waits for the first one, where one is to be expected.
    ///
    /// # Errors
    /// `NoWorker` when none is to be expected or none came in time, `QueueFull` when too many wait already.
    pub async fn wait_for_worker(&self, step: &mut Counted) -> Result<(), DispatchError> {
        let capability = step.capability().to_owned();
        if self.directory.serving(&capability).is_empty() {
            if !self.directory.is_expected(&capability) {
                return Err(DispatchError::NoWorker { capability });
            }
            let limit = self.config.max_steps_without_worker;
            if !step.queue(limit) {
                return Err(DispatchError::QueueFull { capability, limit });
            }
            // Counted from when the plan had it: a chain of steps must not wait once for each, that takes longer than a request may.
            let patience = self.config.first_worker_deadline.saturating_sub(step.age());
            let served = self.directory.served(&capability);
            info!(capability, limit_s = patience.as_secs(), "a step waits for the first worker");
            if timeout(patience, served).await.is_err() {
                return Err(DispatchError::NoWorker { capability });
            }
        }
        step.run();
        Ok(())
    }
}
