//! The store on etcd 3.4 and later.
//!
//! What the client library leaves to its caller is done here: a bound on every call, bounded retries when one endpoint of
//! several is dead, lists in pages, watches that notice when nobody answers. Watches are not resumed here; that is the
//! follower's.

mod watch;

use std::{future::Future, time::Duration};

use async_trait::async_trait;
use etcd_client::{
    Client, Compare, CompareOp, ConnectOptions, Error, GetOptions, KeyValue, KvClient, PutOptions, Txn, TxnOp,
    TxnOpResponse, TxnResponse,
};
use silverback_proto::{CodedStatus, ErrorCode};

use crate::{
    backoff::jittered,
    error::{RegistryError, StoreFault},
    store::{Claim, Entry, LeaseId, Listing, Revision, Store, WatchStream},
};

/// HTTP/2 pings. etcd breaks connections that ping more often than every 5 s (its `--grpc-keepalive-min-time`).
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a TCP connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// One dead endpoint of three fails one call in four at once; four tries leave one call in 256.
const MAX_TRIES: u32 = 4;
/// Keys of one list page; at most 16 MB of the largest cards.
const PAGE_KEYS: i64 = 500;
/// Largest reply that is read. The library's 4 MB are less than one page of large cards.
const MAX_REPLY_BYTES: usize = 64 * 1024 * 1024;

/// Clones share one connection.
#[derive(Clone)]
pub struct EtcdStore {
    client: Client,
    call_timeout: Duration,
}

// === impl EtcdStore ===

impl EtcdStore {
    /// A client of these `host:port`s. Succeeds while they are away: connections are made when they are used.
    pub async fn connect(endpoints: &[String], call_timeout: Duration) -> Result<Self, RegistryError> {
        let options = ConnectOptions::new()
            .with_keep_alive(PING_EVERY, PING_TIMEOUT)
            .with_keep_alive_while_idle(true)
            .with_connect_timeout(CONNECT_TIMEOUT)
            // Else a watch on a member that lost its quorum is silent for ever.
            .with_require_leader(true);
        let endpoints: Vec<_> = endpoints.iter().map(|endpoint| format!("http://{endpoint}")).collect();
        let client = Client::connect(&endpoints, Some(options))
            .await
            .map_err(|error| RegistryError::ConnectFailed { url: endpoints.join(","), source: fault(error) })?;
        Ok(Self { client, call_timeout })
    }

    fn kv(&self) -> KvClient {
        self.client.kv_client().max_decoding_message_size(MAX_REPLY_BYTES)
    }

    /// Runs an idempotent call: bounded in time, tried again while an endpoint is unavailable.
    async fn call<T, F, R>(&self, mut operation: F) -> Result<T, StoreFault>
    where
        F: FnMut() -> R,
        R: Future<Output = Result<T, Error>>,
    {
        let tries = async {
            for _ in 1..MAX_TRIES {
                match operation().await.map_err(fault) {
                    Err(fault) if fault.code() == ErrorCode::Unavailable => {}
                    result => return result,
                }
                tokio::time::sleep(jittered(Duration::from_millis(5), Duration::from_millis(50))).await;
            }
            operation().await.map_err(fault)
        };
        within(self.call_timeout, tries).await
    }

    async fn run_txn(&self, txn: Txn) -> Result<TxnResponse, StoreFault> {
        self.call(|| {
            let (mut kv, txn) = (self.kv(), txn.clone());
            async move { kv.txn(txn).await }
        })
        .await
    }

    /// One page of a listing from `start` on, at `revision` when that is not 0.
    async fn page(&self, start: &str, prefix: &str, limit: i64, revision: Revision) -> Result<Page, StoreFault> {
        let options = GetOptions::new().with_range(end_of(prefix)).with_limit(limit).with_revision(revision);
        let response = self
            .call(|| {
                let (mut kv, options) = (self.kv(), options.clone());
                async move { kv.get(start, Some(options)).await }
            })
            .await?;
        let revision = response.header().map_or(revision, |header| header.revision());
        Ok(Page { entries: response.kvs().iter().map(entry).collect(), revision, more: response.more() })
    }

