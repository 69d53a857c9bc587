//! Scores by nearest neighbours: precision and recall (Kynkaanniemi et al. 2019, sec. 3), density and
//! coverage (Naeem et al. 2020, sec. 3).
//!
//! The ball of a vector reaches to its k-th nearest neighbour in its own set; the balls of a set
//! approximate the support of its distribution. Outliers of the real set have large balls, which
//! precision counts in full and density does not.

use super::vectors::{count_vectors, squared_distance};
use crate::error::{Error, Result};

/// Shares and counts of vectors in the balls of the other set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeighbourScores {
    /// Share of the fakes that are in the ball of a real vector: how realistic they are.
    pub precision: f64,
    /// Share of the real vectors that are in the ball of a fake: how much of the data is covered.
    pub recall: f64,
    /// Mean number of real vectors' balls that a fake is in, divided by k; near 1 for the real
    /// distribution, and above 1 where the fakes cluster.
    pub density: f64,
    /// Share of the real vectors' balls that contain a fake.
    pub coverage: f64,
}

/// The four scores of `fakes` against `real`, with balls to the `k`-th neighbour.
///
/// A ball includes its surface, as in Kynkaanniemi's eq. 1; clovaai/generative-evaluation-prdc
/// prdc/prdc.py:118-139 excludes it, which matters for ties only. Time is quadratic in the
/// numbers of vectors, memory linear.
///
/// # Shapes
/// - fakes: `[n, dim]`, real: `[m, dim]`, row-major
///
/// # Errors
/// If `k` is 0 or a set has no more than `k` vectors.
pub fn neighbour_scores(
    fakes: &[f32],
    real: &[f32],
    dim: usize,
    k: usize,
) -> Result<NeighbourScores> {
    let [n, m] = [count_vectors(fakes, dim)?, count_vectors(real, dim)?];
    if k == 0 || n.min(m) <= k {
        return Err(Error::request("the neighbour k")
            .found(format_args!("{k} in sets of {n} and {m}"))
            .expected("1 or more, and smaller than each set"));
    }
    let fake_radii = squared_radii(fakes, dim, k);
    let real_radii = squared_radii(real, dim, k);
    let (mut precise, mut balls) = (0usize, 0usize);
    let (mut recalled, mut covered) = (vec![false; m], vec![false; m]);
    for (fake, &fake_radius) in fakes.chunks_exact(dim).zip(&fake_radii) {
        let before = balls;
        for (i, vector) in real.chunks_exact(dim).enumerate() {
            let distance = squared_distance(fake, vector);
            recalled[i] |= distance <= fake_radius;
            if distance <= real_radii[i] {
                covered[i] = true;
                balls += 1;
            }
        }
        precise += usize::from(balls > before);
    }
    let share = |marks: &[bool]| marks.iter().filter(|&&mark| mark).count() as f64 / m as f64;
    Ok(NeighbourScores {
        precision: precise as f64 / n as f64,
        recall: share(&recalled),
        density: balls as f64 / (k * n) as f64,
        coverage: share(&covered),
    })
}

