//! Asks another worker when one fails in a way that is not the request's fault.

use std::{future, sync::Arc, time::Duration};

use tower::retry::{
    Policy,
    budget::{Budget, TpsBudget},
};

use crate::{
    DispatchConfig, DispatchError,
    balance::{Attempt, Reply},
};

/// Why a budget and not only a maximum of attempts: when every worker is sick, twice the load makes them sicker. Retries may be
/// a share of what goes well, and a few a second so that a quiet router can retry at all.
const BUDGET_WINDOW: Duration = Duration::from_secs(10);
const RETRIES_PER_SECOND: u32 = 2;

/// Retries on a worker that was not tried yet, within the budget of the capability.
#[derive(Clone)]
pub(crate) struct OnAnotherWorker {
    budget: Arc<TpsBudget>,
    max_attempts: u32,
}

// === impl OnAnotherWorker ===

impl OnAnotherWorker {
    pub(crate) fn new(config: &DispatchConfig) -> Self {
        let budget = TpsBudget::new(BUDGET_WINDOW, RETRIES_PER_SECOND, config.retry_ratio.clamp(0.0, 1.0));
        Self { budget: Arc::new(budget), max_attempts: config.max_attempts }
    }
}

impl Policy<Attempt, Reply, DispatchError> for OnAnotherWorker {
    type Future = future::Ready<()>;

    fn retry(&mut self, attempt: &mut Attempt, result: &mut Result<Reply, DispatchError>) -> Option<Self::Future> {
        let error = match result {
            Ok(_) => {
                self.budget.deposit();
                return None;
            }
            Err(error) => error,
        };
        let worker = error.worker().filter(|_| error.is_worth_another_worker())?;
        let attempts_left = self.max_attempts.saturating_sub(attempt.number()) > 0;
        if !attempts_left || attempt.tried.iter().any(|tried| tried == worker) || !self.budget.withdraw() {
            return None;
        }
        attempt.tried.push(worker.to_owned());
        attempt.last_error = Some(error.clone());
        // At once: the other worker has done nothing wrong.
        Some(future::ready(()))
    }

    fn clone_request(&mut self, attempt: &Attempt) -> Option<Attempt> {
        Some(attempt.clone())
    }
}
