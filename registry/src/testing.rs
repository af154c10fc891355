//! Real parts for tests: an etcd process, a TCP link that can be cut, a wait with a deadline. Behind the feature `testing`.

mod etcd_process;
mod link;

pub use etcd_process::EtcdProcess;
pub use link::Link;

use std::time::Duration;

use tokio::time::Instant;

/// Waits until `condition` holds; panics with `claim` when it does not within `deadline`.
pub async fn eventually(claim: &str, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + deadline;
    while !condition().await {
        assert!(Instant::now() < end, "not within {deadline:?}: {claim}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
