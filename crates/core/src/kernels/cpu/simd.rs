//! Registers, and the two inner loops of the convolutions, for each instruction set.
//!
//! Both loops are matrix products whose operand is addressed through a list of offsets, one per
//! (channel, tap) pair, so a convolution needs no im2col matrix: a tap is a shifted view of the packed
//! image. The instruction set is chosen at run time on x86-64 and at compile time elsewhere.

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
    /// `self + other`
    /// # Safety
    /// As for `splat`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self - other`
    /// # Safety
    /// As for `splat`.
    unsafe fn sub(self, other: Self) -> Self;
    /// `self * other`
    /// # Safety
    /// As for `splat`.
    unsafe fn mul(self, other: Self) -> Self;
    /// `self / other`
    /// # Safety
    /// As for `splat`.
    unsafe fn div(self, other: Self) -> Self;
    /// `other` where it is larger, else `self`: a NaN in `self` stays.
    /// # Safety
    /// As for `splat`.
    unsafe fn max(self, other: Self) -> Self;
    /// `other` where it is smaller, else `self`: a NaN in `self` stays.
    /// # Safety
    /// As for `splat`.
    unsafe fn min(self, other: Self) -> Self;
    /// The lowest bits of each value as its exponent and sign: `bits << 23`.
    /// # Safety
    /// As for `splat`.
    unsafe fn low_bits_to_exponent(self) -> Self;
}

/// Arguments of [`tile`].
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
    /// Whether the sums are added to what `out` holds.
    pub add: bool,
}

/// `out[i, p] (+)= sum_k weights[k, i] * image[offsets[k] + starts[v] + l]`, `p = v * lanes + l`
pub type Tile = unsafe fn(&TileArgs);

/// Arguments of [`dot()`].
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

pub type Dot = unsafe fn(&DotArgs, &mut LaneSums);

/// Lanes of the widest instruction set.
pub const MAX_LANES: usize = 16;
/// Rows of one [`dot()`] call.
pub const DOT_ROWS: usize = 4;
/// Columns of one [`dot()`] call.
pub const DOT_COLUMNS: usize = 6;

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
                let out = args.out.add(i * args.pitch + j * V::LANES);
                if args.add {
                    V::load(out).add(*value).store(out);
                } else {
                    value.store(out);
                }
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
