//! The follower's own copy of the store: takes listings and events, gives snapshots. Plain data, one writer.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hasher},
    sync::Arc,
};

use tracing::warn;

use crate::{
    capability::Capability,
    card::{Card, Declaration},
    digest::Digest,
    error::RegistryError,
    keys::Key,
    presence::Presence,
    record::{WorkerId, WorkerRecord},
    snapshot::{Snapshot, WorkerEntry},
    store::{Entry, Event, Listing, Revision},
};

/// What one change of the mirror did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Entries that could not be read; what was known before stays.
    pub(crate) unreadable: u64,
}

/// Everything read so far. Invariant: `snapshot` shows exactly the workers whose card is known, once `commit` has run.
#[derive(Default)]
pub(crate) struct Mirror {
    /// Hash of each value that was looked at, readable or not: makes the difference to a new listing. Not the revision:
    /// a store that lost its data counts again from 1.
    seen: HashMap<String, u64>,
    workers: BTreeMap<Capability, BTreeMap<WorkerId, Held>>,
    /// Workers whose card has not come yet.
    waiting: HashMap<Digest, BTreeSet<(Capability, WorkerId)>>,
    /// Capabilities whose workers changed since the last commit.
    dirty: BTreeSet<Capability>,
    snapshot: Snapshot,
    is_changed: bool,
}

struct Held {
    record: Arc<WorkerRecord>,
    card: Option<Arc<Card>>,
}

// === impl Mirror ===

impl Mirror {
    /// Takes over a full listing by difference: what is the same stays untouched.
    pub(crate) fn reset(&mut self, listing: &Listing) -> Applied {
        let mut applied = Applied::default();
        let listed: BTreeSet<&str> = listing.entries.iter().map(|entry| entry.key.as_str()).collect();
        let gone: Vec<_> = self.seen.keys().filter(|key| !listed.contains(key.as_str())).cloned().collect();
        for key in gone {
            self.delete(&key);
        }
        for entry in &listing.entries {
            applied.count(self.put(entry));
        }
        self.snapshot.revision = listing.revision;
        self.is_changed |= !self.snapshot.is_synced;
        self.snapshot.is_synced = true;
        applied
    }

    /// Takes over changes newer than what is known; older ones are skipped.
    pub(crate) fn apply(&mut self, events: &[Event]) -> Applied {
        let mut applied = Applied::default();
        let known = self.snapshot.revision;
        for event in events.iter().filter(|event| event.revision() > known) {
            match event {
                Event::Put(entry) => applied.count(self.put(entry)),
                Event::Delete { key, .. } => self.delete(key),
            }
            self.snapshot.revision = event.revision();
        }
        applied
    }

    /// Revision of the newest change taken over.
    pub(crate) fn revision(&self) -> Revision {
        self.snapshot.revision
    }

    /// The new snapshot, when readers would see a difference.
    pub(crate) fn commit(&mut self) -> Option<Snapshot> {
        for capability in std::mem::take(&mut self.dirty) {
            let entries: Arc<[_]> = self.workers.get(&capability).into_iter().flatten().filter_map(entry_of).collect();
            let workers = Arc::make_mut(&mut self.snapshot.workers);
            if entries.is_empty() {
                workers.remove(&capability);
            } else {
                workers.insert(capability, entries);
            }
            self.is_changed = true;
        }
        self.check_invariant();
        std::mem::take(&mut self.is_changed).then(|| self.snapshot.clone())
    }

    fn put(&mut self, entry: &Entry) -> Result<(), RegistryError> {
        let hash = hash_of(&entry.value);
        if self.seen.insert(entry.key.clone(), hash) == Some(hash) {
            return Ok(());
        }
        let unreadable = |reason| RegistryError::UnreadableEntry { key: crate::error::excerpt(&entry.key), reason };
        match Key::parse(&entry.key) {
            Some(Key::Worker(capability, id)) => {
                let record = WorkerRecord::read(&entry.value, &capability, &id).map_err(unreadable)?;
                self.put_worker(record);
            }
            Some(Key::Card(digest)) => {
                let card = Card::read(&entry.value, &digest).map_err(unreadable)?;
                self.put_card(digest, Arc::new(card));
            }
            Some(Key::Declared(capability)) => {
                let declaration = Declaration::read(&entry.value).map_err(unreadable)?;
                Arc::make_mut(&mut self.snapshot.declared).insert(capability, Arc::new(declaration));
                self.is_changed = true;
            }
            Some(Key::Router(id)) => {
                let router = Presence::read(&entry.value, &id).map_err(unreadable)?;
                Arc::make_mut(&mut self.snapshot.routers).insert(id, Arc::new(router));
                self.is_changed = true;
            }
            Some(Key::Loading(capability, id)) => {
                Presence::read(&entry.value, &id).map_err(unreadable)?;
                Arc::make_mut(&mut self.snapshot.loading).entry(capability).or_default().insert(id);
                self.is_changed = true;
            }
            // The evaluator's numbers are read by those who route on them.
            Some(Key::Measured(..)) => {}
            None => return Err(unreadable("not a key of this version".to_owned())),
        }
        Ok(())
    }

