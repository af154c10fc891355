//! Keeps what was read last, up to a number of bytes.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;

/// What knows its size.
pub(super) trait Weigh {
    /// Bytes that go when this goes, near enough. May grow while it is kept.
    fn bytes(&self) -> usize;
}

/// Values by key, the longest unused leave first. A budget in bytes, not a number of things: one EC2 weighs as much as a hundred
/// other services.
#[derive(Debug)]
pub(super) struct Kept<K: Hash + Eq, V> {
    budget: usize,
    values: Mutex<LruCache<K, V>>,
}

// === impl Kept ===

impl<K: Hash + Eq, V: Weigh + Clone> Kept<K, V> {
    pub fn new(budget: usize) -> Self {
        Self { budget, values: Mutex::new(LruCache::unbounded()) }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Keeps a value and gives the one that is kept: whoever came first. Even one over the budget stays until the next comes.
    pub fn keep(&self, key: K, value: V) -> V {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = values.get_or_insert(key, || value).clone();
        // Weighed anew each time: values grow. A thousand take a microsecond or two, beside a disk read.
        let mut total: usize = values.iter().map(|(_, value)| value.bytes()).sum();
        while total > self.budget && values.len() > 1 {
            let Some((_, gone)) = values.pop_lru() else { break };
            total -= gone.bytes().min(total);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug, Clone)]
    struct Growing(Arc<AtomicUsize>);

    impl Weigh for Growing {
        fn bytes(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn of(bytes: usize) -> Growing {
        Growing(Arc::new(AtomicUsize::new(bytes)))
    }

    #[test]
    fn the_longest_unused_leave_when_the_budget_is_used_up() {
        let kept = Kept::new(100);
        for key in 0..10 {
            kept.keep(key, of(30));
            assert!(kept.get(&0).is_some(), "it was used just now");
        }
        assert_eq!((0..10).filter(|key| kept.get(key).is_some()).collect::<Vec<_>>(), [0, 8, 9]);
    }

    #[test]
    fn what_grew_while_it_was_kept_is_weighed_anew() {
        let kept = Kept::new(100);
        let first = kept.keep(1, of(10));
        kept.keep(2, of(10));
        first.0.store(1000, Ordering::Relaxed);
        kept.keep(3, of(10));
        assert!(kept.get(&1).is_none());
        assert!(kept.get(&2).is_some() && kept.get(&3).is_some());
    }

    #[test]
    fn one_alone_may_be_over_the_budget_and_the_first_of_two_stays() {
        let kept = Kept::new(100);
        kept.keep(1, of(500));
        assert_eq!(kept.keep(1, of(7)).bytes(), 500);
        kept.keep(2, of(1));
        assert!(kept.get(&1).is_none());
    }
}
