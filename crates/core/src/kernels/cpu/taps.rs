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

/// The offset of a tap in a packed image.
pub fn offset(grid: Grid, packed: Packed, tap: &Tap) -> usize {
    let (step, stride) = (grid.step() as isize, grid.stride() as isize);
    let origin = (tap.row * packed.pitch + packed.origin) as isize;
    (origin + tap.dy * stride + tap.dx * step) as usize
}

/// The offset of a tap in views ([`super::pack_rows::pack_views`]).
pub fn view_offset(pitch: usize, tap: &Tap) -> usize {
    let view = (VIEWS * tap.row) as isize + 3 * (tap.dy + 1) + tap.dx + 1;
    view as usize * pitch
}
