//! The two inner loops of the convolutions, for each instruction set.
//!
//! Both are matrix products whose operand is addressed through a list of offsets, one per
//! (channel, tap) pair, so a convolution needs no im2col matrix: a tap is a shifted view of the packed
//! image. The instruction set is chosen at run time on x86-64 and at compile time elsewhere.

use super::instruction_sets;

/// A register of f32 values.
pub trait Vector: Copy {
    const LANES: usize;
    /// # Safety
    /// The instruction set must be available; the same holds for every method.
    unsafe fn splat(value: f32) -> Self;
    /// # Safety
    /// `LANES` values must be readable.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    /// `LANES` values must be writable.
    unsafe fn store(self, to: *mut f32);
    /// `self + a * b`
    /// # Safety
    /// As for `splat`.
    unsafe fn add_product(self, a: Self, b: Self) -> Self;
}

/// Arguments of [`Kernels::tile`].
pub struct TileArgs {
    /// Offset of each tap from `image`.
    pub offsets: *const usize,
    /// Number of taps.
    pub taps: usize,
    /// Weights `[taps, rows]`.
    pub weights: *const f32,
    /// Packed image.
    pub image: *const f32,
    /// Start in the image of each register of the tile.
    pub starts: *const usize,
    /// Output `[rows, pitch]`, at the first value of the tile.
    pub out: *mut f32,
    pub pitch: usize,
}

/// `out[i, p] = sum_k weights[k, i] * image[offsets[k] + starts[v] + l]`, `p = v * lanes + l`
type Tile = unsafe fn(&TileArgs);

/// Arguments of [`Kernels::dot`].
pub struct DotArgs<'a> {
    /// Registers of 16 values, or as many smaller ones as hold the same.
    pub starts: &'a [usize],
    pub a: *const f32,
    pub a_offsets: [usize; DOT_ROWS],
    pub b: *const f32,
    pub b_offsets: [usize; DOT_COLUMNS],
}

/// `sum_{v, l} a[a_offsets[i] + v * lanes + l] * b[b_offsets[j] + starts[v] + l]`, not yet summed over
/// `l`: lanes that the instruction set does not have stay as they are.
pub type LaneSums = [[[f32; MAX_LANES]; DOT_COLUMNS]; DOT_ROWS];

type Dot = unsafe fn(&DotArgs, &mut LaneSums);

/// Lanes of the widest instruction set.
pub const MAX_LANES: usize = 16;
/// Rows of one [`Kernels::dot`] call.
pub const DOT_ROWS: usize = 4;
/// Columns of one [`Kernels::dot`] call.
pub const DOT_COLUMNS: usize = 6;

/// The inner loops for one instruction set.
pub struct Kernels {
    /// Values of a register.
    pub lanes: usize,
    /// Registers computed by one call of a tile.
    pub vectors: usize,
    /// `(rows, kernel)`, more rows first.
    pub tiles: [(usize, Tile); 2],
    pub dot: Dot,
}

/// The inner loops for this machine.
pub fn kernels() -> &'static Kernels {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512vl")
        {
            return &instruction_sets::x86::AVX512;
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return &instruction_sets::x86::AVX2;
        }
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    {
        &instruction_sets::wasm::KERNELS
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    {
        &instruction_sets::portable::KERNELS
    }
}

/// # Safety
/// The pointers of `args` must cover what the formula of [`Tile`] reads and writes.
#[inline(always)]
pub unsafe fn tile<V: Vector, const ROWS: usize, const VECTORS: usize>(args: &TileArgs) {
    // SAFETY: the caller's promise.
    unsafe {
        let from: [*const f32; VECTORS] =
            core::array::from_fn(|j| args.image.add(*args.starts.add(j)));
        let mut acc = [[V::splat(0.0); VECTORS]; ROWS];
        for k in 0..args.taps {
            let offset = *args.offsets.add(k);
            let mut columns = [V::splat(0.0); VECTORS];
            for (column, from) in columns.iter_mut().zip(&from) {
                *column = V::load(from.add(offset));
            }
            for (i, row) in acc.iter_mut().enumerate() {
                let weight = V::splat(*args.weights.add(k * ROWS + i));
                for (value, &column) in row.iter_mut().zip(&columns) {
                    *value = value.add_product(weight, column);
                }
            }
        }
        for (i, row) in acc.iter().enumerate() {
            for (j, value) in row.iter().enumerate() {
                value.store(args.out.add(i * args.pitch + j * V::LANES));
            }
        }
    }
}

