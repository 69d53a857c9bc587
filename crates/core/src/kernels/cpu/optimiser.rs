//! One pass over a tensor for Adam's step, and one for a weighted sum, as of an average of weights.

use super::parallel::{Output, for_each};

/// Values of a task.
const BLOCK: usize = 1 << 15;

/// Adam's constants at a step (Kingma and Ba 2015, Alg. 1, with the corrections of sec. 2's end folded in).
#[cfg(feature = "train")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// `sqrt(1 - beta2^t) / (1 - beta1^t)`
    pub correction: f32,
    /// `eps sqrt(1 - beta2^t)`
    pub eps: f32,
}

#[cfg(feature = "train")]
impl AdamStep {
    /// Step number `time`, counted from 1, with the corrections of both moments.
    pub fn new(lr: f64, [beta1, beta2]: [f64; 2], eps: f64, time: usize) -> Self {
        let (beta1, beta2) = (beta1 as f32, beta2 as f32);
        let root = (1.0 - beta2.powi(time as i32)).sqrt();
        Self {
            lr: lr as f32,
            beta1,
            beta2,
            correction: root / (1.0 - beta1.powi(time as i32)),
            eps: eps as f32 * root,
        }
    }
}

/// ```text
/// m <- beta1 m + (1 - beta1) g      v <- beta2 v + (1 - beta2) g^2
/// x - lr correction m / (sqrt(v) + eps)
/// ```
///
/// with the moments `m` and `v` of a gradient `g`, and the corrections in the constants.
#[cfg(feature = "train")]
pub fn adam(step: AdamStep, x: &[f32], g: &[f32], [m, v]: [&mut [f32]; 2]) -> Vec<f32> {
    let len = x.len();
    assert!(g.len() == len && m.len() == len && v.len() == len);
    let (out, m, v) = (Output::new(len), Output::on(m), Output::on(v));
    let (rest1, rest2) = (1.0 - step.beta1, 1.0 - step.beta2);
    for_each(len.div_ceil(BLOCK), |block| {
        let first = block * BLOCK;
        let len = BLOCK.min(len - first);
        // SAFETY: each block has its own slices; the moments have values.
        let [out, m, v] = [&out, &m, &v].map(|output| unsafe { output.slice(first, len) });
        let inputs = x[first..].iter().zip(&g[first..]);
        for (((out, m), v), (x, g)) in out.iter_mut().zip(m).zip(v).zip(inputs) {
            *m = *m * step.beta1 + g * rest1;
            *v = *v * step.beta2 + g * g * rest2;
            *out = x - *m * step.correction / (v.sqrt() + step.eps) * step.lr;
        }
    });
    // SAFETY: the blocks cover all values.
    unsafe { out.finish() }
}

/// `a x + b y`
pub fn weighted_sum(x: &[f32], a: f64, y: &[f32], b: f64) -> Vec<f32> {
    assert_eq!(x.len(), y.len());
    let (a, b) = (a as f32, b as f32);
    let out = Output::new(y.len());
    for_each(y.len().div_ceil(BLOCK), |block| {
        let first = block * BLOCK;
        let len = BLOCK.min(y.len() - first);
        // SAFETY: each block has its own slice.
        let out = unsafe { out.slice(first, len) };
        for (out, (x, y)) in out.iter_mut().zip(x[first..].iter().zip(&y[first..])) {
            *out = x * a + y * b;
        }
    });
    // SAFETY: the blocks cover all values.
    unsafe { out.finish() }
}
