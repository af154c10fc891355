//! Connections to workers, and how busy each of them is with our steps.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint, Error};
use tracing::warn;

use crate::directory::Worker;

/// Addresses remembered; past this the idle ones are forgotten, so that workers coming and going cost no memory.
const MAX_PEERS: usize = 1024;

/// HTTP/2 pings find a machine that vanished without a word.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// One channel per address, opened when first used and kept.
pub struct Peers {
    connect_timeout: Duration,
    by_address: Mutex<HashMap<String, Arc<Peer>>>,
}

/// A worker process: its channel and its load.
pub struct Peer {
    channel: Channel,
    outstanding: AtomicUsize,
    resting_until: Mutex<Option<Instant>>,
}

/// Counts as outstanding until dropped, also when the request is cancelled.
pub struct Outstanding(Arc<Peer>);

// === impl Peers ===

impl Peers {
    /// No connection yet; each will have this long to be made.
    pub fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, by_address: Mutex::default() }
    }

    /// The peer at `http://host:port`; the connection is made on first use and again when it broke.
    ///
    /// # Errors
    /// An address that is no URI.
    pub fn at(&self, address: &str) -> Result<Arc<Peer>, Error> {
        let mut peers = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = peers.get(address) {
            return Ok(peer.clone());
        }
        let endpoint = Endpoint::from_shared(address.to_owned())?
            .connect_timeout(self.connect_timeout)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .tcp_nodelay(true);
        let peer = Arc::new(Peer {
            channel: endpoint.connect_lazy(),
            outstanding: AtomicUsize::new(0),
            resting_until: Mutex::default(),
        });
        if peers.len() >= MAX_PEERS {
            peers.retain(|_, peer| peer.load() > 0);
        }
        peers.insert(address.to_owned(), peer.clone());
        Ok(peer)
    }

    /// The least busy of these workers that was not tried; one that was lost a moment ago only when there is no other.
    pub fn least_busy(&self, workers: Vec<Worker>, tried: &[String]) -> Option<(Worker, Arc<Peer>)> {
        let untried = workers.into_iter().filter(|worker| !tried.contains(&worker.id));
        let reachable = untried.filter_map(|worker| match self.at(&worker.address) {
            Ok(peer) => Some((worker, peer)),
            Err(error) => {
                warn!(worker = %worker.id, address = %worker.address, %error, "worker has no usable address");
                None
            }
        });
        // Chance breaks ties: several routers starting together must not all choose the first name.
        reachable.min_by_key(|(_, peer)| (peer.is_resting(), peer.load(), rand::random::<u32>()))
    }
}

// === impl Peer ===

impl Peer {
    /// A cheap handle on the connection.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Our steps at this peer now.
    pub fn load(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Was it lost a short while ago?
    pub fn is_resting(&self) -> bool {
        let resting_until = self.resting_until.lock().unwrap_or_else(PoisonError::into_inner);
        resting_until.is_some_and(|until| Instant::now() < until)
    }

    /// Asks it last for a while. Without this a dead worker, having nothing outstanding, would be everybody's first choice.
    pub fn rest(&self, pause: Duration) {
        *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
    }

    /// Counts one more piece of work at this peer until the returned guard is dropped.
    pub fn occupy(self: &Arc<Self>) -> Outstanding {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        Outstanding(self.clone())
    }
}

// === impl Outstanding ===

impl Drop for Outstanding {
    fn drop(&mut self) {
        self.0.outstanding.fetch_sub(1, Ordering::Relaxed);
    }
}
