//! A warm pass of a prepared generator takes no memory.

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::alloc::{GlobalAlloc, Layout, System};

use super::{Generator, PreparedGenerator};
use crate::test_configs::{ARCHITECTURES, generator};
use burn::tensor::Device;

/// The system's allocator, which counts what the threads of a test ask for.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static COUNTS: Cell<bool> = const { Cell::new(false) };
}
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

impl Counting {
    fn note(&self) {
        if COUNTS.try_with(Cell::get).unwrap_or(false) {
            ALLOCATIONS.fetch_add(1, Relaxed);
        }
    }
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.note();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.note();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Allocations of each of several passes, all of them on threads that count.
fn allocations(threads: usize, passes: usize, mut pass: impl FnMut() + Send) -> Vec<usize> {
    // a dropped pool does not wait for its threads, and what they take as they end is of no pass
    let (ended, ends) = std::sync::mpsc::channel();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .start_handler(|_| COUNTS.set(true))
        .exit_handler(move |_| {
            COUNTS.set(false);
            ended.send(()).unwrap();
        })
        .build()
        .unwrap();
    let counts = pool.install(|| {
        let mut counts = Vec::with_capacity(passes);
        for _ in 0..passes {
            let before = ALLOCATIONS.load(Relaxed);
            pass();
            counts.push(ALLOCATIONS.load(Relaxed) - before);
        }
        counts
    });
    drop(pool);
    assert_eq!(ends.iter().take(threads).count(), threads);
    counts
}

#[test]
fn a_warm_pass_allocates_nothing() {
    for architecture in ARCHITECTURES {
        let mut config = generator(architecture, 64);
        config.channels = 16; // the tiles of Winograd, too
        config.attention = vec![16];
        let network = Generator::new(&config, 1, &Device::flex()).unwrap();
        let mut prepared = PreparedGenerator::new(network.folded()).unwrap();
        for n in [1, 3] {
            let z = vec![0.3; n * config.z_dim];
            let mut classes = vec![0.0; n * config.classes];
            classes
                .iter_mut()
                .step_by(config.classes)
                .for_each(|c| *c = 1.0);
            let mut images = vec![0.0; n * prepared.image_len()];
            let mut pass = || prepared.forward(&z, &classes, &mut images);
            let alone = allocations(1, 6, &mut pass);
            assert!(alone[0] > 0, "the counter sees the first pass");
            // maps change places: the second pass may still be the first to need one of them as large
            assert_eq!(
                alone[2..],
                [0; 4],
                "{architecture:?}, {n} images: {alone:?}"
            );
            // a team of threads is called together by a few small allocations, and which thread takes which task is
            // chance: at last each has room for all
            let several = allocations(3, 40, &mut pass);
            let least = several.iter().min().unwrap();
            assert!(*least <= 6, "{architecture:?}, {n} images: {several:?}");
        }
    }
}
