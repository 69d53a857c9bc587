//! The gradient of [`super::attention_along`], by computing the tables again, a block at a time.
//!
//! With G the gradient of y, `P = g . G`, `Q = h . G`, a the attention and `d = ds - m`:
//!
//! ```text
//! E = beta (P - G . a)               the gradient of ds
//! F = E d + beta (Q - G . y)         the gradient of s
//! dh = G beta      dg = G (beta d)   dphi = theta F + dtheta E     of dphi: theta E
//!                                    dtheta = phi F^T + dphi E^T   of dtheta: phi E^T
//! ```
//!
//! The derivative of beta by s in direction r is `beta (r - sum beta r)`; the sums over keys that it brings are the dot
//! products with a and y. Blocks and tasks are those of [`super::attention_grad`].

use core::f32::consts::{LN_2, LOG2_E};

use super::attention::AttentionShape;
use super::attention_along::Pairs;
use super::attention_grad::{KEY_BLOCK, QUERY_BLOCK, means, parts, sum_parts};
use super::instruction_sets::{Kernels, kernels};
use super::panels::{Columns, Panels, copy_block};
use super::parallel::{Output, for_each, with_scratch};
use super::softmax::SoftmaxGradArgs;
use super::tap_products::add_products;

/// The gradients of the three pairs, with y and what the forward pass kept.
pub fn attention_along_grad(
    shape: AttentionShape,
    inputs: Pairs,
    outputs: [&[f32]; 2],
    dy: &[f32],
) -> [Vec<f32>; 3] {
    attention_along_grad_by(kernels(), shape, inputs, outputs, dy)
}