    /// The cluster's newest revision: a linearizable read, unlike what a watch's header says.
    async fn newest_revision(&self, prefix: &str) -> Result<Revision, RegistryError> {
        let page = self.page(prefix, prefix, 1, 0).await;
        Ok(page.map_err(|source| RegistryError::ListFailed { prefix: prefix.to_owned(), source })?.revision)
    }

    async fn list_pages(&self, prefix: &str) -> Result<Listing, StoreFault> {
        let mut listing = Listing { entries: Vec::new(), revision: 0 };
        let (mut start, mut limit) = (prefix.to_owned(), PAGE_KEYS);
        loop {
            let page = match self.page(&start, prefix, limit, listing.revision).await {
                // Huge values: smaller pages, down to single keys.
                Err(fault) if fault.code() == ErrorCode::Exhausted && limit > 1 => {
                    limit /= 2;
                    continue;
                }
                page => page?,
            };
            if listing.revision == 0 {
                listing.revision = page.revision;
            }
            listing.entries.extend(page.entries);
            match listing.entries.last() {
                // The next possible key after the last one.
                Some(last) if page.more => start = format!("{}\0", last.key),
                _ => return Ok(listing),
            }
        }
    }
}

struct Page {
    entries: Vec<Entry>,
    revision: Revision,
    more: bool,
}

