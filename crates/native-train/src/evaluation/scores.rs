//! The scores of samples, each under its protocol.

use anyhow::Result;
use biggan::metrics::{
    NetworkInfo, Normal, Protocol, Score, Subsets, class_spread, kernel_distance, neighbour_scores,
};

use super::features::{Counts, RealImages, Samples, splits};
use super::remarks;

/// Subsets of KID, and vectors in each; fewer vectors if there are not enough (Binkowski et al.
/// 2018 use subsets of 1000).
const KID_SUBSETS: [usize; 2] = [100, 1000];
/// The neighbour that balls reach to (clovaai/generative-evaluation-prdc; POSTECH-CVLab/PyTorch-StudioGAN
/// src/metrics/prdc.py).
const NEIGHBOUR: usize = 5;

/// What samples are compared with.
#[derive(Debug)]
pub struct Against {
    /// Mean and covariance.
    pub normal: Normal,
    /// Their protocol, in words.
    pub protocol: String,
    /// Number of images, if it is known.
    pub count: Option<usize>,
    /// Whether nothing says which network the statistics are of.
    pub of_unknown_network: bool,
    /// The images, if their features were computed.
    pub images: Option<RealImages>,
}

/// Everything that scores are computed from.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// How many images each score uses.
    pub counts: Counts,
    /// The network.
    pub network: &'a NetworkInfo,
    /// The reference.
    pub against: &'a Against,
    /// The samples.
    pub samples: &'a Samples,
    /// How they were generated.
    pub protocol: &'a Protocol,
}

