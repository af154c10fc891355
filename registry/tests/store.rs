//! One suite for every store: a store exists when it passes.
#![allow(clippy::unwrap_used, reason = "a failing test may panic")]

use std::time::Duration;

use futures::StreamExt;
use silverback_registry::{
    RegistryError,
    store::{Claim, EtcdStore, Event, LeaseId, MemoryStore, Revision, Store, WatchStream},
    testing::{EtcdProcess, eventually},
};

use fixtures::Fixture;

const DEADLINE: Duration = Duration::from_secs(20);
const TTL: Duration = Duration::from_secs(1);

mod fixtures {
    use super::*;

    /// A store under test and what keeps it running.
    pub trait Fixture {
        type Store: Store;
        async fn start() -> Self;
        fn store(&self) -> &Self::Store;
        async fn compact(&self, revision: Revision);
    }

    pub struct Memory(MemoryStore);

    impl Fixture for Memory {
        type Store = MemoryStore;

        async fn start() -> Self {
            Self(MemoryStore::new())
        }

        fn store(&self) -> &MemoryStore {
            &self.0
        }

        async fn compact(&self, revision: Revision) {
            self.0.compact(revision);
        }
    }

    pub struct Etcd(EtcdStore, EtcdProcess);

    impl Fixture for Etcd {
        type Store = EtcdStore;

        async fn start() -> Self {
            let process = EtcdProcess::start().await;
            let store = EtcdStore::connect(&[process.endpoint()], Duration::from_secs(5)).await.unwrap();
            Self(store, process)
        }

        fn store(&self) -> &EtcdStore {
            &self.0
        }

        async fn compact(&self, revision: Revision) {
            let mut client = etcd_client::Client::connect([self.1.endpoint()], None).await.unwrap();
            client.compact(revision, None).await.unwrap();
        }
    }
}

/// The next changes that are not a mere sign of life.
async fn next_events(watch: &mut WatchStream) -> Result<Vec<Event>, RegistryError> {
    let read = async {
        loop {
            match watch.next().await.expect("a watch ends with an error") {
                Ok(events) if events.is_empty() => {}
                events => return events,
            }
        }
    };
    tokio::time::timeout(DEADLINE, read).await.expect("the watch says something")
}

fn keys(events: &[Event]) -> Vec<String> {
    let sign = |event: &Event| if matches!(event, Event::Put(_)) { '+' } else { '-' };
    events.iter().map(|event| format!("{}{}", sign(event), event.key())).collect()
}

async fn lists_a_prefix_in_order_at_a_revision(fixture: &impl Fixture) {
    let store = fixture.store();
    for key in ["/p/b", "/p/a", "/pp", "/o", "/p/c"] {
        store.put(key, key.as_bytes(), None).await.unwrap();
    }
    store.delete("/p/c").await.unwrap();
    let listing = store.list("/p/").await.unwrap();
    let found: Vec<_> = listing.entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(found, ["/p/a", "/p/b"]);
    assert_eq!(listing.entries[0].value, b"/p/a");
    assert!(listing.entries.iter().all(|entry| entry.revision < listing.revision));
    assert_eq!(store.get("/p/a").await.unwrap().unwrap(), listing.entries[0]);
    assert_eq!(store.get("/p/x").await.unwrap(), None);
    assert!(store.list("/nothing/").await.unwrap().entries.is_empty());
}

async fn lists_more_than_one_page(fixture: &impl Fixture) {
    let store = fixture.store();
    let keys: Vec<_> = (0..1203).map(|number| format!("/many/{number:05}")).collect();
    for keys in keys.chunks(100) {
        futures::future::try_join_all(keys.iter().map(|key| store.put(key, &[0; 100], None))).await.unwrap();
    }
    let listing = store.list("/many/").await.unwrap();
    assert_eq!(listing.entries.len(), 1203);
    assert!(listing.entries.is_sorted_by(|a, b| a.key < b.key));
}

