//! What makes a score say less than it seems to.

/// A covariance of `count` vectors has a rank below `count`: with no more vectors than features it is singular, and the
/// Frechet distance is far too large (Chong and Forsyth 2020: its bias falls as 1/n).
pub fn few_for_features(count: usize, what: &str, features: usize, remedy: &str) -> Option<String> {
    (count <= features).then(|| {
        format!(
            "{count} {what} are too few for the covariance of {features} features: the Frechet distance is far too \
             large; {remedy} {} or more, best {} or more",
            features + 1,
            10 * features
        )
    })
}

/// Fewer images than classes cannot show all of them.
pub fn few_for_classes(count: usize, what: &str, classes: usize, remedy: &str) -> Option<String> {
    (count < classes).then(|| {
        format!("{count} {what} cannot show {classes} classes; {remedy} {classes} or more")
    })
}

/// How many times as large as the samples' the mean features of a reference may be, or the reverse.
const SCALE: f64 = 10.0;

/// A reference that names no network may be of another one: its means then have another scale.
pub fn another_scale(reference: &[f64], samples: &[f64]) -> Option<String> {
    let norm = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let ratio = norm(reference) / norm(samples);
    let usual = (1.0 / SCALE..=SCALE).contains(&ratio);
    (!usual).then(|| {
        format!(
            "the mean features of the reference are {ratio:.3} times as large as those of the samples: it seems to be \
             of another network or of other images; make it again with `native-train reference`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_up_to_the_number_of_features_are_remarked() {
        for count in [2, 9, 100, 128] {
            let remark = few_for_features(count, "samples", 128, "give --count").unwrap();
            assert!(
                remark.starts_with(&format!("{count} samples are too few")),
                "{remark}"
            );
            assert!(
                remark.contains("128 features") && remark.contains("--count 129"),
                "{remark}"
            );
        }
        assert_eq!(few_for_features(129, "samples", 128, "give --count"), None);
        assert!(few_for_classes(9, "samples", 10, "give --count").is_some());
        assert_eq!(few_for_classes(10, "samples", 10, "give --count"), None);
    }

    #[test]
    fn a_reference_of_another_scale_is_remarked() {
        assert_eq!(another_scale(&[3.0, 4.0], &[4.0, 3.0]), None);
        for samples in [[60.0, 0.0], [0.3, 0.3], [0.0, 0.0]] {
            assert!(
                another_scale(&[3.0, 4.0], &samples).is_some(),
                "{samples:?}"
            );
        }
    }
}
