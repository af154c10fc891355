//! Limits of dispatching.

use std::time::Duration;

/// How long and how often workers are asked.
#[derive(Clone, Debug, PartialEq)]
pub struct DispatchConfig {
    /// Steps of one capability on their way at once; a bigger value costs memory and lets workers queue longer.
    pub max_steps_per_capability: usize,
    /// Time for one step, all attempts together; a bigger value keeps people waiting longer for a failure.
    pub step_deadline: Duration,
    /// Steps of one declared capability that wait for its first worker; a bigger value fills the router with requests that may
    /// all end in vain.
    pub max_steps_without_worker: usize,
    /// How long each of them waits, on top of `step_deadline`; a bigger value keeps people waiting longer where none comes.
    pub first_worker_deadline: Duration,
    /// A worker that says nothing for this long is dead; a bigger value finds a stalled worker later.
    pub silence: Duration,
    /// Time to open a connection; a bigger value finds a lost machine later.
    pub connect_timeout: Duration,
    /// How long a worker that was lost is asked last; a bigger value spares more failures and wastes more of a worker that is back.
    pub rest_after_loss: Duration,
    /// Attempts on different workers; a bigger value repeats more work when a request kills workers.
    pub max_attempts: u32,
    /// Retries allowed per step that went well, on top of a few per second; a bigger value can overload a sick cluster.
    pub retry_ratio: f32,
    /// Largest message read from a worker; a bigger value costs memory per step.
    pub max_message_bytes: usize,
}

impl Default for DispatchConfig {
    fn default() -> Self {
        Self {
            max_steps_per_capability: 64,
            step_deadline: Duration::from_secs(120),
            // Half of the requests a router takes: the others must not starve behind one cold capability.
            max_steps_without_worker: 32,
            // A pod that starts and loads a model of 1 GB from its disk needs 10 to 60 s.
            first_worker_deadline: Duration::from_secs(120),
            silence: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(2),
            rest_after_loss: Duration::from_secs(5),
            max_attempts: 2,
            retry_ratio: 0.2,
            max_message_bytes: 4 * 1024 * 1024,
        }
    }
}
