//! What a router needs to know at its start.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use silverback_dispatch::DispatchConfig;
use silverback_registry::Registry;

/// Where a router listens, whom it asks, and its limits.
#[derive(Clone)]
pub struct RouterConfig {
    /// Address of the gRPC edge; port 0 takes any free one.
    pub listen: SocketAddr,
    /// `http://host:port` that scalers reach the gRPC edge at; where it listens, when absent.
    pub advertise: Option<String>,
    /// Address of the OpenAI-compatible HTTP edge; none when absent.
    pub http: Option<SocketAddr>,
    /// Who can do what.
    pub registry: Registry,
    /// Folder of `*.pack` files. Packs fetched from workers are kept in `fetched/` below it.
    pub packs_dir: PathBuf,
    /// Limits of the router itself.
    pub limits: RouterLimits,
    /// Limits of the work it sends out.
    pub dispatch: DispatchConfig,
}

/// Limits of one router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterLimits {
    /// Requests in progress at once; a bigger value costs memory and lets workers queue longer.
    pub max_requests: usize,
    /// Time for one request; a bigger value keeps people waiting longer for a failure.
    pub request_deadline: Duration,
    /// A general worker that says nothing for this long is dead; a bigger value finds a stalled one later.
    pub general_silence: Duration,
    /// Largest pack fetched from a worker; a bigger value lets a lying worker cost more disk and time.
    pub max_pack_bytes: u64,
    /// Time to fetch one pack; a bigger value keeps the first request for a new catalogue waiting longer.
    pub pack_deadline: Duration,
    /// Fetched packs kept on disk; a bigger value costs up to `max_pack_bytes` each.
    pub max_fetched_packs: usize,
    /// How long requests in progress may go on when the router is told to stop.
    pub shutdown_grace: Duration,
}

// === impl RouterConfig ===

impl RouterConfig {
    /// The defaults around what has none: who can do what, and where the packs lie.
    pub fn new(registry: Registry, packs_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7411)),
            advertise: None,
            http: None,
            registry,
            packs_dir: packs_dir.into(),
            limits: RouterLimits::default(),
            dispatch: DispatchConfig::default(),
        }
    }
}

impl Default for RouterLimits {
    fn default() -> Self {
        Self {
            max_requests: 64,
            request_deadline: Duration::from_secs(300),
            general_silence: Duration::from_secs(30),
            max_pack_bytes: 256 * 1024 * 1024,
            pack_deadline: Duration::from_secs(60),
            max_fetched_packs: 16,
            shutdown_grace: Duration::from_secs(5),
        }
    }
}
