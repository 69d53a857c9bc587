//! What the launcher of a job said, against what this program sees: another MPI's launcher starts ranks that do not know
//! of each other, and a forgotten `--comm` starts as many runs of one directory.

use anyhow::Result;

use super::Comm;
use crate::environment::Launched;
use crate::error::bad_usage;

/// Refuses several processes that would each train on their own, unless `--comm single` says so.
///
/// # Errors
/// If a launcher started several processes and no engine is to connect them.
pub(super) fn check_asked(comm: Option<Comm>, launched: &[Launched]) -> Result<()> {
    let several = launched.iter().find(|launched| launched.ranks > 1);
    let (None, Some(launched)) = (comm, several) else {
        return Ok(());
    };
    let Launched {
        launcher,
        ranks_variable,
        ranks,
        rank,
    } = launched;
    Err(bad_usage(format!(
        "{ranks_variable} is {ranks}: {launcher} started this process as rank {rank} of {ranks}, but without --comm \
         each of them runs alone; add --comm mpi to work together, or --comm single if they are runs of their own"
    )))
}

/// Refuses ranks that do not know of each other.
///
/// # Errors
/// If MPI sees one process where its launcher started several.
#[cfg_attr(
    not(any(feature = "mpi", test)),
    expect(dead_code, reason = "only MPI has ranks")
)]
pub(super) fn check_world(world: usize, mpi: &str, launched: &[Launched]) -> Result<()> {
    let agrees = |launched: &Launched| launched.ranks == world;
    if world > 1 || launched.iter().any(agrees) {
        return Ok(());
    }
    let Some(launched) = launched.first() else {
        return Ok(());
    };
    Err(bad_usage(format!(
        "{} is {}, but MPI sees {world} process: the program has {mpi}, and {} belongs to another MPI; start it with \
         the mpirun of {mpi}, or build it with the launcher's MPI (see docs/clusters.md)",
        launched.ranks_variable, launched.ranks, launched.launcher
    )))
}

/// What to say where the ranks of a machine have more threads than it has cores.
pub(super) fn too_many_threads(ranks: usize, threads: usize, cores: usize) -> Option<String> {
    (threads > cores).then(|| {
        let each = (cores / ranks).max(1);
        let remedy = match ranks > cores {
            true => format!("start {cores} ranks or fewer on it"),
            false => format!("set RAYON_NUM_THREADS={each}"),
        };
        let ranks = match ranks {
            1 => "1 process".to_owned(),
            ranks => format!("{ranks} ranks"),
        };
        format!(
            "warning: {ranks} on this machine with {threads} threads together, more than its {cores} cores, slow each \
             other down; {remedy}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN_MPI: Launched = Launched {
        launcher: "mpirun of Open MPI",
        ranks_variable: "OMPI_COMM_WORLD_SIZE",
        ranks: 4,
        rank: 1,
    };

    #[test]
    fn a_forgotten_comm_is_said_with_both_values() {
        let text = check_asked(None, &[OPEN_MPI]).unwrap_err().to_string();
        for part in [
            "OMPI_COMM_WORLD_SIZE is 4",
            "rank 1",
            "--comm mpi",
            "--comm single",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        check_asked(Some(Comm::Single), &[OPEN_MPI]).unwrap();
        check_asked(Some(Comm::Mpi), &[OPEN_MPI]).unwrap();
        check_asked(
            None,
            &[Launched {
                ranks: 1,
                rank: 0,
                ..OPEN_MPI
            }],
        )
        .unwrap();
        check_asked(None, &[]).unwrap();
    }

    #[test]
    fn a_launcher_of_another_mpi_is_said_with_both_values() {
        let hydra = Launched {
            launcher: "mpiexec of MPICH",
            ranks_variable: "PMI_SIZE",
            ..OPEN_MPI
        };
        let text = check_world(1, "Open MPI v4.1.4", &[hydra])
            .unwrap_err()
            .to_string();
        for part in [
            "PMI_SIZE is 4",
            "MPI sees 1",
            "Open MPI v4.1.4",
            "mpiexec of MPICH",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        check_world(4, "Open MPI", &[OPEN_MPI]).unwrap();
        // a launcher within a step of another's
        check_world(
            1,
            "Open MPI",
            &[
                Launched {
                    ranks: 1,
                    ..OPEN_MPI
                },
                hydra,
            ],
        )
        .unwrap();
        check_world(1, "Open MPI", &[]).unwrap();
    }

    #[test]
    fn more_threads_than_cores_are_said_with_the_remedy() {
        let text = too_many_threads(2, 8, 4).unwrap();
        assert!(
            text.contains("8 threads") && text.contains("4 cores"),
            "{text}"
        );
        assert!(text.contains("RAYON_NUM_THREADS=2"), "{text}");
        let text = too_many_threads(8, 8, 4).unwrap();
        assert!(text.contains("4 ranks or fewer"), "{text}");
        assert_eq!(too_many_threads(4, 4, 4), None);
    }
}
