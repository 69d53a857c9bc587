//! Streams of random numbers never overlap: every use of a stream is here, and no two uses share a key.
//!
//! A key is `(seed, stream, step, index)`. Uses with different streams differ; those of one stream must differ in their
//! steps, or be the same numbers on purpose.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

/// A use: where the stream is named, what it draws, and the steps of its keys.
struct Use {
    stream: &'static str,
    file: &'static str,
    draws: &'static str,
    steps: RangeInclusive<u64>,
}

const fn draws(
    stream: &'static str,
    file: &'static str,
    draws: &'static str,
    steps: RangeInclusive<u64>,
) -> Use {
    Use {
        stream,
        file,
        draws,
        steps,
    }
}

const ALL: RangeInclusive<u64> = 0..=u64::MAX;
/// Uses of the same name are the same numbers on purpose: sample i of a seed.
const SAMPLES: &str = "latents of the samples of a seed";

/// Latents and labels of one use have keys of their own: `LatentKey::labels` changes the seed.
const USES: &[Use] = &[
    // steps: number of the network
    draws("Init", "core/src/layers/init.rs", "initial weights", 0..=2),
    draws(
        "Init",
        "core/src/self_test.rs",
        "noise on weights",
        1 << 32..=1 << 32,
    ),
    // step: epoch
    draws(
        "DataOrder",
        "core/src/train/order.rs",
        "permutation of an epoch",
        ALL,
    ),
    draws(
        "DiscriminatorFakes",
        "core/src/train/round.rs",
        "fakes of D's step",
        ALL,
    ),
    draws(
        "GeneratorFakes",
        "core/src/train/round.rs",
        "fakes of G's step",
        ALL,
    ),
    draws(
        "StandingStats",
        "core/src/standing_stats.rs",
        "latents of statistics",
        0..=0,
    ),
    draws("Sample", "core/src/request.rs", SAMPLES, 0..=0),
    draws("Sample", "core/src/sampler.rs", SAMPLES, 0..=0),
    draws("Sample", "core/src/self_test.rs", SAMPLES, 0..=0),
    draws("Sample", "core/src/train/probe.rs", SAMPLES, 0..=0),
    // their labels
    draws(
        "Sample",
        "native-train/src/evaluation/features.rs",
        SAMPLES,
        0..=0,
    ),
    draws(
        "Sample",
        "native-train/src/training/scorer.rs",
        SAMPLES,
        0..=0,
    ),
    // step: 3 times that of the network, plus who sees the images
    draws(
        "Augment",
        "core/src/train/augment.rs",
        "augmentation of an image",
        ALL,
    ),
    draws(
        "Evaluation",
        "native-train/src/commands/standing_stats.rs",
        "latents to compare",
        0..=0,
    ),
    // step: index of the image in the run
    draws(
        "Flip",
        "native-train/src/dataset/loader.rs",
        "mirroring of an image",
        ALL,
    ),
    draws(
        "Breeding",
        "core/src/request.rs",
        "directions of steps",
        ALL,
    ),
    draws(
        "ChunkTurn",
        "core/src/request.rs",
        "what chunks turn towards",
        0..=0,
    ),
    draws(
        "ProbeReals",
        "core/src/train/probe.rs",
        "choice of real images",
        0..=0,
    ),
    draws(
        "ProbeFakes",
        "core/src/train/probe.rs",
        "fakes of a probe",
        ALL,
    ),
    draws(
        "ProbeVariance",
        "native-train/src/training/collapse/vitals.rs",
        "samples of a class",
        0..=0,
    ),
    draws(
        "NewClasses",
        "core/src/train/pretrained.rs",
        "classes that new ones start from",
        0..=0,
    ),
    draws(
        "Spectrum",
        "core/src/train/spectrum.rs",
        "start of an iteration",
        0..=0,
    ),
    draws(
        "EvaluationChoice",
        "native-train/src/evaluation/choice.rs",
        "choice among all real images",
        0..=0,
    ),
    draws(
        "EvaluationChoice",
        "native-train/src/evaluation/choice.rs",
        "choice within a class",
        u64::MAX..=u64::MAX,
    ),
    draws(
        "EvaluationChoice",
        "native-train/src/commands/classifier.rs",
        "images held out",
        u64::MAX - 1..=u64::MAX - 1,
    ),
    draws(
        "EvaluationChoice",
        "core/src/metrics/kernel_distance.rs",
        "subsets of features",
        1..=u64::MAX - 2,
    ),
    draws(
        "Noise",
        "core/src/train/noise.rs",
        "noise as real images",
        ALL,
    ),
];

/// `(stream, file)` of every `Stream::Name` in code that is not a test.
fn named(root: &Path, at: &Path, found: &mut BTreeMap<(String, String), usize>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(root, &path, found);
            continue;
        }
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let is_test = name.contains("tests") || !name.ends_with(".rs");
        if is_test || name == "core/src/random.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let tests = [
            "#[cfg(test)]\nmod tests {",
            "#[cfg(test)]\npub(super) mod tests {",
        ];
        let ends = tests.iter().filter_map(|tests| text.find(tests));
        let code = &text[..ends.min().unwrap_or(text.len())];
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            for part in line.split("Stream::").skip(1) {
                let stream: String = part.chars().take_while(|c| c.is_alphanumeric()).collect();
                *found.entry((stream, name.clone())).or_default() += 1;
            }
        }
    }
}

/// Names of the enum's variants, in its source.
fn variants(crates: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(crates.join("core/src/random.rs")).unwrap();
    let body = text.split("pub enum Stream {").nth(1).unwrap();
    let body = body.split("\n}").next().unwrap();
    let lines = body
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"));
    lines
        .filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()))
        .collect()
}

#[test]
fn streams_of_random_numbers_never_overlap() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut found = BTreeMap::new();
    for part in ["core/src", "native-train/src", "web/src"] {
        named(&crates, &crates.join(part), &mut found);
    }
    for (stream, file) in found.keys() {
        let known = USES
            .iter()
            .any(|known| known.stream == stream && known.file == file);
        assert!(
            known,
            "Stream::{stream} in {file} is not in the table of uses: is its key free?"
        );
    }
    for known in USES {
        let key = (known.stream.to_owned(), known.file.to_owned());
        assert!(
            found.contains_key(&key),
            "{}, {} is gone",
            known.stream,
            known.file
        );
    }
    for (number, a) in USES.iter().enumerate() {
        for b in &USES[number + 1..] {
            let apart = a.steps.end() < b.steps.start() || b.steps.end() < a.steps.start();
            assert!(
                a.stream != b.stream || a.draws == b.draws || apart,
                "{}: {} and {} share keys",
                a.stream,
                a.draws,
                b.draws
            );
        }
    }
    let unused: Vec<String> = variants(&crates)
        .into_iter()
        .filter(|name| USES.iter().all(|known| known.stream != name))
        .collect();
    assert!(unused.is_empty(), "{unused:?} have no use");
}
