//! The gradient of [`super::attention`], by computing the weights again (Dao et al. 2022, Alg. 4).
//!
//! With `p` the weights, `[queries, keys]`, and `D = sum_c dy y` for each query, which is `sum_j p dp`:
//!
//! ```text
//! dg = dy p      dp = dy^T g      ds = p (dp - D)      dphi = theta ds      dtheta = phi ds^T
//! ```
//!
//! Columns are keys: a block of them goes through all queries, and holds the sums over queries that are its dg
//! and dphi. dtheta is a sum over keys: each task has a table of its own, and these are added in order. How many
//! tasks there are depends on the shape alone.

use super::attention::AttentionShape;
use super::instruction_sets::{Kernels, kernels};
use super::panels::{Columns, Panels, copy_block};
use super::parallel::{Output, for_each, with_scratch};
use super::softmax::SoftmaxGradArgs;
use super::tap_products::add_products;

/// Columns of a block of keys: whole tiles of every instruction set (48, 16 and 8 columns).
pub const KEY_BLOCK: usize = 144;
/// Queries of a block, whole panels of every instruction set (8, 6 and 4 rows): the weights and their gradients, 55 kB, stay in the second cache.
pub const QUERY_BLOCK: usize = 48;
/// Tables of dtheta of one image, at most: enough to share the work.
const MAX_PARTS: usize = 8;
/// Tasks that are enough.
const TASKS: usize = 64;

/// `[dtheta, dphi, dg]`, with the outputs `[y, log_sums]` of the forward pass.
pub fn attention_grad(
    shape: AttentionShape,
    inputs: [&[f32]; 3],
    outputs: [&[f32]; 2],
    dy: &[f32],
) -> [Vec<f32>; 3] {
    attention_grad_by(kernels(), shape, inputs, outputs, dy)
}

