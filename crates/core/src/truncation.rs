//! The truncation trick, defined once (BigGAN sec. 3.1).
//!
//! The paper redraws every coordinate of z whose magnitude exceeds a threshold t. The result is a
//! normal distribution conditioned on |z| <= t. We draw from the same distribution by inverse CDF,
//! from one fixed uniform number u for each coordinate:
//!
//! ```text
//! z(t) = Phi^-1( Phi(-t) + u (Phi(t) - Phi(-t)) ),    z(off) = Phi^-1(u)
//! ```
//!
//! so that the picture of a seed moves continuously with t. `libm` gives the same bits on native and
//! wasm, which `std` does not.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Smallest and largest threshold accepted. Below the first all coordinates are 0 in f32 terms; above the
/// second the truncated and the plain normal agree to f32.
const THRESHOLDS: (f64, f64) = (1e-3, 8.0);

/// How the latent is truncated.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(into = "Option<f64>", try_from = "Option<f64>")]
pub enum Truncation {
    /// z from N(0, I).
    #[default]
    Off,
    /// Every |z| at most this threshold.
    Threshold(f64),
}

impl Truncation {
    /// A threshold, checked.
    ///
    /// # Errors
    /// If it is not within 0.001 to 8.
    pub fn threshold(t: f64) -> Result<Self> {
        if (THRESHOLDS.0..=THRESHOLDS.1).contains(&t) {
            return Ok(Self::Threshold(t));
        }
        Err(Error::Request(format!(
            "truncation {t} is out of range; give a threshold from {} to {}, or off for N(0, I)",
            THRESHOLDS.0, THRESHOLDS.1
        )))
    }

    /// The coordinate of z that a uniform number stands for.
    pub fn latent(self, uniform: f64) -> f64 {
        match self {
            Self::Off => normal_quantile(uniform),
            Self::Threshold(t) => {
                let low = normal_cdf(-t);
                // for u below 1/2 work in the lower tail and mirror the rest: exact symmetry, and no
                // loss of digits near 1
                let half = |u: f64| normal_quantile(low + u * (1.0 - 2.0 * low));
                let z = if uniform <= 0.5 {
                    half(uniform)
                } else {
                    -half(1.0 - uniform)
                };
                z.clamp(-t, t)
            }
        }
    }
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
        Self::threshold(t)
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
        value.map_or(Ok(Self::Off), Self::threshold)
    }
}

/// Where a truncation falls in a table of statistics: a row, or a point between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TablePosition {
    /// Lower row.
    pub row: usize,
    /// Upper row (equal to `row` when no interpolation is needed).
    pub next: usize,
    /// Weight of the upper row, 0 to 1.
    pub weight: f64,
}

/// Finds a truncation in a table whose rows are `Off` first and then rising thresholds.
///
/// Between two thresholds the position is linear; below the first the first row is taken; above the
/// last the position is linear towards `Off`, which stands at the threshold 4, where 99.99 % of a
/// normal's mass lies inside.
///
/// # Panics
/// If the table is empty.
pub fn position_in_table(rows: &[Truncation], truncation: Truncation) -> TablePosition {
    assert!(!rows.is_empty(), "the statistics table has no rows");
    const OFF_AT: f64 = 4.0;
    let at = |row: &Truncation| match row {
        Truncation::Off => OFF_AT,
        Truncation::Threshold(t) => t.min(OFF_AT),
    };
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| at(&rows[a]).total_cmp(&at(&rows[b])));
    let target = at(&truncation);
    let after = order.iter().position(|&row| at(&rows[row]) >= target);
    match after {
        None => {
            let last = order[order.len() - 1];
            TablePosition {
                row: last,
                next: last,
                weight: 0.0,
            }
        }
        Some(0) => TablePosition {
            row: order[0],
            next: order[0],
            weight: 0.0,
        },
        Some(place) => {
            let (row, next) = (order[place - 1], order[place]);
            let (low, high) = (at(&rows[row]), at(&rows[next]));
            TablePosition {
                row,
                next,
                weight: (target - low) / (high - low),
            }
        }
    }
}

