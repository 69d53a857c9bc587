//! Ranks of MPI, through the host's memory. An error of MPI ends the job: that is MPI's default, and no rank
//! could be trusted after it.

use std::cell::OnceCell;
use std::ffi::c_int;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use biggan::collective::Collective;
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::request::scope;
use mpi::topology::{Color, SimpleCommunicator};
use mpi::traits::{Communicator, CommunicatorCollectives, Root};

use super::{PANICKED, Stopwatch};
use crate::error::bad_usage;

/// Values in one call: MPI counts in C's `int`, and some versions count bytes in one.
const MOST: usize = 1 << 28;
/// Buckets in flight at a time, while the next is filled.
const IN_FLIGHT: usize = 2;

/// MPI, from initialisation to finalisation.
pub struct Job {
    // the order matters: communicators are freed before MPI ends
    world: Arc<Ranks>,
    local_rank: usize,
    waited: Stopwatch,
    _universe: Universe,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("world", &self.world)
            .finish_non_exhaustive()
    }
}

impl Job {
    /// Initialises MPI; from here on a panic aborts all ranks.
    ///
    /// # Errors
    /// If MPI has started already, or gives no thread safety.
    pub fn open() -> Result<Self> {
        let Some((universe, threading)) = mpi::initialize_with_threading(Threading::Serialized)
        else {
            bail!("MPI has started already");
        };
        if threading < Threading::Serialized {
            return Err(bad_usage(format!(
                "--comm mpi: this MPI allows {threading:?} threads, and the program needs Serialized; use an \
                 MPI with thread support"
            )));
        }
        abort_on_panic();
        let waited = Stopwatch::default();
        let world = universe.world();
        let local = world.split_shared(world.rank());
        let local_rank = local.rank() as usize;
        let world = Arc::new(Ranks::new(world.duplicate(), waited.clone()));
        Ok(Self {
            world,
            local_rank,
            waited,
            _universe: universe,
        })
    }

    /// All ranks.
    pub fn world(&self) -> Arc<dyn Collective> {
        self.world.clone()
    }

    /// Number of this rank on its machine.
    pub fn local_rank(&self) -> usize {
        self.local_rank
    }

    /// The ranks that give the same number, in their order.
    pub fn split(&self, number: usize) -> Arc<dyn Collective> {
        let color = Color::with_value(number as c_int);
        let comm = self.world.lock().split_by_color(color);
        let comm = comm.expect("a colour that is a number has a communicator");
        Arc::new(Ranks::new(comm, self.waited.clone()))
    }

    /// Time in calls that wait for other ranks.
    pub fn waited(&self) -> Duration {
        self.waited.total()
    }
}

/// The ranks of a communicator.
struct Ranks {
    comm: Mutex<Handle>,
    rank: usize,
    world: usize,
    waited: Stopwatch,
}

/// A communicator that may go from thread to thread.
struct Handle(SimpleCommunicator);

// SAFETY: a communicator is a handle without a thread of its own; MPI was asked for calls from any thread, one at
// a time (`Threading::Serialized`), and the mutex around each handle and the order of the training keep to it.
unsafe impl Send for Handle {}

impl std::fmt::Debug for Ranks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rank {} of {}", self.rank, self.world)
    }
}

impl Ranks {
    fn new(comm: SimpleCommunicator, waited: Stopwatch) -> Self {
        Self {
            rank: comm.rank() as usize,
            world: comm.size() as usize,
            comm: Mutex::new(Handle(comm)),
            waited,
        }
    }

    fn lock(&self) -> impl std::ops::Deref<Target = SimpleCommunicator> {
        struct Guard<'a>(std::sync::MutexGuard<'a, Handle>);
        impl std::ops::Deref for Guard<'_> {
            type Target = SimpleCommunicator;
            fn deref(&self) -> &SimpleCommunicator {
                &self.0.0
            }
        }
        // a panic aborts the job, so the lock is never poisoned
        Guard(
            self.comm
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let made = work();
        self.waited.add(started.elapsed());
        made
    }
}

impl Collective for Ranks {
    fn rank(&self) -> usize {
        self.rank
    }

    fn world(&self) -> usize {
        self.world
    }

    fn all_reduce_sum(&self, values: &mut [f32]) {
        let comm = self.lock();
        self.timed(|| {
            for part in values.chunks_mut(MOST) {
                let own = part.to_vec();
                comm.all_reduce_into(&own[..], part, SystemOperation::sum());
            }
        });
    }

    fn all_reduce_buckets(
        &self,
        lens: &[usize],
        fill: &mut dyn FnMut(usize) -> Vec<f32>,
    ) -> Vec<Vec<f32>> {
        if lens.iter().any(|len| *len > MOST) {
            let sum = |number| {
                let mut bucket = fill(number);
                self.all_reduce_sum(&mut bucket);
                bucket
            };
            return (0..lens.len()).map(sum).collect();
        }
        let comm = self.lock();
        // a request borrows its buffers until it has been waited for
        let own: Vec<OnceCell<Vec<f32>>> = lens.iter().map(|_| OnceCell::new()).collect();
        let mut sums: Vec<Vec<f32>> = lens.iter().map(|len| vec![0.0; *len]).collect();
        scope(|scope| {
            let mut requests = std::collections::VecDeque::new();
            for (number, (own, sums)) in own.iter().zip(&mut sums).enumerate() {
                let own = own.get_or_init(|| fill(number));
                assert_eq!(own.len(), sums.len(), "a bucket has its length");
                let operation = SystemOperation::sum();
                let request =
                    comm.immediate_all_reduce_into(scope, &own[..], &mut sums[..], operation);
                requests.push_back(request);
                if requests.len() > IN_FLIGHT
                    && let Some(first) = requests.pop_front()
                {
                    self.timed(|| first.wait_without_status());
                }
            }
            self.timed(|| requests.into_iter().for_each(|r| r.wait_without_status()));
        });
        sums
    }

    fn broadcast(&self, bytes: &mut [u8], root: usize) {
        let comm = self.lock();
        self.timed(|| {
            for part in bytes.chunks_mut(MOST) {
                comm.process_at_rank(root as c_int).broadcast_into(part);
            }
        });
    }
}

/// Name and version of the MPI that this program was linked with.
pub fn version() -> String {
    let text = mpi::environment::library_version().unwrap_or_default();
    let named = text.split(['\n', ',']).next().unwrap_or_default();
    named.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A panic on one rank would make the others wait forever: unwinding finalises MPI, which waits for
/// the others in turn. So a panic aborts them.
fn abort_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        abort(PANICKED);
    }));
}

/// Ends all ranks.
pub fn abort(code: i32) -> ! {
    // SAFETY: the call is allowed from any thread while MPI runs, and the program only comes here while it does
    unsafe {
        mpi::ffi::MPI_Abort(mpi::ffi::RSMPI_COMM_WORLD, code);
    }
    std::process::exit(code)
}
