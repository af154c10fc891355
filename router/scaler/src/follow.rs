//! Reads the backlog of every router that stands in the registry, each over a stream of its own.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use silverback_proto::v1::{WatchBacklogRequest, backlog_service_client::BacklogServiceClient};
use silverback_registry::{Presence, SnapshotHandle, WorkerId};
use tokio::{
    task::JoinSet,
    time::{error::Elapsed, sleep, timeout},
};
use tonic::{Status, transport::Endpoint};
use tracing::{debug, info, warn};

use crate::{ScalerLimits, reports::Reports};

/// Largest report that is read, in bytes: a thousand capabilities of 64 bytes and their numbers.
const MAX_REPORT_BYTES: usize = 128 * 1024;

/// First pause before a router is asked again; doubles up to the limit.
const RETRY_FLOOR: Duration = Duration::from_millis(100);

/// HTTP/2 pings find a machine that vanished without a word.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Follows routers as they come and go.
pub(crate) struct Follower {
    pub(crate) snapshots: SnapshotHandle,
    pub(crate) reports: Reports,
    pub(crate) limits: ScalerLimits,
}

/// How a stream ended.
enum End {
    /// The router has ended in good order.
    Stopped,
    /// It was heard, then lost.
    Lost(Status),
    /// It was never heard.
    Unreachable(Status),
}

// === impl Follower ===

impl Follower {
    /// Goes on until it is dropped, and all streams with it.
    pub(crate) async fn run(mut self) -> Infallible {
        let mut watched = BTreeSet::new();
        let mut streams = JoinSet::new();
        loop {
            let snapshot = self.snapshots.load();
            let newcomers = snapshot.routers().filter(|router| !watched.contains(&router.id)).map(|router| &router.id);
            let newcomers: Vec<WorkerId> = newcomers.cloned().collect();
            for router in newcomers {
                if watched.len() >= self.limits.max_routers {
                    warn!(%router, limit = self.limits.max_routers, "too many routers, one is left out");
                    break;
                }
                watched.insert(router.clone());
                streams.spawn(watch(router, self.snapshots.clone(), self.reports.clone(), self.limits.clone()));
            }
            tokio::select! {
                () = self.snapshots.changed() => {}
                // One that came back meanwhile is a newcomer of the next round.
                Some(Ok(gone)) = streams.join_next() => drop(watched.remove(&gone)),
            }
        }
    }
}

/// Reads one router's reports until it stands in the registry no more. A stream that lives is read on: the registry may be
/// wrong for a while, the router's requests are real.
async fn watch(id: WorkerId, snapshots: SnapshotHandle, reports: Reports, limits: ScalerLimits) -> WorkerId {
    let mut pause = RETRY_FLOOR;
    let mut is_lost = false;
    loop {
        let Some(router) = snapshots.load().router(&id).cloned() else {
            reports.release(&id);
            return id;
        };
        match read_reports(&router, &reports, &limits).await {
            End::Stopped => {
                info!(router = %id, "router stopped");
                reports.forget(&id);
                (pause, is_lost) = (RETRY_FLOOR, false);
            }
            End::Lost(error) => {
                warn!(router = %id, address = %router.address, %error, "lost a router, its last backlog counts on");
                (pause, is_lost) = (RETRY_FLOOR, true);
            }
            End::Unreachable(error) if is_lost => debug!(router = %id, %error, "router is still away"),
            End::Unreachable(error) => {
                warn!(router = %id, address = %router.address, %error, "router cannot be reached");
                reports.miss(&id);
                is_lost = true;
            }
        }
        // Jittered, so that replicas do not come together.
        sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
        pause = (pause * 2).min(limits.retry_ceiling);
    }
}

async fn read_reports(router: &Presence, reports: &Reports, limits: &ScalerLimits) -> End {
    let silent = |_: Elapsed| Status::deadline_exceeded(format!("nothing within {} s", limits.silence.as_secs_f32()));
    let opening = async {
        let endpoint =
            Endpoint::from_shared(router.address.clone()).map_err(|error| Status::from_error(error.into()))?;
        let channel = endpoint
            .connect_timeout(limits.connect_timeout)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .tcp_nodelay(true)
            .connect()
            .await
            .map_err(|error| Status::from_error(error.into()))?;
        let mut client = BacklogServiceClient::new(channel).max_decoding_message_size(MAX_REPORT_BYTES);
        Ok(client.watch_backlog(WatchBacklogRequest {}).await?.into_inner())
    };
    let mut stream = match timeout(limits.silence, opening).await.map_err(silent) {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) | Err(error) => return End::Unreachable(error),
    };
    let mut is_heard = false;
    loop {
        match timeout(limits.silence, stream.message()).await.map_err(silent).flatten() {
            Ok(Some(backlog)) => {
                is_heard = true;
                reports.take(&router.id, backlog);
            }
            Ok(None) => return End::Stopped,
            Err(error) => return if is_heard { End::Lost(error) } else { End::Unreachable(error) },
        }
    }
}
