//! The truncation trick, in the three meanings that published models give it.
//!
//! | kind | z | where |
//! |---|---|---|
//! | `resampling` | N(0, I), each coordinate redrawn until \|z\| <= t | the paper (BigGAN sec. 3.1); PyTorch-StudioGAN's `truncnorm(-t, t)` is the same distribution (`src/utils/sample.py:28-40`) |
//! | `scaled_truncated_normal` | t times N(0, I) redrawn until \|z\| <= 2 | TF-Hub's modules; pytorch-pretrained-BigGAN `utils.py:21-33` |
//! | `scaled_normal` | N(0, t^2 I): t is the standard deviation | BigGAN-PyTorch `utils.py:1071`, whose `z_var` is used as one |
//!
//! All are drawn by inverse CDF from one fixed uniform number u for each coordinate, so that the picture
//! of a seed moves continuously with t:
//!
//! ```text
//! resampling               z(t) = Phi^-1( Phi(-t) + u (Phi(t) - Phi(-t)) )    z(off) = Phi^-1(u)
//! scaled_truncated_normal  z(t) = t Phi^-1( Phi(-2) + u (Phi(2) - Phi(-2)) )  z(off) = z(1)
//! scaled_normal            z(t) = t Phi^-1(u)                                 z(off) = Phi^-1(u)
//! ```
//!
//! The sources of the second kind know no "off": their largest t is 1, so that is what off means there.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::normal::{normal_cdf, normal_quantile};

/// How far z is truncated, apart from what that means ([`TruncationKind`]): a row of a table of
/// statistics, or a part of a request. Stored as a number, or `null` for off.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "Option<f64>", try_from = "Option<f64>")]
pub enum Truncation {
    /// Not truncated.
    #[default]
    Off,
    /// t, 0 or more. 0 stands in tables only (z is 0 there); [`LatentDistribution::new`] refuses it.
    Threshold(f64),
}

/// What t means. [`LatentDistribution`] draws by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TruncationKind {
    /// A normal, each coordinate redrawn until its magnitude is at most t.
    #[default]
    Resampling,
    /// t times a normal redrawn until its magnitude is at most 2.
    ScaledTruncatedNormal,
    /// A normal of standard deviation t.
    ScaledNormal,
}

/// Where [`TruncationKind::ScaledTruncatedNormal`] cuts the normal (pytorch-pretrained-BigGAN
/// `utils.py:31`).
const SCALED_CUT: f64 = 2.0;

impl TruncationKind {
    /// All, in the order of messages.
    pub const ALL: [Self; 3] = [
        Self::Resampling,
        Self::ScaledTruncatedNormal,
        Self::ScaledNormal,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resampling => "resampling",
            Self::ScaledTruncatedNormal => "scaled_truncated_normal",
            Self::ScaledNormal => "scaled_normal",
        }
    }

    /// Smallest and largest t. Below the smallest all pictures of a class are the same.
    ///
    /// Above 8 the truncated and the plain normal agree to f32; a scaled truncated normal has t <= 1 in
    /// its sources (pytorch-pretrained-BigGAN `model.py`, an assertion of `BigGAN.forward`); a standard
    /// deviation has no bound in its source and shares the first one.
    pub fn range(self) -> [f64; 2] {
        match self {
            Self::Resampling | Self::ScaledNormal => [1e-3, 8.0],
            Self::ScaledTruncatedNormal => [1e-3, 1.0],
        }
    }

    /// The t at which a table of statistics is as it is with off. A normal has 99.99 % of its mass
    /// within 4; the scaled kinds say 1 by definition.
    pub(crate) fn off_at(self) -> f64 {
        match self {
            Self::Resampling => 4.0,
            Self::ScaledTruncatedNormal | Self::ScaledNormal => 1.0,
        }
    }
}

impl std::fmt::Display for TruncationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for TruncationKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| {
                Error::Request(format!(
                    "truncation kind {text:?} is not known; choose one of {}",
                    Self::ALL.map(Self::name).join(", ")
                ))
            })
    }
}

/// The distribution that z is drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatentDistribution {
    kind: TruncationKind,
    truncation: Truncation,
}

impl LatentDistribution {
    /// N(0, I), as in training.
    pub const NORMAL: Self = Self {
        kind: TruncationKind::Resampling,
        truncation: Truncation::Off,
    };

