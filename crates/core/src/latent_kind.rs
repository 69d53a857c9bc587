//! What z is drawn from: the latents that the paper compares (BigGAN appendix E).
//!
//! | kind | a coordinate of z | the paper |
//! |---|---|---|
//! | `normal` | N(0, 1) | its choice, for truncation |
//! | `uniform` | U[-1, 1] | about as good as the normal |
//! | `bernoulli` | 0 or 1 | learns faster and ends slightly better, untruncated; nothing to truncate |
//! | `censored_normal` | max(N(0, 1), 0) | likewise, and less amenable to truncation than the normal |
//! | `signed_bernoulli` | -1 or 1 | |
//! | `categorical` | -1, 0 or 1 | |
//! | `sparse_normal` | N(0, 1) times Bernoulli {0, 1} | |
//! | `normal_and_bernoulli` | N(0, 1) in one half, Bernoulli {0, 1} in the other | after InfoGAN |
//!
//! Each is a function of one uniform number per coordinate, so that a change of kind does not reshuffle
//! seeds. The halves of the last alternate (even and odd places), so that each chunk of a hierarchical
//! z has both. The paper's annealed and sampled variances are not implemented.

use serde::{Deserialize, Serialize};

/// The distribution of a coordinate of z, before truncation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatentKind {
    /// N(0, 1).
    #[default]
    Normal,
    /// U[-1, 1].
    Uniform,
    /// 0 or 1, equally likely.
    Bernoulli,
    /// max(N(0, 1), 0).
    CensoredNormal,
    /// -1 or 1, equally likely.
    SignedBernoulli,
    /// -1, 0 or 1, equally likely.
    Categorical,
    /// 0, or N(0, 1), equally likely.
    SparseNormal,
    /// N(0, 1) at even places, 0 or 1 at odd ones.
    NormalAndBernoulli,
}

impl LatentKind {
    /// All kinds, in the order of the paper.
    pub const ALL: [Self; 8] = [
        Self::Normal,
        Self::Uniform,
        Self::Bernoulli,
        Self::CensoredNormal,
        Self::SignedBernoulli,
        Self::Categorical,
        Self::SparseNormal,
        Self::NormalAndBernoulli,
    ];

    /// Its name in recipes and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Uniform => "uniform",
            Self::Bernoulli => "bernoulli",
            Self::CensoredNormal => "censored_normal",
            Self::SignedBernoulli => "signed_bernoulli",
            Self::Categorical => "categorical",
            Self::SparseNormal => "sparse_normal",
            Self::NormalAndBernoulli => "normal_and_bernoulli",
        }
    }

    /// Whether it is the default.
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }

    /// Whether truncation applies: every coordinate comes from a normal, censored or not.
    pub fn truncates(self) -> bool {
        matches!(self, Self::Normal | Self::CensoredNormal)
    }

    /// The coordinate at a place for a uniform number in (0, 1); `normal` is the quantile function of the
    /// underlying normal, truncated or not.
    pub(crate) fn coordinate(self, place: usize, uniform: f64, normal: impl Fn(f64) -> f64) -> f64 {
        let coin = || if uniform < 0.5 { 0.0 } else { 1.0 };
        match self {
            Self::Normal => normal(uniform),
            Self::Uniform => 2.0 * uniform - 1.0,
            Self::Bernoulli => coin(),
            Self::CensoredNormal => normal(uniform).max(0.0),
            Self::SignedBernoulli => 2.0 * coin() - 1.0,
            Self::Categorical => (3.0 * uniform).floor().min(2.0) - 1.0,
            // given the coin, the rest of the uniform number is uniform again
            Self::SparseNormal if uniform >= 0.5 => normal(2.0 * uniform - 1.0),
            Self::SparseNormal => 0.0,
            Self::NormalAndBernoulli if place.is_multiple_of(2) => normal(uniform),
            Self::NormalAndBernoulli => coin(),
        }
    }
}

