//! `--class`: an id, a WordNet id, words, a list of these, or all.

use anyhow::Result;
use biggan::file::ModelInfo;

use crate::error::bad_usage;

/// Most names that a message lists.
const MAX_LISTED: usize = 20;

/// The classes of a model: names such as `tench, Tinca tinca`, and ids in an external vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct Classes<'a> {
    /// A name for each class: one or more synonyms separated by commas.
    pub names: &'a [String],
    /// An id for each class (`n01440764`), or an empty list.
    pub ids: &'a [String],
}

impl<'a> From<&'a ModelInfo> for Classes<'a> {
    fn from(info: &'a ModelInfo) -> Self {
        Self {
            names: &info.class_names,
            ids: &info.class_ids,
        }
    }
}

/// The meaning of a text.
enum Found {
    One(usize),
    Several(Vec<usize>),
    Nothing,
}

impl Classes<'_> {
    /// The labels of the typed classes, in the order typed.
    ///
    /// Names and synonyms are compared case-insensitively. A text with commas is tried
    /// first as a whole.
    ///
    /// # Errors
    /// If a part is not a label, an id or a name, or is a name of several classes; the message
    /// lists the candidates.
    pub fn resolve(self, choice: &str) -> Result<Vec<usize>> {
        if choice.trim().eq_ignore_ascii_case("all") {
            return Ok((0..self.names.len()).collect());
        }
        if let Found::One(class) = self.find(choice) {
            return Ok(vec![class]);
        }
        choice
            .split(',')
            .map(|part| match self.find(part) {
                Found::One(class) => Ok(class),
                Found::Several(classes) => Err(bad_usage(format!(
                    "class {:?} is the name of {}; give one by its number",
                    part.trim(),
                    self.list(&classes)
                ))),
                Found::Nothing => Err(bad_usage(self.unknown(part.trim()))),
            })
            .collect()
    }

    fn find(self, text: &str) -> Found {
        let text = text.trim().to_lowercase();
        let named: Vec<usize> =
            self.labels(|name| *name == text || name.split(',').any(|word| word.trim() == text));
        match named[..] {
            [class] => return Found::One(class),
            [_, _, ..] => return Found::Several(named),
            [] => {}
        }
        let by_id = || self.ids.iter().position(|id| id.to_lowercase() == text);
        let by_label = || {
            text.parse()
                .ok()
                .filter(|&id: &usize| id < self.names.len())
        };
        by_label().or_else(by_id).map_or(Found::Nothing, Found::One)
    }

    /// Labels whose name, in lower case, has a property.
    fn labels(self, has: impl Fn(&String) -> bool) -> Vec<usize> {
        (0..self.names.len())
            .filter(|&label| has(&self.names[label].to_lowercase()))
            .collect()
    }

    fn unknown(self, text: &str) -> String {
        let lower = text.to_lowercase();
        let similar = if lower.is_empty() {
            vec![]
        } else {
            // synonyms that begin with it, then names that contain it
            let begins =
                |name: &String| name.split(',').any(|word| word.trim().starts_with(&lower));
            let mut similar = self.labels(begins);
            similar.extend(self.labels(|name| name.contains(&lower) && !begins(name)));
            similar
        };
        if similar.is_empty() {
            format!(
                "class {text:?} is unknown; the model has {}",
                self.candidates()
            )
        } else {
            format!(
                "class {text:?} is unknown; did you mean {}",
                self.list(&similar)
            )
        }
    }

    /// The first classes with their labels, for a message.
    pub fn candidates(self) -> String {
        self.list(&(0..self.names.len()).collect::<Vec<_>>())
    }

    fn list(self, labels: &[usize]) -> String {
        let listed: Vec<String> = labels
            .iter()
            .take(MAX_LISTED)
            .map(|&label| format!("{label} {}", self.names[label]))
            .collect();
        let rest = labels.len().saturating_sub(MAX_LISTED);
        match rest {
            0 => listed.join("; "),
            _ => format!("{}; and {rest} more", listed.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use biggan::imagenet;

    use super::*;

    #[test]
    fn ids_names_lists_and_all() {
        let names = ["Dress", "Bag", "tench, Tinca tinca"].map(str::to_owned);
        let classes = Classes {
            names: &names,
            ids: &[],
        };
        for (choice, expected) in [
            ("dress", vec![0]),
            ("1", vec![1]),
            ("bag, 0", vec![1, 0]),
            ("Tench, tinca tinca", vec![2]),
            ("ALL", vec![0, 1, 2]),
        ] {
            assert_eq!(classes.resolve(choice).unwrap(), expected, "{choice}");
        }
        for choice in ["hat", "3", "-1", "", "dress,"] {
            let message = classes.resolve(choice).unwrap_err().to_string();
            assert!(message.contains("0 Dress; 1 Bag"), "{choice}: {message}");
        }
    }

    #[test]
    fn names_that_are_numbers_come_before_labels() {
        let names = ["3", "1", "2", "0"].map(str::to_owned);
        let classes = Classes {
            names: &names,
            ids: &[],
        };
        assert_eq!(classes.resolve("3,0").unwrap(), [0, 3]);
    }

    #[test]
    fn words_and_wordnet_ids_of_imagenet() {
        let (names, ids) = (imagenet::class_names(), imagenet::class_ids());
        let classes = Classes {
            names: &names,
            ids: &ids,
        };
        for (choice, expected) in [
            ("golden retriever", vec![207]),
            ("Golden Retriever", vec![207]),
            ("n02099601", vec![207]),
            ("N02099601", vec![207]),
            ("207", vec![207]),
            ("Tinca tinca", vec![0]),
            ("tench, Tinca tinca", vec![0]),
            ("toilet paper, goldfish, n01440764, 5", vec![999, 1, 0, 5]),
            ("maillot, tank suit", vec![639]),
            ("tank suit", vec![639]),
        ] {
            assert_eq!(classes.resolve(choice).unwrap(), expected, "{choice}");
        }
        let refused = |choice: &str| classes.resolve(choice).unwrap_err().to_string();
        assert_eq!(
            refused("retriever"),
            "class \"retriever\" is unknown; did you mean 205 flat-coated retriever; 206 curly-coated \
             retriever; 207 golden retriever; 208 Labrador retriever; 209 Chesapeake Bay retriever"
        );
        assert_eq!(
            refused("crane"),
            "class \"crane\" is the name of 134 crane; 517 crane; give one by its number"
        );
        assert!(refused("cardigan").contains("264 Cardigan, Cardigan Welsh corgi; 474 cardigan"));
        // names that begin with it come first, whatever their label
        let bus = refused("school");
        assert!(bus.contains("did you mean 779 school bus"), "{bus}");
        let ball = refused("bear");
        assert!(ball.contains("did you mean 387 lesser panda, "), "{ball}");
        assert!(refused("terrier").ends_with("; and 4 more"));
        let none = refused("unicorn");
        assert!(none.contains("0 tench, Tinca tinca; 1 goldfish"), "{none}");
        assert!(none.ends_with("; and 980 more"), "{none}");
    }
}
