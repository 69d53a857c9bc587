//! The truncation trick, as each of three families of published models defines it.
//!
//! | kind | z | where |
//! |---|---|---|
//! | `resampling` | N(0, I), each coordinate redrawn until \|z\| <= t | the paper (BigGAN sec. 3.1); PyTorch-StudioGAN's `truncnorm(-t, t)` is the same distribution (`src/utils/sample.py:28-40`) |
//! | `scaled_truncated_normal` | t times N(0, I) redrawn until \|z\| <= 2 | TF-Hub's modules; pytorch-pretrained-BigGAN `utils.py:21-33` |
//! | `scaled_normal` | N(0, t^2 I): t is the standard deviation | BigGAN-PyTorch `utils.py:1071`, which uses `z_var` as a standard deviation |
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
//! The sources of the second kind have no "off": their largest t is 1, so off means that.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::latent_kind::LatentKind;
use crate::normal::{normal_cdf, normal_quantile};

/// How far z is truncated, without the meaning of the number ([`TruncationKind`]): a row of a table of
/// statistics, or part of a request. Stored as a number, or `null` for off.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "Option<f64>", try_from = "Option<f64>")]
pub enum Truncation {
    /// Not truncated.
    #[default]
    Off,
    /// t, 0 or more. 0 occurs in tables only (z is 0 there); [`LatentDistribution::new`] refuses it.
    Threshold(f64),
}

/// What t means; [`LatentDistribution`] draws accordingly.
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
pub(crate) const SCALED_CUT: f64 = 2.0;

impl TruncationKind {
    /// All kinds, in the order that messages list them.
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
    /// Above 8 the truncated and the plain normal agree to f32. A scaled truncated normal has t <= 1 in
    /// its sources (pytorch-pretrained-BigGAN `model.py`, an assertion of `BigGAN.forward`). A standard
    /// deviation has no bound in its source and shares the first range.
    pub fn range(self) -> [f64; 2] {
        match self {
            Self::Resampling | Self::ScaledNormal => [1e-3, 8.0],
            Self::ScaledTruncatedNormal => [1e-3, 1.0],
        }
    }

    /// The t whose row of statistics equals that of off. A normal has 99.99 % of its mass
    /// within 4; for the scaled kinds it is 1 by definition.
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
                Error::request("truncation kind")
                    .found(format_args!("{text:?}"))
                    .expected(format_args!(
                        "one of {}",
                        Self::ALL.map(Self::name).join(", ")
                    ))
            })
    }
}

/// The distribution that z is drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatentDistribution {
    latent: LatentKind,
    kind: TruncationKind,
    truncation: Truncation,
}

impl LatentDistribution {
    /// N(0, I).
    pub const NORMAL: Self = Self::untruncated(LatentKind::Normal);

    /// A kind of latents without truncation, as in training.
    pub const fn untruncated(latent: LatentKind) -> Self {
        Self {
            latent,
            kind: TruncationKind::Resampling,
            truncation: Truncation::Off,
        }
    }

    /// A kind of latents, truncated.
    ///
    /// # Errors
    /// If t is outside of the kind's [range](TruncationKind::range), or the latents cannot be truncated.
    pub fn new(latent: LatentKind, kind: TruncationKind, truncation: Truncation) -> Result<Self> {
        let [low, high] = kind.range();
        let truncation = match (kind, truncation) {
            (_, Truncation::Off) if !latent.truncates() => Truncation::Off,
            (_, Truncation::Threshold(t)) if !latent.truncates() => {
                return Err(Error::request("truncation")
                    .found(t)
                    .expected(format_args!(
                        "off: the model's latents are {latent}, which have no tails to cut"
                    ))
                    .remedy("give off"));
            }
            (TruncationKind::ScaledTruncatedNormal, Truncation::Off) => Truncation::Threshold(high),
            (_, Truncation::Threshold(t)) if !(low..=high).contains(&t) => {
                return Err(Error::request("truncation").found(t).expected(format_args!(
                    "{low} to {high} with {kind}, or off for {}",
                    match kind {
                        TruncationKind::ScaledTruncatedNormal => "its largest",
                        _ => "N(0, I)",
                    }
                )));
            }
            (_, checked) => checked,
        };
        Ok(Self {
            latent,
            kind,
            truncation,
        })
    }

    /// What t means.
    pub fn kind(self) -> TruncationKind {
        self.kind
    }

    /// t, or off. Never off with [`TruncationKind::ScaledTruncatedNormal`], where that is t = 1.
    pub fn truncation(self) -> Truncation {
        self.truncation
    }

    /// The coordinate of z at a place for a uniform number in (0, 1).
    pub fn latent(self, place: usize, uniform: f64) -> f64 {
        self.latent
            .coordinate(place, uniform, |uniform| self.normal(uniform))
    }

    /// The underlying normal, truncated.
    fn normal(self, uniform: f64) -> f64 {
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

/// t, and the kind and latents if they are not the paper's, for protocols of scores.
impl std::fmt::Display for LatentDistribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.truncation.fmt(f)?;
        if self.kind != TruncationKind::Resampling {
            write!(f, " {}", self.kind)?;
        }
        if self.latent != LatentKind::Normal {
            write!(f, " of {} latents", self.latent)?;
        }
        Ok(())
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
            Error::request("truncation")
                .found(format_args!("{text:?}"))
                .expected("a number or \"off\"")
                .remedy("give for example 0.5")
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
            Some(t) => Err(Error::request("truncation")
                .found(t)
                .expected("above 0, or off")),
        }
    }
}

#[cfg(test)]
mod tests;
