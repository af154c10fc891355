//! What a scaler needs to know at its start.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use silverback_registry::Registry;

/// Where a scaler listens, whom it follows, and its limits.
#[derive(Clone)]
pub struct ScalerConfig {
    /// Address of the gRPC edge; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where workers, declarations and routers stand.
    pub registry: Registry,
    /// Limits of the scaler.
    pub limits: ScalerLimits,
}

/// Limits of one scaler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalerLimits {
    /// How long the last backlog of a router that cannot be reached counts; a bigger value keeps workers longer for requests
    /// that died with it, a smaller one takes workers away from a router that is only slow.
    pub keep_lost: Duration,
    /// A router that says nothing for this long is asked anew; a bigger value finds a stalled one later.
    pub silence: Duration,
    /// Time to open a connection to a router.
    pub connect_timeout: Duration,
    /// Longest pause between two attempts to reach a router; a bigger value costs less and hears of one that is back later.
    pub retry_ceiling: Duration,
    /// For how long there must be nothing to do before a stream says so; a bigger value spares KEDA messages and keeps workers
    /// longer. KEDA waits for its own `cooldownPeriod` after that.
    pub calm: Duration,
    /// Routers that are followed; a bigger value costs a stream each.
    pub max_routers: usize,
    /// Streams of KEDA at once; a bigger value costs memory.
    pub max_streams: usize,
    /// How long answers in progress may go on when the scaler is told to stop.
    pub shutdown_grace: Duration,
}

// === impl ScalerConfig ===

impl ScalerConfig {
    /// The defaults around a registry.
    pub fn new(registry: Registry) -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7413)), registry, limits: ScalerLimits::default() }
    }
}

impl Default for ScalerLimits {
    fn default() -> Self {
        Self {
            keep_lost: Duration::from_secs(60),
            // Three heartbeats of a router.
            silence: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(2),
            retry_ceiling: Duration::from_secs(5),
            calm: Duration::from_secs(10),
            max_routers: 256,
            max_streams: 1024,
            shutdown_grace: Duration::from_secs(5),
        }
    }
}
