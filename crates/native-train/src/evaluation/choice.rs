//! Which real images a score looks at, where it does not look at all of them: chosen by a permutation, because the
//! files of a data set are in the order of its classes.

use biggan::random::{Stream, permutation};

/// Step of the choice among all images in [`Stream::EvaluationChoice`]; the subsets of KID have those from 1.
const OF_ALL: u64 = 0;
/// Step of the choice within a class.
const OF_A_CLASS: u64 = u64::MAX;
/// Fewest images of a class whose spread is measured, where it has so many: a mean over pairs of few images
/// fluctuates.
const FEWEST_OF_A_CLASS: usize = 100;

/// Whether each of `images` images is among `count` that are chosen by the seed.
pub fn of_all(images: usize, count: usize, seed: u64) -> Vec<bool> {
    let mut chosen = vec![false; images];
    let order = permutation(seed, Stream::EvaluationChoice, OF_ALL, images);
    for &index in order.iter().take(count) {
        chosen[index as usize] = true;
    }
    chosen
}

/// Whether each image is among those whose spread is measured, `count` or more over all classes and the same number of
/// each class that has so many. The choice within a class depends neither on its label nor on other classes.
pub fn by_class(labels: &[u16], count: usize, seed: u64) -> Vec<bool> {
    let classes = labels.iter().max().map_or(0, |&last| usize::from(last) + 1);
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        places[usize::from(label)].push(index);
    }
    let each = count.div_ceil(classes.max(1)).max(FEWEST_OF_A_CLASS);
    let mut chosen = vec![false; labels.len()];
    for places in places {
        let order = permutation(seed, Stream::EvaluationChoice, OF_A_CLASS, places.len());
        for &place in order.iter().take(each) {
            chosen[places[place as usize]] = true;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use biggan::metrics::class_spread;

    /// Spread of the chosen ones among vectors of one value each.
    fn spread(values: &[f32], labels: &[u16]) -> f64 {
        let chosen = by_class(labels, 60, 0);
        let kept = |index: &usize| chosen[*index];
        let values: Vec<f32> = (0..values.len()).filter(kept).map(|i| values[i]).collect();
        let kept_labels = (0..labels.len())
            .filter(kept)
            .map(|i| usize::from(labels[i]));
        class_spread(&values, 1, &kept_labels.collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_class_of_a_thousand_equal_images_and_a_varied_one_both_count() {
        let mut values = vec![0.0f32; 1000];
        values.extend((0..150).map(|i| (i % 2 * 10) as f32));
        let labels = |first: u16, then: u16| [vec![first; 1000], vec![then; 150]].concat();
        let found = spread(&values, &labels(0, 1));
        // half of the pairs of the varied class are 10 apart, none of the other
        assert!((found - 2.5).abs() < 0.1, "{found}");
        assert!(
            by_class(&labels(0, 1), 60, 0)[..1000]
                .iter()
                .filter(|&&c| c)
                .count()
                == 100
        );
    }

    #[test]
    fn the_spread_is_the_same_whichever_class_sorts_first() {
        // ten classes of 150 images, each with a variety of its own
        let class = |c: usize| (0..150).map(move |i| ((i * i) % (7 + 5 * c)) as f32);
        let in_order = |order: Vec<usize>| {
            let values: Vec<f32> = order.iter().flat_map(|&c| class(c)).collect();
            let labels: Vec<u16> = (0..1500).map(|i| (i / 150) as u16).collect();
            spread(&values, &labels)
        };
        let first = in_order((0..10).collect());
        for sorts_first in 1..10 {
            let mut order: Vec<usize> = (0..10).collect();
            order.remove(sorts_first);
            order.insert(0, sorts_first);
            assert!(
                (in_order(order) / first - 1.0).abs() < 1e-12,
                "{sorts_first}"
            );
        }
    }

    #[test]
    fn the_choice_among_all_is_of_every_class() {
        let chosen = of_all(1000, 100, 0);
        assert_eq!(chosen.iter().filter(|&&chosen| chosen).count(), 100);
        let of_first_tenth = chosen[..100].iter().filter(|&&chosen| chosen).count();
        assert!((1..30).contains(&of_first_tenth), "{of_first_tenth}");
        assert_eq!(of_all(3, 9, 0), [true; 3]);
    }
}
