//! How near the tiles come to what the machine can do: a measurement, for an idle machine.
//!
//! `cargo test --workspace --lib rate_of_the_tiles -- --ignored --nocapture`

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::*;

/// Sums that are added to in turn, which hide each other's latency.
const CHAINS: usize = 12;
/// As for a 3x3 convolution of 32 channels: image and weights stay in the first cache.
const TAPS: usize = 288;

/// # Safety
/// The instruction set of `V` must be available.
#[inline(always)]
unsafe fn chains<V: Vector>(rounds: usize) -> f32 {
    // SAFETY: the caller's promise; the last store is of as many values as a register has.
    unsafe {
        let (a, b) = (V::splat(black_box(0.5)), V::splat(black_box(0.25)));
        let mut sums = [V::splat(1.0); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = sum.add_product(a, b);
            }
        }
        let mut values = [0.0; CHAINS * 16];
        for (i, sum) in sums.into_iter().enumerate() {
            sum.store(values.as_mut_ptr().add(i * V::LANES));
        }
        values.iter().sum()
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl")]
unsafe fn chains_avx512(rounds: usize) -> f32 {
    // SAFETY: as promised by the caller.
    unsafe { chains::<core::arch::x86_64::__m512>(rounds) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn chains_avx2(rounds: usize) -> f32 {
    // SAFETY: as promised by the caller.
    unsafe { chains::<core::arch::x86_64::__m256>(rounds) }
}

/// Most floating-point operations a nanosecond of some runs: the one that others disturbed least.
fn rate(operations: usize, mut run: impl FnMut()) -> f64 {
    let runs = (0..200).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    let best = runs.min().unwrap_or(Duration::MAX);
    operations as f64 / best.as_nanos() as f64
}

fn rate_of_a_tile(kernels: &Kernels) -> f64 {
    const ROUNDS: usize = 100;
    let rows = kernels.tiles[0].rows;
    let width = kernels.vectors * kernels.lanes;
    let image = vec![0.5; TAPS + width];
    let weights = vec![0.25; TAPS * rows];
    let offsets: Vec<usize> = (0..TAPS).collect();
    let starts: Vec<usize> = (0..kernels.vectors).map(|v| v * kernels.lanes).collect();
    let mut out = vec![0.0; rows * width];
    let args = TileArgs {
        offsets: offsets.as_ptr(),
        taps: TAPS,
        weights: weights.as_ptr(),
        image: image.as_ptr(),
        starts: starts.as_ptr(),
        out: out.as_mut_ptr(),
        pitch: width,
        add: false,
    };
    rate(ROUNDS * 2 * TAPS * rows * width, || {
        for _ in 0..ROUNDS {
            // SAFETY: the largest index read is the last tap's, of the last value of the last register.
            unsafe { kernels.product(0, &starts, black_box(&args)) };
        }
    })
}

#[test]
#[ignore = "a measurement, for an idle machine"]
fn rate_of_the_tiles() {
    const ROUNDS: usize = 100_000;
    let show = |name: &str, kernels: &Kernels, run: unsafe fn(usize) -> f32| {
        let most = rate(ROUNDS * 2 * CHAINS * kernels.lanes, || {
            // SAFETY: only sets that this machine has are shown.
            black_box(unsafe { run(black_box(ROUNDS)) });
        });
        let tile = rate_of_a_tile(kernels);
        let share = 100.0 * tile / most;
        println!(
            "{name}: {tile:.0} GFLOP/s, {share:.0} % of the {most:.0} that registers alone reach"
        );
    };
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            show("AVX-512", &x86::AVX512, chains_avx512);
        }
        if std::arch::is_x86_feature_detected!("fma") {
            show("AVX2", &x86::AVX2, chains_avx2);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    show("portable", &portable::KERNELS, |rounds| {
        // SAFETY: it needs no instruction set.
        unsafe { chains::<portable::Four>(rounds) }
    });
}
