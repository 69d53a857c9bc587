//! What a file of tensors looks like, for messages about files that are not what the user said.

use super::Source;
use super::torch::Node;

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
        "Mixed_5b.branch1x1.conv.weight",
        "an Inception network",
        None,
        false,
    ),
];

/// What the tensors of a dictionary look like, or of its `state_dict`.
pub(super) fn looks_like(root: Node<'_, '_>) -> Option<Looks> {
    let state_dict = root.get("state_dict").unwrap_or(root);
    if root.get("param_groups").is_some() {
        return Some(Looks {
            what: "the state of an optimiser".into(),
            source: None,
            is_generator: false,
        });
    }
    let mark = MARKS.iter().find(|(name, ..)| {
        let parallel = format!("module.{name}");
        state_dict
            .get(name)
            .or_else(|| state_dict.get(&parallel))
            .is_some()
    });
    mark.map(|&(_, what, source, is_generator)| Looks {
        what: match (source, is_generator) {
            (Some(Source::Studiogan), true) => format!("{what}, {}", backbone(state_dict)),
            _ => what.to_owned(),
        },
        source,
        is_generator,
    })
}

/// What a generator of StudioGAN looks like: its backbone.
pub(super) fn backbone(state_dict: Node<'_, '_>) -> &'static str {
    let has = |name: &str| state_dict.get(name).is_some();
    let is_deep = has("blocks.0.0.conv2d4.bias");
    match (is_deep, has("blocks.0.0.conv2d0.bias")) {
        (false, _) => "big_resnet",
        (true, false) => "big_resnet_deep_legacy",
        (true, true) => "big_resnet_deep_studiogan",
    }
}
