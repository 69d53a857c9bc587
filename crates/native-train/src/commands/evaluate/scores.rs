//! The scores of samples against real images, each under its protocol.

use anyhow::Result;
use biggan::metrics::{
    Moments, Subsets, class_spread, frechet_distance, kernel_distance, neighbour_scores,
};

use super::features::{RealImages, Samples, splits};
use crate::args::EvaluateArgs;

/// Subsets of KID, and vectors in each; fewer vectors where there are not so many (Binkowski et al.
/// 2018 have subsets of 1000).
const KID_SUBSETS: [usize; 2] = [100, 1000];
/// The neighbour that balls reach to (clovaai/generative-evaluation-prdc; POSTECH-CVLab/PyTorch-StudioGAN
/// src/metrics/prdc.py).
const NEIGHBOUR: usize = 5;

/// Everything that scores are computed from.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// What was asked for.
    pub args: &'a EvaluateArgs,
    /// Length of a feature vector.
    pub dim: usize,
    /// The reference.
    pub real: &'a RealImages,
    /// What is judged.
    pub samples: &'a Samples,
}

impl Scored<'_> {
    /// Share of the samples that the classifier puts into their class.
    pub fn recognised(&self) -> f64 {
        let (right, of) = self.by_class().fold((0, 0), |(right, of), class| {
            (right + class.right, of + class.of)
        });
        right as f64 / of as f64
    }

    /// Hits and samples of each class among the first `--recognised` samples.
    pub fn by_class(&self) -> impl Iterator<Item = ClassHits> {
        let few = ..self.args.recognised;
        let (labels, predicted) = (&self.samples.labels[few], &self.samples.predicted[few]);
        let classes = labels.iter().max().map_or(0, |&last| last + 1);
        let mut hits = vec![ClassHits { right: 0, of: 0 }; classes];
        for (&label, &predicted) in labels.iter().zip(predicted) {
            hits[label].of += 1;
            hits[label].right += usize::from(label == predicted);
        }
        hits.into_iter()
    }

    /// Spread within a class, divided by that of as many real images.
    pub fn spread(&self) -> f64 {
        let few = self.args.recognised;
        let samples = &self.samples.features[..few * self.dim];
        class_spread(samples, self.dim, &self.samples.labels[..few])
            / class_spread(&self.real.first, self.dim, &self.real.first_labels)
    }

    /// Frechet distance of the first `--count` samples to all real images.
    pub fn frechet(&self) -> f64 {
        let mut moments = Moments::new(self.dim);
        moments.add(self.counted());
        frechet_distance(&moments, &self.real.moments)
    }

    fn counted(&self) -> &[f32] {
        &self.samples.features[..self.args.count * self.dim]
    }

    /// All scores by protocol, in the order of printing; `name` is the classifier's, `statistics` ends
    /// each protocol.
    ///
    /// # Errors
    /// If there are too few images for a score.
    pub fn all(&self, name: &str, statistics: &str) -> Result<Vec<(String, f64)>> {
        let (few, count) = (self.args.recognised, self.args.count);
        let reals = self.real.moments.count();
        let chosen = self.real.chosen.len() / self.dim;
        let against = format!("n={count}, ref=train {chosen} of {reals}");

        let most = count.min(chosen);
        let subsets = Subsets {
            // all vectors of both sets can be taken in one way only
            count: if most <= KID_SUBSETS[1] && count == chosen {
                1
            } else {
                KID_SUBSETS[0]
            },
            size: most.min(KID_SUBSETS[1]),
            seed: self.args.seed,
        };
        let kid = kernel_distance(self.counted(), &self.real.chosen, self.dim, &subsets)?;
        let of_subsets = format!("{} subsets of {}", subsets.count, subsets.size);
        let k = NEIGHBOUR.min(most - 1);
        let near = neighbour_scores(self.counted(), &self.real.chosen, self.dim, k)?;
        let inception = self.samples.inception.finish()?;

        let mut scores = vec![
            (format!("recognised by {name}: n={few}"), self.recognised()),
            (
                format!("spread within a class / real, {name}: n={few}, ref=train"),
                self.spread(),
            ),
            (
                format!("FD-{name}: n={count}, ref=train n={reals}"),
                self.frechet(),
            ),
            (
                format!("KID-{name}: mean of {of_subsets}, {against}"),
                kid.mean,
            ),
            (
                format!("KID-{name}, deviation: {of_subsets}, {against}"),
                kid.deviation,
            ),
        ];
        for (score, value) in [
            ("precision", near.precision),
            ("recall", near.recall),
            ("density", near.density),
            ("coverage", near.coverage),
        ] {
            scores.push((format!("{score} by {name}: k={k}, {against}"), value));
        }
        let splits = splits(count);
        scores.push((
            format!("IS-{name}: mean of {splits} splits, n={count}"),
            inception.mean,
        ));
        for (protocol, _) in &mut scores {
            protocol.push_str(", ");
            protocol.push_str(statistics);
        }
        Ok(scores)
    }
}

/// What became of the samples of one class.
#[derive(Debug, Clone, Copy)]
pub struct ClassHits {
    /// Samples that the classifier recognised.
    pub right: usize,
    /// Samples.
    pub of: usize,
}