async fn a_second_owner_is_refused_and_the_same_one_is_not(fixture: &impl Fixture) {
    let store = fixture.store();
    assert_eq!(store.claim("/k", b"one", None).await.unwrap(), Claim::Owned);
    let revision = store.get("/k").await.unwrap().unwrap().revision;
    assert_eq!(store.claim("/k", b"one", None).await.unwrap(), Claim::Owned);
    assert_eq!(store.get("/k").await.unwrap().unwrap().revision, revision, "nothing was written");
    assert_eq!(store.claim("/k", b"two", None).await.unwrap(), Claim::Refused(b"one".to_vec()));
    assert_eq!(store.get("/k").await.unwrap().unwrap().value, b"one");
}

async fn of_many_who_claim_at_once_one_wins(fixture: &impl Fixture) {
    let store = fixture.store();
    let values: Vec<_> = (0..16).map(|number| format!("owner {number}")).collect();
    let claims = values.iter().map(|value| store.claim("/k", value.as_bytes(), None));
    let outcomes: Vec<_> = futures::future::join_all(claims).await.into_iter().map(Result::unwrap).collect();
    let winner = store.get("/k").await.unwrap().unwrap().value;
    for (value, outcome) in values.iter().zip(outcomes) {
        let is_winner = value.as_bytes() == winner;
        assert_eq!(outcome, if is_winner { Claim::Owned } else { Claim::Refused(winner.clone()) });
    }
}

async fn only_the_owner_releases(fixture: &impl Fixture) {
    let store = fixture.store();
    store.put("/k", b"one", None).await.unwrap();
    assert!(!store.release("/k", b"two").await.unwrap());
    assert!(store.get("/k").await.unwrap().is_some());
    assert!(store.release("/k", b"one").await.unwrap());
    assert!(store.get("/k").await.unwrap().is_none());
    assert!(!store.release("/k", b"one").await.unwrap());
}

async fn a_key_goes_with_its_lease(fixture: &impl Fixture) {
    let store = fixture.store();
    let (lease, ttl) = store.grant(TTL).await.unwrap();
    assert!(ttl >= TTL);
    store.put("/leased", b"v", Some(lease)).await.unwrap();
    store.put("/free", b"v", None).await.unwrap();
    eventually("the leased key is gone", DEADLINE, async || store.get("/leased").await.unwrap().is_none()).await;
    assert!(store.get("/free").await.unwrap().is_some());
    assert!(matches!(store.renew(lease).await, Err(RegistryError::LeaseLost { .. })));
    store.revoke(lease).await.unwrap();
}

async fn a_renewed_lease_outlives_one_that_is_not(fixture: &impl Fixture) {
    let store = fixture.store();
    let ((kept, _), (left, _)) = (store.grant(TTL).await.unwrap(), store.grant(TTL).await.unwrap());
    store.put("/kept", b"v", Some(kept)).await.unwrap();
    store.put("/left", b"v", Some(left)).await.unwrap();
    eventually("the lease that nobody renews runs out", DEADLINE, async || {
        store.renew(kept).await.unwrap();
        store.get("/left").await.unwrap().is_none()
    })
    .await;
    assert!(store.get("/kept").await.unwrap().is_some());
}

async fn revoking_a_lease_deletes_its_keys_at_once(fixture: &impl Fixture) {
    let store = fixture.store();
    let (lease, _) = store.grant(Duration::from_secs(60)).await.unwrap();
    assert_eq!(store.claim("/k", b"v", Some(lease)).await.unwrap(), Claim::Owned);
    store.revoke(lease).await.unwrap();
    assert!(store.get("/k").await.unwrap().is_none());
    let error = store.claim("/k", b"v", Some(lease)).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    assert!(store.put("/k", b"v", Some(LeaseId(77))).await.is_err());
}

async fn claiming_again_moves_the_key_to_the_new_lease(fixture: &impl Fixture) {
    let store = fixture.store();
    let ((old, _), (new, _)) = (store.grant(TTL * 60).await.unwrap(), store.grant(TTL * 60).await.unwrap());
    store.claim("/k", b"v", Some(old)).await.unwrap();
    assert_eq!(store.claim("/k", b"v", Some(new)).await.unwrap(), Claim::Owned);
    store.revoke(old).await.unwrap();
    assert!(store.get("/k").await.unwrap().is_some());
    store.revoke(new).await.unwrap();
    assert!(store.get("/k").await.unwrap().is_none());
}

