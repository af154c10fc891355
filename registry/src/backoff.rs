//! Pauses between attempts: exponential, jittered, bounded.

use std::time::Duration;

use crate::config::RegistryConfig;

/// The next pause lies between half of the step and the step, so that a fleet does not come back in one wave.
#[derive(Debug)]
pub(crate) struct Backoff {
    floor: Duration,
    ceiling: Duration,
    step: Duration,
}

/// Uniform between the two.
pub(crate) fn jittered(from: Duration, to: Duration) -> Duration {
    if from >= to {
        return from;
    }
    from + (to - from).mul_f64(rand::random::<f64>())
}

// === impl Backoff ===

impl Backoff {
    pub(crate) fn new(config: &RegistryConfig) -> Self {
        Self { floor: config.retry_floor, ceiling: config.retry_ceiling, step: config.retry_floor }
    }

    pub(crate) fn next_pause(&mut self) -> Duration {
        let pause = jittered(self.step / 2, self.step);
        self.step = (self.step * 2).min(self.ceiling);
        pause
    }

    pub(crate) fn reset(&mut self) {
        self.step = self.floor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_ceiling_and_start_again_after_success() {
        let config = RegistryConfig::default();
        let mut backoff = Backoff::new(&config);
        assert!(backoff.next_pause() <= config.retry_floor);
        for _ in 0..20 {
            assert!(backoff.next_pause() <= config.retry_ceiling);
        }
        assert!(backoff.next_pause() >= config.retry_ceiling / 2);
        backoff.reset();
        assert!(backoff.next_pause() <= config.retry_floor);
    }
}
