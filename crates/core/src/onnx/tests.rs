//! The graph of every architecture, read again. That it computes the same images is a test of the program, with ONNX
//! Runtime (tests/native_train/onnx.rs).

use std::collections::BTreeMap;

use burn::tensor::Device;
use pollster::FutureExt;
use prost::Message;

use super::proto::{GraphProto, ModelProto, NodeProto};
use super::{check, encode};
use crate::config::{Architecture, ClassEmbedding, GeneratorConfig};
use crate::file::{DatasetInfo, ModelFile, ModelInfo, Provenance, StatisticsTable};
use crate::latent_kind::LatentKind;
use crate::model::Generator;
use crate::test_configs::{ARCHITECTURES, generator};
use crate::truncation::{Truncation, TruncationKind};

/// A model with initial weights and statistics 0 and 1 at off, 2 and 3 at 1.
fn model(config: &GeneratorConfig) -> ModelFile {
    let mut network = Generator::new(config, 3, &Device::flex()).unwrap().folded();
    let channels = network.normalisers_mut();
    let channels = channels.iter().map(|(_, norm)| norm.mean.dims()[0]);
    let channels: Vec<usize> = channels.collect();
    let row = |mean: f32, variance: f32| {
        let of = |&c: &usize| [vec![mean; c], vec![variance; c]];
        channels.iter().map(of).collect()
    };
    let info = ModelInfo {
        generator: network.config().clone(),
        class_names: (0..config.classes)
            .map(|class| format!("class \"{class}\""))
            .collect(),
        class_ids: vec![],
        truncation_kind: TruncationKind::Resampling,
        statistics: StatisticsTable {
            truncations: vec![Truncation::Off, Truncation::Threshold(1.0)],
            samples: 1,
        },
        dataset: DatasetInfo {
            name: "dots".into(),
            images: 7,
            sha256: vec![],
            source: None,
        },
        provenance: Provenance {
            program: "test 1".into(),
            recipe: "none".into(),
            images_seen: 12,
            g_step: 3,
            seed: 1,
            ema_initial_share: 0.0,
            imported: None,
        },
        scores: BTreeMap::new(),
    };
    let rows = [row(0.0, 1.0), row(2.0, 3.0)];
    ModelFile::from_generator(network, info, &rows)
        .block_on()
        .unwrap()
}

fn exported(model: &ModelFile, truncation: Truncation) -> ModelProto {
    let bytes = encode(model, truncation).unwrap();
    check(&bytes).unwrap();
    ModelProto::decode(&*bytes).unwrap()
}

fn graph(config: &GeneratorConfig) -> GraphProto {
    exported(&model(config), Truncation::Off).graph.unwrap()
}

fn count(graph: &GraphProto, operator: &str) -> usize {
    let nodes = graph.node.iter();
    nodes.filter(|node| node.op_type == operator).count()
}

