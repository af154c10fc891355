//! What happens while etcd is away, and after.

use std::time::Duration;

use silverback_registry::{
    AnnounceState, Registry, RegistryConfig, SnapshotHandle, keys,
    testing::{EtcdProcess, Link, eventually},
};

use crate::{DEADLINE, Stage, announced, card, config, names, record, serves, wait_for_state, wait_until};

async fn wait_until_failing(handle: &SnapshotHandle) {
    let before = handle.counters().failures;
    eventually("the follower notices", DEADLINE, async || handle.counters().failures > before).await;
}

#[tokio::test]
async fn an_etcd_that_is_away_at_the_start_is_waited_for() {
    let mut etcd = EtcdProcess::start().await;
    etcd.kill();
    let registry = Registry::connect(&etcd.url(), config()).await.unwrap();
    let mut handle = registry.follow();
    let announcement = registry.announce(&record("aws", "w"), &card()).unwrap();
    wait_until_failing(&handle).await;
    assert!(!handle.load().is_synced() && handle.age().is_none());
    assert_eq!(announcement.state(), AnnounceState::Announcing);
    let error = registry.read().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    etcd.restart().await;
    announced(&announcement).await.unwrap();
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
}

#[tokio::test]
async fn a_killed_etcd_leaves_the_snapshot_and_is_followed_again() {
    let mut stage = Stage::etcd().await;
    let mut handle = stage.registry.follow();
    let announcement = stage.announce(&record("aws", "w"));
    // Not only seen: a watch may be faster than the reply to the one who announces.
    announced(&announcement).await.unwrap();
    let before = wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    stage.process().kill();
    wait_until_failing(&handle).await;
    wait_for_state(&announcement, |state| *state == AnnounceState::Lost).await;
    assert_eq!(*handle.load(), *before);
    let age = handle.age().unwrap();
    eventually("the age grows", DEADLINE, async || handle.age().unwrap() > age).await;
    stage.process().restart().await;
    wait_for_state(&announcement, |state| *state == AnnounceState::Announced).await;
    let _newcomer = stage.announce(&record("aws", "x"));
    wait_until(&mut handle, |snapshot| names(snapshot) == ["aws/w", "aws/x"]).await;
}

#[tokio::test]
async fn an_etcd_that_lost_its_data_is_filled_again() {
    let mut stage = Stage::etcd().await;
    let mut handle = stage.registry.follow();
    let _announcements = ["a", "b", "c"].map(|id| stage.announce(&record("aws", id)));
    // Written by nobody who is still there: must be gone afterwards. Many, so that the old revision is far ahead.
    let orphan = record("aws", "orphan");
    let key = keys::worker(&orphan.capability, &orphan.id);
    for started in 0..50 {
        let mut orphan = orphan.clone();
        orphan.started = started;
        stage.store.put(&key, &serde_json::to_vec(&orphan).unwrap(), None).await.unwrap();
    }
    wait_until(&mut handle, |snapshot| snapshot.workers().count() == 4).await;
    stage.process().restart_empty().await;
    wait_until(&mut handle, |snapshot| names(snapshot) == ["aws/a", "aws/b", "aws/c"]).await;
}

#[tokio::test]
async fn a_watch_cut_over_a_compaction_ends_in_a_full_listing() {
    let stage = Stage::etcd().await;
    let link = Link::to(&stage.etcd.as_ref().unwrap().endpoint()).await.unwrap();
    let behind_link = Registry::connect(&format!("etcd://{}", link.endpoint()), config()).await.unwrap();
    let mut handle = behind_link.follow();
    let leaver = stage.announce(&record("aws", "leaver"));
    let _stayer = stage.announce(&record("aws", "stayer"));
    wait_until(&mut handle, |snapshot| snapshot.workers().count() == 2).await;
    link.cut();
    wait_until_failing(&handle).await;
    let listings = handle.counters().listings;
    leaver.withdraw().await.unwrap();
    let newcomer = stage.announce(&record("aws", "newcomer"));
    announced(&newcomer).await.unwrap();
    let revision = stage.registry.read().await.unwrap().revision();
    stage.client().await.compact(revision, None).await.unwrap();
    assert_eq!(names(&handle.load()), ["aws/leaver", "aws/stayer"]);
    link.mend();
    wait_until(&mut handle, |snapshot| names(snapshot) == ["aws/newcomer", "aws/stayer"]).await;
    assert!(handle.counters().listings > listings);
}

