//! The 1,000 classes of ImageNet (ILSVRC 2012) in the order of their labels. Source and licence of the
//! data: `data/README.md` of this crate.

/// One class per line: WordNet id, a space, the synset's words separated by commas.
const CLASSES: &str = include_str!("../data/imagenet_classes.txt");

/// Number of classes.
pub const COUNT: usize = 1000;

/// One class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImagenetClass {
    /// WordNet id of the synset, e.g. `n02099601`.
    pub wordnet_id: &'static str,
    /// Its words, e.g. `tench, Tinca tinca`. Not unique: 134 and 517 are both `crane`.
    pub words: &'static str,
}

/// All classes in the order of the labels.
///
/// # Panics
/// Never: the crate's tests read its data.
pub fn classes() -> impl Iterator<Item = ImagenetClass> {
    CLASSES.lines().map(|line| {
        let (wordnet_id, words) = line
            .split_once(' ')
            .expect("each line of the data is an id and words");
        ImagenetClass { wordnet_id, words }
    })
}

/// The words of all classes, for [`ModelInfo::class_names`](crate::file::ModelInfo::class_names).
pub fn class_names() -> Vec<String> {
    classes().map(|class| class.words.to_owned()).collect()
}

/// The WordNet ids of all classes, for [`ModelInfo::class_ids`](crate::file::ModelInfo::class_ids).
pub fn class_ids() -> Vec<String> {
    classes().map(|class| class.wordnet_id.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_labels_stand_where_they_should() {
        let all: Vec<ImagenetClass> = classes().collect();
        assert_eq!(all.len(), COUNT);
        for (label, wordnet_id, words) in [
            (0, "n01440764", "tench, Tinca tinca"),
            (134, "n02012849", "crane"),
            (207, "n02099601", "golden retriever"),
            (517, "n03126707", "crane"),
            (639, "n03710721", "maillot, tank suit"),
            (
                999,
                "n15075141",
                "toilet tissue, toilet paper, bathroom tissue",
            ),
        ] {
            assert_eq!(all[label], ImagenetClass { wordnet_id, words });
        }
    }

    #[test]
    fn ids_are_wordnet_ids_and_rise() {
        let ids = class_ids();
        assert!(ids.is_sorted_by(|a, b| a < b));
        for id in &ids {
            let digits = id.strip_prefix('n').unwrap();
            assert!(
                digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()),
                "{id}"
            );
        }
        for words in class_names() {
            assert!(
                words.is_ascii() && words.trim() == words && !words.is_empty(),
                "{words:?}"
            );
        }
    }
}