    fn put_worker(&mut self, record: WorkerRecord) {
        self.remove_worker(&record.capability, &record.id);
        let card = self.snapshot.cards.get(&record.card).cloned();
        let place = (record.capability.clone(), record.id.clone());
        if card.is_none() {
            self.waiting.entry(record.card.clone()).or_default().insert(place.clone());
        }
        let held = Held { record: Arc::new(record), card };
        self.dirty.insert(place.0.clone());
        self.workers.entry(place.0).or_default().insert(place.1, held);
    }

    fn put_card(&mut self, digest: Digest, card: Arc<Card>) {
        for (capability, id) in self.waiting.remove(&digest).unwrap_or_default() {
            if let Some(held) = self.workers.get_mut(&capability).and_then(|workers| workers.get_mut(&id)) {
                held.card = Some(card.clone());
                self.dirty.insert(capability);
            }
        }
        Arc::make_mut(&mut self.snapshot.cards).insert(digest, card);
        self.is_changed = true;
    }

    fn delete(&mut self, key: &str) {
        self.seen.remove(key);
        match Key::parse(key) {
            Some(Key::Worker(capability, id)) => self.remove_worker(&capability, &id),
            // Workers that have it keep it: what an address stands for cannot become wrong.
            Some(Key::Card(digest)) => {
                self.is_changed |= Arc::make_mut(&mut self.snapshot.cards).remove(&digest).is_some();
            }
            Some(Key::Declared(capability)) => {
                self.is_changed |= Arc::make_mut(&mut self.snapshot.declared).remove(&capability).is_some();
            }
            Some(Key::Router(id)) => {
                self.is_changed |= Arc::make_mut(&mut self.snapshot.routers).remove(&id).is_some();
            }
            Some(Key::Loading(capability, id)) => self.remove_loading(&capability, &id),
            Some(Key::Measured(..)) | None => {}
        }
    }

    fn remove_worker(&mut self, capability: &Capability, id: &WorkerId) {
        let Some(workers) = self.workers.get_mut(capability) else {
            return;
        };
        let Some(held) = workers.remove(id) else {
            return;
        };
        if workers.is_empty() {
            self.workers.remove(capability);
        }
        self.dirty.insert(capability.clone());
        if let Some(waiting) = self.waiting.get_mut(&held.record.card) {
            waiting.remove(&(capability.clone(), id.clone()));
            if waiting.is_empty() {
                self.waiting.remove(&held.record.card);
            }
        }
    }

    fn remove_loading(&mut self, capability: &Capability, id: &WorkerId) {
        let loading = Arc::make_mut(&mut self.snapshot.loading);
        let Some(ids) = loading.get_mut(capability) else {
            return;
        };
        self.is_changed |= ids.remove(id);
        if ids.is_empty() {
            loading.remove(capability);
        }
    }

    fn check_invariant(&self) {
        // Not on large troops: it would cost a debug build more than the change itself.
        if cfg!(debug_assertions) && self.seen.len() < 256 {
            let shown: usize = self.snapshot.workers.values().map(|workers| workers.len()).sum();
            let with_card =
                self.workers.values().flat_map(|workers| workers.values()).filter(|held| held.card.is_some());
            assert_eq!(shown, with_card.count(), "the snapshot shows exactly the workers whose card is known");
        }
    }
}

fn hash_of(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(value);
    hasher.finish()
}

fn entry_of((_, held): (&WorkerId, &Held)) -> Option<WorkerEntry> {
    Some(WorkerEntry { record: held.record.clone(), card: held.card.clone()? })
}

// === impl Applied ===

