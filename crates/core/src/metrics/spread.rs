//! How much the samples of a class differ from each other.

use std::collections::BTreeMap;

/// Mean Euclidean distance between the vectors of the same class, averaged over the classes.
///
/// Divided by the same number for real images it is near 0 for a model with one picture per class, and near
/// 1 for a model with the variety of the data. The mean over pairs does not depend on how many vectors a class has.
///
/// # Shapes
/// - features: `[n, dim]`, row-major
/// - labels: `[n]`
///
/// Classes with fewer than two vectors are left out; `None` with no class left.
pub fn class_spread(features: &[f32], dim: usize, labels: &[usize]) -> Option<f64> {
    let mut classes: BTreeMap<usize, Vec<&[f32]>> = BTreeMap::new();
    for (row, &label) in features.chunks_exact(dim).zip(labels) {
        classes.entry(label).or_default().push(row);
    }
    let spreads: Vec<f64> = classes
        .values()
        .filter(|rows| rows.len() >= 2)
        .map(|rows| mean_distance(rows))
        .collect();
    (!spreads.is_empty()).then(|| spreads.iter().sum::<f64>() / spreads.len() as f64)
}

/// Mean distance of all pairs.
fn mean_distance(rows: &[&[f32]]) -> f64 {
    let mut distances = 0.0;
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[..i] {
            let square: f64 = a
                .iter()
                .zip(*b)
                .map(|(x, y)| f64::from(x - y).powi(2))
                .sum();
            distances += square.sqrt();
        }
    }
    distances / (rows.len() * (rows.len() - 1) / 2) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // class 0: points 0 and 3 apart; class 1: 0, 4 and 8 apart in pairs; class 2 has one point
        let features = [0.0, 3.0, 0.0, 4.0, 8.0, 100.0];
        let labels = [0, 0, 1, 1, 1, 2];
        let expected = (3.0 + (4.0 + 8.0 + 4.0) / 3.0) / 2.0;
        let found = class_spread(&features, 1, &labels).unwrap();
        assert!((found - expected).abs() < 1e-12);
        assert_eq!(class_spread(&[1.0, 1.0], 1, &[0, 0]), Some(0.0));
    }

    #[test]
    fn one_picture_a_class_has_no_spread() {
        assert_eq!(class_spread(&[1.0, 5.0], 1, &[0, 1]), None);
        assert_eq!(class_spread(&[], 1, &[]), None);
    }
}
