//! What a file of tensors looks like, for messages about files that are not what the user said.

use std::collections::BTreeSet;

use super::Source;
use super::torch::Node;
use super::wrapper::wrapper;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Looks {
    /// In words.
    pub what: String,
    /// The program that wrote it; `None` if it cannot be imported.
    pub source: Option<Source>,
    /// Whether it is a generator.
    pub is_generator: bool,
}

/// Tensors that identify a network, most specific first: name, network, source, whether it is G.
const MARKS: &[(&str, &str, Option<Source>, bool)] = &[
    (
        "generator.gen_z.weight_orig",
        "BigGAN-deep of pytorch-pretrained-BigGAN",
        Some(Source::HfDeep),
        true,
    ),
    (
        "output_layer.0.gain",
        "a generator of BigGAN-PyTorch",
        Some(Source::BigganPytorch),
        true,
    ),
    (
        "embed.u0",
        "a discriminator of BigGAN-PyTorch",
        Some(Source::BigganPytorch),
        false,
    ),
    (
        "conv2d5.weight_orig",
        "a generator of StudioGAN",
        Some(Source::Studiogan),
        true,
    ),
    (
        "conv2d5.weight",
        "a generator of StudioGAN",
        Some(Source::Studiogan),
        true,
    ),
    (
        "linear1.weight_orig",
        "a discriminator of StudioGAN",
        Some(Source::Studiogan),
        false,
    ),
    (
        "stats.output_bn.mean",
        "a model file already, which needs no import",
        None,
        true,
    ),
    (
        "Mixed_5b.branch1x1.conv.weight",
        "an Inception network",
        None,
        false,
    ),
];

/// What a dictionary looks like, by its own entries.
pub(super) fn looks_like(dictionary: Node<'_, '_>) -> Option<Looks> {
    if dictionary.get("param_groups").is_some() {
        return Some(Looks {
            what: "the state of an optimiser".into(),
            source: None,
            is_generator: false,
        });
    }
    let names = Names::of(dictionary)?;
    let mark = MARKS.iter().find(|(name, ..)| names.has(name));
    mark.map(|&(_, what, source, is_generator)| Looks {
        what: match (source, is_generator) {
            (Some(Source::Studiogan), true) => format!("{what}, {}", names.backbone()),
            _ => what.to_owned(),
        },
        source,
        is_generator,
    })
}

/// What a generator of StudioGAN looks like: its backbone.
pub(super) fn backbone(state_dict: Node<'_, '_>) -> &'static str {
    Names::of(state_dict).map_or("big_resnet", |names| names.backbone())
}

/// The names of a dictionary's tensors, without what they were wrapped in.
struct Names<'a>(BTreeSet<&'a str>);

impl<'a> Names<'a> {
    fn of(dictionary: Node<'_, 'a>) -> Option<Self> {
        let entries = dictionary.entries()?;
        let tensors = entries.iter().filter(|(_, value)| value.tensor().is_some());
        let names: Vec<&str> = tensors.filter_map(|(key, _)| key.text()).collect();
        let wrapper = wrapper(names.iter().copied());
        let bare = names.into_iter().filter_map(|name| name.get(wrapper..));
        Some(Self(bare.collect()))
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    fn backbone(&self) -> &'static str {
        match (
            self.has("blocks.0.0.conv2d4.bias"),
            self.has("blocks.0.0.conv2d0.bias"),
        ) {
            (false, _) => "big_resnet",
            (true, false) => "big_resnet_deep_legacy",
            (true, true) => "big_resnet_deep_studiogan",
        }
    }
}