/// [`attention_grad`] by the inner loops of one instruction set.
fn attention_grad_by(
    kernels: &'static Kernels,
    shape: AttentionShape,
    [theta, phi, g]: [&[f32]; 3],
    [y, log_sums]: [&[f32]; 2],
    dy: &[f32],
) -> [Vec<f32>; 3] {
    let AttentionShape {
        images,
        inner,
        channels,
        queries,
        keys,
    } = shape;
    let means = means(shape, y, dy);
    let pack = |from, rows, taps, transposed| {
        Panels::pack(kernels, from, [images, rows, taps], transposed, 1.0)
    };
    let theta_by_query = pack(theta, queries, inner, true);
    let dy_by_query = pack(dy, queries, channels, true);
    let theta_rows = pack(theta, inner, queries, false);
    let dy_rows = pack(dy, channels, queries, false);
    let (padded_inner, padded) = (theta_rows.padded_rows(), dy_rows.padded_rows());

    let pitch = KEY_BLOCK;
    let columns = Columns::new(kernels, pitch, inner.max(channels).max(QUERY_BLOCK));
    let tile = Columns::tile_width(kernels);
    let tiles = keys.div_ceil(tile);
    let parts = parts(images, tiles);
    let rows_at = |rows: usize| -> Vec<usize> { (0..rows).map(|row| row * pitch).collect() };
    let (inner_at, query_at) = (rows_at(inner), rows_at(QUERY_BLOCK));

    let part_len = inner * queries;
    let partial = Output::new(images * parts * part_len);
    let dphi = Output::new(images * inner * keys);
    let dg = Output::new(images * channels * keys);
    for_each(images * parts, |task| {
        let (image, part) = (task / parts, task % parts);
        // SAFETY: each task has its own table.
        let dtheta = unsafe { partial.slice(task * part_len, part_len) };
        dtheta.fill(0.0);
        let end = ((part + 1) * tiles / parts * tile).min(keys);
        for first in (part * tiles / parts * tile..end).step_by(KEY_BLOCK) {
            let len = KEY_BLOCK.min(end - first);
            let width = len.next_multiple_of(tile);
            with_scratch(|scratch, rest, _| {
                let rows = inner + channels + padded_inner + padded + 2 * QUERY_BLOCK;
                let scratch = scratch.take(rows * pitch);
                let (phi_block, scratch) = scratch.split_at_mut(inner * pitch);
                let (g_block, scratch) = scratch.split_at_mut(channels * pitch);
                let (dphi_sums, scratch) = scratch.split_at_mut(padded_inner * pitch);
                let (dg_sums, scratch) = scratch.split_at_mut(padded * pitch);
                let (weights, grads) = scratch.split_at_mut(QUERY_BLOCK * pitch);
                let products = rest.take(inner * QUERY_BLOCK);
                let (place, size) = ((first, len), (width, pitch));
                let phi = &phi[image * inner * keys..][..inner * keys];
                copy_block(phi, keys, place, core::f32::consts::LOG2_E, size, phi_block);
                let g = &g[image * channels * keys..][..channels * keys];
                copy_block(g, keys, place, 1.0, size, g_block);
                dphi_sums.fill(0.0);
                dg_sums.fill(0.0);
                for query in (0..queries).step_by(QUERY_BLOCK) {
                    let some = query..(query + QUERY_BLOCK).min(queries);
                    let of_image = image * queries + some.start..image * queries + some.end;
                    let product = |matrix, rows, taps, block: &[f32], out: &mut [f32], add| {
                        columns.product(matrix, image, rows, taps, block, width, out, add);
                    };
                    product(
                        &theta_by_query,
                        some.clone(),
                        0..inner,
                        phi_block,
                        weights,
                        false,
                    );
                    product(
                        &dy_by_query,
                        some.clone(),
                        0..channels,
                        g_block,
                        grads,
                        false,
                    );
                    let mut args = SoftmaxGradArgs {
                        logits: &mut *weights,
                        grads: &mut *grads,
                        width,
                        pitch,
                        log_sums: &log_sums[of_image.clone()],
                        means: &means[of_image],
                    };
                    // SAFETY: `width` is whole registers and at most the pitch.
                    unsafe { (kernels.softmax_grad)(&mut args) };
                    product(&dy_rows, 0..channels, some.clone(), weights, dg_sums, true);
                    product(&theta_rows, 0..inner, some.clone(), grads, dphi_sums, true);
                    // columns without a key have phi = 0
                    let products = &mut products[..inner * some.len()];
                    products.fill(0.0);
                    let starts = &columns.starts[..width / kernels.lanes];
                    let a = (&*phi_block, inner_at.as_slice());
                    let b = (&*grads, &query_at[..some.len()]);
                    add_products(kernels, starts, a, b, products);
                    for (to, from) in dtheta
                        .chunks_exact_mut(queries)
                        .zip(products.chunks_exact(some.len()))
                    {
                        for (to, from) in to[some.clone()].iter_mut().zip(from) {
                            *to += from;
                        }
                    }
                }
                for (rows, sums, out) in [(inner, dphi_sums, &dphi), (channels, dg_sums, &dg)] {
                    for (row, sums) in sums.chunks_exact(pitch).take(rows).enumerate() {
                        // SAFETY: each block of keys has its own columns.
                        let to = unsafe { out.slice((image * rows + row) * keys + first, len) };
                        to.copy_from_slice(&sums[..len]);
                    }
                }
            });
        }
    });
    // SAFETY: each task has written its table, and the blocks cover all keys.
    let (partial, dphi, dg) = unsafe { (partial.finish(), dphi.finish(), dg.finish()) };
    [sum_parts(images, parts, part_len, &partial), dphi, dg]
}

/// Tasks into which the keys of an image are cut, so many tiles of them.
pub fn parts(images: usize, tiles: usize) -> usize {
    (TASKS / images.max(1)).clamp(1, MAX_PARTS.min(tiles.max(1)))
}

/// `[images, parts, len]` summed over parts, divided by the factor `log2(e)` of the keys.
pub fn sum_parts(images: usize, parts: usize, len: usize, partial: &[f32]) -> Vec<f32> {
    let total = Output::new(images * len);
    for_each(images, |image| {
        // SAFETY: one slice an image.
        let sums = unsafe { total.slice(image * len, len) };
        sums.fill(0.0);
        for part in partial[image * parts * len..][..parts * len].chunks_exact(len.max(1)) {
            for (sum, value) in sums.iter_mut().zip(part) {
                *sum += value;
            }
        }
        sums.iter_mut()
            .for_each(|sum| *sum *= core::f32::consts::LN_2);
    });
    // SAFETY: every image is written.
    unsafe { total.finish() }
}