impl std::fmt::Display for LatentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::LatentKey;
    use crate::random::Stream;
    use crate::truncation::{LatentDistribution, Truncation, TruncationKind};

    const KEY: LatentKey = LatentKey {
        seed: 11,
        stream: Stream::Sample,
        step: 0,
        first: 0,
    };

    fn z(latent: LatentKind, n: usize, z_dim: usize) -> Vec<f64> {
        let z = KEY.z(n, z_dim, LatentDistribution::untruncated(latent));
        z.into_iter().map(f64::from).collect()
    }

    /// Mean and mean square of each kind, in closed form.
    #[test]
    fn moments_are_those_of_the_distributions() {
        let half_normal = 1.0 / (2.0 * std::f64::consts::PI).sqrt();
        for (latent, mean, square) in [
            (LatentKind::Normal, 0.0, 1.0),
            (LatentKind::Uniform, 0.0, 1.0 / 3.0),
            (LatentKind::Bernoulli, 0.5, 0.5),
            (LatentKind::CensoredNormal, half_normal, 0.5),
            (LatentKind::SignedBernoulli, 0.0, 1.0),
            (LatentKind::Categorical, 0.0, 2.0 / 3.0),
            (LatentKind::SparseNormal, 0.0, 0.5),
            (LatentKind::NormalAndBernoulli, 0.25, 0.75),
        ] {
            let z = z(latent, 10_000, 8);
            let n = z.len() as f64;
            let found = z.iter().sum::<f64>() / n;
            let found_square = z.iter().map(|z| z * z).sum::<f64>() / n;
            // five standard errors; no kind here has a fourth moment above the normal's 3
            let close = 5.0 * (3.0 / n).sqrt();
            assert!((found - mean).abs() < close, "{latent}: {found}");
            assert!(
                (found_square - square).abs() < close,
                "{latent}: {found_square}"
            );
        }
    }

    #[test]
    fn values_are_those_of_the_kind() {
        let values = |latent| {
            let mut found = z(latent, 20, 10);
            found.sort_by(f64::total_cmp);
            found.dedup();
            found
        };
        assert_eq!(values(LatentKind::Bernoulli), [0.0, 1.0]);
        assert_eq!(values(LatentKind::SignedBernoulli), [-1.0, 1.0]);
        assert_eq!(values(LatentKind::Categorical), [-1.0, 0.0, 1.0]);
        let least = values(LatentKind::CensoredNormal)[0];
        assert_eq!(least, 0.0);
        let uniform = values(LatentKind::Uniform);
        assert!(uniform[0] >= -1.0 && uniform[uniform.len() - 1] <= 1.0);
        let mixed = z(LatentKind::NormalAndBernoulli, 20, 10);
        let coins = mixed.iter().skip(1).step_by(2);
        assert!(coins.clone().all(|&z| z == 0.0 || z == 1.0));
        let normals = mixed.iter().step_by(2);
        assert!(normals.clone().all(|&z| z != 0.0 && z != 1.0));
    }

    #[test]
    fn draws_repeat_and_a_slice_is_the_whole() {
        for latent in LatentKind::ALL {
            let whole = z(latent, 6, 5);
            assert_eq!(whole, z(latent, 6, 5), "{latent}");
            let distribution = LatentDistribution::untruncated(latent);
            let tail = LatentKey { first: 4, ..KEY }.z(2, 5, distribution);
            let tail: Vec<f64> = tail.into_iter().map(f64::from).collect();
            assert_eq!(whole[20..], tail, "{latent}");
            let named = serde_json::to_value(latent).unwrap();
            assert_eq!(named, latent.name());
        }
    }

    #[test]
    fn only_normals_are_truncated() {
        let at = |latent, truncation| {
            LatentDistribution::new(latent, TruncationKind::Resampling, truncation)
        };
        for latent in LatentKind::ALL {
            at(latent, Truncation::Off).unwrap();
            let half = at(latent, Truncation::Threshold(0.5));
            if latent.truncates() {
                let half = half.unwrap();
                let z = KEY.z(20, 10, half);
                assert!(z.iter().all(|z| z.abs() <= 0.5), "{latent}");
            } else {
                let message = half.unwrap_err().to_string();
                for part in ["0.5", latent.name(), "give off"] {
                    assert!(message.contains(part), "{message}");
                }
            }
        }
        let censored = at(LatentKind::CensoredNormal, Truncation::Threshold(0.5)).unwrap();
        assert_eq!(censored.to_string(), "0.5 of censored_normal latents");
        assert!(KEY.z(20, 10, censored).iter().all(|&z| z >= 0.0));
        // the kind whose sources have no off has none here either
        let scaled = TruncationKind::ScaledTruncatedNormal;
        let off = LatentDistribution::new(LatentKind::Uniform, scaled, Truncation::Off).unwrap();
        assert_eq!(off.truncation(), Truncation::Off);
    }
}