/// Squared distance of each vector to its k-th nearest neighbour among the others.
fn squared_radii(features: &[f32], dim: usize, k: usize) -> Vec<f64> {
    let mut distances = Vec::new();
    let vectors = features.chunks_exact(dim).enumerate();
    vectors
        .map(|(own, vector)| {
            distances.clear();
            let others = features.chunks_exact(dim).enumerate();
            let others = others.filter(|&(other, _)| other != own);
            distances.extend(others.map(|(_, other)| squared_distance(vector, other)));
            *distances.select_nth_unstable_by(k - 1, f64::total_cmp).1
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Draws, Stream};

    #[test]
    fn by_hand_on_a_line() {
        // balls of the real points: [-1, 1], [0, 2], [1, 5], [3, 9]; all of the fakes' have radius 2
        let scores = neighbour_scores(&[0.5, 2.5, 20.0, 22.0], &[0.0, 1.0, 3.0, 6.0], 1, 1);
        let expected = NeighbourScores {
            precision: 0.5, // 0.5 and 2.5
            recall: 0.75,   // 0, 1 and 3
            density: 0.75,  // 0.5 is in two balls, 2.5 in one
            coverage: 0.75, // all balls but the last
        };
        assert_eq!(scores.unwrap(), expected);
    }

    #[test]
    fn a_ball_holds_its_surface() {
        // balls of the real points: [-2, 2], [0, 4]; of the fakes: [3, 5], [4, 6]
        let scores = neighbour_scores(&[4.0, 5.0], &[0.0, 2.0], 1, 1).unwrap();
        assert_eq!([scores.precision, scores.density], [0.5, 0.5]);
        assert_eq!([scores.recall, scores.coverage], [0.0, 0.5]);
    }

    #[test]
    fn by_the_definitions_in_space() {
        let (dim, k) = (3, 2);
        let mut draws = Draws::new(4, Stream::Sample, 0, 0);
        let mut set = |n: usize, scale: f64| -> Vec<[f32; 3]> {
            let mut point = || [0; 3].map(|_| (draws.normal() * scale) as f32);
            (0..n).map(|_| point()).collect()
        };
        let (fakes, real) = (set(25, 0.8), set(20, 1.2));
        let apart = |a: &[f32; 3], b: &[f32; 3]| -> f64 {
            let squares = a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2));
            squares.sum::<f64>().sqrt()
        };
        let radius = |of: &[f32; 3], set: &[[f32; 3]]| {
            let mut all: Vec<f64> = set.iter().map(|other| apart(of, other)).collect();
            all.sort_by(f64::total_cmp);
            all[k] // all[0] is itself
        };
        let inside = |x: &[f32; 3], centre: &[f32; 3], set: &[[f32; 3]]| {
            apart(x, centre) <= radius(centre, set)
        };
        let share = |hits: usize, of: &[[f32; 3]]| hits as f64 / of.len() as f64;
        let in_real = |f: &[f32; 3]| real.iter().filter(|&r| inside(f, r, &real)).count();
        let recalled = |r: &[f32; 3]| fakes.iter().any(|f| inside(r, f, &fakes));
        let covered = |r: &[f32; 3]| fakes.iter().any(|f| inside(f, r, &real));
        let expected = NeighbourScores {
            precision: share(fakes.iter().filter(|f| in_real(f) > 0).count(), &fakes),
            recall: share(real.iter().filter(|r| recalled(r)).count(), &real),
            density: share(fakes.iter().map(in_real).sum(), &fakes) / k as f64,
            coverage: share(real.iter().filter(|r| covered(r)).count(), &real),
        };
        let found = neighbour_scores(fakes.as_flattened(), real.as_flattened(), dim, k).unwrap();
        let pairs = [
            (found.precision, expected.precision),
            (found.recall, expected.recall),
            (found.density, expected.density),
            (found.coverage, expected.coverage),
        ];
        for (found, expected) in pairs {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found} against {expected}"
            );
        }
        assert!(expected.recall < 1.0 && expected.coverage < 1.0);
    }

    #[test]
    fn copies_of_the_data_are_precise_and_cover_it() {
        let set = [0.0, 1.0, 1.0, 2.0, 4.0, 3.0, -7.0, 0.5];
        let scores = neighbour_scores(&set, &set, 2, 2).unwrap();
        assert_eq!([scores.precision, scores.recall, scores.coverage], [1.0; 3]);
        assert!(scores.density >= 1.0);
    }

    #[test]
    fn sets_must_have_that_many_neighbours() {
        let few = neighbour_scores(&[0.0; 3], &[0.0; 9], 1, 3).unwrap_err();
        assert!(few.to_string().contains("k is 3 in sets of 3 and 9"));
        assert!(neighbour_scores(&[0.0; 3], &[0.0; 9], 1, 0).is_err());
    }
}
