//! Sums within a cube of units, in one order: the same at each run.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;

/// Units of a cube that sums: what every GPU has.
pub const UNITS: u32 = 256;

/// The sum of each unit's value, for all units.
#[cube]
pub fn cube_sum(value: f32) -> f32 {
    let mut values = Shared::<[f32]>::new_slice(comptime!(UNITS as usize));
    let unit = UNIT_POS as usize;
    // what a cube summed before has been read by all
    sync_cube();
    values[unit] = value;
    sync_cube();
    let mut half = comptime!(UNITS as usize / 2).runtime();
    while half > 0 {
        if unit < half {
            values[unit] += values[unit + half];
        }
        half /= 2;
        sync_cube();
    }
    values[0]
}
