//! What was typed about the processes of a job.

use std::path::PathBuf;

use crate::training::job::Comm;

pub(super) const BENCH_EXAMPLES: &str = "\
Examples:
  native-train bench --config configs/biggan128.toml                  a prediction, nothing is measured
  mpirun -np 2 native-train bench --config configs/fashion32.toml --comm mpi

docs/scaling.md says what the model assumes.";

/// Options of `bench`.
#[derive(Debug, clap::Args)]
pub struct ScalingArgs {
    /// Recipe, a TOML file
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Replace a value of the recipe; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Measure sums, batch norm and a round among the running processes
    #[arg(long, value_enum)]
    pub comm: Option<Comm>,
    /// Numbers of GPUs to predict for
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        default_value = "8,64,512"
    )]
    pub gpus: Vec<usize>,
    /// Network speeds per machine to predict for, in Gbit/s
    #[arg(
        long,
        value_name = "GBIT,...",
        value_delimiter = ',',
        default_value = "10,100,400"
    )]
    pub gbits: Vec<f64>,
    /// Share of the line rate that sums reach
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    pub line_share: f64,
    /// Time of a message between machines, in microseconds
    #[arg(long, value_name = "US", default_value_t = 20.0)]
    pub latency_us: f64,
    /// GPUs per machine
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub gpus_a_machine: usize,
    /// Time of a message between GPUs within a machine, in microseconds
    #[arg(long, value_name = "US", default_value_t = 10.0)]
    pub inside_latency_us: f64,
    /// Bandwidth between GPUs within a machine, in GB/s
    #[arg(long, value_name = "GBYTES", default_value_t = 200.0)]
    pub inside_gbytes: f64,
    /// Arithmetic that training reaches per GPU, in TFLOP/s; a multiply-add counts as two
    #[arg(long, value_name = "TFLOPS", default_value_t = 15.0)]
    pub tflops: f64,
}
