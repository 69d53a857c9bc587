//! Attention along a direction, without its tables: what a gradient penalty needs of it ([`crate::train`]).
//!
//! With s the logits, beta their softmax over keys, `ds = theta . dphi + dtheta . phi` and h the values' own part:
//!
//! ```text
//! y = sum_j beta_j (h_j + (ds_j - m) g_j)      m = sum_j beta_j ds_j
//! ```
//!
//! As in [`super::attention`] a block of queries goes through all keys with a running maximum, here with three more
//! sums: `sum p ds`, `sum p g` and `sum p (h + ds g)`, from which y follows at the end.

use core::f32::consts::{LN_2, LOG2_E};

use super::attention::{AttentionShape, KEY_BLOCK, QUERY_BLOCK};
use super::instruction_sets::{Kernels, kernels};
use super::panels::{Columns, Panels, copy_block};
use super::parallel::{Output, for_each, with_scratch};
use super::softmax::SoftmaxArgs;

/// Inputs, each followed by its part along the direction: theta and dtheta `[2 images, inner, queries]`, phi and dphi
/// `[2 images, inner, keys]`, g and h `[2 images, channels, keys]`.
pub type Pairs<'a> = [&'a [f32]; 3];

/// What the gradient needs of the forward pass, one after another: the attention `sum beta g`,
/// `[images, channels, queries]`, log2 of the sum of exponentials and m, both `[images, queries]`.
pub fn kept_len(shape: AttentionShape) -> usize {
    shape.images * shape.queries * (shape.channels + 2)
}

/// `[y, kept]`: y is `[images, channels, queries]`.
pub fn attention_along(shape: AttentionShape, inputs: Pairs) -> [Vec<f32>; 2] {
    attention_along_by(kernels(), shape, inputs)
}

/// [`attention_along`] by the inner loops of one instruction set.
pub fn attention_along_by(
    kernels: &'static Kernels,
    shape: AttentionShape,
    inputs: Pairs,
) -> [Vec<f32>; 2] {
    let AttentionShape {
        images,
        inner,
        channels,
        queries,
        keys,
    } = shape;
    let [(theta, dtheta), (phi, dphi), (g, h)] = inputs.map(|both| both.split_at(both.len() / 2));
    let pitch = QUERY_BLOCK;
    let columns = Columns::new(kernels, pitch, inner.max(KEY_BLOCK));
    let by_key = |phi| Panels::pack(kernels, phi, [images, keys, inner], true, 1.0);
    let (phi_by_key, dphi_by_key) = (by_key(phi), by_key(dphi));
    let values = |g| Panels::pack(kernels, g, [images, channels, keys], false, 1.0);
    let (g_rows, h_rows) = (values(g), values(h));
    let padded = g_rows.padded_rows();
    let blocks = queries.div_ceil(QUERY_BLOCK);
    let [y, kept] = [images * channels * queries, kept_len(shape)].map(Output::new);
    for_each(images * blocks, |task| {
        let (image, first) = (task / blocks, task % blocks * QUERY_BLOCK);
        let len = QUERY_BLOCK.min(queries - first);
        let width = len.next_multiple_of(Columns::tile_width(kernels));
        with_scratch(|scratch, _, _| {
            let rows = 2 * inner + 2 * KEY_BLOCK + 2 * padded + 4;
            let scratch = scratch.take(rows * pitch);
            let (block, scratch) = scratch.split_at_mut(inner * pitch);
            let (dblock, scratch) = scratch.split_at_mut(inner * pitch);
            let (logits, scratch) = scratch.split_at_mut(KEY_BLOCK * pitch);
            let (slopes, scratch) = scratch.split_at_mut(KEY_BLOCK * pitch);
            let (attended, scratch) = scratch.split_at_mut(padded * pitch);
            let (sums, scratch) = scratch.split_at_mut(padded * pitch);
            let (max, scratch) = scratch.split_at_mut(pitch);
            let (sum, scratch) = scratch.split_at_mut(pitch);
            let (scale, mean) = scratch.split_at_mut(pitch);
            for (from, to) in [(theta, &mut *block), (dtheta, &mut *dblock)] {
                let from = &from[image * inner * queries..][..inner * queries];
                copy_block(from, queries, (first, len), LOG2_E, (width, pitch), to);
            }
            attended.fill(0.0);
            sums.fill(0.0);
            max.fill(f32::MIN);
            sum.fill(0.0);
            mean.fill(0.0);
            for key in (0..keys).step_by(KEY_BLOCK) {
                let some = key..(key + KEY_BLOCK).min(keys);
                let logits_of = |phi, block: &[f32], out: &mut [f32], add| {
                    let taps = 0..inner;
                    columns.product(phi, image, some.clone(), taps, block, width, out, add);
                };
                logits_of(&phi_by_key, block, logits, false);
                logits_of(&phi_by_key, dblock, slopes, false);
                logits_of(&dphi_by_key, block, slopes, true);
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
                let rows = attended.chunks_exact_mut(pitch);
                for row in rows.chain(sums.chunks_exact_mut(pitch)).chain([&mut *mean]) {
                    for (sum, scale) in row.iter_mut().zip(&*scale) {
                        *sum *= scale;
                    }
                }
                // theta and dtheta were multiplied by log2(e)
                let rows = logits
                    .chunks_exact(pitch)
                    .zip(slopes.chunks_exact_mut(pitch));
                for (power, slope) in rows.take(some.len()) {
                    for (slope, power) in slope[..width].iter_mut().zip(power) {
                        *slope *= power * LN_2;
                    }
                    for (mean, slope) in mean.iter_mut().zip(&slope[..width]) {
                        *mean += slope;
                    }
                }
                let add = |matrix, block: &[f32], out: &mut [f32]| {
                    let (rows, taps) = (0..channels, some.clone());
                    columns.product(matrix, image, rows, taps, block, width, out, true);
                };
                add(&g_rows, logits, attended);
                add(&h_rows, logits, sums);
                add(&g_rows, slopes, sums);
            }
            for (mean, sum) in mean.iter_mut().zip(&*sum) {
                *mean /= sum;
            }
            let rows = attended.chunks_exact(pitch).zip(sums.chunks_exact(pitch));
            for (channel, (attended, sums)) in rows.take(channels).enumerate() {
                let at = (image * channels + channel) * queries + first;
                // SAFETY: each block of queries has its own columns.
                let (y, kept) = unsafe { (y.slice(at, len), kept.slice(at, len)) };
                for (column, (y, kept)) in y.iter_mut().zip(kept).enumerate() {
                    *kept = attended[column] / sum[column];
                    *y = sums[column] / sum[column] - mean[column] * *kept;
                }
            }
            let at = images * channels * queries + image * queries + first;
            // SAFETY: as above.
            let [log_sums, means] =
                [at, at + images * queries].map(|at| unsafe { kept.slice(at, len) });
            for (to, (max, sum)) in log_sums.iter_mut().zip(max.iter().zip(&*sum)) {
                *to = max + libm::log2f(*sum);
            }
            means.copy_from_slice(&mean[..len]);
        });
    });
    // SAFETY: the blocks cover all queries.
    [y, kept].map(|output| unsafe { output.finish() })
}
