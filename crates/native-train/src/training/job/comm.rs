//! The engine that connects the processes of a job, as typed.

/// The engine that connects the processes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Comm {
    /// Nothing: one process.
    Single,
    /// MPI, through the host's memory.
    Mpi,
    /// NCCL between GPUs of CUDA, whose ranks find each other through MPI (experimental).
    Nccl,
}
