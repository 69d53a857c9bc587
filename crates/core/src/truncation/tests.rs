//! What each kind draws, and its words.

use super::*;

fn distribution(kind: TruncationKind, t: f64) -> LatentDistribution {
    LatentDistribution::new(LatentKind::Normal, kind, Truncation::Threshold(t)).unwrap()
}

#[test]
fn latents_move_continuously() {
    let us: Vec<f64> = (1..200).map(|i| f64::from(i) / 200.0).collect();
    for kind in TruncationKind::ALL {
        let largest = kind.range()[1].min(4.0);
        let step = largest / 400.0;
        // the largest |z| with the smallest t; 2.81 is the normal's quantile at 1 - 1/400
        let slope = if kind == TruncationKind::Resampling {
            1.01
        } else {
            2.81
        };
        for &u in &us {
            let mut last = distribution(kind, step).latent(0, u);
            for i in 2..=400 {
                let t = f64::from(i) * step;
                let z = distribution(kind, t).latent(0, u);
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
        let off = LatentDistribution::NORMAL.latent(0, u);
        assert!(
            distribution(TruncationKind::Resampling, 0.5)
                .latent(0, u)
                .abs()
                <= 0.5
        );
        assert!((distribution(TruncationKind::Resampling, 8.0).latent(0, u) - off).abs() < 1e-12);
        assert_eq!(
            distribution(TruncationKind::ScaledNormal, 1.0).latent(0, u),
            off
        );
        let scaled = TruncationKind::ScaledTruncatedNormal;
        let cut_at_2 = distribution(TruncationKind::Resampling, 2.0).latent(0, u);
        assert_eq!(distribution(scaled, 0.25).latent(0, u), 0.25 * cut_at_2);
        let largest = LatentDistribution::new(LatentKind::Normal, scaled, Truncation::Off).unwrap();
        assert_eq!(largest.truncation(), Truncation::Threshold(1.0));
        assert_eq!(largest.latent(0, u), cut_at_2);
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
            .map(|i| distribution(kind, t).latent(0, (f64::from(i) + 0.5) / f64::from(n)))
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
            let message =
                LatentDistribution::new(LatentKind::Normal, kind, Truncation::Threshold(t))
                    .unwrap_err()
                    .to_string();
            let [low, high] = kind.range();
            assert!(
                message.contains(&format!("expected {low} to {high} with {kind}, or off")),
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
