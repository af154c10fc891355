//! What following promises, on both stores.

use std::time::Duration;

use silverback_registry::{Capability, Declaration, Presence, keys, testing::eventually};

use crate::{DEADLINE, Stage, announced, card, config, names, on_both_stores, record, serves, wait_until};

on_both_stores!(
    a_new_follower_sees_what_was_there_before,
    two_followers_see_the_same,
    an_unreadable_record_keeps_the_old_one,
    hostile_entries_are_counted_and_hurt_nobody,
    declared_capabilities_come_and_go,
    routers_and_loading_workers_come_and_go,
    readers_keep_the_snapshot_they_took,
    reading_once_equals_following,
    a_snapshot_that_nothing_changes_stays_young,
);

async fn a_new_follower_sees_what_was_there_before(stage: Stage) {
    let _announcements = ["a", "b"].map(|id| stage.announce(&record("aws", id)));
    let mut first = stage.registry.follow();
    wait_until(&mut first, |snapshot| snapshot.workers().count() == 2).await;
    let mut second = stage.registry.follow();
    let synced = wait_until(&mut second, |snapshot| snapshot.is_synced()).await;
    assert_eq!(names(&synced), ["aws/a", "aws/b"]);
    assert!(second.age().is_some());
}

async fn two_followers_see_the_same(stage: Stage) {
    let (mut early, mut announcements) = (stage.registry.follow(), Vec::new());
    for number in 0..12 {
        announcements.push(stage.announce(&record(["aws", "aws/s3", "finance"][number % 3], &format!("w{number}"))));
    }
    wait_until(&mut early, |snapshot| snapshot.workers().count() == 12).await;
    let mut late = stage.registry.follow();
    for announcement in announcements.drain(..5) {
        announcement.withdraw().await.unwrap();
    }
    let early = wait_until(&mut early, |snapshot| snapshot.workers().count() == 7).await;
    let late = wait_until(&mut late, |snapshot| snapshot.workers().count() == 7).await;
    assert_eq!(early.workers().collect::<Vec<_>>(), late.workers().collect::<Vec<_>>());
    assert_eq!(*early, *late);
}

async fn an_unreadable_record_keeps_the_old_one(stage: Stage) {
    let written = record("aws", "w");
    let key = keys::worker(&written.capability, &written.id);
    let json = serde_json::to_vec(&written).unwrap();
    stage.store.put(&keys::card(&written.card), card().to_json().as_bytes(), None).await.unwrap();
    stage.store.put(&key, &json, None).await.unwrap();
    let mut handle = stage.registry.follow();
    wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    stage.store.put(&key, b"\xff not a record", None).await.unwrap();
    let _marker = stage.announce(&record("marker", "w"));
    let snapshot = wait_until(&mut handle, |snapshot| serves(snapshot, "marker")).await;
    assert_eq!(*snapshot.workers_for(&written.capability)[0].record, written);
    assert_eq!(handle.counters().unreadable, 1);
    stage.store.delete(&key).await.unwrap();
    wait_until(&mut handle, |snapshot| !serves(snapshot, "aws")).await;
}

async fn hostile_entries_are_counted_and_hurt_nobody(stage: Stage) {
    let victim = record("aws", "victim");
    let huge = vec![b'x'; 200_000];
    let hostile: [(String, &[u8]); 6] = [
        (keys::worker(&victim.capability, &"huge".parse().unwrap()), &huge),
        (format!("{}workers/AWS/w", keys::PREFIX), b"{}"),
        (format!("{}workers/aws/aws/aws/aws/aws/aws/aws/aws/aws/aws/aws/aws/aws/aws/aws/aws/w", keys::PREFIX), b"{}"),
        (format!("{}cards/sha256:00", keys::PREFIX), b"{}"),
        (format!("{}nonsense", keys::PREFIX), b""),
        (keys::declared(&victim.capability), &[b'['; 5000]),
    ];
    for (key, value) in &hostile {
        stage.store.put(key, value, None).await.unwrap();
    }
    let _announcement = stage.announce(&victim);
    let mut handle = stage.registry.follow();
    let snapshot = wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    assert_eq!(names(&snapshot), ["aws/victim"]);
    assert_eq!(handle.counters().unreadable, 6);
}