/// [`attention_along_grad`] by the inner loops of one instruction set.
fn attention_along_grad_by(
    kernels: &'static Kernels,
    shape: AttentionShape,
    inputs: Pairs,
    [y, kept]: [&[f32]; 2],
    dy: &[f32],
) -> [Vec<f32>; 3] {
    let AttentionShape {
        images,
        inner,
        channels,
        queries,
        keys,
    } = shape;
    let halves = inputs.map(|both| both.split_at(both.len() / 2));
    let [(theta, dtheta), (phi, dphi), (g, h)] = halves;
    let (attended, rest) = kept.split_at(y.len());
    let (log_sums, slope_means) = rest.split_at(images * queries);
    let (by_attended, by_y) = (means(shape, attended, dy), means(shape, y, dy));
    let pack = |from, rows, taps, transposed| {
        Panels::pack(kernels, from, [images, rows, taps], transposed, 1.0)
    };
    let [theta_by_query, dtheta_by_query] = [theta, dtheta].map(|t| pack(t, queries, inner, true));
    let dy_by_query = pack(dy, queries, channels, true);
    let [theta_rows, dtheta_rows] = [theta, dtheta].map(|t| pack(t, inner, queries, false));
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
    // of theta, then of dtheta
    let partial = Output::new(2 * images * parts * part_len);
    let by_phi = Output::new(2 * images * inner * keys);
    let by_g = Output::new(2 * images * channels * keys);
    for_each(images * parts, |task| {
        let (image, part) = (task / parts, task % parts);
        let second = images * parts * part_len;
        let table = |half: usize| half * second + task * part_len;
        // SAFETY: each task has its own tables.
        let mut of_theta = [0, 1].map(|half| unsafe { partial.slice(table(half), part_len) });
        of_theta.iter_mut().for_each(|sums| sums.fill(0.0));
        let end = ((part + 1) * tiles / parts * tile).min(keys);
        for first in (part * tiles / parts * tile..end).step_by(KEY_BLOCK) {
            let len = KEY_BLOCK.min(end - first);
            let width = len.next_multiple_of(tile);
            with_scratch(|scratch, rest, _| {
                let rows = 2 * (inner + channels + padded_inner + padded) + 4 * QUERY_BLOCK;
                let mut left = scratch.take(rows * pitch);
                let mut take = |rows: usize| {
                    let (taken, rest) = core::mem::take(&mut left).split_at_mut(rows * pitch);
                    left = rest;
                    taken
                };
                let [phi_block, dphi_block] = [0, 1].map(|_| take(inner));
                let [g_block, h_block] = [0, 1].map(|_| take(channels));
                let [of_phi, of_dphi] = [0, 1].map(|_| take(padded_inner));
                let [of_g, of_h] = [0, 1].map(|_| take(padded));
                let [weights, slopes, by_slope, by_logit] = [0; 4].map(|_| take(QUERY_BLOCK));
                let products = rest.take(inner * QUERY_BLOCK);
                let (place, size) = ((first, len), (width, pitch));
                for (from, rows, factor, to) in [
                    (phi, inner, LOG2_E, &mut *phi_block),
                    (dphi, inner, LOG2_E, &mut *dphi_block),
                    (g, channels, 1.0, &mut *g_block),
                    (h, channels, 1.0, &mut *h_block),
                ] {
                    let from = &from[image * rows * keys..][..rows * keys];
                    copy_block(from, keys, place, factor, size, to);
                }
                for sums in [&mut *of_phi, &mut *of_dphi, &mut *of_g, &mut *of_h] {
                    sums.fill(0.0);
                }
                for query in (0..queries).step_by(QUERY_BLOCK) {
                    let some = query..(query + QUERY_BLOCK).min(queries);
                    let of_image = image * queries + some.start..image * queries + some.end;
                    let table = |matrix, taps, block: &[f32], out: &mut [f32], add| {
                        let rows = some.clone();
                        columns.product(matrix, image, rows, 0..taps, block, width, out, add);
                    };
                    table(&theta_by_query, inner, phi_block, weights, false);
                    table(&theta_by_query, inner, dphi_block, slopes, false);
                    table(&dtheta_by_query, inner, phi_block, slopes, true);
                    table(&dy_by_query, channels, g_block, by_slope, false);
                    table(&dy_by_query, channels, h_block, by_logit, false);
                    let mut args = SoftmaxGradArgs {
                        logits: &mut *weights,
                        grads: &mut *by_slope,
                        width,
                        pitch,
                        log_sums: &log_sums[of_image.clone()],
                        means: &by_attended[of_image.clone()],
                    };
                    // SAFETY: `width` is whole registers and at most the pitch.
                    unsafe { (kernels.softmax_grad)(&mut args) };
                    let rows = weights
                        .chunks_exact(pitch)
                        .zip(by_slope.chunks_exact(pitch));
                    let written = slopes.chunks_exact_mut(pitch);
                    let written = written.zip(by_logit.chunks_exact_mut(pitch));
                    let numbers = slope_means[of_image.clone()].iter().zip(&by_y[of_image]);
                    for (((weight, by_slope), (slope, by_logit)), (mean, by_y)) in
                        rows.zip(written).zip(numbers)
                    {
                        let read = weight[..width].iter().zip(by_slope);
                        for ((slope, by_logit), (weight, by_slope)) in
                            slope.iter_mut().zip(by_logit).zip(read)
                        {
                            // phi and dphi were multiplied by log2(e)
                            let apart = *slope * LN_2 - mean;
                            *by_logit = by_slope * apart + weight * (*by_logit - by_y);
                            *slope = weight * apart;
                        }
                    }
                    let sums = |matrix, rows, block: &[f32], out: &mut [f32]| {
                        let taps = some.clone();
                        columns.product(matrix, image, 0..rows, taps, block, width, out, true);
                    };
                    sums(&dy_rows, channels, slopes, of_g);
                    sums(&dy_rows, channels, weights, of_h);
                    sums(&theta_rows, inner, by_logit, of_phi);
                    sums(&dtheta_rows, inner, by_slope, of_phi);
                    sums(&theta_rows, inner, by_slope, of_dphi);
                    // columns without a key have phi = 0
                    let starts = &columns.starts[..width / kernels.lanes];
                    for (block, grads, half) in [
                        (&*phi_block, &*by_logit, 0),
                        (&*dphi_block, &*by_slope, 0),
                        (&*phi_block, &*by_slope, 1),
                    ] {
                        let products = &mut products[..inner * some.len()];
                        products.fill(0.0);
                        let a = (block, inner_at.as_slice());
                        let b = (grads, &query_at[..some.len()]);
                        add_products(kernels, starts, a, b, products);
                        let rows = of_theta[half].chunks_exact_mut(queries);
                        for (to, from) in rows.zip(products.chunks_exact(some.len())) {
                            for (to, from) in to[some.clone()].iter_mut().zip(from) {
                                *to += from;
                            }
                        }
                    }
                }
                for (half, rows, sums, out) in [
                    (0, inner, &*of_phi, &by_phi),
                    (1, inner, &*of_dphi, &by_phi),
                    (0, channels, &*of_g, &by_g),
                    (1, channels, &*of_h, &by_g),
                ] {
                    for (row, sums) in sums.chunks_exact(pitch).take(rows).enumerate() {
                        let row = (half * images + image) * rows + row;
                        // SAFETY: each block of keys has its own columns.
                        let to = unsafe { out.slice(row * keys + first, len) };
                        to.copy_from_slice(&sums[..len]);
                    }
                }
            });
        }
    });
    // SAFETY: each task has written its tables, and the blocks cover all keys.
    let [partial, by_phi, by_g] = [partial, by_phi, by_g].map(|output| unsafe { output.finish() });
    [
        sum_parts(2 * images, parts, part_len, &partial),
        by_phi,
        by_g,
    ]
}
