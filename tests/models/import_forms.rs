//! Forms in which people have the same weights and configs: they give the same model.

use std::collections::BTreeMap;

use biggan::file::{Dtype, ModelFile, encode};
use biggan::import::torch::TorchFile;
use biggan::import::{self, Report, Source};
use biggan::named::{HostTensor, HostTensors};

use crate::support::fixtures::fixture;
use crate::support::torch_writer::{Item, TorchWriter, ZipOptions};

const BN_EPS: &str = "{\"BN_eps\": 1e-5}";

/// Names, shapes and values of a fixture's tensors, in its order.
type Weights = Vec<(String, HostTensor)>;

fn weights(folder: &str, name: &str) -> Weights {
    let bytes = std::fs::read(fixture(folder).join(name)).unwrap();
    let file = TorchFile::open(&bytes).unwrap();
    let state_dict = file.root().get("state_dict").unwrap_or(file.root());
    let tensors = state_dict.state_dict().unwrap().into_iter();
    tensors
        .map(|(name, tensor)| {
            let shape = tensor.shape().to_vec();
            let values = tensor.to_f32().unwrap();
            (name.to_owned(), HostTensor { shape, values })
        })
        .collect()
}

fn item(writer: &mut TorchWriter, weights: &Weights, wrapper: &str) -> Item {
    let entries = weights.iter().map(|(name, tensor)| {
        let values = writer.f32(&tensor.shape, &tensor.values);
        (format!("{wrapper}{name}"), values)
    });
    Item::Ordered(entries.collect())
}

fn text(text: &str) -> Item {
    Item::Text(text.to_owned())
}

/// A dictionary with the weights under a key, and what else a run saves.
fn under(keys: &[(&str, &Weights, &str)]) -> Vec<u8> {
    let mut writer = TorchWriter::default();
    let mut entries = vec![(text("epoch"), Item::Int(3))];
    for (key, weights, wrapper) in keys {
        entries.push((text(key), item(&mut writer, weights, wrapper)));
    }
    entries.push((text("optimizer"), optimiser()));
    writer.legacy(&Item::Dict(entries))
}

fn optimiser() -> Item {
    Item::Dict(vec![
        (text("state"), Item::Dict(Vec::new())),
        (text("param_groups"), Item::List(Vec::new())),
    ])
}

fn safetensors(weights: &Weights) -> Vec<u8> {
    let tensors: BTreeMap<String, HostTensor> = weights.iter().cloned().collect();
    let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    encode(&HostTensors(tensors), &metadata, Dtype::F32).unwrap()
}

/// The model, but for the digest of its file.
fn model(source: Source, bytes: &[u8], config: &str) -> (ModelFile, Report) {
    let (mut model, report) = import::model(source, bytes, Some(config)).unwrap();
    model.info.provenance.imported = None;
    (model, report)
}

fn refused(source: Source, bytes: &[u8]) -> String {
    let read = import::model(source, bytes, Some(BN_EPS));
    read.unwrap_err().to_string()
}

#[test]
fn weights_within_a_run_are_found() {
    let plain = weights("aj-32", "G.pth");
    let source = Source::BigganPytorch;
    let alone = under(&[]);
    assert!(refused(source, &alone).contains("the state of an optimiser"));
    let mut writer = TorchWriter::default();
    let alone = item(&mut writer, &plain, "");
    let expected = model(source, &writer.legacy(&alone), BN_EPS).0;
    for (key, wrapper) in [
        ("state_dict", ""),
        ("model", ""),
        ("g_ema", ""),
        ("model_state_dict", "module."),
        ("generator", "module.module."),
        ("net", "_orig_mod."),
        ("G", "G."),
    ] {
        let bytes = under(&[(key, &plain, wrapper)]);
        let (found, report) = model(source, &bytes, BN_EPS);
        assert!(found == expected, "{key}");
        let is_told = report.summary().contains(&format!("those under {key:?}"));
        assert_eq!(is_told, key != "state_dict", "{key}");
        assert_eq!(Source::detect(&bytes).unwrap(), source, "{key}");
    }
    // the average is what samples are drawn from, wherever it stands
    let raw: Weights = plain
        .iter()
        .map(|(name, tensor)| {
            let mut tensor = tensor.clone();
            if name == "output_layer.2.bias" {
                tensor.values.iter_mut().for_each(|value| *value += 1.0);
            }
            (name.clone(), tensor)
        })
        .collect();
    for keys in [["G", "G_ema"], ["model", "ema_model"], ["g", "average"]] {
        let bytes = under(&[(keys[0], &raw, ""), (keys[1], &plain, "")]);
        assert!(model(source, &bytes, BN_EPS).0 == expected, "{keys:?}");
    }
    // swa_utils.AveragedModel counts
    let mut averaged: Weights = plain.clone();
    for (name, _) in &mut averaged {
        name.insert_str(0, "module.");
    }
    let count = HostTensor {
        shape: vec![],
        values: vec![7.0],
    };
    averaged.insert(0, ("n_averaged".to_owned(), count));
    let (found, report) = model(source, &under(&[("ema", &averaged, "")]), BN_EPS);
    assert!(found == expected);
    assert!(report.to_string().contains("n_averaged"));
    // a discriminator beside it is another network
    let d = weights("aj-32", "D.pth");
    let bytes = under(&[("D", &d, ""), ("G", &plain, "")]);
    assert!(model(source, &bytes, BN_EPS).0 == expected);
    assert!(
        refused(source, &under(&[("D", &d, "")])).contains("a discriminator of BigGAN-PyTorch")
    );
}

