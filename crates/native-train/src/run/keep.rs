//! Which checkpoints of a run are kept.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::HumanBytes;

use crate::recipe::keep_section::KeepSection;
use crate::recipe::run_section::RunSection;

/// A stored checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Real images that D had seen.
    pub images: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Frechet distances by images seen: less is better.
pub type Scores = BTreeMap<u64, f64>;

/// Which checkpoints are kept.
#[derive(Debug, Clone, Default)]
pub struct KeepPolicy<'a> {
    /// Number of newest checkpoints, at least 1.
    pub last: usize,
    /// The recipe's section.
    pub section: KeepSection,
    /// Scores so far.
    pub scores: Option<&'a Scores>,
}

impl<'a> KeepPolicy<'a> {
    /// The policy of a recipe, with the scores so far.
    pub fn new(run: &RunSection, scores: Option<&'a Scores>) -> Self {
        Self {
            last: run.keep_checkpoints,
            section: run.keep.clone(),
            scores,
        }
    }

    /// The checkpoints that are kept, by images seen.
    ///
    /// The newest comes first, then the best; these two are always kept. Then come the other newest, the
    /// other best, and the first of every `every_images`, starting with the newest of those, until
    /// `max_bytes` is reached.
    pub fn kept(&self, all: &[Stored]) -> BTreeSet<u64> {
        let sizes: BTreeMap<u64, u64> = all.iter().map(|c| (c.images, c.bytes)).collect();
        let newest: Vec<u64> = sizes.keys().rev().take(self.last.max(1)).copied().collect();
        let best = self.best(sizes.keys().copied());
        let order = newest
            .iter()
            .take(1)
            .chain(best.iter().take(1))
            .chain(newest.iter().skip(1))
            .chain(best.iter().skip(1))
            .copied()
            .chain(self.milestones(sizes.keys().copied()));
        let limit = self
            .section
            .max_bytes
            .map_or(u64::MAX, |size| size.0 as u64);
        let always: BTreeSet<u64> = newest.iter().take(1).chain(best.first()).copied().collect();
        let (mut kept, mut sum) = (BTreeSet::new(), 0u64);
        for images in order {
            if kept.contains(&images) {
                continue;
            }
            sum = sum.saturating_add(sizes[&images]);
            if sum > limit && !always.contains(&images) {
                break;
            }
            kept.insert(images);
        }
        kept
    }

    /// By score, best first; of equal scores the newer.
    fn best(&self, images: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut scored: Vec<(f64, u64)> = images
            .filter_map(|images| Some((*self.scores?.get(&images)?, images)))
            .filter(|(score, _)| score.is_finite())
            .collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let best = scored.into_iter().take(self.section.best);
        best.map(|(_, images)| images).collect()
    }

    /// The first at or after each multiple of `every_images`, newest first.
    fn milestones(&self, images: impl Iterator<Item = u64>) -> Vec<u64> {
        let Some(every) = self.section.every_images else {
            return Vec::new();
        };
        let mut first = BTreeMap::new();
        for images in images.filter(|&images| images >= every) {
            first.entry(images / every).or_insert(images);
        }
        first.into_values().rev().collect()
    }

