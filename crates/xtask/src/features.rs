//! The features of the native tests, lints and programs: the same everywhere, so that Burn is compiled once.

/// What the tests are built with where there is an MPI.
pub const WITH_MPI: &str = "native-train/mpi,native-train/faults";
/// The backend for GPUs, which a third of all crates belong to.
const GPU: &str = "native-train/wgpu";
/// The bindings for browsers, which no native program needs.
const FOR_BROWSERS: &str = "biggan-web/train,biggan-pictures/web";

/// Cargo's arguments that choose the features of the tests, with an MPI or without.
pub fn tested(with_mpi: bool) -> Vec<&'static str> {
    match with_mpi {
        true => vec!["--features", WITH_MPI],
        false => vec![],
    }
}

/// Cargo's arguments that choose the features of the tests of `--device wgpu`.
pub fn on_gpus() -> Vec<&'static str> {
    vec!["--features", GPU]
}

/// Cargo's arguments for lints of what people build who name no features.
pub fn of_default_builds() -> Vec<&'static str> {
    vec!["--features", FOR_BROWSERS]
}

/// Cargo's arguments for lints of all code: CUDA's, which needs an MPI, is only checked.
pub fn all(with_mpi: bool) -> Vec<&'static str> {
    let mut all = tested(with_mpi);
    all.extend(of_default_builds());
    all.extend(on_gpus());
    if with_mpi {
        all.extend(["--features", "native-train/nccl"]);
    }
    all
}
