//! The processes of a job ("ranks"): their identity, what they agree on, and how they end.
//!
//! MPI is not elastic: a rank that dies takes the job with it, and a stuck rank makes the others
//! wait forever. So a panic or an error on one rank aborts the job, a watchdog ends a rank that waits too long,
//! and the job restarts from the last checkpoint.

mod comm;
mod cores;
mod decide;
mod launcher;
#[cfg(feature = "mpi")]
mod mpi;
#[cfg(feature = "nccl")]
mod nccl;
mod speeds;
mod state;
mod watchdog;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use biggan::collective::Group;
use biggan::train::Ranks;

pub use comm::Comm;
pub use decide::{Decision, Next};
pub use speeds::Speeds;
pub use state::share_state;
pub use watchdog::Watchdog;

use crate::device::DeviceName;
use crate::environment::{Environment, Launched};
use crate::error::{self, Elsewhere};

/// Exit code of a rank that panicked, as Rust's own.
pub const PANICKED: i32 = 101;
/// Exit code of a rank that waited too long: "temporary failure, try again" of sysexits.h.
pub const STUCK: i32 = 75;

/// This process among those of its job.
#[derive(Debug)]
pub struct Job {
    world: Group,
    /// Number of this rank on its machine, from 0.
    local_rank: usize,
    engine: Engine,
    /// Whether all ranks know that the job ends.
    ends: Cell<bool>,
}

#[derive(Debug)]
enum Engine {
    Single,
    #[cfg(feature = "mpi")]
    Mpi {
        job: mpi::Job,
        /// Whether sums go from GPU to GPU.
        on_gpus: bool,
    },
}

impl Job {
    /// A single process.
    pub fn single() -> Self {
        Self {
            world: Group::single(),
            local_rank: 0,
            engine: Engine::Single,
            ends: Cell::new(false),
        }
    }

    /// Joins the job that `mpirun` or `srun` started, as `--comm` says; without it this process is one of its own.
    /// Warns where the ranks have more threads than there are cores.
    ///
    /// # Errors
    /// If the program was built without that engine, it does not start, or a launcher says otherwise than it.
    pub fn open(comm: Option<Comm>, environment: &Environment) -> Result<Self> {
        launcher::check_asked(comm, &environment.launched)?;
        let job = Self::of_engine(comm.unwrap_or(Comm::Single), &environment.launched)?;
        cores::warn(&job.world);
        Ok(job)
    }

    fn of_engine(comm: Comm, launched: &[Launched]) -> Result<Self> {
        match comm {
            Comm::Single => Ok(Self::single()),
            #[cfg(feature = "mpi")]
            Comm::Mpi => Self::launched(false, launched),
            #[cfg(feature = "nccl")]
            Comm::Nccl => Self::launched(true, launched),
            #[allow(unreachable_patterns)]
            Comm::Mpi | Comm::Nccl => {
                let _ = launched;
                let name = if comm == Comm::Mpi { "mpi" } else { "nccl" };
                Err(error::bad_usage(format!(
                    "--comm {name}: this program was built without it; build it with `--features {name}` (see \
                     docs/clusters.md), or leave --comm out"
                )))
            }
        }
    }

    #[cfg(feature = "mpi")]
    fn launched(on_gpus: bool, launched: &[Launched]) -> Result<Self> {
        let job = mpi::Job::open()?;
        let sees = biggan::collective::Collective::world(&*job.world());
        launcher::check_world(sees, &mpi::version(), launched)?;
        let local_rank = job.local_rank();
        let world = group(job.world(), on_gpus, local_rank)?;
        Ok(Self {
            world,
            local_rank,
            engine: Engine::Mpi { job, on_gpus },
            ends: Cell::new(false),
        })
    }

    /// Number of this rank, from 0.
    pub fn rank(&self) -> usize {
        self.world.rank()
    }

    /// Number of ranks.
    pub fn world(&self) -> usize {
        self.world.world()
    }

    /// All ranks.
    pub fn group(&self) -> &Group {
        &self.world
    }

    /// Number of this rank on its machine, from 0, which is the index of its GPU.
    pub fn local_rank(&self) -> usize {
        self.local_rank
    }

    /// Whether this rank owns the run's files.
    pub fn leads(&self) -> bool {
        self.rank() == 0
    }

