//! Differentiable augmentation of D's input, real and fake alike, for small data sets.
//!
//! - DiffAugment (Zhao et al. 2020, sec. 4 and appendix; the constants of their code): brightness,
//!   saturation and contrast; translation by up to 1/8 of the side; a cut-out square of half the side.
//! - ADA (Karras et al. 2020, "Training GANs with Limited Data", sec. 3): each operation acts with
//!   probability p, which a controller moves so that D's mean sign on real images stays at a target.
//!   Of its operations we have those above and flips, not its general affine and frequency operations.
//!
//! All operations are differentiable tensor arithmetic; the random numbers come from the host, keyed by
//! seed, step and the image's index in the batch.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::random::{Draws, Stream};

/// Largest translation as a share of the side (DiffAugment's `ratio=0.125`).
const TRANSLATION: f64 = 0.125;
/// Side of the cut-out square as a share of the image's (DiffAugment's `ratio=0.5`).
const CUTOUT: f64 = 0.5;
/// Real images over which p moves by 1 (Karras et al. 2020, sec. 3.1: 500,000).
const ADA_SPEED_IMAGES: f64 = 500_000.0;

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Mirror left and right.
    Flip,
    /// Brightness, saturation and contrast.
    Color,
    /// Shift by whole pixels; uncovered pixels are 0 (grey).
    Translation,
    /// A square of 0.
    Cutout,
}

/// Augmentation of the images before D.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentConfig {
    /// In this order.
    pub operations: Vec<Operation>,
    /// ADA's target of `E sign(D(real))` (0.6 in its paper); without it every operation acts on every
    /// image, as in DiffAugment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ada_target: Option<f64>,
}

impl AugmentConfig {
    /// Refuses an augmentation that does nothing, or a target that cannot be reached.
    ///
    /// # Errors
    /// In these cases; the message names the key, its value and the remedy.
    pub fn validate(&self) -> Result<()> {
        if self.operations.is_empty() {
            return Err(Error::config("augment.operations")
                .found("empty")
                .expected("some of flip, color, translation, cutout")
                .remedy("leave [train.augment] out for none"));
        }
        match self.ada_target {
            Some(target) if !(target > -1.0 && target < 1.0) => {
                Err(Error::config("augment.ada_target")
                    .found(target)
                    .expected("between -1 and 1"))
            }
            _ => Ok(()),
        }
    }
}

/// ADA's probability after a D step on `reals` images; the sign of a logit is that of its distance from the objective's
/// [boundary](super::Objective::boundary).
///
/// # Shapes
/// - p: `[1]`
/// - real: logits of real images `[n, 1]`, without gradient
pub fn ada_update(p: Tensor<1>, real: Tensor<2>, target: f64, boundary: f64) -> Tensor<1> {
    let n = real.dims()[0] as f64;
    let direction = ((real - boundary).sign().mean() - target).sign();
    (p + direction * (n / ADA_SPEED_IMAGES)).clamp(0.0, 1.0)
}

/// Images as D sees them.
#[derive(Debug)]
pub struct Augment<'a> {
    /// The augmentation.
    pub config: &'a AugmentConfig,
    /// Seed of the run.
    pub seed: u64,
    /// Step whose random numbers these are: every pass through D has its own.
    pub step: u64,
    /// Global index of the first image.
    pub first: u64,
    /// ADA's probability `[1]`; used only with a target.
    pub probability: Tensor<1>,
}

impl Augment<'_> {
    /// # Shapes
    /// - images: `[n, 3, r, r]`, returned with the same shape
    pub fn apply(&self, images: Tensor<4>) -> Tensor<4> {
        self.run(images, Brightness::Added)
    }

    /// The derivative of [`Augment::apply`] along a direction in image space. Every operation is linear but for the
    /// brightness, which adds a constant, so the derivative is the same at all images.
    ///
    /// # Shapes
    /// - direction: `[n, 3, r, r]`, returned with the same shape
    pub fn tangent(&self, direction: Tensor<4>) -> Tensor<4> {
        self.run(direction, Brightness::LeftOut)
    }

    fn run(&self, mut images: Tensor<4>, brightness: Brightness) -> Tensor<4> {
        let n = images.dims()[0];
        let mut draws: Vec<Draws> = (0..n as u64)
            .map(|i| Draws::new(self.seed, Stream::Augment, self.step, self.first + i))
            .collect();
        let like = images.device();
        for operation in &self.config.operations {
            let changed = operation.apply(images.clone(), &mut draws, brightness);
            images = match self.config.ada_target {
                None => changed,
                Some(_) => {
                    let chance = column(&mut draws, &like, Draws::uniform); // [n, 1, 1, 1]
                    let p = self.probability.clone().reshape([1, 1, 1, 1]);
                    let acts = chance.lower(place(p, &like).expand([n, 1, 1, 1])).float();
                    images.clone() + (changed - images) * acts
                }
            };
        }
        images
    }
}

