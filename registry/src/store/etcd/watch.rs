//! One etcd watch as a stream of changes, with proof that somebody still answers.

use std::time::Duration;

use etcd_client::{EventType, WatchClient, WatchOptions, WatchResponse, WatchStream as Watch};
use futures::stream;
use silverback_proto::ErrorCode;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::{entry, fault, key_text, within};
use crate::{
    error::{RegistryError, StoreFault},
    store::{Event, Revision, WatchStream},
};

/// How often etcd is asked for a sign of life on an otherwise silent watch.
const ASK_EVERY: Duration = Duration::from_secs(3);
/// Longest silence: three questions without an answer.
const MAX_SILENCE: Duration = Duration::from_secs(10);

/// Opens a watch and waits until etcd has confirmed it. Also gives the newest revision that this member knows.
pub(super) async fn open(
    mut client: WatchClient,
    prefix: &str,
    from: Revision,
    call_timeout: Duration,
) -> Result<(WatchStream, Revision), RegistryError> {
    let start = async {
        let options = WatchOptions::new().with_prefix().with_start_revision(from);
        let mut watch = client.watch(prefix, Some(options)).await.map_err(fault)?;
        let created = watch.message().await.map_err(fault)?;
        Ok((watch, created.ok_or_else(ended)?))
    };
    let (watch, created) = within(call_timeout, start).await.map_err(|source| RegistryError::WatchStartFailed {
        prefix: prefix.to_owned(),
        from,
        source,
    })?;
    let newest = created.header().map_or(from, |header| header.revision());
    let mut asks = interval_at(Instant::now() + ASK_EVERY, ASK_EVERY);
    asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let open = OpenWatch { watch, asks, prefix: prefix.to_owned(), from };
    let events = events_of(&created, prefix, from)?;
    let changes = stream::try_unfold((open, Some(events)), |(mut open, first)| async move {
        let events = match first {
            Some(events) => events,
            None => open.next_events().await?,
        };
        Ok(Some((events, (open, None))))
    });
    Ok((Box::pin(changes), newest))
}

struct OpenWatch {
    watch: Watch,
    asks: Interval,
    prefix: String,
    from: Revision,
}

// === impl OpenWatch ===

impl OpenWatch {
    async fn next_events(&mut self) -> Result<Vec<Event>, RegistryError> {
        let next = within(MAX_SILENCE, self.next_response()).await;
        let response = next.map_err(|source| RegistryError::WatchFailed { prefix: self.prefix.clone(), source })?;
        events_of(&response, &self.prefix, self.from)
    }

    /// The next message, asking for one every now and then.
    async fn next_response(&mut self) -> Result<WatchResponse, StoreFault> {
        let (watch, asks) = (&mut self.watch, &mut self.asks);
        loop {
            tokio::select! {
                message = watch.message() => return message.map_err(fault)?.ok_or_else(ended),
                _ = asks.tick() => {}
            }
            watch.request_progress().await.map_err(fault)?;
        }
    }
}

fn events_of(response: &WatchResponse, prefix: &str, from: Revision) -> Result<Vec<Event>, RegistryError> {
    if response.compact_revision() > 0 {
        return Err(RegistryError::HistoryLost { from });
    }
    if response.canceled() {
        let source = StoreFault::new(ErrorCode::Unavailable, format!("cancelled: {}", response.cancel_reason()));
        return Err(RegistryError::WatchFailed { prefix: prefix.to_owned(), source });
    }
    let events = response.events().iter().filter_map(|event| {
        let kv = event.kv()?;
        Some(match event.event_type() {
            EventType::Put => Event::Put(entry(kv)),
            EventType::Delete => Event::Delete { key: key_text(kv), revision: kv.mod_revision() },
        })
    });
    Ok(events.collect())
}

fn ended() -> StoreFault {
    StoreFault::new(ErrorCode::Unavailable, "the stream ended")
}