async fn declared_capabilities_come_and_go(stage: Stage) {
    let mut handle = stage.registry.follow();
    let gcp: Capability = "gcp".parse().unwrap();
    let declaration = Declaration { description: "Google Cloud".to_owned(), examples: vec![] };
    stage.registry.declare(&gcp, &declaration).await.unwrap();
    let snapshot = wait_until(&mut handle, |snapshot| snapshot.declared().count() == 1).await;
    assert_eq!(snapshot.declared().collect::<Vec<_>>(), [(&gcp, &declaration)]);
    assert!(!serves(&snapshot, "gcp"));
    stage.registry.undeclare(&gcp).await.unwrap();
    wait_until(&mut handle, |snapshot| snapshot.declared().count() == 0).await;
}

async fn routers_and_loading_workers_come_and_go(stage: Stage) {
    let mut handle = stage.registry.follow();
    let (gcp, process): (Capability, _) = ("gcp".parse().unwrap(), Presence::at("http://127.0.0.1:7411").unwrap());
    let router = stage.registry.announce_router(&process);
    let loading = stage.registry.announce_loading(&gcp, &process);
    let snapshot =
        wait_until(&mut handle, |snapshot| snapshot.router(&process.id).is_some() && snapshot.is_loading("gcp"));
    let snapshot = snapshot.await;
    assert_eq!(snapshot.routers().collect::<Vec<_>>(), [&process]);
    assert!(!serves(&snapshot, "gcp") && !snapshot.has_workers("gcp"), "who loads serves nothing yet");
    loading.withdraw().await.unwrap();
    wait_until(&mut handle, |snapshot| !snapshot.is_loading("gcp")).await;
    router.withdraw().await.unwrap();
    wait_until(&mut handle, |snapshot| snapshot.routers().count() == 0).await;
}

async fn readers_keep_the_snapshot_they_took(stage: Stage) {
    let mut handle = stage.registry.follow();
    let announcement = stage.announce(&record("aws", "w"));
    let taken = wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    announcement.withdraw().await.unwrap();
    let newer = wait_until(&mut handle, |snapshot| !serves(snapshot, "aws")).await;
    assert!(serves(&taken, "aws") && newer.revision() > taken.revision());
}

async fn reading_once_equals_following(stage: Stage) {
    let mut handle = stage.registry.follow();
    let _announcement = stage.announce(&record("aws", "w"));
    let followed = wait_until(&mut handle, |snapshot| serves(snapshot, "aws")).await;
    assert_eq!(names(&stage.registry.read().await.unwrap()), names(&followed));
}

async fn a_snapshot_that_nothing_changes_stays_young(stage: Stage) {
    let mut handle = stage.registry.follow();
    wait_until(&mut handle, |snapshot| snapshot.is_synced()).await;
    let half_second = Duration::from_millis(500);
    for _ in 0..2 {
        eventually("it ages", DEADLINE, async || handle.age().unwrap() > half_second).await;
        eventually("it is confirmed", DEADLINE, async || handle.age().unwrap() < half_second).await;
    }
    assert_eq!((handle.counters().listings, handle.counters().failures), (1, 0));
}

#[tokio::test]
async fn clones_of_a_memory_registry_share_it_and_two_connections_do_not() {
    use silverback_registry::Registry;
    let registry = Registry::connect("memory:", config()).await.unwrap();
    let other = Registry::connect("memory:", config()).await.unwrap();
    let announcement = registry.clone().announce(&record("aws", "w"), &card()).unwrap();
    announced(&announcement).await.unwrap();
    assert!(serves(&registry.read().await.unwrap(), "aws"));
    assert!(!serves(&other.read().await.unwrap(), "aws"));
}
