//! What the memory store knows, as plain data without tasks or locks.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use silverback_proto::ErrorCode;
use tokio::time::Instant;

use crate::{
    error::{RegistryError, StoreFault},
    store::{Claim, Entry, Event, LeaseId, Listing, Revision},
};

/// Events kept for watches that lag; about 10 MB of records. Older ones are compacted away by themselves.
const MAX_HISTORY: usize = 16 * 1024;

pub(super) struct State {
    revision: Revision,
    /// First revision whose events are still known.
    oldest: Revision,
    entries: BTreeMap<String, Held>,
    leases: BTreeMap<LeaseId, Granted>,
    granted: i64,
    history: VecDeque<Event>,
}

struct Held {
    value: Vec<u8>,
    revision: Revision,
    lease: Option<LeaseId>,
}

struct Granted {
    ttl: Duration,
    deadline: Instant,
    keys: BTreeSet<String>,
}

// === impl State ===

impl State {
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    pub(super) fn list(&self, prefix: &str) -> Listing {
        let under = self.entries.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        Listing { entries: under.map(|(key, held)| held.entry(key)).collect(), revision: self.revision }
    }

    pub(super) fn get(&self, key: &str) -> Option<Entry> {
        self.entries.get(key).map(|held| held.entry(key))
    }

    pub(super) fn put(&mut self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<(), StoreFault> {
        self.check_lease(lease)?;
        self.detach(key);
        if let Some(granted) = lease.and_then(|lease| self.leases.get_mut(&lease)) {
            granted.keys.insert(key.to_owned());
        }
        self.revision += 1;
        let held = Held { value: value.to_vec(), revision: self.revision, lease };
        self.remember(Event::Put(held.entry(key)));
        self.entries.insert(key.to_owned(), held);
        self.check_invariant();
        Ok(())
    }

    pub(super) fn delete(&mut self, key: &str) {
        if self.entries.contains_key(key) {
            self.revision += 1;
            self.remove(key);
        }
    }

    pub(super) fn claim(&mut self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<Claim, StoreFault> {
        match self.entries.get(key) {
            Some(held) if held.value != value => return Ok(Claim::Refused(held.value.clone())),
            Some(_) if lease.is_none() => return Ok(Claim::Owned),
            _ => {}
        }
        self.put(key, value, lease)?;
        Ok(Claim::Owned)
    }

    pub(super) fn release(&mut self, key: &str, value: &[u8]) -> bool {
        let is_owner = self.entries.get(key).is_some_and(|held| held.value == value);
        if is_owner {
            self.delete(key);
        }
        is_owner
    }

    pub(super) fn grant(&mut self, ttl: Duration, now: Instant) -> LeaseId {
        self.granted += 1;
        let lease = LeaseId(self.granted);
        self.leases.insert(lease, Granted { ttl, deadline: now + ttl, keys: BTreeSet::new() });
        lease
    }

    /// `false`: no such lease. One whose time is over is treated as gone even before its task has woken.
    pub(super) fn renew(&mut self, lease: LeaseId, now: Instant) -> bool {
        self.expire(lease, now);
        let Some(granted) = self.leases.get_mut(&lease) else {
            return false;
        };
        granted.deadline = now + granted.ttl;
        true
    }

    pub(super) fn deadline(&self, lease: LeaseId) -> Option<Instant> {
        self.leases.get(&lease).map(|granted| granted.deadline)
    }

    pub(super) fn expire(&mut self, lease: LeaseId, now: Instant) {
        if self.leases.get(&lease).is_some_and(|granted| granted.deadline <= now) {
            self.revoke(lease);
        }
    }

    /// All keys of the lease go in one revision, as in etcd.
    pub(super) fn revoke(&mut self, lease: LeaseId) {
        let Some(granted) = self.leases.remove(&lease) else {
            return;
        };
        if !granted.keys.is_empty() {
            self.revision += 1;
        }
        for key in granted.keys {
            self.remove(&key);
        }
        self.check_invariant();
    }

    pub(super) fn compact(&mut self, revision: Revision) {
        self.oldest = self.oldest.max(revision.min(self.revision + 1));
        while self.history.front().is_some_and(|event| event.revision() < self.oldest) {
            self.history.pop_front();
        }
    }

    /// Events under `prefix` from `from` on, and the newest revision.
    pub(super) fn history(&self, prefix: &str, from: Revision) -> Result<(Vec<Event>, Revision), RegistryError> {
        if from < self.oldest || from > self.revision + 1 {
            return Err(RegistryError::HistoryLost { from });
        }
        let start = self.history.partition_point(|event| event.revision() < from);
        let wanted = self.history.range(start..).filter(|event| event.key().starts_with(prefix));
        Ok((wanted.cloned().collect(), self.revision))
    }

    fn check_lease(&self, lease: Option<LeaseId>) -> Result<(), StoreFault> {
        match lease {
            Some(lease) if !self.leases.contains_key(&lease) => {
                Err(StoreFault::new(ErrorCode::NotFound, "requested lease not found"))
            }
            _ => Ok(()),
        }
    }

    /// Takes the key from its lease.
    fn detach(&mut self, key: &str) {
        let lease = self.entries.get(key).and_then(|held| held.lease);
        if let Some(granted) = lease.and_then(|lease| self.leases.get_mut(&lease)) {
            granted.keys.remove(key);
        }
    }

    /// Removes a key at the current revision.
    fn remove(&mut self, key: &str) {
        self.detach(key);
        self.entries.remove(key);
        self.remember(Event::Delete { key: key.to_owned(), revision: self.revision });
    }

    fn remember(&mut self, event: Event) {
        self.history.push_back(event);
        if self.history.len() > MAX_HISTORY {
            let dropped = self.history[0].revision();
            self.compact(dropped + 1);
        }
    }

    /// Every leased entry is in its lease's set, and no revision is ahead of the store's.
    fn check_invariant(&self) {
        if cfg!(debug_assertions) && self.entries.len() < 256 {
            for (key, held) in &self.entries {
                assert!(held.revision <= self.revision, "{key} is ahead of the store");
                let of_lease = held.lease.and_then(|lease| self.leases.get(&lease));
                assert!(held.lease.is_none() || of_lease.is_some_and(|granted| granted.keys.contains(key)), "{key}");
            }
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            revision: 1,
            oldest: 1,
            entries: BTreeMap::new(),
            leases: BTreeMap::new(),
            granted: 0,
            history: VecDeque::new(),
        }
    }
}

// === impl Held ===

impl Held {
    fn entry(&self, key: &str) -> Entry {
        Entry { key: key.to_owned(), value: self.value.clone(), revision: self.revision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_bounded_and_a_watch_from_before_is_told_so() {
        let mut state = State::default();
        for _ in 0..MAX_HISTORY + 10 {
            state.put("k", b"v", None).unwrap();
        }
        assert_eq!(state.history.len(), MAX_HISTORY);
        assert!(matches!(state.history("k", 2), Err(RegistryError::HistoryLost { from: 2 })));
        assert_eq!(state.history("k", state.revision()).unwrap().0.len(), 1);
    }

    #[test]
    fn a_key_that_moved_to_another_lease_outlives_the_first() {
        let mut state = State::default();
        let now = Instant::now();
        let (first, second) = (state.grant(Duration::ZERO, now), state.grant(Duration::MAX / 4, now));
        state.put("k", b"v", Some(first)).unwrap();
        assert_eq!(state.claim("k", b"v", Some(second)).unwrap(), Claim::Owned);
        state.expire(first, now);
        assert!(state.get("k").is_some());
        state.revoke(second);
        assert!(state.get("k").is_none());
    }

    #[test]
    fn a_lease_whose_time_is_over_cannot_be_renewed() {
        let mut state = State::default();
        let now = Instant::now();
        let lease = state.grant(Duration::from_secs(1), now);
        assert!(state.renew(lease, now + Duration::from_millis(999)));
        assert!(!state.renew(lease, now + Duration::from_secs(2)));
    }
}