impl Applied {
    fn count(&mut self, outcome: Result<(), RegistryError>) {
        if let Err(error) = outcome {
            warn!(%error, "ignored, keeping what was known");
            self.unreadable += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{card::tests::card, keys};

    fn entry(key: String, value: String, revision: Revision) -> Entry {
        Entry { key, value: value.into_bytes(), revision }
    }

    fn worker(capability: &str, id: &str, card: &Card, revision: Revision) -> Entry {
        let (capability, id): (Capability, WorkerId) = (capability.parse().unwrap(), id.parse().unwrap());
        let mut record = WorkerRecord::new(id, capability, format!("http://h:{revision}"), card);
        record.started = 0;
        entry(keys::worker(&record.capability, &record.id), record.to_json(), revision)
    }

    fn card_entry(card: &Card, revision: Revision) -> Entry {
        entry(keys::card(&card.digest()), card.to_json(), revision)
    }

    fn addresses(snapshot: &Snapshot, capability: &str) -> Vec<String> {
        let workers = snapshot.workers_for(&capability.parse().unwrap());
        workers.iter().map(|worker| worker.record.address.clone()).collect()
    }

    #[test]
    fn the_most_specific_capability_with_workers_wins() {
        let card = card("m");
        let mut mirror = Mirror::default();
        let entries = vec![card_entry(&card, 1), worker("aws", "a", &card, 2), worker("aws/s3", "b", &card, 3)];
        mirror.reset(&Listing { entries, revision: 3 });
        let snapshot = mirror.commit().unwrap();
        assert_eq!(addresses(&snapshot, "aws/s3"), ["http://h:3"]);
        assert_eq!(addresses(&snapshot, "aws/ec2"), ["http://h:2"]);
        assert_eq!(addresses(&snapshot, "aws"), ["http://h:2"]);
        assert!(addresses(&snapshot, "gcp").is_empty() && addresses(&snapshot, "awsome").is_empty());
        mirror.apply(&[Event::Delete {
            key: keys::worker(&"aws/s3".parse().unwrap(), &"b".parse().unwrap()),
            revision: 4,
        }]);
        assert_eq!(addresses(&mirror.commit().unwrap(), "aws/s3"), ["http://h:2"]);
    }

    #[test]
    fn a_worker_is_shown_when_its_card_has_come() {
        let card = card("m");
        let mut mirror = Mirror::default();
        mirror.apply(&[Event::Put(worker("aws", "a", &card, 1))]);
        assert_eq!(mirror.commit().unwrap().workers().count(), 0);
        mirror.apply(&[Event::Put(card_entry(&card, 2))]);
        assert_eq!(mirror.commit().unwrap().workers().count(), 1);
        assert!(mirror.waiting.is_empty());
    }

    #[test]
    fn an_unreadable_record_keeps_the_old_one_and_is_counted() {
        let card = card("m");
        let mut mirror = Mirror::default();
        mirror.apply(&[Event::Put(card_entry(&card, 1)), Event::Put(worker("aws", "a", &card, 2))]);
        mirror.commit();
        let key = worker("aws", "a", &card, 2).key;
        let applied = mirror.apply(&[Event::Put(entry(key.clone(), "{".to_owned(), 3))]);
        assert_eq!(applied.unreadable, 1);
        assert_eq!(mirror.commit(), None);
        let again = Listing { entries: vec![card_entry(&card, 1), entry(key, "{".to_owned(), 3)], revision: 9 };
        assert_eq!(mirror.reset(&again).unreadable, 0, "the same entry is not reported twice");
        mirror.apply(&[Event::Put(worker("aws", "b", &card, 10))]);
        assert_eq!(addresses(&mirror.commit().unwrap(), "aws"), ["http://h:2", "http://h:10"]);
    }

    #[test]
    fn a_card_under_a_wrong_digest_never_gets_traffic() {
        let (good, forged) = (card("m"), card("forged"));
        let mut mirror = Mirror::default();
        let lie = entry(keys::card(&good.digest()), forged.to_json(), 1);
        assert_eq!(mirror.apply(&[Event::Put(lie), Event::Put(worker("aws", "a", &good, 2))]).unreadable, 1);
        assert_eq!(mirror.commit().unwrap().workers().count(), 0);
    }

    #[test]
    fn events_older_than_the_listing_change_nothing() {
        let card = card("m");
        let mut mirror = Mirror::default();
        mirror.reset(&Listing { entries: vec![card_entry(&card, 1)], revision: 8 });
        mirror.commit();
        mirror.apply(&[Event::Put(worker("aws", "a", &card, 5))]);
        assert_eq!((mirror.commit(), mirror.revision()), (None, 8));
    }

    #[test]
    fn the_same_value_written_again_wakes_nobody() {
        let card = card("m");
        let mut mirror = Mirror::default();
        let written = worker("aws", "a", &card, 2);
        mirror.apply(&[Event::Put(card_entry(&card, 1)), Event::Put(written.clone())]);
        assert!(mirror.commit().is_some());
        mirror.apply(&[Event::Put(Entry { revision: 3, ..written })]);
        assert_eq!((mirror.commit(), mirror.revision()), (None, 3));
    }

    proptest! {
        /// Whatever happened in between, a listing brings two followers to the same view.
        #[test]
        fn a_listing_by_difference_equals_a_fresh_one(
            before in prop::collection::btree_map(0u8..12, 1i64..40, 0..12),
            after in prop::collection::btree_map(0u8..12, 1i64..80, 0..12),
        ) {
            let card = card("m");
            let listing = |workers: &std::collections::BTreeMap<u8, i64>, revision| {
                let workers = workers.iter().map(|(id, at)| worker(["aws", "aws/s3"][usize::from(id % 2)], &format!("w{id}"), &card, *at));
                Listing { entries: std::iter::once(card_entry(&card, 1)).chain(workers).collect(), revision }
            };
            let (mut old, mut fresh) = (Mirror::default(), Mirror::default());
            old.reset(&listing(&before, 40));
            old.commit();
            old.reset(&listing(&after, 80));
            fresh.reset(&listing(&after, 80));
            old.commit();
            fresh.commit();
            prop_assert_eq!(&old.snapshot, &fresh.snapshot);
        }
    }
}
