//! Threads that help when they are free.
//!
//! Why not candle's barrier pool or rayon: the first waits for every thread at every barrier, so on a machine with other work a decode step
//! of 200 barriers took eight times as long with two threads as with one; the second hands even the smallest job to another thread. Here
//! the caller does the work, and threads that happen to be awake take parts of it: nobody waits for one that never came.

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::thread::{Builder, Thread, available_parallelism};

/// Spins of a helper before it sleeps: longer than the gaps between the products of a pass.
const SPINS: u32 = 5000;

/// Spins of the caller for a helper that is still inside, before it lets others run.
const PATIENCE: u32 = 500;

/// Parts per thread: more evens out threads of unequal speed, and costs an atomic operation each.
const PARTS: usize = 8;

/// The gate: how many helpers are inside, whether the job can be joined, and above that the job's number.
const INSIDE: u64 = OPEN - 1;
const OPEN: u64 = 1 << 15;
const NUMBER: u32 = 16;

static POOL: LazyLock<&'static Pool> =
    LazyLock::new(|| Pool::start(available_parallelism().map_or(1, usize::from) - 1));

/// Splits `units` into ranges and runs `work` on each, on this thread and on those that are free; every unit is run exactly once.
///
/// # Panics
/// When `work` does.
pub(crate) fn share<F: Fn(Range<usize>) + Sync>(units: usize, work: F) {
    POOL.run(units, &work);
}

struct Pool {
    gate: AtomicU64,
    is_busy: AtomicBool,
    job: UnsafeCell<Job>,
    cursor: AtomicUsize,
    has_panicked: AtomicBool,
    asleep: Vec<AtomicBool>,
    threads: OnceLock<Vec<Thread>>,
}

// SAFETY: `job` is the only part that is not `Sync`. It is written while the gate is closed and nobody is inside, and read inside.
unsafe impl Sync for Pool {}
// SAFETY: the pointer in `job` is followed only while the caller that made it waits, see `Closing`.
unsafe impl Send for Pool {}

/// Work without its type.
#[derive(Clone, Copy)]
struct Job {
    call: unsafe fn(*const (), Range<usize>),
    work: *const (),
    units: usize,
    part: usize,
}

/// Closes the gate and waits for those inside, also when the caller's part of the work panics.
struct Closing<'a>(&'a Pool);

// === impl Pool ===

impl Pool {
    fn start(helpers: usize) -> &'static Self {
        unsafe fn nothing(_work: *const (), _range: Range<usize>) {}
        let pool: &'static Pool = Box::leak(Box::new(Pool {
            gate: AtomicU64::new(0),
            is_busy: AtomicBool::new(false),
            job: UnsafeCell::new(Job { call: nothing, work: std::ptr::null(), units: 0, part: 1 }),
            cursor: AtomicUsize::new(0),
            has_panicked: AtomicBool::new(false),
            asleep: (0..helpers).map(|_| AtomicBool::new(false)).collect(),
            threads: OnceLock::new(),
        }));
        let spawn = |index| Builder::new().name("engine-helper".into()).spawn(move || pool.help(index)).ok();
        // Fewer helpers than wished for are slower, not wrong.
        let threads = (0..helpers).map_while(spawn).map(|helper| helper.thread().clone()).collect();
        pool.threads.get_or_init(|| threads);
        pool
    }

    fn run<F: Fn(Range<usize>) + Sync>(&self, units: usize, work: &F) {
        /// # Safety
        /// `work` is a living `F`.
        unsafe fn call<F: Fn(Range<usize>)>(work: *const (), range: Range<usize>) {
            // SAFETY: the caller's promise.
            unsafe { (*work.cast::<F>())(range) }
        }
        let threads = self.threads.get().map_or(0, Vec::len) + 1;
        // A job inside a job, or beside one, is done by its own caller.
        if units < 2 || threads == 1 || self.is_busy.swap(true, Ordering::Acquire) {
            return if units > 0 {
                work(0..units)
            };
        }
        let part = units.div_ceil(threads * PARTS);
        let job = Job { call: call::<F>, work: std::ptr::from_ref(work).cast(), units, part };
        // SAFETY: this thread alone is busy, the gate is closed and nobody is inside: `Closing` saw to that last time.
        unsafe { *self.job.get() = job };
        self.cursor.store(0, Ordering::Relaxed);
        let number = (self.gate.load(Ordering::Relaxed) >> NUMBER) + 1;
        self.gate.store(number << NUMBER | OPEN, Ordering::SeqCst);
        let closing = Closing(self);
        self.wake();
        self.take_parts(job);
        drop(closing);
        assert!(!self.has_panicked.swap(false, Ordering::Relaxed), "a helper thread of the engine panicked");
    }

    fn take_parts(&self, job: Job) {
        loop {
            let from = self.cursor.fetch_add(job.part, Ordering::Relaxed);
            if from >= job.units {
                return;
            }
            // SAFETY: the caller of `run` keeps the work alive until the gate is closed and everybody has left.
            unsafe { (job.call)(job.work, from..job.units.min(from + job.part)) };
        }
    }

    fn wake(&self) {
        for (thread, asleep) in self.threads.get().into_iter().flatten().zip(&self.asleep) {
            if asleep.load(Ordering::SeqCst) && asleep.swap(false, Ordering::SeqCst) {
                thread.unpark();
            }
        }
    }

    fn help(&self, index: usize) {
        let mut last = 0;
        loop {
            last = self.enter(index, last);
            // SAFETY: this thread is inside, so the job stays as it is.
            let job = unsafe { *self.job.get() };
            if catch_unwind(AssertUnwindSafe(|| self.take_parts(job))).is_err() {
                self.has_panicked.store(true, Ordering::Relaxed);
            }
            self.gate.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits for a job after number `last` and goes inside; gives its number.
    fn enter(&self, index: usize, last: u64) -> u64 {
        loop {
            for _ in 0..SPINS {
                let gate = self.gate.load(Ordering::Acquire);
                let has_news = gate & OPEN != 0 && gate >> NUMBER != last;
                if has_news && self.gate.compare_exchange(gate, gate + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                    return gate >> NUMBER;
                }
                spin_loop();
            }
            self.asleep[index].store(true, Ordering::SeqCst);
            // Whoever opens the gate after this look sees that this thread sleeps, and wakes it.
            if self.gate.load(Ordering::SeqCst) & OPEN == 0 {
                std::thread::park();
            }
            self.asleep[index].store(false, Ordering::SeqCst);
        }
    }
}

// === impl Closing ===

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.gate.fetch_and(!OPEN, Ordering::AcqRel);
        let mut spins = 0;
        while self.0.gate.load(Ordering::Acquire) & INSIDE != 0 {
            spins += 1;
            if spins < PATIENCE { spin_loop() } else { std::thread::yield_now() }
        }
        self.0.is_busy.store(false, Ordering::Release);
    }
}

