//! Objectives: what D and G minimise, as functions of logits.
//!
//! | objective | D minimises | G minimises | source |
//! |---|---|---|---|
//! | hinge | `E max(0, 1 - r) + E max(0, 1 + f)` | `-E f` | Lim and Ye 2017; BigGAN sec. 3 |
//! | non-saturating | `E softplus(-r) + E softplus(f)` | `E softplus(-f)` | Goodfellow et al. 2014, sec. 3 |
//! | least squares | `E (r - 1)^2 / 2 + E f^2 / 2` | `E (f - 1)^2 / 2` | Mao et al. 2017, eq. 9 |
//! | Wasserstein | `E f - E r` | `-E f` | Arjovsky et al. 2017, alg. 1 |
//! | relativistic pairing | `E softplus(f - r)` | `E softplus(r - f)` | Huang et al. 2024 (R3GAN), sec. 2 |
//!
//! with r = D(real) and f = D(fake). The relativistic objective compares pairs: real image i with fake
//! image i of the same class; its authors use it with R1 and R2.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use serde::{Deserialize, Serialize};

/// What D and G minimise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The paper's.
    #[default]
    Hinge,
    /// The original GAN's, in the form that does not saturate.
    NonSaturating,
    /// Least squares with targets 1 and 0.
    LeastSquares,
    /// Wasserstein distance; D's Lipschitz bound is spectral norm's.
    Wasserstein,
    /// Differences of pairs of logits.
    RelativisticPairing,
}

impl Objective {
    /// Whether real and fake logits are compared in pairs: G's step then needs real images, and
    /// fakes take the classes of the reals.
    pub fn pairs(self) -> bool {
        self == Self::RelativisticPairing
    }

    /// What D minimises.
    ///
    /// # Shapes
    /// - real, fake: logits `[n, 1]`, of equal number if they are compared in pairs
    /// - returns `[1]`
    pub fn discriminator(self, real: Tensor<2>, fake: Tensor<2>) -> Tensor<1> {
        match self {
            Self::Hinge => relu(-real + 1.0).mean() + relu(fake + 1.0).mean(),
            Self::NonSaturating => softplus(-real).mean() + softplus(fake).mean(),
            Self::LeastSquares => ((real - 1.0).square().mean() + fake.square().mean()) * 0.5,
            Self::Wasserstein => fake.mean() - real.mean(),
            Self::RelativisticPairing => softplus(fake - real).mean(),
        }
    }

    /// What G minimises; `weights` weighs each image (1 for all, or top-k's choice).
    ///
    /// # Shapes
    /// - real, fake: logits `[n, 1]`; real is used only if [`Objective::pairs`]
    /// - weights: `[n, 1]`, with mean 1
    /// - returns `[1]`
    pub fn generator(
        self,
        fake: Tensor<2>,
        real: Option<Tensor<2>>,
        weights: Option<Tensor<2>>,
    ) -> Tensor<1> {
        let each = match (self, real) {
            (Self::Hinge | Self::Wasserstein, _) => -fake,
            (Self::NonSaturating, _) => softplus(-fake),
            (Self::LeastSquares, _) => (fake - 1.0).square() * 0.5,
            (Self::RelativisticPairing, Some(real)) => softplus(real - fake),
            (Self::RelativisticPairing, None) => {
                panic!("the relativistic objective needs the logits of real images")
            }
        };
        match weights {
            Some(weights) => (each * weights).mean(),
            None => each.mean(),
        }
    }
}

/// `ln(1 + e^x) = max(0, x) + ln(1 + e^-|x|)`, without overflow.
fn softplus(x: Tensor<2>) -> Tensor<2> {
    relu(x.clone()) + (-x.abs()).exp().log1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn logits(values: [f32; 2]) -> Tensor<2> {
        Tensor::from_data([[values[0]], [values[1]]], &Device::flex())
    }

    fn value(t: Tensor<1>) -> f64 {
        f64::from(t.into_data().try_to_vec::<f32>().unwrap()[0])
    }

    #[test]
    fn objectives_by_hand() {
        let (real, fake) = ([0.5, 2.0], [-3.0, 0.5]);
        let sp = |x: f64| x.exp().ln_1p();
        let cases = [
            // (0.5 + 0) / 2 + (0 + 1.5) / 2 ; -(-3 + 0.5) / 2
            (Objective::Hinge, 1.0, 1.25),
            (
                Objective::NonSaturating,
                (sp(-0.5) + sp(-2.0) + sp(-3.0) + sp(0.5)) / 2.0,
                (sp(3.0) + sp(-0.5)) / 2.0,
            ),
            // ((0.25 + 1) + (9 + 0.25)) / 4 ; (16 + 0.25) / 4
            (Objective::LeastSquares, 2.625, 4.0625),
            (Objective::Wasserstein, -2.5, 1.25),
            (
                Objective::RelativisticPairing,
                (sp(-3.5) + sp(-1.5)) / 2.0,
                (sp(3.5) + sp(1.5)) / 2.0,
            ),
        ];
        for (objective, d, g) in cases {
            let found = value(objective.discriminator(logits(real), logits(fake)));
            assert!((found - d).abs() < 1e-6, "{objective:?}: D {found} and {d}");
            let found = value(objective.generator(logits(fake), Some(logits(real)), None));
            assert!((found - g).abs() < 1e-6, "{objective:?}: G {found} and {g}");
        }
    }

    #[test]
    fn softplus_holds_at_large_logits() {
        let found = softplus(logits([200.0, -200.0])).into_data();
        assert_eq!(found.try_to_vec::<f32>().unwrap(), [200.0, 0.0]);
    }

    #[test]
    fn weights_choose_images() {
        let weights = logits([0.0, 2.0]);
        let loss = Objective::Hinge.generator(logits([-3.0, 0.5]), None, Some(weights));
        assert!((value(loss) + 0.5).abs() < 1e-6);
    }
}