    /// The problem, if any, with checkpoints of this size: the newest and the best must fit.
    pub fn misfit(&self, bytes: u64) -> Option<String> {
        let limit = self.section.max_bytes?.0 as u64;
        let needed = bytes.saturating_mul(2);
        (needed > limit).then(|| {
            format!(
                "run.keep.max_bytes is {limit} ({}) but a checkpoint has {bytes} bytes ({}), and the \
                 newest and the best always stay; give {needed} ({}) or more",
                HumanBytes(limit),
                HumanBytes(bytes),
                HumanBytes(needed)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use biggan::random::{Draws, Stream};

    use super::*;
    use crate::recipe::byte_size::ByteSize;

    fn stored(images: &[u64]) -> Vec<Stored> {
        let of = |&images| Stored { images, bytes: 10 };
        images.iter().map(of).collect()
    }

    fn policy(
        last: usize,
        best: usize,
        every: Option<u64>,
        max: Option<usize>,
    ) -> KeepPolicy<'static> {
        KeepPolicy {
            last,
            section: KeepSection {
                best,
                every_images: every,
                max_bytes: max.map(ByteSize),
            },
            scores: None,
        }
    }

    fn set(images: &[u64]) -> BTreeSet<u64> {
        images.iter().copied().collect()
    }

    #[test]
    fn by_hand() {
        let all = stored(&[10, 20, 30, 40, 50, 60]);
        assert_eq!(policy(2, 1, None, None).kept(&all), set(&[50, 60]));
        // the first at or after 25 and 50
        assert_eq!(policy(1, 1, Some(25), None).kept(&all), set(&[30, 50, 60]));
        let scores = Scores::from([(10, 9.0), (20, 4.0), (30, f64::NAN), (40, 5.0)]);
        let scored = |max| KeepPolicy {
            scores: Some(&scores),
            ..policy(2, 2, None, max)
        };
        assert_eq!(scored(None).kept(&all), set(&[20, 40, 50, 60]));
        assert_eq!(scored(Some(35)).kept(&all), set(&[20, 50, 60]));
        assert_eq!(scored(Some(5)).kept(&all), set(&[20, 60]));
    }

    #[test]
    fn two_checkpoints_must_fit() {
        assert_eq!(policy(3, 1, None, Some(20)).misfit(10), None);
        let message = policy(3, 1, None, Some(2000)).misfit(1001).unwrap();
        for part in ["2000", "1001", "2002", "max_bytes"] {
            assert!(message.contains(part), "{message}");
        }
    }

    /// Runs that write a checkpoint at a time and prune after each.
    #[test]
    fn properties_of_random_runs() {
        for case in 0..300 {
            let mut draws = Draws::new(11, Stream::Sample, 0, case);
            let scores: Scores = (0..60)
                .filter(|_| draws.below(2) == 0)
                .collect::<Vec<u64>>()
                .into_iter()
                .map(|images| (images, draws.below(7) as f64))
                .collect();
            let max = (draws.below(2) == 0).then(|| 20 + draws.below(120) as usize);
            let every = (draws.below(2) == 0).then(|| 1 + draws.below(20));
            let [last, best] = [1 + draws.below(4) as usize, 1 + draws.below(3) as usize];
            let policy = KeepPolicy {
                scores: Some(&scores),
                ..policy(last, best, every, max)
            };
            let (mut all, mut best_ever): (Vec<Stored>, Option<(f64, u64)>) = (Vec::new(), None);
            for images in 0..60 {
                if draws.below(3) == 0 {
                    continue;
                }
                let bytes = 1 + draws.below(10);
                all.push(Stored { images, bytes });
                if let Some(&score) = scores.get(&images)
                    && best_ever.is_none_or(|(least, _)| score <= least)
                {
                    best_ever = Some((score, images));
                }
                let kept = policy.kept(&all);
                assert!(kept.contains(&images), "the newest stays");
                if let Some((_, best)) = best_ever {
                    assert!(kept.contains(&best), "the best of all stays");
                }
                all.retain(|c| kept.contains(&c.images));
                assert_eq!(all.len(), kept.len(), "nothing is kept that is not there");
                assert_eq!(policy.kept(&all), kept, "pruning twice is pruning once");
                let sum: u64 = all.iter().map(|c| c.bytes).sum();
                // two of the largest fit, as the program demands
                assert!(max.is_none_or(|max| sum <= max as u64), "{sum} of {max:?}");
                if max.is_none() {
                    assert!(kept.len() >= last.min(all.len()));
                }
            }
        }
    }

    #[test]
    fn milestones_once_kept_are_kept_for_ever() {
        let policy = policy(1, 1, Some(100), None);
        let mut all: Vec<Stored> = Vec::new();
        for step in 1..=50 {
            all.extend(stored(&[step * 30]));
            let kept = policy.kept(&all);
            all.retain(|c| kept.contains(&c.images));
        }
        let expected: Vec<u64> = (1..=15).map(|n: u64| (n * 100).div_ceil(30) * 30).collect();
        let found: Vec<u64> = all.iter().map(|c| c.images).collect();
        assert_eq!(found, expected);
    }
}
