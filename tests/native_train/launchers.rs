//! A forgotten `--comm` is said at once, by what the launcher says of the process.

use crate::support::setting::{Setting, refusal, stderr};

const TRAIN: [&str; 6] = ["--config", "tiny.toml", "--out", "run", "--steps", "1"];

#[test]
fn several_processes_without_comm_are_refused_with_both_values_and_the_remedy() {
    for (variables, said) in [
        (
            [("OMPI_COMM_WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_RANK", "1")],
            "OMPI_COMM_WORLD_SIZE is 4: mpirun of Open MPI started this process as rank 1",
        ),
        (
            [("PMI_SIZE", "2"), ("PMI_RANK", "0")],
            "PMI_SIZE is 2: mpiexec of MPICH",
        ),
        (
            [("SLURM_STEP_NUM_TASKS", "3"), ("SLURM_PROCID", "2")],
            "SLURM_STEP_NUM_TASKS is 3: srun",
        ),
    ] {
        let setting = Setting::new();
        let output = setting.command(&TRAIN).envs(variables).output().unwrap();
        refusal(&output, 2, &[said, "--comm mpi", "--comm single"]);
        assert!(!setting.path("run").exists(), "nothing was started");
        let alone = [&TRAIN[..], &["--comm", "single"]].concat();
        let output = setting.command(&alone).envs(variables).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    // a script of sbatch is one process, whatever its job may start
    let setting = Setting::new();
    let script = [("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0")];
    let output = setting.command(&TRAIN).envs(script).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[cfg(feature = "mpi")]
#[test]
fn a_launcher_of_another_mpi_is_refused_with_both_values_and_the_remedy() {
    let setting = Setting::new();
    let args = [&TRAIN[..], &["--comm", "mpi"]].concat();
    // started alone, MPI sees one process
    let other = [("MV2_COMM_WORLD_SIZE", "4"), ("MV2_COMM_WORLD_RANK", "0")];
    let output = setting.command(&args).envs(other).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for part in [
        "MV2_COMM_WORLD_SIZE is 4",
        "MPI sees 1 process",
        "belongs to another MPI",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(!setting.path("run").exists(), "nothing was started");
}

#[test]
fn more_threads_than_cores_are_said() {
    let setting = Setting::new();
    let threads = "1000";
    let output = setting
        .command(&TRAIN)
        .env("RAYON_NUM_THREADS", threads)
        .output();
    let text = stderr(&output.unwrap());
    let warned = text.contains("1000 threads") && text.contains("set RAYON_NUM_THREADS=");
    assert!(warned, "{text}");
}
