//! The registry's knobs.

use std::time::Duration;

use crate::error::RegistryError;

/// How the registry announces and follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryConfig {
    /// How long a worker stays registered without a sign of life. Whole seconds for etcd, rounded up. Bigger: a dead
    /// worker is seen later, but a short loss of the store costs nothing. Renewed every third to half of it.
    pub lease_ttl: Duration,
    /// Longest wait for one answer of the store, its retries included. Bigger: a slow store is tolerated, a dead one
    /// is noticed later.
    pub call_timeout: Duration,
    /// First pause after a failure; doubles with jitter. Bigger: slower recovery, less load on a store that comes back.
    pub retry_floor: Duration,
    /// Longest pause between two attempts. Bigger: as above, for long outages.
    pub retry_ceiling: Duration,
    /// How often everything is listed again, in case a watch lost something. Bigger: less load, later repair.
    pub relist_every: Duration,
}

// === impl RegistryConfig ===

impl RegistryConfig {
    /// Reports all contradictions together.
    pub fn check(&self) -> Result<(), RegistryError> {
        let mut problems = Vec::new();
        if self.lease_ttl < Duration::from_secs(1) {
            problems.push("lease_ttl must be at least 1 s");
        }
        if self.call_timeout.is_zero() || self.retry_floor.is_zero() || self.relist_every.is_zero() {
            problems.push("call_timeout, retry_floor and relist_every must be more than 0");
        }
        if self.retry_ceiling < self.retry_floor {
            problems.push("retry_ceiling must not be less than retry_floor");
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(RegistryError::InvalidConfig { problems: problems.join("; ") })
    }
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            lease_ttl: Duration::from_secs(15),
            call_timeout: Duration::from_secs(3),
            retry_floor: Duration::from_millis(100),
            retry_ceiling: Duration::from_secs(5),
            relist_every: Duration::from_secs(300),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_all_problems_are_reported_together() {
        assert!(RegistryConfig::default().check().is_ok());
        let zero = Duration::ZERO;
        let config = RegistryConfig { lease_ttl: zero, retry_ceiling: zero, ..RegistryConfig::default() };
        let text = config.check().unwrap_err().to_string();
        assert!(text.contains("lease_ttl") && text.contains("retry_ceiling"), "{text}");
    }
}