#[tokio::test]
async fn a_short_cut_resumes_the_watch_without_listing_again() {
    let stage = Stage::etcd().await;
    let link = Link::to(&stage.etcd.as_ref().unwrap().endpoint()).await.unwrap();
    // Two failures in a row would be a reason to list: leave time to mend after the first.
    let patient =
        RegistryConfig { retry_floor: Duration::from_secs(2), retry_ceiling: Duration::from_secs(2), ..config() };
    let behind_link = Registry::connect(&format!("etcd://{}", link.endpoint()), patient).await.unwrap();
    let mut handle = behind_link.follow();
    wait_until(&mut handle, |snapshot| snapshot.is_synced()).await;
    let _first = stage.announce(&record("aws", "first"));
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    link.cut();
    let missed = stage.announce(&record("aws", "missed"));
    announced(&missed).await.unwrap();
    wait_until_failing(&handle).await;
    link.mend();
    wait_until(&mut handle, |snapshot| names(snapshot) == ["aws/first", "aws/missed"]).await;
    assert_eq!(handle.counters().listings, 1);
}

#[tokio::test]
async fn a_worker_cut_off_longer_than_its_lease_goes_and_comes_back() {
    let stage = Stage::etcd().await;
    let link = Link::to(&stage.etcd.as_ref().unwrap().endpoint()).await.unwrap();
    let behind_link = Registry::connect(&format!("etcd://{}", link.endpoint()), config()).await.unwrap();
    let mut handle = stage.registry.follow();
    let announcement = behind_link.announce(&record("aws", "w"), &card()).unwrap();
    announced(&announcement).await.unwrap();
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    link.cut();
    wait_until(&mut handle, |snapshot| !serves(snapshot, "aws")).await;
    wait_for_state(&announcement, |state| *state == AnnounceState::Lost).await;
    link.mend();
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    wait_for_state(&announcement, |state| *state == AnnounceState::Announced).await;
}

#[tokio::test]
async fn a_paused_etcd_is_noticed_and_followed_again() {
    let mut stage = Stage::etcd().await;
    let mut handle = stage.registry.follow();
    wait_until(&mut handle, |snapshot| snapshot.is_synced()).await;
    stage.process().pause();
    wait_until_failing(&handle).await;
    stage.process().resume();
    let _announcement = stage.announce(&record("aws", "w"));
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
}

#[tokio::test]
async fn a_dead_endpoint_beside_a_live_one_hurts_nobody() {
    let stage = Stage::etcd().await;
    let mut dead = EtcdProcess::start().await;
    dead.kill();
    let url = format!("etcd://{},{}", dead.endpoint(), stage.etcd.as_ref().unwrap().endpoint());
    let registry = Registry::connect(&url, config()).await.unwrap();
    let mut handle = registry.follow();
    let announcement = registry.announce(&record("aws", "w"), &card()).unwrap();
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    for _ in 0..20 {
        registry.read().await.unwrap();
    }
    announcement.withdraw().await.unwrap();
    wait_until(&mut handle, |snapshot| !serves(snapshot, "aws")).await;
}

#[tokio::test]
async fn withdrawing_while_etcd_is_away_ends_with_an_error() {
    let mut stage = Stage::etcd().await;
    let announcement = stage.announce(&record("aws", "w"));
    announced(&announcement).await.unwrap();
    stage.process().kill();
    let error = announcement.withdraw().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}