/// Images as D sees them, with or without an augmentation.
pub(super) fn augmented(images: Tensor<4>, augment: Option<&Augment<'_>>) -> Tensor<4> {
    match augment {
        Some(augment) => augment.apply(images),
        None => images,
    }
}

/// Whether the brightness is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brightness {
    Added,
    LeftOut,
}

/// A tensor moved to a device (with or without autodiff).
fn place(t: Tensor<4>, device: &Device) -> Tensor<4> {
    t.to_device(device)
}

impl Operation {
    fn apply(self, x: Tensor<4>, draws: &mut [Draws], added: Brightness) -> Tensor<4> {
        let device = x.device();
        let [n, _, height, width] = x.dims();
        match self {
            Self::Flip => {
                let flips = column(draws, &device, |d| f64::from(d.uniform() < 0.5));
                x.clone() + (x.clone().flip([3]) - x) * flips
            }
            Self::Color => {
                let brightness = column(draws, &device, |d| d.uniform() - 0.5);
                let saturation = column(draws, &device, |d| 2.0 * d.uniform());
                let contrast = column(draws, &device, |d| d.uniform() + 0.5);
                let x = match added {
                    Brightness::Added => x + brightness,
                    Brightness::LeftOut => x,
                };
                let grey = x.clone().mean_dim(1); // [n, 1, h, w]
                let x = (x - grey.clone()) * saturation + grey;
                let mean = x.clone().mean_dim(1).mean_dim(2).mean_dim(3); // [n, 1, 1, 1]
                (x - mean.clone()) * contrast + mean
            }
            Self::Translation => {
                let mut shift = |side: usize| -> Vec<i64> {
                    let most = (side as f64 * TRANSLATION + 0.5) as u64;
                    let draw = |d: &mut Draws| d.below(2 * most + 1) as i64 - most as i64;
                    draws.iter_mut().map(draw).collect()
                };
                let (down, right) = (shift(height), shift(width));
                let rows = shift_matrices(&down, height, &device); // [n, 1, h, h]
                let columns = shift_matrices(&right, width, &device); // [n, 1, w, w]
                let channels = x.dims()[1];
                let rows = rows.expand([n, channels, height, height]);
                let columns = columns.expand([n, channels, width, width]);
                rows.matmul(x).matmul(columns.transpose())
            }
            Self::Cutout => {
                let mut holes = |side: usize| -> Vec<[usize; 2]> {
                    let size = (side as f64 * CUTOUT + 0.5) as i64;
                    let draw = |d: &mut Draws| {
                        // the centre is anywhere in the image (offset_x of DiffAugment's code)
                        let centre = d.below((side as i64 + 1 - size % 2) as u64) as i64;
                        let from = (centre - size / 2).clamp(0, side as i64);
                        let to = (centre - size / 2 + size).clamp(0, side as i64);
                        [from as usize, to as usize]
                    };
                    draws.iter_mut().map(draw).collect()
                };
                let (rows, columns) = (holes(height), holes(width));
                let inside = inside(&rows, height, &device).matmul(
                    inside(&columns, width, &device).transpose(), // [n, 1, 1, w]
                ); // [n, 1, h, w]
                x * (inside * -1.0 + 1.0)
            }
        }
    }
}

/// One number per image, `[n, 1, 1, 1]`.
fn column(draws: &mut [Draws], device: &Device, draw: impl Fn(&mut Draws) -> f64) -> Tensor<4> {
    let values: Vec<f32> = draws.iter_mut().map(|d| draw(d) as f32).collect();
    let n = values.len();
    Tensor::from_data(TensorData::new(values, [n, 1, 1, 1]), device)
}

