//! The softmax of attention and its gradient on blocks of logits, and tanh: what is made of powers of two, for each
//! instruction set.
//!
//! Logits are in powers of two: whoever computes them has multiplied one factor by `log2(e)`, so that
//! `exp(theta^T phi) = 2^logit` without another rounding.

use super::simd::Vector;

/// Arguments of [`softmax`]: a block of logits whose columns are queries.
pub struct SoftmaxArgs<'a> {
    /// `[rows, pitch]`; becomes `2^(logit - max)`.
    pub logits: &'a mut [f32],
    pub rows: usize,
    /// Columns that are computed: a multiple of the lanes.
    pub width: usize,
    pub pitch: usize,
    /// `[width]`: the running maximum of each column, of this block and those before it.
    pub max: &'a mut [f32],
    /// `[width]`: the running sum of `2^(logit - max)`.
    pub sum: &'a mut [f32],
    /// `[width]`, written: by what earlier sums are to be multiplied, since the maximum has grown.
    pub scale: &'a mut [f32],
}

/// See [`softmax`].
pub type Softmax = unsafe fn(&mut SoftmaxArgs);

/// Arguments of [`softmax_grad`]: a block of logits whose rows are queries.
pub struct SoftmaxGradArgs<'a> {
    /// `[rows, pitch]`; becomes the weights `p = 2^(logit - log_sum)`.
    pub logits: &'a mut [f32],
    /// `[rows, pitch]`, the gradient of the weights; becomes that of the logits (natural ones):
    /// `p (dp - mean)`.
    pub grads: &'a mut [f32],
    /// Columns that are computed: a multiple of the lanes.
    pub width: usize,
    pub pitch: usize,
    /// `[rows]`: log2 of the sum of each row's `2^logit`.
    pub log_sums: &'a [f32],
    /// `[rows]`: `sum p dp` of each row.
    pub means: &'a [f32],
}

/// See [`softmax_grad`].
pub type SoftmaxGrad = unsafe fn(&mut SoftmaxGradArgs);

/// `2^r = c_0 + r (c_1 + r (c_2 + ..))` for `|r| <= 1/2`, relative error 2e-9 before rounding.
const COEFFICIENTS: [f32; 7] = [
    1.0,
    core::f32::consts::LN_2,
    0.240_226_48,
    0.055_503_324,
    0.009_618_437,
    0.001_339_887_4,
    0.000_153_533_6,
];

/// Numbers of this size have no fraction, and end in the exponent's bits of `2^(value - ROUND)`.
const ROUND: f32 = 12_582_912.0 + 127.0; // 1.5 2^23 and the exponent's bias

/// `2^x` for `x <= 0`, with an error below 1.5 units in the last place; below -126 it is `2^-126`.
#[inline(always)]
unsafe fn exp2<V: Vector>(x: V) -> V {
    // SAFETY: the caller has checked the instruction set.
    unsafe {
        let x = x.max(V::splat(-126.0));
        let rounded = x.add(V::splat(ROUND));
        let rest = x.sub(rounded.sub(V::splat(ROUND))); // in [-1/2, 1/2], exact
        let mut power = V::splat(COEFFICIENTS[6]);
        for &coefficient in COEFFICIENTS[..6].iter().rev() {
            power = V::splat(coefficient).add_product(power, rest);
        }
        power.mul(rounded.low_bits_to_exponent())
    }
}

/// One more block of keys for some queries (Milakov & Gimelshein 2018, "Online normalizer calculation
/// for softmax", Alg. 3).
///
/// # Safety
/// The instruction set must be available, and the slices as long as documented.
#[inline(always)]
pub unsafe fn softmax<V: Vector>(args: &mut SoftmaxArgs) {
    for column in (0..args.width).step_by(V::LANES) {
        // SAFETY: the caller's promise.
        unsafe {
            let logits = args.logits.as_mut_ptr().add(column);
            let [max_at, sum_at, scale_at] =
                [&mut args.max, &mut args.sum, &mut args.scale].map(|v| v.as_mut_ptr().add(column));
            let before = V::load(max_at);
            let mut max = before;
            for row in 0..args.rows {
                max = max.max(V::load(logits.add(row * args.pitch)));
            }
            let scale = exp2(before.sub(max));
            let mut sum = V::splat(0.0);
            for row in 0..args.rows {
                let at = logits.add(row * args.pitch);
                let power = exp2(V::load(at).sub(max));
                power.store(at);
                sum = sum.add(power);
            }
            max.store(max_at);
            sum.add_product(V::load(sum_at), scale).store(sum_at);
            scale.store(scale_at);
        }
    }
}

