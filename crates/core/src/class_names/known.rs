//! Class names of published data sets, in the order of their labels.

use super::ClassList;
use crate::imagenet::{self, ImagenetClass};

/// A data set whose classes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownClasses {
    /// CIFAR-10 (`batches.meta.txt`).
    Cifar10,
    /// CIFAR-100's fine labels (`fine_label_names.txt`).
    Cifar100,
    /// Tiny ImageNet: 200 of ImageNet's classes at 64x64, sorted by WordNet id as folders are.
    TinyImagenet,
    /// ILSVRC 2012.
    Imagenet,
}

/// Names of CIFAR-10's classes.
const CIFAR10: &str = "airplane automobile bird cat deer dog frog horse ship truck";

/// Names of CIFAR-100's classes.
const CIFAR100: &str = "\
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle \
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish \
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle \
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine \
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar \
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale \
willow_tree wolf woman worm";

/// WordNet ids of Tiny ImageNet's classes; all are ImageNet's, whose words they have.
const TINY_IMAGENET: &str = include_str!("../../data/tiny_imagenet_ids.txt");

impl KnownClasses {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Cifar10,
        Self::Cifar100,
        Self::TinyImagenet,
        Self::Imagenet,
    ];

    /// The name of the data set, as recipes and files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cifar10 => "cifar10",
            Self::Cifar100 => "cifar100",
            Self::TinyImagenet => "tiny-imagenet",
            Self::Imagenet => "imagenet",
        }
    }

    /// The name of the data set in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Cifar10 => "CIFAR-10",
            Self::Cifar100 => "CIFAR-100",
            Self::TinyImagenet => "Tiny ImageNet",
            Self::Imagenet => "ImageNet",
        }
    }

    /// Number of classes.
    pub fn count(self) -> usize {
        match self {
            Self::Cifar10 => 10,
            Self::Cifar100 => 100,
            Self::TinyImagenet => 200,
            Self::Imagenet => imagenet::COUNT,
        }
    }

    /// The data set that another program calls so: `CIFAR10` and `Tiny_ImageNet` in StudioGAN's configs, `C10` and
    /// `I128_hdf5` in BigGAN-PyTorch's flags (`utils.py`, `dset_dict`).
    pub fn called(name: &str) -> Option<Self> {
        let name: String = name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let name = name.strip_suffix("hdf5").unwrap_or(&name);
        match name {
            "cifar10" | "c10" => Some(Self::Cifar10),
            "cifar100" | "c100" => Some(Self::Cifar100),
            "tinyimagenet" | "tinyimagenet200" => Some(Self::TinyImagenet),
            "imagenet" | "imagenet1k" | "ilsvrc2012" => Some(Self::Imagenet),
            "i32" | "i64" | "i128" | "i256" => Some(Self::Imagenet),
            _ => None,
        }
    }

    /// The data set that weights of so many classes at a resolution are most likely of: a guess, to be told.
    pub fn likely(classes: usize, resolution: usize) -> Option<Self> {
        match (classes, resolution) {
            (10, 32) => Some(Self::Cifar10),
            (100, 32) => Some(Self::Cifar100),
            (200, 64) => Some(Self::TinyImagenet),
            (imagenet::COUNT, _) => Some(Self::Imagenet),
            _ => None,
        }
    }

    /// Its names and ids.
    pub fn list(self) -> ClassList {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        match self {
            Self::Cifar10 => ClassList {
                names: words(CIFAR10),
                ids: Vec::new(),
            },
            Self::Cifar100 => ClassList {
                names: words(CIFAR100),
                ids: Vec::new(),
            },
            Self::TinyImagenet => tiny_imagenet(),
            Self::Imagenet => ClassList {
                names: imagenet::class_names(),
                ids: imagenet::class_ids(),
            },
        }
    }
}

fn tiny_imagenet() -> ClassList {
    let ids: Vec<&str> = TINY_IMAGENET.lines().collect();
    let all = imagenet::classes();
    // both are sorted by id
    let chosen: Vec<ImagenetClass> = all
        .filter(|class| ids.binary_search(&class.wordnet_id).is_ok())
        .collect();
    ClassList {
        names: chosen.iter().map(|class| class.words.to_owned()).collect(),
        ids: chosen
            .iter()
            .map(|class| class.wordnet_id.to_owned())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_where_the_labels_say() {
        for known in KnownClasses::ALL {
            let list = known.list();
            assert_eq!(list.names.len(), known.count(), "{known:?}");
            assert!([0, known.count()].contains(&list.ids.len()), "{known:?}");
            assert_eq!(KnownClasses::called(known.name()), Some(known));
        }
        let names = |known: KnownClasses| known.list().names;
        assert!(names(KnownClasses::Cifar100).is_sorted());
        for (known, label, name) in [
            (KnownClasses::Cifar10, 6, "frog"),
            (KnownClasses::Cifar100, 0, "apple"),
            (KnownClasses::Cifar100, 23, "cloud"),
            (KnownClasses::Cifar100, 58, "pickup_truck"),
            (KnownClasses::Cifar100, 99, "worm"),
            (KnownClasses::TinyImagenet, 0, "goldfish, Carassius auratus"),
            (KnownClasses::TinyImagenet, 199, "acorn"),
        ] {
            assert_eq!(names(known)[label], name);
        }
        let tiny = KnownClasses::TinyImagenet.list();
        assert!(tiny.ids.is_sorted_by(|a, b| a < b));
        let place = tiny.ids.iter().position(|id| id == "n02124075").unwrap();
        assert_eq!((place, tiny.names[place].as_str()), (32, "Egyptian cat"));
    }

    #[test]
    fn other_programs_call_them_otherwise() {
        for (name, known) in [
            ("CIFAR10", Some(KnownClasses::Cifar10)),
            ("C100", Some(KnownClasses::Cifar100)),
            ("Tiny_ImageNet", Some(KnownClasses::TinyImagenet)),
            ("I128_hdf5", Some(KnownClasses::Imagenet)),
            ("ILSVRC2012", Some(KnownClasses::Imagenet)),
            ("Baby_ImageNet", None),
            ("CUB200", None),
        ] {
            assert_eq!(KnownClasses::called(name), known, "{name}");
        }
    }
}
