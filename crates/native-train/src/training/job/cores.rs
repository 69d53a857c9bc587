//! Cores and threads of a machine, over its ranks.

use std::collections::BTreeSet;

use biggan::collective::Group;

use super::launcher::too_many_threads;

/// Processors that a mask can name.
const PROCESSORS: usize = 1024;

/// Warns where the ranks of this machine have more threads than its cores; said once a machine.
pub(super) fn warn(world: &Group) {
    let machines = world.all_gather(&own());
    let ranks: Vec<&[f32]> = machines.chunks_exact(3 + PROCESSORS).collect();
    let Some(this) = ranks.get(world.rank()) else {
        return;
    };
    let beside = |rank: &&&[f32]| rank[0] == this[0];
    let first = ranks.iter().position(|rank| rank[0] == this[0]);
    if first != Some(world.rank()) {
        return;
    }
    let local: Vec<&&[f32]> = ranks.iter().filter(beside).collect();
    let threads = local.iter().map(|rank| rank[1] as usize).sum();
    // launchers bind ranks to cores of their own; where all have the same, they share them
    let processors: BTreeSet<usize> = local
        .iter()
        .flat_map(|rank| (0..PROCESSORS).filter(move |index| rank[3 + index] > 0.0))
        .collect();
    let granted = local.iter().map(|rank| rank[2] as usize).max();
    let own = (0..PROCESSORS)
        .filter(|index| this[3 + index] > 0.0)
        .count();
    let cores = match (processors.len(), granted) {
        // a quota of the container, or no mask
        (_, Some(granted)) if granted < own || own == 0 => granted,
        (cores, _) => cores,
    };
    if let Some(warning) = too_many_threads(local.len(), threads, cores) {
        note!("{warning}");
    }
}

/// Of this rank: a number of its machine, its threads, the processors it may use at a time, and which they are.
fn own() -> Vec<f32> {
    let host = std::fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
    // whole numbers below 2^24 are exact in f32
    let host = host.iter().fold(0u32, |hash, &byte| {
        (hash.wrapping_mul(31).wrapping_add(u32::from(byte))) % (1 << 24)
    });
    let granted = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = rayon::current_num_threads();
    let mut values = vec![host as f32, threads as f32, granted as f32];
    values.extend(mask());
    values
}

/// 1 for every processor that this process may run on.
#[cfg(target_os = "linux")]
fn mask() -> Vec<f32> {
    // SAFETY: zeros are an empty set, and sched_getaffinity writes no more than its size
    let (set, read) = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let read = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set);
        (set, read == 0)
    };
    let is_in = |index: usize| {
        // SAFETY: the index is below the size of the set
        read && unsafe { libc::CPU_ISSET(index, &set) }
    };
    (0..PROCESSORS)
        .map(|index| f32::from(is_in(index)))
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn mask() -> Vec<f32> {
    vec![0.0; PROCESSORS]
}