#[test]
fn safetensors_of_the_same_names_are_the_same_model() {
    for (source, folder, name, config) in [
        (Source::BigganPytorch, "aj-32", "G.pth", BN_EPS.to_owned()),
        (
            Source::HfDeep,
            "hf-deep-128",
            "pytorch_model.bin",
            config("hf-deep-128"),
        ),
        (Source::Studiogan, "sg-32", "G_ema.pth", config("sg-32")),
    ] {
        let all = weights(folder, name);
        let expected = std::fs::read(fixture(folder).join(name)).unwrap();
        let expected = model(source, &expected, &config).0;
        let bytes = safetensors(&all);
        assert!(model(source, &bytes, &config).0 == expected, "{folder}");
        assert_eq!(Source::detect(&bytes).unwrap(), source);
    }
    let bytes = safetensors(&weights("aj-32", "G.pth"));
    for length in [8, 9, 100, 4000, bytes.len() - 1] {
        let message = refused(Source::BigganPytorch, &bytes[..length]);
        assert!(
            message.contains(&format!("file of {length} bytes")),
            "{message}"
        );
    }
}

fn config(folder: &str) -> String {
    std::fs::read_to_string(fixture(folder).join("config.json")).unwrap()
}

#[test]
fn configs_of_hugging_face_have_further_keys_and_a_class_embed_dim_that_nothing_reads() {
    let bytes = std::fs::read(fixture("hf-deep-128").join("pytorch_model.bin")).unwrap();
    let plain = config("hf-deep-128");
    let expected = model(Source::HfDeep, &bytes, &plain).0;
    let value: serde_json::Value = serde_json::from_str(&plain).unwrap();
    let with = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut value = value.clone();
        change(value.as_object_mut().unwrap());
        model(Source::HfDeep, &bytes, &value.to_string())
    };
    let (found, report) = with(&|config| {
        config.insert("model_type".into(), "biggan".into());
        config.insert("architectures".into(), serde_json::json!(["BigGAN"]));
        config.insert("transformers_version".into(), "4.40.0".into());
        config.insert("_name_or_path".into(), "biggan-deep-128".into());
        config.insert("torch_dtype".into(), "float32".into());
    });
    assert!(found == expected);
    assert!(!report.summary().contains("class_embed_dim"));
    for dim in [serde_json::json!(999), serde_json::json!("none")] {
        let (found, report) = with(&|config| {
            config.insert("class_embed_dim".into(), dim.clone());
        });
        assert!(found == expected, "{dim}");
        let remark = format!("class_embed_dim = {dim} is ignored");
        assert!(report.summary().contains(&remark), "{}", report.summary());
    }
    let (found, _) = with(&|config| {
        config.remove("class_embed_dim");
    });
    assert!(found == expected);
    // a byte order mark
    let marked = format!("\u{feff}{plain}");
    assert!(model(Source::HfDeep, &bytes, &marked).0 == expected);
    let spelt = plain.replace("\"z_dim\"", "\"zdim\"");
    let error = import::model(Source::HfDeep, &bytes, Some(&spelt)).unwrap_err();
    assert!(
        error.to_string().contains("missing field `z_dim`"),
        "{error}"
    );
}

#[test]
fn cifars_classes_have_their_names() {
    let mut ten = weights("aj-32", "G.pth");
    let (_, embedding) = ten
        .iter_mut()
        .find(|(name, _)| name == "shared.weight")
        .unwrap();
    embedding.values.extend(embedding.values.clone());
    embedding.shape[0] = 10;
    let mut writer = TorchWriter::default();
    let alone = item(&mut writer, &ten, "");
    let bytes = writer.legacy(&alone);
    let (found, report) = model(Source::BigganPytorch, &bytes, BN_EPS);
    assert_eq!(found.info.class_names[..2], ["airplane", "automobile"]);
    assert_eq!(found.info.dataset.name, "cifar10");
    let remark = "10 classes: they are named as CIFAR-10's, by their number and the resolution 32";
    assert!(report.summary().contains(remark), "{}", report.summary());
    let config = "{\"BN_eps\": 1e-5, \"dataset\": \"SVHN\"}";
    let (found, report) = model(Source::BigganPytorch, &bytes, config);
    assert_eq!(found.info.class_names[9], "class 9");
    assert!(
        report.summary().contains("\"SVHN\""),
        "{}",
        report.summary()
    );
}

#[test]
fn files_that_are_no_weights_are_called_by_name() {
    let plain = weights("aj-32", "G.pth");
    let mut writer = TorchWriter::default();
    let alone = item(&mut writer, &plain, "");
    let script = [
        writer.zip(&alone, ZipOptions::default()),
        b"archive/constants.pkl".to_vec(),
    ]
    .concat();
    let message = refused(Source::BigganPytorch, &script);
    assert!(
        message.contains("TorchScript") && message.contains("state_dict()"),
        "{message}"
    );
    let whole = TorchWriter::default().legacy(&Item::Call("models", "Generator", Vec::new()));
    assert!(refused(Source::BigganPytorch, &whole).contains("Save only the state_dict"));
    let imported = import::model(Source::BigganPytorch, &writer.legacy(&alone), Some(BN_EPS));
    let model = imported.unwrap().0.encode(Dtype::F32).unwrap();
    assert!(refused(Source::BigganPytorch, &model).contains("a model file already"));
    let mut long = (5u64 << 20).to_le_bytes().to_vec();
    long.extend(b"{}");
    assert!(refused(Source::BigganPytorch, &long).contains("a header of 5242880 bytes"));
    let bytes = TorchWriter::default().legacy(&optimiser());
    assert!(refused(Source::BigganPytorch, &bytes).contains("the state of an optimiser"));
    assert!(
        Source::detect(&bytes)
            .unwrap_err()
            .to_string()
            .contains("optimiser")
    );
}