/// For each shift s the matrix M with `(M x)_i = x_{i - s}`, 0 outside: `[n, 1, side, side]`.
fn shift_matrices(shifts: &[i64], side: usize, device: &Device) -> Tensor<4> {
    let mut values = vec![0.0f32; shifts.len() * side * side];
    for (matrix, &shift) in values.chunks_exact_mut(side * side).zip(shifts) {
        for row in 0..side {
            let from = row as i64 - shift;
            if (0..side as i64).contains(&from) {
                matrix[row * side + from as usize] = 1.0;
            }
        }
    }
    let shape = [shifts.len(), 1, side, side];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// 1 inside each interval, `[n, 1, side, 1]`.
fn inside(intervals: &[[usize; 2]], side: usize, device: &Device) -> Tensor<4> {
    let values: Vec<f32> = intervals
        .iter()
        .flat_map(|[from, to]| {
            (0..side).map(move |i| f32::from(u8::from((*from..*to).contains(&i))))
        })
        .collect();
    let shape = [intervals.len(), 1, side, 1];
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 8;

    fn ramp(n: usize) -> Tensor<4> {
        let len = n * 3 * SIDE * SIDE;
        let values: Vec<f32> = (0..len).map(|i| (i % 37) as f32 / 18.0 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, [n, 3, SIDE, SIDE]), &Device::flex())
    }

    fn values(t: Tensor<4>) -> Vec<f32> {
        t.into_data().try_to_vec().unwrap()
    }

    fn augment(operation: Operation, ada: Option<f64>, p: f32, step: u64) -> [Vec<f32>; 2] {
        let config = AugmentConfig {
            operations: vec![operation],
            ada_target: ada,
        };
        let x = ramp(4);
        let augment = Augment {
            config: &config,
            seed: 5,
            step,
            first: 0,
            probability: Tensor::from_data([p], &Device::flex()),
        };
        [values(x.clone()), values(augment.apply(x))]
    }

    #[test]
    fn shifts_move_pixels_and_fill_with_grey() {
        let device = Device::flex();
        let x = Tensor::<4>::from_data([[[[1.0, 2.0, 3.0]]]], &device);
        for (shift, expected) in [
            (1, [0.0, 1.0, 2.0]),
            (0, [1.0, 2.0, 3.0]),
            (-2, [3.0, 0.0, 0.0]),
        ] {
            let columns = shift_matrices(&[shift], 3, &device);
            assert_eq!(values(x.clone().matmul(columns.transpose())), expected);
        }
    }

    #[test]
    fn every_operation_acts_and_repeats() {
        use Operation::{Color, Cutout, Flip, Translation};
        for operation in [Flip, Color, Translation, Cutout] {
            let [before, after] = augment(operation, None, 0.0, 3);
            assert_ne!(before, after, "{operation:?}");
            assert_eq!(after, augment(operation, None, 0.0, 3)[1], "{operation:?}");
            assert_ne!(after, augment(operation, None, 0.0, 4)[1], "{operation:?}");
        }
    }

    #[test]
    fn a_cut_out_hole_is_at_most_half_the_side() {
        let [_, after] = augment(Operation::Cutout, None, 0.0, 1);
        for image in after.chunks_exact(3 * SIDE * SIDE) {
            let holes = image.iter().filter(|v| **v == 0.0).count();
            // the ramp itself is 0 at few places
            assert!((3..=3 * SIDE * SIDE / 4 + 12).contains(&holes), "{holes}");
        }
    }

    #[test]
    fn ada_acts_with_its_probability() {
        let [before, after] = augment(Operation::Color, Some(0.6), 0.0, 3);
        assert_eq!(before, after);
        let [_, always] = augment(Operation::Color, Some(0.6), 1.0, 3);
        assert_eq!(always.len(), before.len());
        assert_ne!(before, always);
    }

    #[test]
    fn ada_moves_towards_its_target() {
        let device = Device::flex();
        let p = || Tensor::<1>::from_data([0.5f32], &device);
        let sure = Tensor::<2>::from_data([[1.0], [2.0]], &device);
        let unsure = Tensor::<2>::from_data([[1.0], [-2.0]], &device);
        let value = |t: Tensor<1>| t.into_data().try_to_vec::<f32>().unwrap()[0];
        let step = 2.0 / 500_000.0;
        assert!((value(ada_update(p(), sure, 0.6, 0.0)) - 0.5 - step).abs() < 1e-7);
        assert!((value(ada_update(p(), unsure, 0.6, 0.0)) - 0.5 + step).abs() < 1e-7);
    }

    #[test]
    fn with_least_squares_ada_moves_by_its_boundary() {
        let device = Device::flex();
        let boundary = crate::train::Objective::LeastSquares.boundary().unwrap();
        let p = Tensor::<1>::from_data([0.5f32], &device);
        // D takes these reals for fakes: it does not overfit
        let reals = Tensor::<2>::from_data([[0.2], [0.2]], &device);
        let after = ada_update(p, reals, 0.6, boundary).into_data();
        assert!(after.try_to_vec::<f32>().unwrap()[0] < 0.5);
    }

    #[test]
    fn the_derivative_is_the_difference_of_augmented_images() {
        use Operation::{Color, Cutout, Flip, Translation};
        let config = AugmentConfig {
            operations: vec![Flip, Color, Translation, Cutout],
            ada_target: Some(0.6),
        };
        let augment = Augment {
            config: &config,
            seed: 5,
            step: 3,
            first: 0,
            probability: Tensor::from_data([0.7], &Device::flex()),
        };
        let direction = ramp(4).flip([2]);
        let [before, after] = [ramp(4), ramp(4) + direction.clone()].map(|x| augment.apply(x));
        for (found, expected) in values(augment.tangent(direction))
            .iter()
            .zip(values(after - before))
        {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
}