    /// Whether other ranks wait for this one.
    pub fn is_alone(&self) -> bool {
        self.world.is_single()
    }

    /// Whether a launcher started this process as a rank.
    pub fn is_launched(&self) -> bool {
        !matches!(self.engine, Engine::Single)
    }

    /// The device of this rank: ranks that share a machine each have their own GPU.
    pub fn own_device(&self, name: DeviceName) -> DeviceName {
        match name {
            DeviceName::Wgpu(None) if self.is_launched() => {
                DeviceName::Wgpu(Some(self.local_rank()))
            }
            DeviceName::Cuda(None) => DeviceName::Cuda(Some(self.local_rank())),
            other => other,
        }
    }

    /// Ranks for training, with batch norm over groups of `bn_group` if that divides the ranks, otherwise over all:
    /// [`Ranks::check`] refuses a size that does not.
    ///
    /// # Errors
    /// If the engine cannot create groups.
    pub fn ranks(&self, bn_group: Option<usize>) -> Result<Ranks> {
        let world = self.world();
        let size = bn_group.filter(|size| world.is_multiple_of(*size));
        let size = size.unwrap_or(world);
        if size == world {
            return Ok(Ranks::new(self.world.clone(), self.world.clone()));
        }
        let norm = match &self.engine {
            Engine::Single => Group::single(),
            #[cfg(feature = "mpi")]
            Engine::Mpi { job, on_gpus } => {
                let split = job.split(self.rank() / size);
                group(split, *on_gpus, self.local_rank)?
            }
        };
        Ok(Ranks::new(self.world.clone(), norm))
    }

    /// The result if all ranks succeeded; otherwise an error on each: its own on the lowest rank that failed, and
    /// [`Elsewhere`] on the others.
    ///
    /// # Errors
    /// If any rank's result is an error.
    pub fn agree<T>(&self, result: Result<T>) -> Result<T> {
        let code = result.as_ref().err().map_or(0, error::code);
        let codes = self.world.all_gather(&[f32::from(code)]);
        let Some(rank) = codes.iter().position(|code| *code > 0.0) else {
            return result;
        };
        self.ends.set(true);
        match result {
            Err(error) if rank == self.rank() => match self.is_alone() {
                true => Err(error),
                false => Err(error).with_context(|| format!("rank {rank} of {}", self.world())),
            },
            _ => Err(Elsewhere(codes[rank] as u8).into()),
        }
    }

    /// Time that this rank has waited in sums over ranks.
    pub fn waited(&self) -> Duration {
        match &self.engine {
            Engine::Single => Duration::ZERO,
            #[cfg(feature = "mpi")]
            Engine::Mpi { job, .. } => job.waited(),
        }
    }

    /// Ends this rank: with the result if all ranks know it, otherwise with the whole job, since the others
    /// might wait forever.
    ///
    /// # Errors
    /// The result's.
    pub fn end<T>(self, result: Result<T>) -> Result<T> {
        let Err(error) = &result else {
            return result;
        };
        if self.is_alone() || self.ends.get() {
            return result;
        }
        note!("error: rank {} of {}: {error:#}", self.rank(), self.world());
        abort(i32::from(error::code(error)))
    }
}

/// The ranks of MPI, with their GPUs if sums go between those.
#[cfg(feature = "mpi")]
fn group(
    host: Arc<dyn biggan::collective::Collective>,
    on_gpus: bool,
    gpu: usize,
) -> Result<Group> {
    #[cfg(feature = "nccl")]
    if on_gpus {
        return Ok(Group::new(nccl::with_gpus(host, gpu)?));
    }
    let _ = (on_gpus, gpu);
    Ok(Group::new(host))
}

/// Ends all ranks.
pub fn abort(code: i32) -> ! {
    #[cfg(feature = "mpi")]
    mpi::abort(code);
    #[cfg(not(feature = "mpi"))]
    std::process::exit(code);
}

/// A clock that threads share.
#[derive(Debug, Clone, Default)]
struct Stopwatch(Arc<AtomicU64>);

impl Stopwatch {
    #[cfg(feature = "mpi")]
    fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }

    #[cfg_attr(not(feature = "mpi"), expect(dead_code, reason = "only engines wait"))]
    fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}