    /// A truncation by a kind, checked.
    ///
    /// # Errors
    /// If t is outside of the kind's [range](TruncationKind::range).
    pub fn new(kind: TruncationKind, truncation: Truncation) -> Result<Self> {
        let [low, high] = kind.range();
        let truncation = match (kind, truncation) {
            (TruncationKind::ScaledTruncatedNormal, Truncation::Off) => Truncation::Threshold(high),
            (_, Truncation::Threshold(t)) if !(low..=high).contains(&t) => {
                return Err(Error::Request(format!(
                    "truncation {t} is out of range; with {kind} give {low} to {high}, or off for {}",
                    match kind {
                        TruncationKind::ScaledTruncatedNormal => "its largest",
                        _ => "N(0, I)",
                    }
                )));
            }
            (_, checked) => checked,
        };
        Ok(Self { kind, truncation })
    }

    /// What t means.
    pub fn kind(self) -> TruncationKind {
        self.kind
    }

    /// t, or off. Never off with [`TruncationKind::ScaledTruncatedNormal`], where that is t = 1.
    pub fn truncation(self) -> Truncation {
        self.truncation
    }

    /// The coordinate of z that a uniform number stands for.
    pub fn latent(self, uniform: f64) -> f64 {
        match (self.kind, self.truncation) {
            (_, Truncation::Off) => normal_quantile(uniform),
            (TruncationKind::Resampling, Truncation::Threshold(t)) => cut_normal(t, uniform),
            (TruncationKind::ScaledTruncatedNormal, Truncation::Threshold(t)) => {
                t * cut_normal(SCALED_CUT, uniform)
            }
            (TruncationKind::ScaledNormal, Truncation::Threshold(t)) => {
                t * normal_quantile(uniform)
            }
        }
    }
}

/// t, and the kind where it is not the paper's: for protocols of scores.
impl std::fmt::Display for LatentDistribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.truncation.fmt(f)?;
        match self.kind {
            TruncationKind::Resampling => Ok(()),
            kind => write!(f, " {kind}"),
        }
    }
}

/// Quantile function of a normal conditioned on |z| <= t.
fn cut_normal(t: f64, uniform: f64) -> f64 {
    let low = normal_cdf(-t);
    // for u below 1/2 work in the lower tail and mirror the rest: exact symmetry, and no loss of digits
    // near 1
    let half = |u: f64| normal_quantile(low + u * (1.0 - 2.0 * low));
    let z = if uniform <= 0.5 {
        half(uniform)
    } else {
        -half(1.0 - uniform)
    };
    z.clamp(-t, t)
}

impl std::fmt::Display for Truncation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Threshold(t) => write!(f, "{t}"),
        }
    }
}

impl std::str::FromStr for Truncation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let t = text.parse::<f64>().map_err(|_| {
            Error::Request(format!(
                "truncation {text:?} is neither a number nor \"off\"; give for example 0.5"
            ))
        })?;
        Self::try_from(Some(t))
    }
}

impl From<Truncation> for Option<f64> {
    fn from(value: Truncation) -> Self {
        match value {
            Truncation::Off => None,
            Truncation::Threshold(t) => Some(t),
        }
    }
}

impl TryFrom<Option<f64>> for Truncation {
    type Error = Error;