fn floats(graph: &GraphProto, name: &str) -> Vec<f32> {
    let found = graph
        .initializer
        .iter()
        .find(|constant| constant.name == name);
    let bytes = &found.expect(name).raw_data;
    let (values, _) = bytes.as_chunks::<4>();
    values
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

#[test]
fn inputs_and_outputs_have_their_shapes() {
    let config = generator(Architecture::Biggan, 32);
    let graph = graph(&config);
    let shapes: Vec<String> = graph
        .input
        .iter()
        .chain(&graph.output)
        .map(|value| {
            let tensor = value.r#type.clone().unwrap().tensor_type.unwrap();
            let dims = tensor.shape.unwrap().dim.into_iter();
            let dims = dims.map(|dim| {
                dim.dim_param
                    .unwrap_or_else(|| dim.dim_value.unwrap().to_string())
            });
            format!("{} {}", value.name, dims.collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(shapes, ["z n 16", "class_weights n 5", "image n 3 32 32"]);
}

#[test]
fn every_architecture_has_its_layers() {
    for architecture in ARCHITECTURES {
        for resolution in [32, 128] {
            let mut config = generator(architecture, resolution);
            config.attention = vec![16];
            let graph = graph(&config);
            let stages = resolution.ilog2() as usize - 2;
            let (convolutions, norms) = match architecture {
                Architecture::Biggan | Architecture::BigResnet => (3 * stages, 2 * stages),
                Architecture::BigResnetDeepStudiogan => (5 * 2 * stages, 4 * 2 * stages),
                _ => (4 * 2 * stages, 4 * 2 * stages),
            };
            let what = format!("{architecture:?} {resolution}");
            // and those of attention, and to RGB
            assert_eq!(count(&graph, "Conv"), convolutions + 4 + 1, "{what}");
            assert_eq!(count(&graph, "Gemm"), 2 * norms + 1, "{what}");
            assert_eq!(count(&graph, "Relu"), norms + 1, "{what}");
            assert_eq!(count(&graph, "Resize"), 2 * stages, "{what}");
            assert_eq!(count(&graph, "Softmax"), 1, "{what}");
            let hierarchical = usize::from(config.hierarchical_z);
            assert_eq!(count(&graph, "Split"), hierarchical, "{what}");
        }
    }
}

#[test]
fn without_a_hierarchy_the_classes_alone_reach_the_norms() {
    let mut config = generator(Architecture::Biggan, 16);
    config.hierarchical_z = false;
    let condition_of = |graph: &GraphProto| {
        let is_scale = |node: &&NodeProto| node.name == "blocks.0.bn1.scale";
        graph.node.iter().find(is_scale).unwrap().input[0].clone()
    };
    let shared = graph(&config);
    assert_eq!(condition_of(&shared), "shared");
    config.class_embedding = ClassEmbedding::PerLayer;
    let per_layer = graph(&config);
    assert_eq!(condition_of(&per_layer), "class_weights");
    assert_eq!(count(&per_layer, "MatMul") + count(&per_layer, "Concat"), 0);
}

#[test]
fn the_statistics_are_those_of_the_truncation() {
    let config = generator(Architecture::Biggan, 16);
    let model = model(&config);
    let scale = |truncation| {
        let graph = exported(&model, truncation).graph.unwrap();
        f64::from(floats(&graph, "output_bn.scale")[0])
    };
    // the place of 2.5 is half of the way from 1 to off, which is at 4
    for (truncation, variance) in [
        (Truncation::Off, 1.0),
        (Truncation::Threshold(1.0), 3.0),
        (Truncation::Threshold(0.5), 3.0),
        (Truncation::Threshold(2.5), 2.0),
    ] {
        let expected = 1.0 / f64::sqrt(variance + config.bn_eps);
        let found = scale(truncation);
        assert!((found - expected).abs() < 1e-6, "{truncation}: {found}");
    }
}

#[test]
fn it_says_what_it_is() {
    let mut config = generator(Architecture::BigganDeep, 16);
    config.latent = LatentKind::CensoredNormal;
    let proto = exported(&model(&config), Truncation::Threshold(0.5));
    assert_eq!((proto.ir_version, proto.opset_import[0].version), (8, 17));
    for part in [
        "biggan_deep, 16x16",
        "max(z, 0) with z from N(0, 1), redrawn until |z| <= 0.5",
    ] {
        assert!(proto.doc_string.contains(part), "{}", proto.doc_string);
    }
    let entries = proto.metadata_props.iter();
    let entries: BTreeMap<&str, &str> = entries.map(|entry| (&*entry.key, &*entry.value)).collect();
    let names: Vec<String> = serde_json::from_str(entries["class_names"]).unwrap();
    assert_eq!(names[4], "class \"4\"");
    for (key, value) in [
        ("latent", "censored_normal"),
        ("truncation_kind", "resampling"),
        ("truncation", "0.5"),
        ("dataset", "dots"),
        ("images_seen", "12"),
    ] {
        assert_eq!(entries[key], value, "{key}");
    }
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let good = model(&generator(Architecture::Biggan, 16));
    let refused = |spoil: &dyn Fn(&mut ModelFile), truncation, part: &str| {
        let mut bad = good.clone();
        spoil(&mut bad);
        let message = encode(&bad, truncation).unwrap_err().to_string();
        assert!(message.contains(part), "{message} lacks {part}");
    };
    let off = Truncation::Off;
    refused(
        &|_| {},
        Truncation::Threshold(9.0),
        "truncation is 9, expected 0.001 to 8",
    );
    refused(
        &|m| m.info.generator.spectral_norm = true,
        off,
        "export the model again",
    );
    let tensor = "blocks.1.conv2.weight";
    refused(&|m| drop(m.tensors.0.remove(tensor)), off, tensor);
    refused(
        &|m| m.tensors.0.get_mut(tensor).unwrap().shape[0] = 3,
        off,
        "by the config",
    );
    refused(
        &|m| m.tensors.0.get_mut(tensor).unwrap().values[5] = f32::NAN,
        off,
        "NaN",
    );
}

#[test]
fn a_damaged_file_is_found() {
    let bytes = encode(
        &model(&generator(Architecture::Biggan, 16)),
        Truncation::Off,
    )
    .unwrap();
    let damaged = |spoil: &dyn Fn(&mut ModelProto), part: &str| {
        let mut proto = ModelProto::decode(&*bytes).unwrap();
        spoil(&mut proto);
        let message = check(&proto.encode_to_vec()).unwrap_err().to_string();
        assert!(message.contains(part), "{message} lacks {part}");
    };
    check(&bytes[..bytes.len() / 2]).unwrap_err();
    damaged(&|m| m.graph = None, "no graph");
    damaged(
        &|m| drop(m.graph.as_mut().unwrap().node.remove(3)),
        "which is not there",
    );
    damaged(
        &|m| drop(m.graph.as_mut().unwrap().node.pop()),
        "does not compute image",
    );
    damaged(
        &|m| {
            m.graph.as_mut().unwrap().initializer[0]
                .raw_data
                .truncate(3)
        },
        "expected",
    );
}
