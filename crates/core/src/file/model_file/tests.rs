//! Round trips, files from before, contradictions.

use super::*;
use crate::named::HostTensor;

/// A model file as far as files go: its tensors are no generator's.
pub(in crate::file) fn tiny() -> ModelFile {
    let generator = serde_json::from_value(serde_json::json!({
        "resolution": 32,
        "channels": 1,
        "z_dim": 4,
        "classes": 2,
        "class_embedding": { "kind": "shared", "dim": 2 },
        "hierarchical_z": false,
    }));
    let tensor = |name: &str, len: usize| {
        let values = (0..len).map(|i| i as f32 + name.len() as f32).collect();
        let shape = vec![len];
        (name.to_owned(), HostTensor { shape, values })
    };
    ModelFile {
        info: ModelInfo {
            generator: generator.unwrap(),
            class_names: vec!["tench, Tinca tinca".into(), "crane".into()],
            class_ids: vec!["n01440764".into(), "n02012849".into()],
            truncation_kind: TruncationKind::ScaledTruncatedNormal,
            statistics: StatisticsTable {
                truncations: [0.0, 0.5, 1.0].map(Truncation::Threshold).to_vec(),
                samples: 1,
            },
            dataset: DatasetInfo {
                name: "none".into(),
                images: 0,
                sha256: vec![],
                source: None,
            },
            provenance: Provenance {
                program: "test".into(),
                recipe: "none".into(),
                images_seen: 0,
                g_step: 0,
                seed: 0,
                ema_initial_share: 1.0,
                imported: None,
            },
            scores: BTreeMap::new(),
        },
        tensors: HostTensors(BTreeMap::from([
            tensor("linear.weight", 40),
            tensor("output_conv.weight", 27),
            tensor("stats.output_bn.mean", 3),
        ])),
    }
}

#[test]
fn round_trips_in_the_same_bytes() {
    let file = tiny();
    let bytes = file.encode(Dtype::F16).unwrap();
    let back = ModelFile::decode(&bytes).unwrap();
    assert_eq!(back, file);
    assert_eq!(back.encode(Dtype::F16).unwrap(), bytes);
}

#[test]
fn files_from_before_kinds_and_ids_are_read() {
    let mut file = tiny();
    let mut config = serde_json::to_value(&file.info).unwrap();
    let keys = config.as_object_mut().unwrap();
    assert_eq!(keys["truncation_kind"], "scaled_truncated_normal");
    keys.remove("truncation_kind");
    keys.remove("class_ids");
    let mut metadata = file.info.metadata().unwrap();
    metadata.insert("config".into(), config.to_string());
    let bytes = encode_with(&file.tensors, &metadata, |_| Dtype::F32).unwrap();
    file.info.truncation_kind = TruncationKind::Resampling;
    file.info.class_ids.clear();
    assert_eq!(ModelFile::decode(&bytes).unwrap(), file);
}

#[test]
fn the_info_is_replaced_and_tensors_stay() {
    let mut file = tiny();
    let bytes = file.encode(Dtype::F16).unwrap();
    file.info.scores.insert("a score".into(), 1.5);
    let new = ModelFile::replace_info(&bytes, &file.info).unwrap();
    assert_eq!(new, file.encode(Dtype::F16).unwrap());
}

#[test]
fn scores_that_are_not_finite_are_left_out_and_null_is_passed_over() {
    let mut file = tiny();
    for (name, score) in [("fd", 1.5), ("spread", f64::NAN), ("far", f64::INFINITY)] {
        file.info.scores.insert(name.into(), score);
    }
    let bytes = file.encode(Dtype::F16).unwrap();
    let kept = BTreeMap::from([("fd".to_owned(), 1.5)]);
    assert_eq!(ModelFile::decode(&bytes).unwrap().info.scores, kept);
    // as `evaluate --update` wrote it
    let mut config = serde_json::to_value(&file.info).unwrap();
    config["scores"]["spread"] = serde_json::Value::Null;
    let mut metadata = file.info.metadata().unwrap();
    metadata.insert("config".into(), config.to_string());
    let destroyed = encode_with(&file.tensors, &metadata, |_| Dtype::F16).unwrap();
    assert_eq!(ModelFile::decode(&destroyed).unwrap().info.scores, kept);
    // other numbers of the config may not be left out
    file.info.provenance.ema_initial_share = f64::NAN;
    let error = file.encode(Dtype::F16).unwrap_err().to_string();
    assert!(
        error.contains("the model's config is not writable"),
        "{error}"
    );
    let error = ModelFile::replace_info(&bytes, &file.info)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the model's config is not writable"),
        "{error}"
    );
}

#[test]
fn counts_that_disagree_are_refused() {
    for (spoil, part) in [
        (
            (|info| info.class_ids.truncate(1)) as fn(&mut ModelInfo),
            "class ids is 1",
        ),
        (|info| info.class_names.truncate(1), "class names is 1"),
        (|info| info.statistics.truncations.clear(), "table is empty"),
    ] {
        let mut file = tiny();
        spoil(&mut file.info);
        let bytes = file.encode(Dtype::F32).unwrap();
        let message = ModelFile::decode(&bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn images_are_told_by_contents_else_by_names_and_sizes() {
    let info = |sha256: &[&str]| DatasetInfo {
        name: "x".into(),
        images: 1,
        sha256: sha256.iter().map(|&s| s.to_owned()).collect(),
        source: None,
    };
    let (in_memory, streamed) = (
        &["c1", "names-and-sizes:l1"][..],
        &["names-and-sizes:l1"][..],
    );
    for (ours, theirs, same) in [
        (in_memory, in_memory, Some(true)),
        (in_memory, streamed, Some(true)),
        (in_memory, &["c2", "names-and-sizes:l1"], Some(false)),
        (in_memory, &["names-and-sizes:l2"], Some(false)),
        (in_memory, &["c1"], Some(true)),
        (streamed, &["c1"], None),
        (in_memory, &[], None),
    ] {
        assert_eq!(
            info(ours).same_images(&info(theirs)),
            same,
            "{ours:?} {theirs:?}"
        );
        assert_eq!(info(theirs).same_images(&info(ours)), same);
    }
}
