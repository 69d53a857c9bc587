//! Threads that stay together for a while: many short parallel loops follow each other without anyone falling asleep between
//! them. To wake a thread up takes 0.05 to 0.2 ms, as long as a convolution of a small map.
//!
//! The threads are those of rayon's pool. One leads: it alone begins loops. The others take indices of the loop that is
//! there, or wait for the next one without sleeping, until the leader is done with all of them. A helper that comes late or
//! never, since its thread has other work, is missed by nobody: the leader takes what is left.

use core::cell::Cell;
use core::hint::spin_loop;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::SeqCst};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::yield_now;

/// Looks after which who waits lets other programs have the core for a moment.
const LOOKS: usize = 1 << 10;

/// Waits until there is something to see, awake.
fn wait(mut sees: impl FnMut() -> bool) {
    let mut looks = 0_usize;
    while !sees() {
        looks += 1;
        match looks % LOOKS {
            0 => yield_now(),
            _ => spin_loop(),
        }
    }
}

thread_local! {
    static PART: Cell<Part> = const { Cell::new(Part::None) };
}

/// What this thread does in a team.
#[derive(Clone, Copy)]
enum Part {
    None,
    Leads(NonNull<Team>),
    /// An index of a loop; a loop within it is its own.
    Works,
}

/// Has a part until it is dropped, also by a panic.
struct Has(Part);

impl Has {
    fn now(part: Part) -> Self {
        Self(PART.replace(part))
    }
}

impl Drop for Has {
    fn drop(&mut self) {
        PART.set(self.0);
    }
}

#[derive(Default)]
struct Team {
    /// The loop that is there, or null.
    job: AtomicPtr<Job<'static>>,
    /// Helpers that may know it.
    inside: AtomicUsize,
    ended: AtomicBool,
}

/// A parallel loop.
struct Job<'a> {
    body: &'a (dyn Fn(usize) + Sync),
    count: usize,
    /// The next index to be taken.
    next: AtomicUsize,
    panicked: AtomicBool,
}

impl Job<'_> {
    /// Takes indices until there are none.
    fn work(&self) {
        loop {
            let index = self.next.fetch_add(1, SeqCst);
            if index >= self.count {
                return;
            }
            (self.body)(index);
        }
    }
}

/// Takes a loop away as soon as nobody is in it any more, also by a panic.
struct Closing<'a>(&'a Team, &'a Job<'a>);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        // whatever was not taken stays undone: after a panic there may be some
        self.1.next.store(self.1.count, SeqCst);
        self.0.job.store(ptr::null_mut(), SeqCst);
        // a helper counts itself before it looks for a loop, so that it is waited for or finds none
        wait(|| self.0.inside.load(SeqCst) == 0);
    }
}

impl Team {
    /// The leader's part of a loop.
    fn run(&self, count: usize, body: &(dyn Fn(usize) + Sync)) {
        let job = Job {
            body,
            count,
            next: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
        };
        {
            let _closing = Closing(self, &job);
            let _works = Has::now(Part::Works);
            self.job
                .store(ptr::from_ref(&job).cast_mut().cast(), SeqCst);
            job.work();
        }
        assert!(!job.panicked.load(SeqCst), "a parallel loop panicked");
    }

    /// A helper's part of all loops.
    fn help(&self) {
        let _works = Has::now(Part::Works);
        let is_there = || !self.job.load(SeqCst).is_null();
        loop {
            wait(|| is_there() || self.ended.load(SeqCst));
            if self.ended.load(SeqCst) {
                return;
            }
            self.inside.fetch_add(1, SeqCst);
            // SAFETY: the leader keeps the loop until nobody is inside.
            if let Some(job) = unsafe { self.job.load(SeqCst).as_ref() }
                && catch_unwind(AssertUnwindSafe(|| job.work())).is_err()
            {
                job.panicked.store(true, SeqCst);
            }
            self.inside.fetch_sub(1, SeqCst);
            spin_loop();
        }
    }
}

/// Runs `body` as the leader of a team of all threads of the pool.
pub fn lead<R: Send>(body: impl FnOnce() -> R + Send) -> R {
    if rayon::current_num_threads() == 1 || !matches!(PART.get(), Part::None) {
        return body();
    }
    let team = Team::default();
    let outcome = rayon::scope(|scope| {
        scope.spawn_broadcast(|_, _| team.help());
        let _leads = Has::now(Part::Leads(NonNull::from(&team)));
        let outcome = catch_unwind(AssertUnwindSafe(body));
        team.ended.store(true, SeqCst);
        outcome
    });
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Calls `body(i)` for each `i` in `0..count` if this thread leads a team; whether it does.
pub fn shared(count: usize, body: &(dyn Fn(usize) + Sync)) -> bool {
    let Part::Leads(team) = PART.get() else {
        return false;
    };
    // SAFETY: the team lives until its leader is done.
    unsafe { team.as_ref() }.run(count, body);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::AtomicU64;

    fn pool(threads: usize) -> rayon::ThreadPool {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap()
    }

    #[test]
    fn every_index_is_taken_once_in_each_of_many_loops() {
        for threads in [1, 2, 5] {
            pool(threads).install(|| {
                let taken: Vec<AtomicU64> = (0..40).map(|_| AtomicU64::new(0)).collect();
                let take = |index: usize| {
                    taken[index].fetch_add(1, SeqCst);
                };
                lead(|| {
                    for round in 0..2000 {
                        let led = shared(round % 41, &take);
                        assert_eq!(led, threads > 1);
                        if !led {
                            (0..round % 41).for_each(take);
                        }
                    }
                });
                for (index, taken) in taken.iter().enumerate() {
                    let loops = (0..2000).filter(|round| round % 41 > index).count();
                    assert_eq!(taken.load(SeqCst), loops as u64);
                }
                assert!(!shared(1, &|_| ()));
            });
        }
    }

    #[test]
    fn teams_of_several_leaders_and_loops_within_loops_end() {
        let sum = AtomicU64::new(0);
        pool(3).scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|_| {
                    lead(|| {
                        for _ in 0..50 {
                            shared(6, &|i| {
                                assert!(!shared(2, &|_| ()));
                                sum.fetch_add(lead(|| i as u64), SeqCst);
                            });
                        }
                    });
                });
            }
        });
        assert_eq!(sum.load(SeqCst), 4 * 50 * 15);
    }

    #[test]
    fn a_panic_of_anyone_reaches_the_caller_and_the_pool_goes_on() {
        let pool = pool(2);
        for bad in 0..8 {
            let panics = || {
                lead(|| {
                    shared(8, &|i| {
                        std::thread::sleep(core::time::Duration::from_millis(2));
                        assert!(i != bad);
                    })
                })
            };
            assert!(catch_unwind(AssertUnwindSafe(|| pool.install(panics))).is_err());
        }
        assert_eq!(pool.install(|| lead(|| 7)), 7);
    }
}
