//! The hyperbolic tangent of many values.

use super::instruction_sets::kernels;
use super::parallel::{Output, for_each};
use super::softmax::TANH_TOGETHER;

/// Values that a task takes: whole registers of every instruction set.
const TASK_VALUES: usize = 4096;

/// tanh in place; the error is below 2e-7.
pub fn tanh(values: &mut [f32]) {
    let kernels = kernels();
    let len = values.len();
    let out = Output::on(values);
    for_each(len.div_ceil(TASK_VALUES), |task| {
        let first = task * TASK_VALUES;
        // SAFETY: a task has its own values, which were written.
        let values = unsafe { out.slice(first, TASK_VALUES.min(len - first)) };
        let (whole, rest) = values.split_at_mut(
            values.len() / (TANH_TOGETHER * kernels.lanes) * TANH_TOGETHER * kernels.lanes,
        );
        // SAFETY: these are the kernels of this machine, and the values whole registers.
        unsafe { (kernels.tanh)(whole) };
        for value in rest {
            *value = libm::tanhf(*value);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_tanh() {
        let mut values: Vec<f32> = (-5000..5001).map(|i| i as f32 * 0.004).collect();
        values.extend([0.0, -0.0, 1e-6, -1e-6, 3e-4, 80.0, -80.0]);
        let mut results = values.clone();
        tanh(&mut results);
        for (x, y) in values.iter().zip(&results) {
            let expected = libm::tanh(f64::from(*x));
            assert!(
                (f64::from(*y) - expected).abs() < 2e-7,
                "{x}: {y}, not {expected}"
            );
        }
        let mut broken = vec![0.5; 200];
        broken[3] = f32::NAN;
        tanh(&mut broken);
        assert!(broken[3].is_nan() && broken[4].is_finite());
    }
}
