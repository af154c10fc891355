//! Adds up what a step costs.

use std::time::Instant;

use silverback_engine::Usage;
use silverback_proto::v1;

/// Time and tokens of one piece of work, from now on.
pub struct Meter {
    started: Instant,
    usage: v1::Usage,
}

// === impl Meter ===

impl Meter {
    /// Starts the clock.
    pub fn start() -> Self {
        Self { started: Instant::now(), usage: v1::Usage::default() }
    }

    /// Adds one generation.
    pub fn add(&mut self, usage: &Usage) {
        self.usage.prompt_tokens += usage.prompt_tokens as u32;
        self.usage.cached_tokens += usage.cached_tokens as u32;
        self.usage.output_tokens += usage.output_tokens as u32;
        self.usage.forced_tokens += usage.forced_tokens as u32;
        self.usage.queue_ms += usage.queue_ms as f64;
        self.usage.prefill_ms += usage.prefill_ms as f64;
        self.usage.decode_ms += usage.decode_ms as f64;
    }

    /// Adds time spent in the catalogue since `from`.
    pub fn add_retrieval(&mut self, from: Instant) {
        self.usage.retrieve_ms += from.elapsed().as_secs_f64() * 1e3;
    }

    /// What was used until now.
    pub fn read(&self) -> v1::Usage {
        v1::Usage { total_ms: self.started.elapsed().as_secs_f64() * 1e3, ..self.usage }
    }
}
