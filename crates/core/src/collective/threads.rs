//! Threads as ranks, for tests: sums in the order of the ranks.

use std::sync::{Arc, Barrier, Mutex};

use super::{Collective, Group};

#[derive(Debug)]
struct Thread {
    rank: usize,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    barrier: Barrier,
    values: Mutex<Vec<Vec<f32>>>,
    bytes: Mutex<Vec<u8>>,
}

impl Collective for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn world(&self) -> usize {
        self.shared.values.lock().unwrap().len()
    }

    fn all_reduce_sum(&self, values: &mut [f32]) {
        self.shared.values.lock().unwrap()[self.rank] = values.to_vec();
        self.shared.barrier.wait();
        values.fill(0.0);
        for other in self.shared.values.lock().unwrap().iter() {
            assert_eq!(other.len(), values.len(), "ranks sum different things");
            for (sum, value) in values.iter_mut().zip(other) {
                *sum += value;
            }
        }
        self.shared.barrier.wait();
    }

    fn broadcast(&self, bytes: &mut [u8], root: usize) {
        if self.rank == root {
            *self.shared.bytes.lock().unwrap() = bytes.to_vec();
        }
        self.shared.barrier.wait();
        bytes.copy_from_slice(&self.shared.bytes.lock().unwrap());
        self.shared.barrier.wait();
    }
}

/// The groups of `world` ranks.
pub(crate) fn groups(world: usize) -> Vec<Group> {
    let shared = Arc::new(Shared {
        barrier: Barrier::new(world),
        values: Mutex::new(vec![Vec::new(); world]),
        bytes: Mutex::default(),
    });
    let engine = |rank| {
        let shared = shared.clone();
        Group::new(Arc::new(Thread { rank, shared }))
    };
    (0..world).map(engine).collect()
}

/// What `work` returns on each of `world` ranks.
pub(crate) fn run<T: Send>(world: usize, work: impl Fn(Group) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let spawn = |group| scope.spawn(|| work(group));
        let ranks: Vec<_> = groups(world).into_iter().map(spawn).collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}
