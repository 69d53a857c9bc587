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
//! with r = D(real) and f = D(fake). The relativistic objective compares pairs: real image i with fake image i of the
//! same class. Its authors use it with R1 and R2, without which its training need not converge (R3GAN, sec. 2), and
//! in networks without norms; [`TrainConfig::remarks`](super::TrainConfig::remarks) says where a recipe differs.

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
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hinge => "hinge",
            Self::NonSaturating => "non_saturating",
            Self::LeastSquares => "least_squares",
            Self::Wasserstein => "wasserstein",
            Self::RelativisticPairing => "relativistic_pairing",
        }
    }

    /// Whether real and fake logits are compared in pairs: G's step then needs real images, and
    /// fakes take the classes of the reals.
    pub fn pairs(self) -> bool {
        self == Self::RelativisticPairing
    }

    /// The logit on which D does not decide: above it, it takes an image for real. `None` where only differences of
    /// logits count, so that a constant added to all of them changes nothing.
    pub fn boundary(self) -> Option<f64> {
        match self {
            Self::Hinge | Self::NonSaturating => Some(0.0),
            Self::LeastSquares => Some(0.5), // halfway between its targets
            Self::Wasserstein | Self::RelativisticPairing => None,
        }
    }

    /// How far apart the logits of reals and fakes are where D has won, as a share of the hinge's 2, between its
    /// margins of 1 and -1. Least squares draws logits to targets that are 1 apart and lets them scatter around these:
    /// half of that is asked for.
    pub fn winning_gap_share(self) -> f64 {
        match self {
            Self::LeastSquares => 0.25,
            _ => 1.0,
        }
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

    /// Where a constant added to all logits changes nothing, there is no boundary.
    #[test]
    fn a_loss_that_does_not_shift_has_a_boundary() {
        use Objective::{Hinge, LeastSquares, NonSaturating, RelativisticPairing, Wasserstein};
        for objective in [
            Hinge,
            NonSaturating,
            LeastSquares,
            Wasserstein,
            RelativisticPairing,
        ] {
            let loss = |shift: f32| {
                let shifted = |values: [f32; 2]| logits(values.map(|v| v + shift));
                value(objective.discriminator(shifted([0.5, 1.5]), shifted([-0.25, 0.75])))
            };
            let shifts = (loss(0.0) - loss(2.0)).abs() < 1e-6;
            assert_eq!(objective.boundary().is_none(), shifts, "{objective:?}");
        }
        // mirrored around the boundary, reals and fakes cost the same
        let b = LeastSquares.boundary().unwrap() as f32;
        let at = |real: f32, fake: f32| {
            value(LeastSquares.discriminator(logits([real; 2]), logits([fake; 2])))
        };
        assert!((at(b + 0.2, b) - at(b, b - 0.2)).abs() < 1e-6);
    }

    #[test]
    fn weights_choose_images() {
        let weights = logits([0.0, 2.0]);
        let loss = Objective::Hinge.generator(logits([-3.0, 0.5]), None, Some(weights));
        assert!((value(loss) + 0.5).abs() < 1e-6);
    }
}
