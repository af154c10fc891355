//! Who serves what in this process now: read by every step, changed when a catalogue is added or removed.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, PoisonError, RwLock},
};

use crate::specialist::Specialist;

/// Replaced specialists whose packs can still be fetched: the answers they gave may be on their way. A bigger value keeps old packs'
/// indexes (some MB each) longer.
const KEPT_RETIRED: usize = 4;

/// Specialists by capability.
#[derive(Default)]
pub struct Roster {
    seats: RwLock<Seats>,
}

#[derive(Default)]
struct Seats {
    serving: BTreeMap<String, Arc<Specialist>>,
    retired: VecDeque<Arc<Specialist>>,
}

// === impl Roster ===

impl Roster {
    /// A roster of those that serve from the start.
    pub fn new(specialists: Vec<Arc<Specialist>>) -> Self {
        let roster = Self::default();
        for specialist in specialists {
            roster.seat(specialist);
        }
        roster
    }

    /// Lets a specialist serve its capability, in place of another if there is one.
    pub fn seat(&self, specialist: Arc<Specialist>) {
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        let before = seats.serving.insert(specialist.specialty().capability.clone(), specialist);
        seats.retire(before);
    }

    /// Nobody serves this capability any more.
    pub fn unseat(&self, capability: &str) {
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        let before = seats.serving.remove(capability);
        seats.retire(before);
    }

    /// The most specific specialist for a capability: `aws` also serves `aws/s3`.
    pub fn serving(&self, capability: &str) -> Option<Arc<Specialist>> {
        let seats = self.seats.read().unwrap_or_else(PoisonError::into_inner);
        let mut name = capability;
        loop {
            if let Some(found) = seats.serving.get(name) {
                return Some(found.clone());
            }
            (name, _) = name.rsplit_once('/')?;
        }
    }

    /// Who uses the pack of this digest, or did a moment ago, and which of its packs it is.
    pub fn using(&self, digest: &str) -> Option<(Arc<Specialist>, usize)> {
        let seats = self.seats.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = seats.serving.values().chain(&seats.retired);
        all.find_map(|specialist| {
            let number = specialist.catalogue().packs().iter().position(|pack| pack.digest() == digest)?;
            Some((specialist.clone(), number))
        })
    }
}

// === impl Seats ===

impl Seats {
    fn retire(&mut self, before: Option<Arc<Specialist>>) {
        self.retired.extend(before);
        while self.retired.len() > KEPT_RETIRED {
            self.retired.pop_front();
        }
    }
}