/// The weights anew from their logits, and the gradient of the logits.
///
/// # Safety
/// The instruction set must be available, and the slices as long as documented.
#[inline(always)]
pub unsafe fn softmax_grad<V: Vector>(args: &mut SoftmaxGradArgs) {
    for (row, (&log_sum, &mean)) in args.log_sums.iter().zip(args.means).enumerate() {
        for column in (0..args.width).step_by(V::LANES) {
            // SAFETY: the caller's promise.
            unsafe {
                let logit = args.logits.as_mut_ptr().add(row * args.pitch + column);
                let grad = args.grads.as_mut_ptr().add(row * args.pitch + column);
                // columns without a key may be above the sum, which must not give infinity
                let exponent = V::load(logit).sub(V::splat(log_sum)).min(V::splat(0.0));
                let weight = exp2(exponent);
                weight.store(logit);
                V::load(grad).sub(V::splat(mean)).mul(weight).store(grad);
            }
        }
    }
}

/// Registers of [`tanh`] that are computed together.
pub const TANH_TOGETHER: usize = 4;

/// See [`tanh`].
pub type Tanh = unsafe fn(&mut [f32]);

/// tanh of whole registers, four at a time: `tanh |x| = (1 - t) / (1 + t)`, `t = e^(-2 |x|)`.
///
/// # Safety
/// The instruction set must be available.
#[inline(always)]
pub unsafe fn tanh<V: Vector>(values: &mut [f32]) {
    for values in values.chunks_exact_mut(TANH_TOGETHER * V::LANES) {
        // SAFETY: the caller's promise, and the chunk's length.
        unsafe {
            let zero = V::splat(0.0);
            let one = V::splat(1.0);
            let at = values.as_mut_ptr();
            // loops: what a closure is given to need not be compiled for the instruction set
            let mut x = [zero; TANH_TOGETHER];
            for (i, x) in x.iter_mut().enumerate() {
                *x = V::load(at.add(i * V::LANES));
            }
            // -2 |x| log2(e)
            let rate = V::splat(-2.0 * core::f32::consts::LOG2_E);
            let mut t = [zero; TANH_TOGETHER];
            for (t, &x) in t.iter_mut().zip(&x) {
                *t = exp2(x.max(zero.sub(x)).mul(rate));
            }
            for (i, (x, t)) in x.into_iter().zip(t).enumerate() {
                let y = one.sub(t).div(one.add(t));
                // x is farther from 0 than its tanh: this gives y the sign of x, and a NaN stays
                x.min(y).max(zero.sub(y)).store(at.add(i * V::LANES));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::instruction_sets::tests::available;
    use super::super::simd::MAX_LANES;
    use super::*;

    /// Units in the last place, documented at [`exp2`].
    const MAX_ERROR: f64 = 1.5;

    #[test]
    fn powers_of_two_are_within_the_documented_error() {
        // all sizes, the ends, and the halves where the nearest integer changes
        let mut exponents = vec![0.0, -0.0, -0.5, -1.0, -1.5, -125.5, -126.0, -1e-40];
        exponents.extend((0..300_000).map(|i| -126.0 * i as f32 / 3e5));
        exponents.extend((0..100_000).map(|i| -(i as f32) / 1e5));
        exponents.resize(exponents.len().next_multiple_of(MAX_LANES), -3.25);
        for kernels in available() {
            let mut powers = exponents.clone();
            let mut grads = vec![0.0; powers.len()];
            let width = powers.len();
            let mut args = SoftmaxGradArgs {
                logits: &mut powers,
                grads: &mut grads,
                width,
                pitch: width,
                log_sums: &[0.0],
                means: &[0.0],
            };
            // SAFETY: one row of a multiple of the lanes.
            unsafe { (kernels.softmax_grad)(&mut args) };
            for (&x, &power) in exponents.iter().zip(&powers) {
                let exact = f64::from(x).exp2();
                let ulp = f64::from(f32::EPSILON) * exact.log2().floor().exp2();
                let error = (f64::from(power) - exact).abs() / ulp;
                assert!(
                    error <= MAX_ERROR,
                    "{} lanes: 2^{x} = {power}, {error} ulp",
                    kernels.lanes
                );
            }
        }
    }

    #[test]
    fn small_powers_end_at_the_smallest_normal_number_and_nan_stays() {
        for kernels in available() {
            let mut logits = vec![-1e30; MAX_LANES];
            logits[1] = f32::NEG_INFINITY;
            logits[2] = f32::NAN;
            let mut grads = vec![1.0; MAX_LANES];
            let mut args = SoftmaxGradArgs {
                logits: &mut logits,
                grads: &mut grads,
                width: MAX_LANES,
                pitch: MAX_LANES,
                log_sums: &[0.0],
                means: &[0.0],
            };
            // SAFETY: one row of a multiple of the lanes.
            unsafe { (kernels.softmax_grad)(&mut args) };
            assert!(logits[2].is_nan() && grads[2].is_nan());
            logits[2] = f32::MIN_POSITIVE;
            assert_eq!(logits, [f32::MIN_POSITIVE; MAX_LANES]);
        }
    }
}
