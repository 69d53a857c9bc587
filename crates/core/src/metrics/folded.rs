//! Convolution and batch norm of a foreign network as one convolution.

use burn::tensor::module::conv2d as burn_conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{Error, Result};
use crate::kernels::conv2d;
use crate::named::HostTensors;

/// A convolution with its batch norm folded in.
#[derive(Debug, Clone)]
pub(super) struct FoldedConv {
    /// `[out, in / groups, h, w]`
    weight: Tensor<4>,
    /// `[out]`
    bias: Tensor<1>,
    options: ConvOptions<2>,
}

impl FoldedConv {
    /// `gain (w x - mean) / sqrt(variance + eps) + bias`, folded in f64, from the tensors
    /// `<conv>.weight` and `<norm>.{weight, bias, running_mean, running_var}`.
    ///
    /// # Errors
    /// If a variance is negative.
    ///
    /// # Panics
    /// If a tensor is missing: `import::exact` reads all of them.
    pub fn new(
        stored: &mut HostTensors,
        [conv, norm]: [&str; 2],
        eps: f64,
        options: ConvOptions<2>,
        device: &Device,
    ) -> Result<Self> {
        let name = format!("{conv}.weight");
        let weight = stored.0.remove(&name).expect("every tensor was read");
        let [outputs, inputs, h, w] = weight.shape[..] else {
            return Err(Error::tensor(name)
                .found(format_args!("{:?}", weight.shape))
                .expected("four dimensions"));
        };
        let mut part = |part: &str| take(stored, &format!("{norm}.{part}"));
        let (gain, bias) = (part("weight"), part("bias"));
        let (mean, variance) = (part("running_mean"), part("running_var"));
        if let Some(value) = variance.iter().find(|&&value| value < 0.0) {
            let name = format!("{norm}.running_var");
            return Err(Error::tensor(name)
                .found(value)
                .expected("variances of 0 or more"));
        }
        let mut values = weight.values;
        let mut shift = Vec::with_capacity(outputs);
        for (o, row) in values.chunks_exact_mut(inputs * h * w).enumerate() {
            let scale = f64::from(gain[o]) / libm::sqrt(f64::from(variance[o]) + eps);
            row.iter_mut()
                .for_each(|w| *w = (f64::from(*w) * scale) as f32);
            shift.push((f64::from(bias[o]) - f64::from(mean[o]) * scale) as f32);
        }
        let weight = TensorData::new(values, [outputs, inputs, h, w]);
        Ok(Self {
            weight: Tensor::from_data(weight, device),
            bias: Tensor::from_data(TensorData::new(shift, [outputs]), device),
            options,
        })
    }

    /// The normalised convolution, without an activation.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (weight, bias) = (self.weight.clone(), Some(self.bias.clone()));
        let [_, _, h, w] = weight.dims();
        let ConvOptions {
            stride,
            padding,
            groups,
            ..
        } = self.options.clone();
        // square kernels that keep the size have our own CPU kernels
        if h == w && stride == [1, 1] && groups == 1 && padding == [(h / 2, h / 2); 2] {
            conv2d(x, weight, bias, h / 2)
        } else {
            burn_conv2d(x, weight, bias, self.options.clone())
        }
    }
}

/// Values that `import::exact` has read.
///
/// # Panics
/// If they are missing.
pub(super) fn take(stored: &mut HostTensors, name: &str) -> Vec<f32> {
    let found = stored.0.remove(name);
    found.expect("every tensor of the table was read").values
}
