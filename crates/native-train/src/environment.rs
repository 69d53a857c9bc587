//! What commands may know about the process's environment.

use std::path::PathBuf;

use crate::hub::Hub;

/// What a command may know about the process; nothing below `main` reads the environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Directory of fetched data sets.
    pub data_home: Option<PathBuf>,
    /// Where models are fetched from by name, and kept.
    pub hub: Hub,
    /// What launchers say of this process, the innermost first; none for a process of its own.
    pub launched: Vec<Launched>,
}

/// A process among those that a launcher started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launched {
    /// Name of the launcher.
    pub launcher: &'static str,
    /// Variable that has the number of processes.
    pub ranks_variable: &'static str,
    /// Number of processes.
    pub ranks: usize,
    /// Number of this one, from 0.
    pub rank: usize,
}

/// Launchers with their variables: number of processes, and of this one.
const LAUNCHERS: [(&str, &str, &str); 4] = [
    (
        "mpirun of Open MPI",
        "OMPI_COMM_WORLD_SIZE",
        "OMPI_COMM_WORLD_RANK",
    ),
    (
        "mpirun of MVAPICH",
        "MV2_COMM_WORLD_SIZE",
        "MV2_COMM_WORLD_RANK",
    ),
    ("mpiexec of MPICH or Intel MPI", "PMI_SIZE", "PMI_RANK"),
    ("srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
];

impl Environment {
    /// From the process's variables: `$XDG_DATA_HOME/biggan`, otherwise `~/.local/share/biggan`.
    pub fn from_process() -> Self {
        let directory = |variable| {
            std::env::var_os(variable)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let data_home = directory("XDG_DATA_HOME")
            .or_else(|| directory("HOME").map(|home| home.join(".local/share")))
            .map(|data| data.join("biggan"));
        Self {
            data_home,
            hub: Hub::from_variables(|variable| std::env::var_os(variable)),
            launched: launched(|variable| std::env::var(variable).ok()),
        }
    }
}

/// What the variables of launchers say.
fn launched(variable: impl Fn(&str) -> Option<String>) -> Vec<Launched> {
    let number = |name| variable(name).and_then(|text| text.trim().parse::<usize>().ok());
    let mut found: Vec<Launched> = LAUNCHERS
        .into_iter()
        .filter_map(|(launcher, ranks_variable, rank)| {
            Some(Launched {
                launcher,
                ranks_variable,
                ranks: number(ranks_variable)?,
                rank: number(rank).unwrap_or_default(),
            })
        })
        .collect();
    // a script of sbatch has the tasks of its job, but is one process, its task 0 of no step
    let step = number("SLURM_STEP_ID").is_some_and(|step| step < 0xffff_fff0);
    let rank = number("SLURM_PROCID").unwrap_or_default();
    let said = found.iter().any(|launched| launched.launcher == "srun");
    if let (false, true, Some(ranks)) = (said, step || rank > 0, number("SLURM_NTASKS")) {
        found.push(Launched {
            launcher: "srun",
            ranks_variable: "SLURM_NTASKS",
            ranks,
            rank,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Vec<(&'static str, usize, usize)> {
        let read = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let found = launched(read).into_iter();
        found.map(|l| (l.ranks_variable, l.ranks, l.rank)).collect()
    }

    #[test]
    fn launchers_are_known_by_their_variables() {
        assert!(of(&[]).is_empty());
        let open = [("OMPI_COMM_WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_RANK", "3")];
        assert_eq!(of(&open), [("OMPI_COMM_WORLD_SIZE", 4, 3)]);
        let hydra = [("PMI_SIZE", "2"), ("PMI_RANK", "1")];
        assert_eq!(of(&hydra), [("PMI_SIZE", 2, 1)]);
        let step = [("SLURM_STEP_NUM_TASKS", "8"), ("SLURM_PROCID", "5")];
        assert_eq!(of(&step), [("SLURM_STEP_NUM_TASKS", 8, 5)]);
        let older = [("SLURM_NTASKS", "8"), ("SLURM_PROCID", "5")];
        assert_eq!(of(&older), [("SLURM_NTASKS", 8, 5)]);
        let script = [("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0")];
        assert!(of(&script).is_empty());
    }
}