async fn a_watch_tells_past_and_present_in_order(fixture: &impl Fixture) {
    let store = fixture.store();
    let from = store.list("/w/").await.unwrap().revision + 1;
    store.put("/w/a", b"1", None).await.unwrap();
    store.put("/elsewhere", b"1", None).await.unwrap();
    store.delete("/w/a").await.unwrap();
    let mut watch = store.watch("/w/", from).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.extend(next_events(&mut watch).await.unwrap());
    }
    assert_eq!(keys(&seen), ["+/w/a", "-/w/a"]);
    let (lease, _) = store.grant(TTL * 60).await.unwrap();
    store.put("/w/b", b"2", Some(lease)).await.unwrap();
    seen.extend(next_events(&mut watch).await.unwrap());
    store.revoke(lease).await.unwrap();
    seen.extend(next_events(&mut watch).await.unwrap());
    assert_eq!(keys(&seen[2..]), ["+/w/b", "-/w/b"]);
    assert!(seen.is_sorted_by(|a, b| a.revision() < b.revision()));
}

async fn a_watch_from_the_next_revision_sees_only_what_is_new(fixture: &impl Fixture) {
    let store = fixture.store();
    store.put("/w/a", b"1", None).await.unwrap();
    let listing = store.list("/w/").await.unwrap();
    let mut watch = store.watch("/w/", listing.revision + 1).await.unwrap();
    store.put("/w/b", b"2", None).await.unwrap();
    assert_eq!(keys(&next_events(&mut watch).await.unwrap()), ["+/w/b"]);
}

async fn a_watch_from_before_a_compaction_is_told_so(fixture: &impl Fixture) {
    let store = fixture.store();
    let from = store.list("/w/").await.unwrap().revision + 1;
    for value in [b"1", b"2", b"3"] {
        store.put("/w/a", value, None).await.unwrap();
    }
    let newest = store.list("/w/").await.unwrap().revision;
    fixture.compact(newest).await;
    let outcome = match store.watch("/w/", from).await {
        Ok(mut watch) => next_events(&mut watch).await,
        Err(error) => Err(error),
    };
    assert!(matches!(outcome, Err(RegistryError::HistoryLost { .. })), "{outcome:?}");
    let mut watch = store.watch("/w/", newest + 1).await.unwrap();
    store.put("/w/a", b"4", None).await.unwrap();
    assert_eq!(next_events(&mut watch).await.unwrap().len(), 1);
}

async fn a_watch_in_the_future_is_refused(fixture: &impl Fixture) {
    let store = fixture.store();
    let newest = store.list("/w/").await.unwrap().revision;
    let outcome = store.watch("/w/", newest + 100).await.map(|_| ());
    assert!(matches!(outcome, Err(RegistryError::HistoryLost { .. })), "{outcome:?}");
}

macro_rules! store_suite {
    ($fixture:ident: $($claim:ident),+ $(,)?) => {
        #[allow(non_snake_case)]
        mod $fixture {
            $(#[tokio::test]
            async fn $claim() {
                let fixture = <super::fixtures::$fixture as super::Fixture>::start().await;
                super::$claim(&fixture).await;
            })+
        }
    };
    ($fixture:ident) => {
        store_suite!($fixture:
            lists_a_prefix_in_order_at_a_revision,
            lists_more_than_one_page,
            a_second_owner_is_refused_and_the_same_one_is_not,
            of_many_who_claim_at_once_one_wins,
            only_the_owner_releases,
            a_key_goes_with_its_lease,
            a_renewed_lease_outlives_one_that_is_not,
            revoking_a_lease_deletes_its_keys_at_once,
            claiming_again_moves_the_key_to_the_new_lease,
            a_watch_tells_past_and_present_in_order,
            a_watch_from_the_next_revision_sees_only_what_is_new,
            a_watch_from_before_a_compaction_is_told_so,
            a_watch_in_the_future_is_refused,
        );
    };
}

store_suite!(Memory);
store_suite!(Etcd);
