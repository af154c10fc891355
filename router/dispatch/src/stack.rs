//! What lies between a step and a worker: one layer a line, outermost first.

use tower::{BoxError, ServiceBuilder, retry::RetryLayer, util::BoxCloneSyncService};

use crate::{
    balance::{Attempt, Balance, Reply},
    retry::OnAnotherWorker,
};

/// The stack of one capability; clones share its limits.
pub(crate) type Stack = BoxCloneSyncService<Attempt, Reply, BoxError>;

/// Builds the stack of one capability: a flood of steps for one cannot take the others' places.
pub(crate) fn build(balance: Balance) -> Stack {
    let config = balance.config.clone();
    let stack = ServiceBuilder::new()
        // Refuses at once what the limit below has no place for: a queue here would only hide the overload and cost memory.
        .load_shed()
        // Bounds the steps of one capability on their way.
        .concurrency_limit(config.max_steps_per_capability)
        // One deadline over all attempts: a retry must not double what a person waits.
        .timeout(config.step_deadline)
        // Another worker when one is lost; the rest of the plan is not concerned.
        .layer(RetryLayer::new(OnAnotherWorker::new(&config)))
        // The least busy worker of those not tried.
        .service(balance);
    BoxCloneSyncService::new(stack)
}