#[async_trait]
impl Store for EtcdStore {
    async fn list(&self, prefix: &str) -> Result<Listing, RegistryError> {
        self.list_pages(prefix).await.map_err(|source| RegistryError::ListFailed { prefix: prefix.to_owned(), source })
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, RegistryError> {
        let response = self.call(|| {
            let mut kv = self.kv();
            async move { kv.get(key, None).await }
        });
        let response = response.await.map_err(|source| RegistryError::ReadFailed { key: key.to_owned(), source })?;
        Ok(response.kvs().first().map(entry))
    }

    async fn put(&self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<(), RegistryError> {
        let response = self.call(|| {
            let mut kv = self.kv();
            async move { kv.put(key, value, Some(put_options(lease))).await }
        });
        response.await.map_err(|source| RegistryError::WriteFailed { key: key.to_owned(), source })?;
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), RegistryError> {
        let response = self.call(|| {
            let mut kv = self.kv();
            async move { kv.delete(key, None).await }
        });
        response.await.map_err(|source| RegistryError::DeleteFailed { key: key.to_owned(), source })?;
        Ok(())
    }

    async fn claim(&self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<Claim, RegistryError> {
        let put = TxnOp::put(key, value, Some(put_options(lease)));
        let same_owner = Txn::new()
            .when([Compare::value(key, CompareOp::Equal, value)])
            .and_then(if lease.is_some() { vec![put.clone()] } else { vec![] })
            .or_else([TxnOp::get(key, None)]);
        let txn = Txn::new()
            .when([Compare::version(key, CompareOp::Equal, 0)])
            .and_then([put])
            .or_else([TxnOp::txn(same_owner)]);
        let response = self.run_txn(txn).await;
        let response = response.map_err(|source| RegistryError::ClaimFailed { key: key.to_owned(), source })?;
        Ok(other_owner(&response).map_or(Claim::Owned, Claim::Refused))
    }

    async fn release(&self, key: &str, value: &[u8]) -> Result<bool, RegistryError> {
        let txn = Txn::new().when([Compare::value(key, CompareOp::Equal, value)]).and_then([TxnOp::delete(key, None)]);
        let response = self.run_txn(txn).await;
        let response = response.map_err(|source| RegistryError::ReleaseFailed { key: key.to_owned(), source })?;
        Ok(response.succeeded())
    }

    async fn grant(&self, ttl: Duration) -> Result<(LeaseId, Duration), RegistryError> {
        let seconds = i64::try_from(ttl.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
        let response = self.call(|| {
            let mut leases = self.client.lease_client();
            async move { leases.grant(seconds, None).await }
        });
        let response = response.await.map_err(|source| RegistryError::LeaseGrantFailed { source })?;
        let ttl = Duration::from_secs(u64::try_from(response.ttl()).unwrap_or_default());
        Ok((LeaseId(response.id()), ttl))
    }

    async fn renew(&self, lease: LeaseId) -> Result<(), RegistryError> {
        // A stream for one beat: dearer than a held stream, but each beat may go to another endpoint.
        let beat = self.call(|| {
            let mut leases = self.client.lease_client();
            async move {
                match leases.keep_alive(lease.0).await {
                    Ok(_) => Ok(true),
                    Err(Error::LeaseKeepAliveError(_)) => Ok(false),
                    Err(error) => Err(error),
                }
            }
        });
        let is_known = beat.await.map_err(|source| RegistryError::LeaseRenewFailed { lease, source })?;
        if is_known { Ok(()) } else { Err(RegistryError::LeaseLost { lease }) }
    }

    async fn revoke(&self, lease: LeaseId) -> Result<(), RegistryError> {
        let response = self.call(|| {
            let mut leases = self.client.lease_client();
            async move { leases.revoke(lease.0).await }
        });
        match response.await {
            Err(source) if source.code() != ErrorCode::NotFound => {
                Err(RegistryError::LeaseRevokeFailed { lease, source })
            }
            _ => Ok(()),
        }
    }

    async fn watch(&self, prefix: &str, from: Revision) -> Result<WatchStream, RegistryError> {
        let client = self.client.watch_client().max_decoding_message_size(MAX_REPLY_BYTES);
        let (changes, newest) = watch::open(client, prefix, from, self.call_timeout).await?;
        // etcd accepts a watch in the future in silence. Right when this member only lags behind; but when the whole
        // cluster is behind us it has lost its data, and the watch would be silent for ever.
        if newest + 1 < from && self.newest_revision(prefix).await? + 1 < from {
            return Err(RegistryError::HistoryLost { from });
        }
        Ok(changes)
    }
}

fn put_options(lease: Option<LeaseId>) -> PutOptions {
    PutOptions::new().with_lease(lease.map_or(0, |lease| lease.0))
}

/// The other owner's value, when the claim's transaction found one.
fn other_owner(response: &TxnResponse) -> Option<Vec<u8>> {
    if response.succeeded() {
        return None;
    }
    match response.op_responses().into_iter().next()? {
        TxnOpResponse::Txn(same_owner) if same_owner.succeeded() => None,
        TxnOpResponse::Txn(same_owner) => other_owner(&same_owner),
        TxnOpResponse::Get(found) => Some(found.kvs().first().map(|kv| kv.value().to_vec()).unwrap_or_default()),
        _ => None,
    }
}

fn entry(kv: &KeyValue) -> Entry {
    Entry { key: key_text(kv), value: kv.value().to_vec(), revision: kv.mod_revision() }
}

/// Keys that are no text are nobody's; they become one that parses as none of ours.
fn key_text(kv: &KeyValue) -> String {
    String::from_utf8_lossy(kv.key()).into_owned()
}

/// First key after all that start with `prefix`.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    *end.last_mut().expect("prefixes are not empty") += 1;
    end
}

async fn within<T>(limit: Duration, call: impl Future<Output = Result<T, StoreFault>>) -> Result<T, StoreFault> {
    tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
        let message = format!("no answer within {} ms", limit.as_millis());
        Err(StoreFault::new(ErrorCode::DeadlineExceeded, message))
    })
}

fn fault(error: Error) -> StoreFault {
    let code = match &error {
        Error::GRpcStatus(status) => match status.code() {
            // A dying connection shows as any of these.
            tonic::Code::Unknown | tonic::Code::Cancelled | tonic::Code::Aborted => ErrorCode::Unavailable,
            // Only the client library says so, of replies that are too large.
            tonic::Code::OutOfRange if status.message().contains("length too large") => ErrorCode::Exhausted,
            _ => status.error_code(),
        },
        Error::TransportError(_) | Error::IoError(_) | Error::WatchError(_) => ErrorCode::Unavailable,
        Error::InvalidArgs(_) | Error::InvalidUri(_) => ErrorCode::InvalidRequest,
        _ => ErrorCode::Internal,
    };
    let message = match &error {
        Error::GRpcStatus(status) => innermost(status),
        other => other.to_string(),
    };
    StoreFault::new(code, message)
}

/// The last cause: "connection refused" instead of "transport error".
fn innermost(status: &tonic::Status) -> String {
    let mut cause = std::error::Error::source(status);
    let mut text = status.message().to_owned();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}
