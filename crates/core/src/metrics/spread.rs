//! How much the samples of a class differ from each other.

/// Mean Euclidean distance between the vectors of the same class, averaged over the classes.
///
/// Divided by the same number for real images it is near 0 for a model with one picture per class, and near
/// 1 for a model with the variety of the data.
///
/// # Shapes
/// - features: `[n, dim]`, row-major
/// - labels: `[n]`
///
/// Classes with fewer than two vectors are left out; with no class left the result is 0.
pub fn class_spread(features: &[f32], dim: usize, labels: &[usize]) -> f64 {
    let classes = labels.iter().max().map_or(0, |&last| last + 1);
    let (mut sum, mut counted) = (0.0, 0usize);
    for class in 0..classes {
        let rows: Vec<&[f32]> = features
            .chunks_exact(dim)
            .zip(labels)
            .filter(|&(_, &label)| label == class)
            .map(|(row, _)| row)
            .collect();
        if rows.len() < 2 {
            continue;
        }
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
        sum += distances / (rows.len() * (rows.len() - 1) / 2) as f64;
        counted += 1;
    }
    if counted == 0 {
        0.0
    } else {
        sum / counted as f64
    }
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
        assert!((class_spread(&features, 1, &labels) - expected).abs() < 1e-12);
        assert_eq!(class_spread(&[1.0, 1.0], 1, &[0, 0]), 0.0);
    }
}