/// A slice of which threads write disjoint parts.
pub(super) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: `Shared::part` makes its callers promise that parts are disjoint.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

// === impl Shared ===

impl<'a, T> Shared<'a, T> {
    pub(super) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), borrow: PhantomData }
    }

    /// # Panics
    /// When the range is not inside the slice.
    ///
    /// # Safety
    /// No two living parts overlap.
    #[expect(clippy::mut_from_ref, reason = "the caller promises that parts are disjoint")]
    pub(super) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "a part is inside its slice");
        // SAFETY: in bounds, as just asserted; unaliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.end - range.start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_run_exactly_once() {
        let pool = Pool::start(3);
        for units in (0..200).chain([10_000]) {
            let counts: Vec<AtomicUsize> = (0..units).map(|_| AtomicUsize::new(0)).collect();
            pool.run(units, &|range: Range<usize>| {
                for unit in range {
                    counts[unit].fetch_add(1, Ordering::Relaxed);
                }
            });
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{units} units");
        }
    }

    #[test]
    fn a_job_inside_a_job_is_done() {
        let pool = Pool::start(2);
        let sum = AtomicUsize::new(0);
        pool.run(8, &|outer: Range<usize>| {
            let add = |inner: Range<usize>| {
                sum.fetch_add(inner.len(), Ordering::Relaxed);
            };
            outer.for_each(|_| pool.run(10, &add));
        });
        assert_eq!(sum.into_inner(), 80);
    }

    #[test]
    fn a_panic_comes_to_the_caller_and_the_pool_lives_on() {
        let pool = Pool::start(2);
        for bad in [0, 50, 99] {
            let work = |range: Range<usize>| assert!(!range.contains(&bad), "unit {bad}");
            assert!(catch_unwind(AssertUnwindSafe(|| pool.run(100, &work))).is_err());
        }
        let done = AtomicUsize::new(0);
        pool.run(100, &|range: Range<usize>| {
            done.fetch_add(range.len(), Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), 100);
    }

    #[test]
    fn callers_beside_each_other_all_get_their_work_done() {
        let pool = Pool::start(2);
        let call = || {
            for _ in 0..500 {
                let done = AtomicUsize::new(0);
                let work = |range: Range<usize>| _ = done.fetch_add(range.len(), Ordering::Relaxed);
                pool.run(37, &work);
                assert_eq!(done.into_inner(), 37);
            }
        };
        std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(call)));
    }
}
