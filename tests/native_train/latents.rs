//! Latents other than the normal: from the recipe into the model and its samples.

use crate::support::setting::Setting;

const EXPORT: [&str; 6] = [
    "export",
    "run",
    "--out",
    "model.safetensors",
    "--passes",
    "2",
];

const SAMPLE: [&str; 6] = [
    "sample",
    "model.safetensors",
    "--class",
    "all",
    "--count",
    "2",
];

/// A setting with a model whose z is of a kind.
fn with_latents(latent: &str) -> Setting {
    let setting = Setting::new();
    let key = format!("train.generator.latent={latent}");
    setting.train("run", 8, &["--set", &key]);
    setting.ok(&EXPORT);
    setting
}

fn sampled(setting: &Setting, raw: &str, more: &[&str]) -> Vec<u8> {
    setting.ok(&[&SAMPLE[..], &["--raw", raw], more].concat());
    std::fs::read(setting.path(raw)).unwrap()
}

#[test]
fn models_carry_their_latents_and_refuse_truncation() {
    let setting = with_latents("bernoulli");
    let said = setting.ok(&["inspect", "model.safetensors"]);
    for part in ["z 8 bernoulli", "1 rows of", "no tails to cut"] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    let first = sampled(&setting, "a.safetensors", &[]);
    assert_eq!(first, sampled(&setting, "b.safetensors", &[]));
    let cut = [
        &SAMPLE[..],
        &["--raw", "c.safetensors", "--truncation", "0.5"],
    ]
    .concat();
    setting.refused(2, &cut, &["truncation is 0.5", "bernoulli", "give off"]);
    assert!(!setting.path("c.safetensors").exists());
}

#[test]
fn a_censored_normal_is_truncated() {
    let setting = with_latents("censored_normal");
    let said = setting.ok(&["inspect", "model.safetensors"]);
    assert!(said.contains("14 rows of"), "{said}");
    let off = sampled(&setting, "off.safetensors", &[]);
    assert_ne!(
        off,
        sampled(&setting, "cut.safetensors", &["--truncation", "0.5"])
    );
}

#[test]
fn training_depends_on_the_latents_and_unknown_ones_are_refused() {
    let setting = Setting::new();
    setting.train("normal", 1, &[]);
    setting.train("uniform", 1, &["--set", "train.generator.latent=uniform"]);
    let [a, b] =
        ["normal", "uniform"].map(|run| std::fs::read(setting.newest_checkpoint(run)).unwrap());
    assert_ne!(a, b);
    let args = [
        "--config",
        "tiny.toml",
        "--set",
        "train.generator.latent=cauchy",
    ];
    setting.refused(2, &args, &["latent", "cauchy", "censored_normal"]);
}
