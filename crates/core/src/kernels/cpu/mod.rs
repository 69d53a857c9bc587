//! CPU kernels on slices of f32, row-major `[n, c, h, w]`.

pub mod batch_norm;
pub mod conv;
pub mod conv_up;
mod correlate;
mod grid;
mod instruction_sets;
mod pack;
mod parallel;
pub mod planes;
pub mod resample;
mod simd;
mod tap_products;
mod taps;