/// `sum_c dy y` for each query, `[images, queries]`.
pub fn means(shape: AttentionShape, y: &[f32], dy: &[f32]) -> Vec<f32> {
    let means = Output::new(shape.images * shape.queries);
    let len = shape.channels * shape.queries;
    for_each(shape.images, |image| {
        // SAFETY: one slice an image.
        let sums = unsafe { means.slice(image * shape.queries, shape.queries) };
        sums.fill(0.0);
        let rows = y[image * len..][..len].chunks_exact(shape.queries);
        for (y, dy) in rows.zip(dy[image * len..][..len].chunks_exact(shape.queries)) {
            for (sum, (y, dy)) in sums.iter_mut().zip(y.iter().zip(dy)) {
                *sum += y * dy;
            }
        }
    });
    // SAFETY: every image is written.
    unsafe { means.finish() }
}

#[cfg(test)]
mod tests {
    use super::super::attention::attention_by;
    use super::super::instruction_sets::tests::available;
    use super::*;

    /// Rounding of sums of some hundred f32, relative to the largest value of a result.
    const TOLERANCE: f64 = 3e-6;

    /// The output and the three gradients, by the formulas in f64, of one image.
    fn in_f64(shape: AttentionShape, [theta, phi, g]: [&[f32]; 3], dy: &[f32]) -> [Vec<f64>; 4] {
        let AttentionShape {
            inner,
            channels,
            queries,
            keys,
            ..
        } = shape;
        let at = |values: &[f32], row: usize, len: usize, column: usize| {
            f64::from(values[row * len + column])
        };
        let [mut y, mut dtheta] = [channels, inner].map(|rows| vec![0.0; rows * queries]);
        let [mut dphi, mut dg] = [inner, channels].map(|rows| vec![0.0; rows * keys]);
        for q in 0..queries {
            let logit = |j| -> f64 {
                let term = |i| at(theta, i, queries, q) * at(phi, i, keys, j);
                (0..inner).map(term).sum()
            };
            let powers: Vec<f64> = (0..keys).map(|j| logit(j).exp()).collect();
            let sum: f64 = powers.iter().sum();
            let weights: Vec<f64> = powers.iter().map(|power| power / sum).collect();
            let dweight = |j| -> f64 {
                let term = |c| at(dy, c, queries, q) * at(g, c, keys, j);
                (0..channels).map(term).sum()
            };
            let mean: f64 = weights.iter().zip(0..).map(|(p, j)| p * dweight(j)).sum();
            for (j, weight) in weights.iter().enumerate() {
                let dlogit = weight * (dweight(j) - mean);
                for c in 0..channels {
                    y[c * queries + q] += weight * at(g, c, keys, j);
                    dg[c * keys + j] += weight * at(dy, c, queries, q);
                }
                for i in 0..inner {
                    dtheta[i * queries + q] += dlogit * at(phi, i, keys, j);
                    dphi[i * keys + j] += dlogit * at(theta, i, queries, q);
                }
            }
        }
        [y, dtheta, dphi, dg]
    }

    #[test]
    fn every_instruction_set_follows_the_formulas() {
        let shape = AttentionShape {
            images: 1,
            inner: 3,
            channels: 9,
            queries: 101,
            keys: 197,
        };
        // without a pattern, in which the sums would cancel
        let noise = |rows: usize, len: usize, seed: u32| -> Vec<f32> {
            let value = |i: u32| {
                let mut bits = (i ^ seed << 20).wrapping_mul(0x9e37_79b9);
                bits = (bits ^ bits >> 15).wrapping_mul(0x85eb_ca6b);
                (bits >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            (0..(rows * len) as u32).map(value).collect()
        };
        let theta = noise(shape.inner, shape.queries, 1);
        let phi = noise(shape.inner, shape.keys, 2);
        let g = noise(shape.channels, shape.keys, 3);
        let dy = noise(shape.channels, shape.queries, 4);
        let inputs = [&*theta, &*phi, &*g];
        let exact = in_f64(shape, inputs, &dy);
        for kernels in available() {
            let (y, log_sums) = attention_by(kernels, shape, inputs);
            let [dtheta, dphi, dg] =
                attention_grad_by(kernels, shape, inputs, [&y, &log_sums], &dy);
            for (ours, exact) in [y, dtheta, dphi, dg].iter().zip(&exact) {
                let scale = exact
                    .iter()
                    .fold(0.0, |max: f64, value| max.max(value.abs()));
                assert_eq!(ours.len(), exact.len());
                for (&a, b) in ours.iter().zip(exact) {
                    let error = (f64::from(a) - b).abs();
                    assert!(
                        error < TOLERANCE * scale,
                        "{} lanes: {a} for {b}",
                        kernels.lanes
                    );
                }
            }
        }
    }
}
