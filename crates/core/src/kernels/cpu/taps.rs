//! Taps: shifted views of the packed image.

use super::grid::{Grid, Packed};
use super::pack_rows::VIEWS;

/// A shifted view of one row of a packed image.
#[derive(Debug, Clone, Copy)]
pub struct Tap {
    pub row: usize,
    pub dy: isize,
    pub dx: isize,
}

/// Offsets of taps in a packed image.
pub fn offsets(grid: Grid, packed: Packed, taps: &[Tap]) -> Vec<usize> {
    let (step, stride) = (grid.step() as isize, grid.stride() as isize);
    taps.iter()
        .map(|tap| {
            let origin = (tap.row * packed.pitch + packed.origin) as isize;
            (origin + tap.dy * stride + tap.dx * step) as usize
        })
        .collect()
}

/// Offsets of taps in views ([`super::pack_rows::pack_views`]).
pub fn view_offsets(pitch: usize, taps: &[Tap]) -> Vec<usize> {
    let view = |tap: &Tap| (VIEWS * tap.row) as isize + 3 * (tap.dy + 1) + tap.dx + 1;
    taps.iter().map(|tap| view(tap) as usize * pitch).collect()
}
