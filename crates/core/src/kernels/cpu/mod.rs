//! CPU kernels on slices of f32, row-major `[n, c, h, w]`.

pub mod affine;
pub mod attention;
#[cfg(feature = "train")]
pub mod attention_along;
#[cfg(feature = "train")]
pub mod attention_along_grad;
pub mod attention_grad;
pub mod batch_norm;
pub mod conv;
pub mod conv_shape;
pub mod conv_up;
pub mod correlate;
mod grid;
pub mod instruction_sets;
pub mod kept;
pub mod optimiser;
mod pack;
mod pack_rows;
mod panels;
pub mod parallel;
pub mod planes;
pub mod resample;
mod simd;
mod softmax;
pub mod source;
pub mod tanh;
mod tap_products;
mod taps;
#[cfg(feature = "rayon")]
mod team;
pub mod unpack;
pub mod winograd;
mod winograd_tiles;
