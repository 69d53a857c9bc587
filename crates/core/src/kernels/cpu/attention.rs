//! Attention without its table of weights (Dao et al. 2022, "FlashAttention", Alg. 1; the running maximum and
//! sum are those of Milakov & Gimelshein 2018).
//!
//! Tensors are `[channels, positions]`, so that the columns of every block are positions: of queries here,
//! of keys in [`super::attention_grad`]. A block of queries goes through all keys, a block at a time:
//!
//! ```text
//! s = phi^T theta      m' = max(m, max s)      p = 2^(s - m')
//! sum' = sum 2^(m - m') + sum p                y' = y 2^(m - m') + g p
//! ```
//!
//! Nothing is summed across blocks of queries, so they are shared by threads.

use super::instruction_sets::{Kernels, kernels};
use super::panels::{Columns, Panels, copy_block};
use super::parallel::{Output, for_each, with_scratch};
use super::softmax::SoftmaxArgs;

/// Columns of a block of queries: whole tiles of every instruction set (48, 16 and 8 columns).
pub const QUERY_BLOCK: usize = 48;
/// Keys of a block, whole panels of every instruction set (8, 6 and 4 rows): the logits, 18 kB, stay in
/// the first cache.
pub const KEY_BLOCK: usize = 96;

/// `theta: [images, inner, queries]`, `phi: [images, inner, keys]`, `g: [images, channels, keys]`.
#[derive(Clone, Copy)]
pub struct AttentionShape {
    pub images: usize,
    pub inner: usize,
    pub channels: usize,
    pub queries: usize,
    pub keys: usize,
}

/// `y = g softmax(theta^T phi)^T`, and for each query log2 of the sum of exponentials, `[images, queries]`.
pub fn attention(shape: AttentionShape, inputs: [&[f32]; 3]) -> (Vec<f32>, Vec<f32>) {
    attention_by(kernels(), shape, inputs)
}

/// [`attention`] by the inner loops of one instruction set.
pub fn attention_by(
    kernels: &'static Kernels,
    shape: AttentionShape,
    inputs: [&[f32]; 3],
) -> (Vec<f32>, Vec<f32>) {
    let out = Output::new(shape.images * shape.channels * shape.queries);
    let log_sums = Output::new(shape.images * shape.queries);
    attention_on(kernels, shape, inputs, &out, &log_sums);
    // SAFETY: the blocks cover all queries.
    unsafe { (out.finish(), log_sums.finish()) }
}

/// [`attention`] to places.
pub fn attention_on(
    kernels: &'static Kernels,
    shape: AttentionShape,
    [theta, phi, g]: [&[f32]; 3],
    out: &Output,
    log_sums: &Output,
) {
    let AttentionShape {
        images,
        inner,
        channels,
        queries,
        keys,
    } = shape;
    let pitch = QUERY_BLOCK;
    let columns = Columns::new(kernels, pitch, inner.max(KEY_BLOCK));
    let by_key = Panels::pack(kernels, phi, [images, keys, inner], true, 1.0);
    let values = Panels::pack(kernels, g, [images, channels, keys], false, 1.0);
    let padded = values.padded_rows();
    let blocks = queries.div_ceil(QUERY_BLOCK);
    for_each(images * blocks, |task| {
        let (image, first) = (task / blocks, task % blocks * QUERY_BLOCK);
        let len = QUERY_BLOCK.min(queries - first);
        let width = len.next_multiple_of(Columns::tile_width(kernels));
        with_scratch(|scratch, _, _| {
            let scratch = scratch.take((inner + KEY_BLOCK + padded + 3) * pitch);
            let (block, scratch) = scratch.split_at_mut(inner * pitch);
            let (logits, scratch) = scratch.split_at_mut(KEY_BLOCK * pitch);
            let (sums, scratch) = scratch.split_at_mut(padded * pitch);
            let (max, scratch) = scratch.split_at_mut(pitch);
            let (sum, scale) = scratch.split_at_mut(pitch);
            let theta = &theta[image * inner * queries..][..inner * queries];
            let log2_e = core::f32::consts::LOG2_E;
            copy_block(theta, queries, (first, len), log2_e, (width, pitch), block);
            sums.fill(0.0);
            max.fill(f32::MIN);
            sum.fill(0.0);
            for key in (0..keys).step_by(KEY_BLOCK) {
                let some = key..(key + KEY_BLOCK).min(keys);
                columns.product(
                    &by_key,
                    image,
                    some.clone(),
                    0..inner,
                    block,
                    width,
                    logits,
                    false,
                );
                let mut args = SoftmaxArgs {
                    logits: &mut *logits,
                    rows: some.len(),
                    width,
                    pitch,
                    max: &mut *max,
                    sum: &mut *sum,
                    scale: &mut *scale,
                };
                // SAFETY: `width` is whole registers and at most the pitch.
                unsafe { (kernels.softmax)(&mut args) };
                for row in sums.chunks_exact_mut(pitch) {
                    for (sum, scale) in row.iter_mut().zip(&*scale) {
                        *sum *= scale;
                    }
                }
                columns.product(&values, image, 0..channels, some, logits, width, sums, true);
            }
            for (channel, row) in sums.chunks_exact(pitch).take(channels).enumerate() {
                // SAFETY: each block of queries has its own columns.
                let to = unsafe { out.slice((image * channels + channel) * queries + first, len) };
                for (to, (value, sum)) in to.iter_mut().zip(row.iter().zip(&*sum)) {
                    *to = value / sum;
                }
            }
            // SAFETY: as above.
            let to = unsafe { log_sums.slice(image * queries + first, len) };
            for (to, (max, sum)) in to.iter_mut().zip(max.iter().zip(&*sum)) {
                *to = max + libm::log2f(*sum);
            }
        });
    });
}
