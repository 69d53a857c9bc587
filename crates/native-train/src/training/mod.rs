//! A training run: the loop, its rounds, its ranks, and the answer to a collapse.

pub mod collapse;
pub mod dry_run;
#[cfg(feature = "faults")]
pub mod fault;
pub mod interrupt;
pub mod job;
pub mod probe;
pub mod progress;
pub mod run;
pub mod scorer;
pub mod start;

pub mod together;
pub mod train_loop;
