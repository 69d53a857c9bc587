//! What names of tensors begin with only because the network was wrapped: `module.`, for example.

/// The first parts of names that only say how the network was wrapped: DataParallel's, `torch.compile`'s, and those
/// of modules that hold it.
const WRAPPERS: [&str; 12] = [
    "module",
    "_orig_mod",
    "state_dict",
    "model",
    "generator",
    "discriminator",
    "netG",
    "netD",
    "g_ema",
    "G_ema",
    "G",
    "D",
];
/// The count that `torch.optim.swa_utils.AveragedModel` keeps with its weights.
pub(super) const AVERAGED: &str = "n_averaged";

/// Length of the wrappers that all names begin with, such as `module.`.
pub(super) fn wrapper<'n>(names: impl Iterator<Item = &'n str>) -> usize {
    let names: Vec<&str> = names.filter(|name| *name != AVERAGED).collect();
    let Some(first) = names.first() else {
        return 0;
    };
    let mut length = 0;
    while let Some((part, _)) = first[length..].split_once('.') {
        let prefix = &first[..length + part.len() + 1];
        let is_shared = names.iter().all(|name| name.starts_with(prefix));
        if !(WRAPPERS.contains(&part) && is_shared) {
            break;
        }
        length = prefix.len();
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_what_all_names_share() {
        for (names, expected) in [
            (&["module.a.weight", "module.b"][..], "module."),
            (
                &["module._orig_mod.a", "module._orig_mod.b"],
                "module._orig_mod.",
            ),
            (&["n_averaged", "module.a"], "module."),
            // a network's own name that begins as a wrapper does
            (&["generator.gen_z", "embeddings.weight"], ""),
            (&["module.a", "b"], ""),
            (&["blocks.0.a", "blocks.1.a"], ""),
            (&["model"], ""),
            (&[], ""),
        ] {
            let length = wrapper(names.iter().copied());
            assert_eq!(length, expected.len(), "{names:?}");
        }
    }
}
