//! Processes that train together ("ranks" in MPI's terms), and their communication.
//!
//! Every rank must make the same calls in the same order. An engine ([`Collective`]) moves the numbers;
//! the differentiable sum over ranks is [`crate::kernels::all_reduce_sum`].

#[cfg(feature = "train")]
mod share;
#[cfg(not(feature = "train"))]
#[path = "no_share.rs"]
mod share;
#[cfg(test)]
pub(crate) mod threads;

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use share::Share;

/// An engine that moves numbers between ranks. If it cannot continue it ends the process: after a call that
/// only some ranks made, none can be trusted.
pub trait Collective: Debug + Send + Sync {
    /// Number of this rank, from 0.
    fn rank(&self) -> usize;

    /// Number of ranks.
    fn world(&self) -> usize;

    /// Replaces the values by their sums over all ranks; every rank gets the same bits.
    fn all_reduce_sum(&self, values: &mut [f32]);

    /// Sums buckets of `lens` values, which `fill` produces one after another. An engine may send a
    /// bucket while the next is filled.
    fn all_reduce_buckets(
        &self,
        lens: &[usize],
        fill: &mut dyn FnMut(usize) -> Vec<f32>,
    ) -> Vec<Vec<f32>> {
        let sum = |number| {
            let mut bucket = fill(number);
            self.all_reduce_sum(&mut bucket);
            bucket
        };
        (0..lens.len()).map(sum).collect()
    }

    /// Replaces the bytes by those of rank `root`.
    fn broadcast(&self, bytes: &mut [u8], root: usize);

    /// Sums values in place on the device; `None` if the engine goes through the host.
    fn on_device(&self) -> Option<&dyn DeviceCollective> {
        None
    }
}

/// Sums in a GPU's memory.
pub trait DeviceCollective: Debug + Send + Sync {
    /// Replaces `len` f32 values at a device address by their sums over all ranks. The caller has
    /// synchronised the device, and the sums are complete on return.
    fn all_reduce_sum(&self, address: u64, len: usize);
}

/// A group of ranks, with a count of what they have sent.
#[derive(Debug, Clone)]
pub struct Group {
    engine: Arc<dyn Collective>,
    traffic: Arc<Traffic>,
}

/// Calls, and values in them.
#[derive(Debug, Default)]
struct Traffic {
    calls: AtomicU64,
    values: AtomicU64,
}

/// A process on its own.
#[derive(Debug)]
struct Single;

impl Collective for Single {
    fn rank(&self) -> usize {
        0
    }
    fn world(&self) -> usize {
        1
    }
    fn all_reduce_sum(&self, _: &mut [f32]) {}
    fn broadcast(&self, _: &mut [u8], _: usize) {}
}

impl Group {
    /// The ranks of an engine.
    pub fn new(engine: Arc<dyn Collective>) -> Self {
        Self {
            engine,
            traffic: Arc::default(),
        }
    }

    /// A process on its own.
    pub fn single() -> Self {
        Self::new(Arc::new(Single))
    }

    /// Number of this rank, from 0.
    pub fn rank(&self) -> usize {
        self.engine.rank()
    }

    /// Number of ranks.
    pub fn world(&self) -> usize {
        self.engine.world()
    }

    /// Whether there are no other ranks.
    pub fn is_single(&self) -> bool {
        self.world() == 1
    }

    /// Replaces the values by their sums over all ranks.
    pub fn all_reduce_sum(&self, values: &mut [f32]) {
        if !self.is_single() {
            self.count(values.len());
            self.engine.all_reduce_sum(values);
        }
    }

    /// As [`Collective::all_reduce_buckets`].
    pub fn all_reduce_buckets(
        &self,
        lens: &[usize],
        fill: &mut dyn FnMut(usize) -> Vec<f32>,
    ) -> Vec<Vec<f32>> {
        lens.iter().for_each(|len| self.count(*len));
        self.engine.all_reduce_buckets(lens, fill)
    }

    /// Replaces the bytes by those of rank `root`.
    pub fn broadcast(&self, bytes: &mut [u8], root: usize) {
        self.engine.broadcast(bytes, root);
    }

    /// Bytes that rank 0 alone produces, on every rank.
    ///
    /// # Errors
    /// If rank 0 fails to produce them; the others are then waiting for bytes, so the job must end.
    pub fn minted<const N: usize, E>(
        &self,
        mint: impl FnOnce() -> Result<[u8; N], E>,
    ) -> Result<[u8; N], E> {
        let mut bytes = match self.rank() {
            0 => mint()?,
            _ => [0; N],
        };
        self.broadcast(&mut bytes, 0);
        Ok(bytes)
    }

    /// One row per rank, `[world, values.len()]`: the sum of tables that are 0 except for the rank's own row.
    pub fn all_gather(&self, values: &[f32]) -> Vec<f32> {
        let mut table = vec![0.0; self.world() * values.len()];
        table[self.rank() * values.len()..][..values.len()].copy_from_slice(values);
        self.all_reduce_sum(&mut table);
        table
    }

    /// Sums on the device, if the engine can.
    pub fn on_device(&self) -> Option<&dyn DeviceCollective> {
        self.engine.on_device()
    }

    /// Counts a sum of this many values.
    pub(crate) fn count(&self, values: usize) {
        self.traffic.calls.fetch_add(1, Ordering::Relaxed);
        let values = values as u64;
        self.traffic.values.fetch_add(values, Ordering::Relaxed);
    }

    /// Number of sums so far, and of values in them.
    pub fn traffic(&self) -> [u64; 2] {
        [&self.traffic.calls, &self.traffic.values].map(|count| count.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_rows_and_traffic() {
        let found = threads::run(3, |group| {
            let rank = group.rank() as f32;
            let mut values = [rank, 10.0];
            group.all_reduce_sum(&mut values);
            let rows = group.all_gather(&[rank + 1.0]);
            let mut buckets = |number: usize| vec![rank; number + 1];
            let sums = group.all_reduce_buckets(&[1, 2], &mut buckets);
            let mut bytes = [group.rank() as u8];
            group.broadcast(&mut bytes, 2);
            (values, rows, sums, bytes, group.traffic())
        });
        let expected = (
            [3.0, 30.0],
            vec![1.0, 2.0, 3.0],
            vec![vec![3.0], vec![3.0; 2]],
            [2],
            [4, 2 + 3 + 1 + 2],
        );
        assert_eq!(found, vec![expected; 3]);
    }

    #[test]
    fn rank_0_alone_mints() {
        let found = threads::run(3, |group| {
            let rank = group.rank() as u8;
            let mint = || match rank {
                0 => Ok([7u8, 8]),
                _ => Err("another rank minted"),
            };
            group.minted(mint)
        });
        assert_eq!(found, vec![Ok([7, 8]); 3]);
        let failed: Result<[u8; 1], _> = Group::single().minted(|| Err("no driver"));
        assert_eq!(failed, Err("no driver"));
    }

    #[test]
    fn one_process_sends_nothing() {
        let group = Group::single();
        let mut values = [1.0];
        group.all_reduce_sum(&mut values);
        assert_eq!((values, group.traffic()), ([1.0], [0, 0]));
    }
}
