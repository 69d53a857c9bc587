//! CPU kernels on slices of f32, row-major `[n, c, h, w]`.

pub mod attention;
pub mod attention_grad;
pub mod batch_norm;
pub mod conv;
pub mod conv_up;
mod correlate;
mod grid;
mod instruction_sets;
mod pack;
mod panels;
mod parallel;
pub mod planes;
pub mod resample;
mod simd;
mod softmax;
mod tap_products;
mod taps;
