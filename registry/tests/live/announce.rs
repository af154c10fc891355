//! What announcing promises, on both stores.

use std::time::Duration;

use silverback_registry::{AnnounceState, RegistryError, keys, testing::eventually};

use crate::{DEADLINE, Stage, announced, card, names, on_both_stores, record, serves, wait_for_state, wait_until};

on_both_stores!(
    an_announced_worker_is_seen_with_its_card,
    a_second_owner_is_refused_until_the_first_leaves,
    withdraw_removes_at_once,
    a_dropped_announcement_withdraws,
    a_worker_whose_lease_was_revoked_is_announced_again,
    a_key_deleted_by_hand_is_announced_again,
    a_worker_stays_for_many_times_its_lease,
    a_damaged_card_is_repaired,
    one_process_announces_several_capabilities,
);

async fn an_announced_worker_is_seen_with_its_card(stage: Stage) {
    let mut handle = stage.registry.follow();
    let record = record("aws", "w");
    let announcement = stage.announce(&record);
    announced(&announcement).await.unwrap();
    let snapshot = wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    let worker = &snapshot.workers_for(&record.capability)[0];
    assert_eq!((&*worker.record, &*worker.card), (&record, &card()));
    assert_eq!(snapshot.card(&record.card).map(|card| (**card).clone()), Some(card()));
    assert_eq!(announcement.state(), AnnounceState::Announced);
}

async fn a_second_owner_is_refused_until_the_first_leaves(stage: Stage) {
    let first = record("aws", "w");
    let mut second = first.clone();
    second.address = "http://127.0.0.1:7002".to_owned();
    second.started += 1;
    let holder = stage.announce(&first);
    announced(&holder).await.unwrap();
    let rival = stage.announce(&second);
    let error = announced(&rival).await.unwrap_err();
    assert!(matches!(&error, RegistryError::AlreadyOwned { owner, .. } if *owner == first.address), "{error}");
    let held = stage.store.get(&keys::worker(&first.capability, &first.id)).await.unwrap().unwrap();
    assert!(String::from_utf8(held.value).unwrap().contains("7001"));
    holder.withdraw().await.unwrap();
    wait_for_state(&rival, |state| *state == AnnounceState::Announced).await;
}

async fn withdraw_removes_at_once(stage: Stage) {
    let mut handle = stage.registry.follow();
    let record = record("aws", "w");
    let announcement = stage.announce(&record);
    let states = announcement.states();
    announced(&announcement).await.unwrap();
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    announcement.withdraw().await.unwrap();
    assert_eq!(stage.store.get(&keys::worker(&record.capability, &record.id)).await.unwrap(), None);
    assert_eq!(*states.borrow(), AnnounceState::Withdrawn);
    wait_until(&mut handle, |snapshot| !serves(snapshot, "aws")).await;
}

async fn a_dropped_announcement_withdraws(stage: Stage) {
    let record = record("aws", "w");
    let announcement = stage.announce(&record);
    announced(&announcement).await.unwrap();
    let mut states = announcement.states();
    drop(announcement);
    let withdrawn = states.wait_for(|state| *state == AnnounceState::Withdrawn);
    tokio::time::timeout(DEADLINE, withdrawn).await.unwrap().unwrap();
    assert_eq!(stage.store.get(&keys::worker(&record.capability, &record.id)).await.unwrap(), None);
}

async fn a_worker_whose_lease_was_revoked_is_announced_again(stage: Stage) {
    let mut handle = stage.registry.follow();
    let announcement = stage.announce(&record("aws", "w"));
    announced(&announcement).await.unwrap();
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    stage.revoke_all_leases().await;
    wait_until(&mut handle, |snapshot| !serves(snapshot, "aws")).await;
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    wait_for_state(&announcement, |state| *state == AnnounceState::Announced).await;
}

async fn a_key_deleted_by_hand_is_announced_again(stage: Stage) {
    let mut handle = stage.registry.follow();
    let record = record("aws", "w");
    let announcement = stage.announce(&record);
    announced(&announcement).await.unwrap();
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    stage.store.delete(&keys::worker(&record.capability, &record.id)).await.unwrap();
    wait_until(&mut handle, |snapshot| !serves(snapshot, "aws")).await;
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    drop(announcement);
}

/// A lease that nobody renews is the clock here: it is granted after the worker's, several times over.
async fn a_worker_stays_for_many_times_its_lease(stage: Stage) {
    let record = record("aws", "w");
    let key = keys::worker(&record.capability, &record.id);
    let announcement = stage.announce(&record);
    announced(&announcement).await.unwrap();
    let written = stage.store.get(&key).await.unwrap().unwrap().revision;
    for _ in 0..3 {
        let (clock, _) = stage.store.grant(Duration::from_secs(1)).await.unwrap();
        stage.store.put("/clock", b"", Some(clock)).await.unwrap();
        eventually("the clock runs out", DEADLINE, async || stage.store.get("/clock").await.unwrap().is_none()).await;
    }
    assert_eq!(stage.store.get(&key).await.unwrap().unwrap().revision, written, "never lost, never written again");
    assert_eq!(announcement.state(), AnnounceState::Announced);
}

async fn a_damaged_card_is_repaired(stage: Stage) {
    let record = record("aws", "w");
    stage.store.put(&keys::card(&record.card), b"{}", None).await.unwrap();
    let mut handle = stage.registry.follow();
    let _announcement = stage.announce(&record);
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
}

async fn one_process_announces_several_capabilities(stage: Stage) {
    let mut handle = stage.registry.follow();
    let capabilities = ["aws", "aws/s3", "kubernetes"];
    let announcements: Vec<_> = capabilities.iter().map(|name| stage.announce(&record(name, "w"))).collect();
    let snapshot = wait_until(&mut handle, |snapshot| snapshot.workers().count() == 3).await;
    assert_eq!(snapshot.capabilities().map(|name| name.as_str()).collect::<Vec<_>>(), capabilities);
    let (last, others) = (announcements.into_iter().next_back().unwrap(), 2);
    last.withdraw().await.unwrap();
    let snapshot = wait_until(&mut handle, |snapshot| !serves(snapshot, "kubernetes")).await;
    assert!(snapshot.workers().count() <= others, "{:?}", names(&snapshot));
}

#[tokio::test]
async fn parts_that_do_not_belong_together_are_refused() {
    let stage = Stage::memory().await;
    let mut other = card();
    other.model = "another".to_owned();
    let error = stage.registry.announce(&record("aws", "w"), &other).unwrap_err();
    assert!(matches!(error, RegistryError::InvalidRecord { .. }), "{error}");
    let mut nowhere = record("aws", "w");
    nowhere.address = "127.0.0.1:7001".to_owned();
    let error = stage.registry.announce(&nowhere, &card()).unwrap_err();
    assert!(error.to_string().contains("http://host:port"), "{error}");
}