/// Computes the block in slabs of `R x C` that fit the registers.
///
/// # Safety
/// The pointers of `args` must cover what the formula of [`LaneSums`] reads.
#[inline(always)]
pub unsafe fn dot<V: Vector, const R: usize, const C: usize>(args: &DotArgs, out: &mut LaneSums) {
    for i0 in (0..DOT_ROWS).step_by(R) {
        for j0 in (0..DOT_COLUMNS).step_by(C) {
            // SAFETY: the caller's promise; a row of `out` holds the widest register.
            unsafe {
                let a: [*const f32; R] =
                    core::array::from_fn(|i| args.a.add(args.a_offsets[i0 + i]));
                let b: [*const f32; C] =
                    core::array::from_fn(|j| args.b.add(args.b_offsets[j0 + j]));
                let mut acc = [[V::splat(0.0); C]; R];
                for (v, &start) in args.starts.iter().enumerate() {
                    let mut columns = [V::splat(0.0); C];
                    for (column, from) in columns.iter_mut().zip(&b) {
                        *column = V::load(from.add(start));
                    }
                    for (row, from) in acc.iter_mut().zip(&a) {
                        let left = V::load(from.add(v * V::LANES));
                        for (value, &column) in row.iter_mut().zip(&columns) {
                            *value = value.add_product(left, column);
                        }
                    }
                }
                for (row, out) in acc.iter().zip(&mut out[i0..]) {
                    for (value, out) in row.iter().zip(&mut out[j0..]) {
                        value.store(out.as_mut_ptr());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that this machine can run.
    fn available() -> Vec<&'static Kernels> {
        let mut all = vec![&instruction_sets::portable::KERNELS];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma")
            {
                all.push(&instruction_sets::x86::AVX2);
            }
            all.push(kernels());
        }
        all
    }

    /// Small integers, whose sums are all exact.
    fn integers(len: usize) -> Vec<f32> {
        (0..len)
            .map(|i| ((i * 7 + i / 5) % 11) as f32 - 5.0)
            .collect()
    }

    #[test]
    fn tiles_follow_their_formula() {
        for kernels in available() {
            for (rows, tile) in kernels.tiles {
                let (image, offsets) = (integers(400), [3, 17, 100, 64, 1]);
                let weights = integers(rows * offsets.len());
                let starts: Vec<usize> = (0..kernels.vectors).map(|v| v * 37).collect();
                let pitch = kernels.vectors * kernels.lanes + 5;
                let mut out = vec![0.0; rows * pitch];
                let args = TileArgs {
                    offsets: offsets.as_ptr(),
                    taps: offsets.len(),
                    weights: weights.as_ptr(),
                    image: image.as_ptr(),
                    starts: starts.as_ptr(),
                    out: out.as_mut_ptr(),
                    pitch,
                };
                // SAFETY: the largest index read is 100 + 2 * 37 + 15.
                unsafe { tile(&args) };
                for i in 0..rows {
                    for p in 0..kernels.vectors * kernels.lanes {
                        let at = starts[p / kernels.lanes] + p % kernels.lanes;
                        let terms = offsets.iter().enumerate();
                        let sum: f32 = terms
                            .map(|(k, o)| weights[k * rows + i] * image[o + at])
                            .sum();
                        assert_eq!(
                            out[i * pitch + p],
                            sum,
                            "{} lanes, {rows} rows",
                            kernels.lanes
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn dots_follow_their_formula() {
        for kernels in available() {
            let (a, b) = (integers(300), integers(500));
            let starts: Vec<usize> = (0..5).map(|v| v * 21).collect();
            let args = DotArgs {
                starts: &starts,
                a: a.as_ptr(),
                a_offsets: [0, 7, 80, 200],
                b: b.as_ptr(),
                b_offsets: [0, 1, 2, 90, 91, 300],
            };
            let mut out = LaneSums::default();
            // SAFETY: the largest indices read are 200 + 79 and 300 + 84 + 15.
            unsafe { (kernels.dot)(&args, &mut out) };
            for (i, a_offset) in args.a_offsets.iter().enumerate() {
                for (j, b_offset) in args.b_offsets.iter().enumerate() {
                    let term = |p: usize| {
                        let start = starts[p / kernels.lanes] + p % kernels.lanes;
                        a[a_offset + p] * b[b_offset + start]
                    };
                    let sum: f32 = (0..starts.len() * kernels.lanes).map(term).sum();
                    assert_eq!(
                        out[i][j].iter().sum::<f32>(),
                        sum,
                        "{} lanes",
                        kernels.lanes
                    );
                }
            }
        }
    }
}
