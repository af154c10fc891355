//! Names what the router counts. Who serves the numbers, and where, is the binary's to say.

use silverback_dispatch::BACKLOG_STEPS;

use crate::gate::{CHECK_SECONDS, REJECTED};

/// Every metric of the router: name and what it says.
pub const METRICS: &[(&str, &str)] = &[
    (REJECTED, "Calls of specialists that the router did not pass on, by worker and operation."),
    (
        BACKLOG_STEPS,
        "Steps by capability and state: waiting for earlier steps, queued for a first worker, running at a worker.",
    ),
    (CHECK_SECONDS, "Time to check the calls of one answer, reading the catalogue included."),
];
