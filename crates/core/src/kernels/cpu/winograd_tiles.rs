//! The transforms of [`super::winograd`] on registers of tiles.

use super::simd::Vector;

/// Arguments of [`Kernels::tile_inputs`](super::instruction_sets::Kernels::tile_inputs), for one channel.
pub struct TileInputs<'a> {
    /// Position 0 of the first of four rows of the packed image, one for each parity `(y % 2, x % 2)`.
    pub image: *const f32,
    /// Between two parities.
    pub pitch: usize,
    /// To the tile below and to the tile on the right.
    pub stride: usize,
    pub step: usize,
    pub starts: &'a [usize],
    /// `[16, out_pitch]`, at the channel's first value.
    pub out: *mut f32,
    pub out_pitch: usize,
}

/// Arguments of [`Kernels::tile_outputs`](super::instruction_sets::Kernels::tile_outputs), for one channel.
pub struct TileOutputs {
    /// `[16, pitch]`, at the channel's first value; the first four become the outputs by parity.
    pub values: *mut f32,
    pub pitch: usize,
    pub len: usize,
}

/// `B^T d B` of registers of tiles.
///
/// # Safety
/// The image must have the taps of each start, and `out` room for all of them.
#[inline(always)]
pub unsafe fn tile_inputs<V: Vector>(args: &TileInputs) {
    let TileInputs {
        pitch,
        stride,
        step,
        ..
    } = *args;
    for (v, &start) in args.starts.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe {
            // inputs -1, 0, 1, 2 of a tile are of parity 1, 0, 1, 0, the first of the tile before, the last of the next
            let at = |parity: usize, y: usize, x: usize| {
                let from = args.image.add(parity * pitch + start);
                V::load(from.add(y * stride + x * step).sub(stride + step))
            };
            let row = |py: usize, y: usize| {
                let d: [V; 4] = [
                    at(2 * py + 1, y, 0),
                    at(2 * py, y, 1),
                    at(2 * py + 1, y, 1),
                    at(2 * py, y, 2),
                ];
                combine(d)
            };
            let rows = [row(1, 0), row(0, 1), row(1, 1), row(0, 2)];
            for j in 0..4 {
                let column = combine(rows.map(|row| row[j]));
                for (i, value) in column.into_iter().enumerate() {
                    value.store(args.out.add((4 * i + j) * args.out_pitch + v * V::LANES));
                }
            }
        }
    }
}

/// `B^T d`
#[inline(always)]
unsafe fn combine<V: Vector>(d: [V; 4]) -> [V; 4] {
    // SAFETY: the caller has the instruction set.
    unsafe {
        [
            d[0].sub(d[2]),
            d[1].add(d[2]),
            d[2].sub(d[1]),
            d[1].sub(d[3]),
        ]
    }
}

/// `A^T m A` of registers of tiles, in place.
///
/// # Safety
/// `values` must cover sixteen rows of `len` values, rounded up to a register.
#[inline(always)]
pub unsafe fn tile_outputs<V: Vector>(args: &TileOutputs) {
    for start in (0..args.len).step_by(V::LANES) {
        // SAFETY: the caller's promise.
        unsafe {
            let at = |value: usize| args.values.add(value * args.pitch + start);
            let row = |i: usize| {
                let m: [V; 4] = core::array::from_fn(|j| V::load(at(4 * i + j)));
                [m[0].add(m[1]).add(m[2]), m[1].sub(m[2]).sub(m[3])]
            };
            let rows = [row(0), row(1), row(2), row(3)];
            for px in 0..2 {
                let [a, b, c, d] = rows.map(|row| row[px]);
                a.add(b).add(c).store(at(px));
                b.sub(c).sub(d).store(at(2 + px));
            }
        }
    }
}
