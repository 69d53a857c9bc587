//! Work sharing for the CPU kernels: indexed loops, scratch memory and output buffers.
//!
//! A loop body writes only what belongs to its own index and sums nothing across indices, so every
//! result is the same for one thread and for many.

use core::cell::RefCell;
use core::marker::PhantomData;

/// Tasks of a thread where there are several: one that is late leaves the others less to wait for.
#[cfg(feature = "rayon")]
const TASKS_A_THREAD: usize = 2;
/// Elements worth a separate task in the memory-bound kernels.
const TASK_ELEMENTS: usize = 1 << 16;

/// Tasks into which work is cut where each task repeats some of the others' preparations: one for a thread, else a few for
/// each of them.
pub fn wanted_tasks() -> usize {
    #[cfg(feature = "rayon")]
    match rayon::current_num_threads() {
        1 => 1,
        threads => TASKS_A_THREAD * threads,
    }
    #[cfg(not(feature = "rayon"))]
    1
}

/// Runs `body`, between whose parallel loops no thread falls asleep.
pub fn together<R: Send>(body: impl FnOnce() -> R + Send) -> R {
    #[cfg(feature = "rayon")]
    return super::team::lead(body);
    #[cfg(not(feature = "rayon"))]
    body()
}

/// Call `body(i)` for each `i` in `0..count`, in parallel with the feature `rayon`.
pub fn for_each(count: usize, body: impl Fn(usize) + Sync + Send) {
    #[cfg(feature = "rayon")]
    if count > 1 {
        use rayon::prelude::*;
        if super::team::shared(count, &body) {
            return;
        }
        (0..count).into_par_iter().with_max_len(1).for_each(body);
        return;
    }
    (0..count).for_each(body);
}

/// Call `body(plane)` for each of `planes` planes of `plane_len` elements, many small planes per task.
pub fn for_each_plane(planes: usize, plane_len: usize, body: impl Fn(usize) + Sync + Send) {
    let per_task = (TASK_ELEMENTS / plane_len.max(1)).max(1);
    for_each(planes.div_ceil(per_task), |task| {
        for plane in task * per_task..((task + 1) * per_task).min(planes) {
            body(plane);
        }
    });
}

/// A buffer, its own or a borrowed one, whose disjoint pieces are written by parallel loop bodies.
pub struct Output<'a> {
    values: Vec<f32>,
    start: *mut f32,
    len: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: the pointer is only used through `slice`, whose callers take disjoint ranges.
unsafe impl Sync for Output<'_> {}
// SAFETY: the pointer refers to the heap block of `values`, which moves along with it.
unsafe impl Send for Output<'_> {}

impl<'a> Output<'a> {
    /// A buffer that exists.
    pub fn on(values: &'a mut [f32]) -> Self {
        Self {
            start: values.as_mut_ptr(),
            len: values.len(),
            values: Vec::new(),
            borrowed: PhantomData,
        }
    }

    /// A buffer of `len` values that are not yet written.
    pub fn new(len: usize) -> Self {
        let mut values = Vec::with_capacity(len);
        let start = values.as_mut_ptr();
        Self {
            values,
            start,
            len,
            borrowed: PhantomData,
        }
    }

    /// The piece `[offset, offset + len)` for writing.
    ///
    /// # Safety
    /// No two live slices may overlap, and a value must be written before it is read.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn slice(&self, offset: usize, len: usize) -> &mut [f32] {
        assert!(
            offset + len <= self.len,
            "output slice {offset}+{len} of {}",
            self.len
        );
        // SAFETY: in range by the assertion; disjoint by the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(self.start.add(offset), len) }
    }

    /// The finished buffer.
    ///
    /// # Safety
    /// Every value must have been written.
    pub unsafe fn finish(mut self) -> Vec<f32> {
        let len = self.len.min(self.values.capacity()); // 0 of a borrowed one
        // SAFETY: the capacity is `len` and the caller has written all of it.
        unsafe { self.values.set_len(len) };
        self.values
    }
}

/// One cache line; the unit in which scratch memory is allocated, for its alignment.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Scratch memory of one thread, kept from call to call.
#[derive(Default)]
pub struct Scratch(Vec<Line>);

impl Scratch {
    /// At least `len` values, aligned to a cache line, with unspecified content.
    pub fn take(&mut self, len: usize) -> &mut [f32] {
        let lines = len.div_ceil(16);
        if self.0.len() < lines {
            self.0.resize(lines, Line([0.0; 16]));
        }
        // SAFETY: a `Line` is 16 consecutive f32 without padding.
        unsafe { core::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), len) }
    }
}

#[derive(Default)]
struct ThreadMemory {
    first: Scratch,
    second: Scratch,
    indices: Vec<usize>,
}

thread_local! {
    static MEMORY: RefCell<ThreadMemory> = RefCell::default();
}

/// Lend the scratch memory of this thread to `body`, which must not start a parallel loop.
pub fn with_scratch<R>(body: impl FnOnce(&mut Scratch, &mut Scratch, &mut Vec<usize>) -> R) -> R {
    MEMORY
        .with_borrow_mut(|memory| body(&mut memory.first, &mut memory.second, &mut memory.indices))
}