impl Scored<'_> {
    /// Share of the samples that the classifier puts into their class; `None` if it has no such classes.
    pub fn recognised(&self) -> Option<Score> {
        let (right, of) = self.by_class().fold((0, 0), |(right, of), class| {
            (right + class.right, of + class.of)
        });
        let name = format!("recognised by {}", self.network.name);
        let classes = self.network.classes;
        let remark = remarks::few_for_classes(of, "samples", classes, "give --recognised");
        (of > 0).then(|| Score {
            count: of,
            remarks: remark.into_iter().collect(),
            ..self.score(name, right as f64 / of as f64)
        })
    }

    /// Hits and samples of each class among the first `--recognised` samples.
    pub fn by_class(&self) -> impl Iterator<Item = ClassHits> {
        let (labels, predicted) = (&self.samples.labels, &self.samples.predicted);
        let classes = labels.iter().max().map_or(0, |&last| last + 1);
        let mut hits = vec![ClassHits { right: 0, of: 0 }; classes];
        for (&label, &predicted) in labels.iter().zip(predicted) {
            hits[label].of += 1;
            hits[label].right += usize::from(label == predicted);
        }
        hits.into_iter()
    }

    /// Spread within a class, divided by that of real images; `None` where no class has two samples, or real images
    /// that differ.
    pub fn spread(&self) -> Option<Score> {
        let real = self.against.images.as_ref()?;
        let (few, dim) = (self.samples.labels.len(), self.network.features);
        if few == 0 {
            return None;
        }
        let samples = &self.samples.features[..few * dim];
        let value = class_spread(samples, dim, &self.samples.labels)?
            / class_spread(&real.of_classes, dim, &real.labels)?;
        if !value.is_finite() {
            return None;
        }
        let name = format!("spread within a class / real, {}", self.network.name);
        let chosen = real.labels.len();
        Some(Score {
            count: few,
            reference: Some(format!("{chosen} by class of {}", self.against.protocol)),
            ..self.score(name, value)
        })
    }

    /// Frechet distance of the first `--count` samples to the reference.
    pub fn frechet(&self) -> Score {
        let value =
            Normal::from_moments(&self.samples.moments).frechet_distance(&self.against.normal);
        Score {
            reference: Some(self.against.protocol.clone()),
            remarks: self.of_frechet(),
            ..self.score(self.network.score("FD"), value)
        }
    }

    fn of_frechet(&self) -> Vec<String> {
        let (features, count) = (self.network.features, self.counts.count);
        let few = remarks::few_for_features;
        let samples = few(count, "samples", features, "give --count");
        let reference = self.against.count.and_then(|count| {
            let remedy = "compare with";
            few(count, "real images", features, remedy)
        });
        let scale = self.against.of_unknown_network.then(|| {
            let means = self.samples.moments.mean();
            remarks::another_scale(self.against.normal.mean(), means.as_slice())
        });
        samples
            .into_iter()
            .chain(reference)
            .chain(scale.flatten())
            .collect()
    }

    /// Why there is no spread although there are real images and classes.
    fn no_spread(&self) -> Option<String> {
        let missing = self.against.images.is_some()
            && !self.samples.labels.is_empty()
            && self.spread().is_none();
        missing.then(|| {
            "there is no spread within a class: no class has two samples (give --recognised more), or two real images \
             that differ"
                .to_owned()
        })
    }

    /// What makes the scores say less than they seem to.
    pub fn remarks(&self, scores: &[Score]) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let of_scores = scores.iter().flat_map(|score| &score.remarks).cloned();
        for remark in of_scores.chain(self.no_spread()) {
            if !all.contains(&remark) {
                all.push(remark);
            }
        }
        all
    }

    /// Mean Inception score of the splits.
    ///
    /// # Errors
    /// If no split is complete.
    pub fn inception_score(&self) -> Result<Score> {
        let value = self.samples.inception.finish()?.mean;
        let splits = splits(self.counts.count);
        let (each, classes) = (self.counts.count / splits, self.network.classes);
        let what = format!("samples in each of {splits} splits of the Inception score");
        let remedy = format!("give --count {splits} times");
        Ok(Score {
            detail: Some(format!("mean of {splits} splits")),
            remarks: remarks::few_for_classes(each, &what, classes, &remedy)
                .into_iter()
                .collect(),
            ..self.score(self.network.score("IS"), value)
        })
    }

    /// Share of saturated channel values.
    pub fn saturated(&self) -> Score {
        let name = "saturated channel values".to_owned();
        Score {
            detail: Some("|x| > 0.99 in [-1, 1]".to_owned()),
            ..self.score(name, self.samples.saturated)
        }
    }

    /// KID and the scores by neighbours, if there are real images.
    fn pairs(&self) -> Result<Vec<Score>> {
        let Some(real) = &self.against.images else {
            return Ok(Vec::new());
        };
        let dim = self.network.features;
        let count = self.counts.neighbours;
        let samples = &self.samples.features[..count * dim];
        let chosen = real.chosen.len() / dim;
        let most = count.min(chosen);
        let subsets = Subsets {
            // there is only one way to take all vectors of both sets
            count: if most <= KID_SUBSETS[1] && count == chosen {
                1
            } else {
                KID_SUBSETS[0]
            },
            size: most.min(KID_SUBSETS[1]),
            seed: self.protocol.seed,
        };
        let kid = kernel_distance(samples, &real.chosen, dim, &subsets)?;
        let k = NEIGHBOUR.min(most - 1);
        let near = neighbour_scores(samples, &real.chosen, dim, k)?;
        let of_subsets = format!("{} subsets of {}", subsets.count, subsets.size);
        let reference = format!("{chosen} of {}", self.against.protocol);
        let score = |name: String, detail: String, value| Score {
            detail: Some(detail),
            count,
            reference: Some(reference.clone()),
            ..self.score(name, value)
        };
        let name = self.network.score("KID");
        let mut scores = vec![
            score(name.clone(), format!("mean of {of_subsets}"), kid.mean),
            score(name, format!("deviation of {of_subsets}"), kid.deviation),
        ];
        for (name, value) in [
            ("precision", near.precision),
            ("recall", near.recall),
            ("density", near.density),
            ("coverage", near.coverage),
        ] {
            let name = format!("{name} by {}", self.network.name);
            scores.push(score(name, format!("k={k}"), value));
        }
        Ok(scores)
    }

    /// All scores, in the order of printing.
    ///
    /// # Errors
    /// If there are too few images for a score.
    pub fn all(&self) -> Result<Vec<Score>> {
        let mut scores: Vec<Score> = self.recognised().into_iter().chain(self.spread()).collect();
        scores.push(self.frechet());
        scores.extend(self.pairs()?);
        scores.push(self.inception_score()?);
        Ok(scores)
    }

    /// The scores of a row of the curve.
    ///
    /// # Errors
    /// As [`Scored::inception_score`].
    pub fn main(&self) -> Result<MainScores> {
        Ok(MainScores {
            recognised: self.recognised(),
            spread: self.spread(),
            inception_score: self.inception_score()?,
            frechet: self.frechet(),
            saturated: self.saturated(),
        })
    }

    fn score(&self, name: String, value: f64) -> Score {
        Score {
            name,
            detail: None,
            count: self.counts.count,
            reference: None,
            value,
            protocol: self.protocol.clone(),
            remarks: Vec::new(),
        }
    }
}

/// Scores that are computed at every truncation of a curve.
#[derive(Debug, Clone)]
pub struct MainScores {
    /// As [`Scored::recognised`].
    pub recognised: Option<Score>,
    /// As [`Scored::spread`].
    pub spread: Option<Score>,
    /// As [`Scored::inception_score`].
    pub inception_score: Score,
    /// As [`Scored::frechet`].
    pub frechet: Score,
    /// As [`Scored::saturated`].
    pub saturated: Score,
}

impl MainScores {
    /// All of them.
    pub fn into_scores(self) -> impl Iterator<Item = Score> {
        let some = [self.inception_score, self.frechet, self.saturated];
        self.recognised.into_iter().chain(self.spread).chain(some)
    }
}

/// Recognised samples of one class.
#[derive(Debug, Clone, Copy)]
pub struct ClassHits {
    /// Samples that the classifier recognised.
    pub right: usize,
    /// Samples.
    pub of: usize,
}