    fn try_from(value: Option<f64>) -> Result<Self> {
        match value {
            None => Ok(Self::Off),
            Some(t) if t >= 0.0 && t.is_finite() => Ok(Self::Threshold(t)),
            Some(t) => Err(Error::Request(format!(
                "truncation {t} is out of range; give a number above 0, or off"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(kind: TruncationKind, t: f64) -> LatentDistribution {
        LatentDistribution::new(kind, Truncation::Threshold(t)).unwrap()
    }

    #[test]
    fn latents_move_continuously() {
        let us: Vec<f64> = (1..200).map(|i| f64::from(i) / 200.0).collect();
        for kind in TruncationKind::ALL {
            let largest = kind.range()[1].min(4.0);
            let step = largest / 400.0;
            // of the largest |z| with the least t; 2.81 is the normal's quantile at 1 - 1/400
            let slope = if kind == TruncationKind::Resampling {
                1.01
            } else {
                2.81
            };
            for &u in &us {
                let mut last = distribution(kind, step).latent(u);
                for i in 2..=400 {
                    let t = f64::from(i) * step;
                    let z = distribution(kind, t).latent(u);
                    assert!(
                        (z - last).abs() <= step * slope,
                        "{kind} u {u} t {t}: {last} -> {z}"
                    );
                    last = z;
                }
            }
        }
    }

    #[test]
    fn each_kind_stays_inside_and_off_is_its_limit() {
        for u in (1..200).map(|i| f64::from(i) / 200.0) {
            let off = LatentDistribution::NORMAL.latent(u);
            assert!(
                distribution(TruncationKind::Resampling, 0.5)
                    .latent(u)
                    .abs()
                    <= 0.5
            );
            assert!((distribution(TruncationKind::Resampling, 8.0).latent(u) - off).abs() < 1e-12);
            assert_eq!(
                distribution(TruncationKind::ScaledNormal, 1.0).latent(u),
                off
            );
            let scaled = TruncationKind::ScaledTruncatedNormal;
            let cut_at_2 = distribution(TruncationKind::Resampling, 2.0).latent(u);
            assert_eq!(distribution(scaled, 0.25).latent(u), 0.25 * cut_at_2);
            let largest = LatentDistribution::new(scaled, Truncation::Off).unwrap();
            assert_eq!(largest.truncation(), Truncation::Threshold(1.0));
            assert_eq!(largest.latent(u), cut_at_2);
        }
    }

    #[test]
    fn variances_are_those_of_the_distributions() {
        // of a normal conditioned on |z| <= c: 1 - 2 c phi(c) / (2 Phi(c) - 1)
        let cut = |c: f64| {
            let phi = (-c * c / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            1.0 - 2.0 * c * phi / (2.0 * normal_cdf(c) - 1.0)
        };
        let n = 20_000;
        for (kind, t, expected) in [
            (TruncationKind::Resampling, 0.3, cut(0.3)),
            (TruncationKind::Resampling, 2.0, cut(2.0)),
            (TruncationKind::ScaledTruncatedNormal, 0.4, 0.16 * cut(2.0)),
            (TruncationKind::ScaledNormal, 0.5, 0.25),
        ] {
            let squares: f64 = (0..n)
                .map(|i| distribution(kind, t).latent((f64::from(i) + 0.5) / f64::from(n)))
                .map(|z| z * z)
                .sum();
            // the midpoint rule cuts the tails of an unbounded normal
            let close = if kind == TruncationKind::ScaledNormal {
                1e-4
            } else {
                2e-6
            };
            assert!(
                (squares / f64::from(n) - expected).abs() < close,
                "{kind} {t}"
            );
        }
    }

    #[test]
    fn ranges() {
        for (kind, bad) in [
            (TruncationKind::Resampling, vec![0.0, 9.0]),
            (TruncationKind::ScaledTruncatedNormal, vec![0.0, 1.01]),
            (TruncationKind::ScaledNormal, vec![0.0, 9.0]),
        ] {
            for t in bad {
                let message = LatentDistribution::new(kind, Truncation::Threshold(t))
                    .unwrap_err()
                    .to_string();
                let [low, high] = kind.range();
                assert!(
                    message.contains(&format!("with {kind} give {low} to {high}, or off")),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn words() {
        assert_eq!("off".parse::<Truncation>().unwrap(), Truncation::Off);
        assert_eq!(
            "0.5".parse::<Truncation>().unwrap(),
            Truncation::Threshold(0.5)
        );
        for bad in ["-1", "nan", "inf", "half"] {
            assert!(bad.parse::<Truncation>().is_err(), "{bad}");
        }
        assert_eq!(serde_json::to_string(&Truncation::Off).unwrap(), "null");
        assert_eq!(
            serde_json::from_str::<Truncation>("0").unwrap(),
            Truncation::Threshold(0.0)
        );
        assert!(serde_json::from_str::<Truncation>("-3").is_err());
        for kind in TruncationKind::ALL {
            assert_eq!(kind.name().parse::<TruncationKind>().unwrap(), kind);
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("{:?}", kind.name()));
        }
        let message = "z_var".parse::<TruncationKind>().unwrap_err().to_string();
        assert!(
            message.contains("\"z_var\"") && message.contains("scaled_normal"),
            "{message}"
        );
        let shown = |kind| distribution(kind, 0.5).to_string();
        assert_eq!(shown(TruncationKind::Resampling), "0.5");
        assert_eq!(shown(TruncationKind::ScaledNormal), "0.5 scaled_normal");
    }
}
