//! Tells whoever scales the troop what there is to do.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, stream};
use silverback_dispatch::{Backlog, Steps};
use silverback_proto::{
    ErrorCode,
    v1::{self, backlog_service_server::BacklogService},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// Streams at once: a few replicas of a scaler and a person who looks.
const MAX_WATCHERS: usize = 64;

/// Changes within this time come as one: a plan of many steps is not as many messages.
const GATHER: Duration = Duration::from_millis(50);

/// A scaler that hears nothing for a few times this long takes the router for dead.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The gRPC edge of a backlog.
pub(crate) struct BacklogEdge {
    backlog: Backlog,
    stop: CancellationToken,
    places: Arc<Semaphore>,
}

/// One stream.
struct Watching {
    backlog: Backlog,
    changes: watch::Receiver<u64>,
    is_begun: bool,
    _place: OwnedSemaphorePermit,
}

// === impl BacklogEdge ===

impl BacklogEdge {
    /// Its streams end when `stop` is cancelled.
    pub(crate) fn new(backlog: Backlog, stop: CancellationToken) -> Self {
        Self { backlog, stop, places: Arc::new(Semaphore::new(MAX_WATCHERS)) }
    }
}

#[tonic::async_trait]
impl BacklogService for BacklogEdge {
    type WatchBacklogStream = Pin<Box<dyn Stream<Item = Result<v1::Backlog, Status>> + Send>>;

    async fn watch_backlog(
        &self,
        _: Request<v1::WatchBacklogRequest>,
    ) -> Result<Response<Self::WatchBacklogStream>, Status> {
        let full =
            |_| ErrorCode::Exhausted.status(format!("{MAX_WATCHERS} streams watch this router's backlog already"));
        let place = self.places.clone().try_acquire_owned().map_err(full)?;
        let changes = self.backlog.changes();
        let watching = Watching { backlog: self.backlog.clone(), changes, is_begun: false, _place: place };
        let backlogs = stream::unfold(watching, |mut watching| async {
            let backlog = watching.next().await;
            Some((Ok(backlog), watching))
        });
        Ok(Response::new(Box::pin(backlogs.take_until(self.stop.clone().cancelled_owned()))))
    }
}

// === impl Watching ===

impl Watching {
    /// The whole backlog: at once the first time, then after a change or a heartbeat.
    async fn next(&mut self) -> v1::Backlog {
        if self.is_begun {
            // The sender lives as long as the backlog, which this stream holds.
            let _ = timeout(HEARTBEAT, self.changes.changed()).await;
            sleep(GATHER).await;
        }
        self.is_begun = true;
        self.changes.mark_unchanged();
        let capabilities = self.backlog.steps().into_iter().map(wire).collect();
        v1::Backlog { capabilities }
    }
}

fn wire((capability, steps): (String, Steps)) -> v1::CapabilityBacklog {
    let Steps { waiting, queued, running } = steps;
    v1::CapabilityBacklog { capability, waiting, queued, running }
}