/// Standard normal cumulative distribution function, Phi(x) = erfc(-x / sqrt 2) / 2.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Standard normal quantile function, the inverse of [`normal_cdf`].
///
/// Rational approximations of Wichura, "Algorithm AS 241: The percentage points of the normal
/// distribution", Applied Statistics 37 (1988), routine PPND16: relative error about 1e-16.
///
/// # Panics
/// If `p` is not strictly between 0 and 1.
pub fn normal_quantile(p: f64) -> f64 {
    assert!(
        p > 0.0 && p < 1.0,
        "normal_quantile: p must lie in (0, 1), got {p}"
    );
    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    let rational = |num: &[f64; 8], den: &[f64; 8], r: f64| {
        let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, &a| sum * r + a);
        horner(num) / horner(den)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * rational(&A, &B, 0.180_625 - q * q);
    }
    let r = libm::sqrt(-libm::log(if q < 0.0 { p } else { 1.0 - p }));
    let magnitude = if r <= 5.0 {
        rational(&C, &D, r - 1.6)
    } else {
        rational(&E, &F, r - 5.0)
    };
    if q < 0.0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_inverts_the_cdf() {
        // values of the quantile from published tables (AS 241's own test values)
        assert!((normal_quantile(0.25) + 0.674_489_750_196_081_7).abs() < 1e-15);
        assert!((normal_quantile(0.001) + 3.090_232_306_167_813_5).abs() < 1e-14);
        assert!((normal_quantile(1e-20) + 9.262_340_089_798_408).abs() < 1e-13);
        for step in 1..1000 {
            let p = f64::from(step) / 1000.0;
            assert!(
                (normal_cdf(normal_quantile(p)) - p).abs() < 1e-14,
                "p = {p}"
            );
        }
    }

    #[test]
    fn truncated_latents_stay_inside_and_move_continuously() {
        let us: Vec<f64> = (1..200).map(|i| f64::from(i) / 200.0).collect();
        for &u in &us {
            let mut last = Truncation::Threshold(0.02).latent(u);
            for step in 2..=400 {
                let t = f64::from(step) * 0.01;
                let z = Truncation::Threshold(t).latent(u);
                assert!(z.abs() <= t);
                assert!((z - last).abs() <= 0.0101, "u {u} t {t}: {last} -> {z}");
                last = z;
            }
            assert!(
                (Truncation::Threshold(8.0).latent(u) - Truncation::Off.latent(u)).abs() < 1e-12
            );
        }
    }

    #[test]
    fn latents_follow_the_resampling_distribution() {
        // variance of a normal conditioned on |z| <= t: 1 - 2 t phi(t) / (2 Phi(t) - 1)
        let n = 20_000;
        for t in [0.3_f64, 1.0, 2.0] {
            let phi = (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let expected = 1.0 - 2.0 * t * phi / (2.0 * normal_cdf(t) - 1.0);
            let squares: f64 = (0..n)
                .map(|i| Truncation::Threshold(t).latent((f64::from(i) + 0.5) / f64::from(n)))
                .map(|z| z * z)
                .sum();
            assert!(
                (squares / f64::from(n) - expected).abs() < 1e-6 * t,
                "t {t}"
            );
        }
    }

    #[test]
    fn table_positions() {
        let rows: Vec<Truncation> = std::iter::once(Truncation::Off)
            .chain([0.5, 1.0].map(Truncation::Threshold))
            .collect();
        let place = |t| position_in_table(&rows, t);
        assert_eq!(
            place(Truncation::Off),
            TablePosition {
                row: 2,
                next: 0,
                weight: 1.0
            }
        );
        assert_eq!(place(Truncation::Threshold(0.2)).row, 1);
        let middle = place(Truncation::Threshold(0.75));
        assert_eq!((middle.row, middle.next), (1, 2));
        assert!((middle.weight - 0.5).abs() < 1e-12);
        let beyond = place(Truncation::Threshold(2.5));
        assert_eq!((beyond.row, beyond.next), (2, 0));
        assert!((beyond.weight - 0.5).abs() < 1e-12);
    }

    #[test]
    fn words() {
        assert_eq!("off".parse::<Truncation>().unwrap(), Truncation::Off);
        assert_eq!(
            "0.5".parse::<Truncation>().unwrap(),
            Truncation::Threshold(0.5)
        );
        for bad in ["0", "-1", "nan", "9", "half"] {
            assert!(bad.parse::<Truncation>().is_err(), "{bad}");
        }
        assert_eq!(serde_json::to_string(&Truncation::Off).unwrap(), "null");
        assert!(serde_json::from_str::<Truncation>("-3").is_err());
    }
}
