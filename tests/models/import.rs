//! Variants of foreign files, made by rewriting the fixtures: what means the same gives the same model,
//! and what does not is refused.

use biggan::file::ModelFile;
use biggan::import::torch::TorchFile;
use biggan::import::{self, Fate, Source};

use crate::support::fixtures::fixture;
use crate::support::torch_writer::{Item, TorchWriter};

const BN_EPS: &str = "{\"BN_eps\": 1e-5}";

/// A tensor of a file in the making.
#[derive(Clone)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// The tensors of a fixture's file.
fn tensors(folder: &str, name: &str) -> Vec<Tensor> {
    let bytes = std::fs::read(fixture(folder).join(name)).unwrap();
    let file = TorchFile::open(&bytes).unwrap();
    let state_dict = file.root().get("state_dict").unwrap_or(file.root());
    let tensors = state_dict.state_dict().unwrap().into_iter();
    tensors
        .map(|(name, tensor)| Tensor {
            name: name.to_owned(),
            shape: tensor.shape().to_vec(),
            values: tensor.to_f32().unwrap(),
        })
        .collect()
}

fn file(tensors: &[Tensor]) -> Vec<u8> {
    let mut writer = TorchWriter::default();
    let entries = tensors.iter().map(|tensor| {
        (
            tensor.name.clone(),
            writer.f32(&tensor.shape, &tensor.values),
        )
    });
    let entries = entries.collect();
    writer.legacy(&Item::Ordered(entries))
}

/// The model of BigGAN-PyTorch's tensors, but for where it comes from.
fn model(tensors: &[Tensor]) -> Result<(ModelFile, import::Report), String> {
    let read = import::model(Source::BigganPytorch, &file(tensors), Some(BN_EPS));
    let (mut model, report) = read.map_err(|error| error.to_string())?;
    model.info.provenance.imported = None;
    Ok((model, report))
}

fn with(tensors: &[Tensor], change: impl Fn(&mut Tensor)) -> Vec<Tensor> {
    let mut changed = tensors.to_vec();
    changed.iter_mut().for_each(change);
    changed
}

fn scalar(name: String, value: f32) -> Tensor {
    Tensor {
        name,
        shape: vec![1],
        values: vec![value],
    }
}

#[test]
fn other_batch_norms_and_wrappers_are_the_same_model() {
    let plain = tensors("aj-32", "G.pth");
    let (expected, _) = model(&plain).unwrap();

    let parallel = with(&plain, |t| t.name.insert_str(0, "module."));
    assert_eq!(model(&parallel).unwrap().0, expected);

    let mut cross_replica = with(&plain, |t| {
        t.name = t.name.replace(".stored_mean", ".bn.running_mean");
        t.name = t.name.replace(".stored_var", ".bn.running_var");
    });
    cross_replica.push(scalar("blocks.0.0.bn1.bn.num_batches_tracked".into(), 9.0));
    let (found, report) = model(&cross_replica).unwrap();
    assert_eq!(found, expected);
    let last = report.lines.last().unwrap();
    assert!(matches!(&last.fate, Fate::Left(reason) if reason.contains("batches")));

    let mut two_values = plain.clone();
    for tensor in plain.iter().filter(|t| t.name.ends_with(".u0")) {
        let mut second = tensor.clone();
        second.name = tensor.name.replace(".u0", ".u1");
        two_values.push(second);
        two_values.push(scalar(tensor.name.replace(".u0", ".sv1"), 0.5));
    }
    let (found, report) = model(&two_values).unwrap();
    assert_eq!(found, expected);
    assert!(report.to_string().contains("num_G_SVs"));
}

#[test]
fn sums_of_standing_statistics_are_divided() {
    let mybn = tensors("aj-mybn-32", "G.pth");
    let (expected, _) = model(&mybn).unwrap();
    // after accumulate_standing_stats: sums of 4 passes, a power of two, so that the division is exact
    let sums = with(&mybn, |t| {
        if t.name.contains(".bn.stored_") {
            t.values.iter_mut().for_each(|value| *value *= 4.0);
        }
        if t.name.ends_with(".accumulation_counter") {
            t.values = vec![4.0];
        }
    });
    let (found, report) = model(&sums).unwrap();
    assert_eq!(found, expected);
    assert!(report.summary().contains("divided by their passes"));
    let mixed = with(&sums, |t| {
        if t.name == "blocks.1.0.bn2.bn.accumulation_counter" {
            t.values = vec![3.9];
        }
    });
    let message = model(&mixed).unwrap_err();
    assert!(
        message.contains("blocks.1.0.bn2.bn.accumulation_counter is 3.9"),
        "{message}"
    );
}

#[test]
fn weights_without_spectral_norm_are_taken_as_they_are() {
    let plain = tensors("aj-32", "G.pth");
    let mut bare = plain.clone();
    bare.retain(|t| !t.name.ends_with(".u0") && !t.name.ends_with(".sv0"));
    let (found, _) = model(&bare).unwrap();
    let conv = bare
        .iter()
        .find(|t| t.name == "blocks.0.0.conv1.weight")
        .unwrap();
    assert_eq!(found.tensors.0["blocks.0.conv1.weight"].values, conv.values);
}

#[test]
fn the_first_layers_step_is_by_hand() {
    let plain = tensors("aj-32", "G.pth");
    let (found, _) = model(&plain).unwrap();
    let get = |name: &str| plain.iter().find(|t| t.name == name).unwrap();
    let (w, u) = (get("linear.weight"), get("linear.u0"));
    let (rows, columns) = (w.shape[0], w.shape[1]);
    let at = |row: usize, column: usize| f64::from(w.values[row * columns + column]);
    let mut v: Vec<f64> = (0..columns)
        .map(|c| (0..rows).map(|r| f64::from(u.values[r]) * at(r, c)).sum())
        .collect();
    let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
    v.iter_mut().for_each(|v| *v /= norm);
    let product = (0..rows).map(|r| (0..columns).map(|c| at(r, c) * v[c]).sum::<f64>());
    let sigma = product.map(|x| x * x).sum::<f64>().sqrt();
    for (found, raw) in found.tensors.0["linear.weight"]
        .values
        .iter()
        .zip(&w.values)
    {
        assert!((f64::from(*found) - f64::from(*raw) / sigma).abs() < 1e-6);
    }
}

#[test]
fn every_difference_is_named() {
    let plain = tensors("aj-32", "G.pth");
    let refused = |tensors: &[Tensor], parts: &[&str]| {
        let message = model(tensors).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "{message} lacks {part}");
        }
    };
    for missing in plain.iter().filter(|t| !t.name.ends_with(".sv0")) {
        let rest: Vec<Tensor> = plain
            .iter()
            .filter(|t| t.name != missing.name)
            .cloned()
            .collect();
        assert!(model(&rest).is_err(), "without {}", missing.name);
    }
    let without =
        |name: &str| -> Vec<Tensor> { plain.iter().filter(|t| t.name != name).cloned().collect() };
    refused(
        &without("blocks.1.0.conv2.bias"),
        &["blocks.1.0.conv2.bias", "missing", "blocks.1.conv2.bias"],
    );
    refused(&without("linear.u0"), &["linear.u0", "missing"]);
    let mut more = plain.clone();
    more.push(scalar("blocks.7.0.mystery".into(), 1.0));
    refused(&more, &["blocks.7.0.mystery", "no place"]);
    let turned = with(&plain, |t| {
        if t.name == "output_layer.2.bias" {
            t.shape = vec![3, 1, 1];
            t.shape.push(2);
            t.values = vec![0.0; 6];
        }
    });
    refused(&turned, &["output_layer.2.bias", "[3, 1, 1, 2]", "[3]"]);
    let infinite = with(&plain, |t| {
        if t.name == "shared.weight" {
            t.values[7] = f32::INFINITY;
        }
    });
    refused(&infinite, &["shared.weight", "inf"]);
    let zero = with(&plain, |t| {
        if t.name == "blocks.2.0.conv1.weight" {
            t.values.fill(0.0);
        }
    });
    refused(&zero, &["blocks.2.0.conv1.weight", "spectral norm 0"]);
    let negative = with(&plain, |t| {
        if t.name == "output_layer.0.stored_var" {
            t.values[1] = -0.5;
        }
    });
    refused(&negative, &["output_layer.0.stored_var", "is -0.5"]);
    refused(&[], &["output_layer.0.gain"]);
}

#[test]
fn every_tensor_is_accounted_for() {
    for (folder, name) in [("aj-32", "G.pth"), ("aj-mybn-32", "G.pth")] {
        let all = tensors(folder, name);
        let (found, report) = model(&all).unwrap();
        let told: Vec<&str> = report.lines.iter().map(|line| line.name.as_str()).collect();
        let names: Vec<&str> = all.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(told, names);
        let stored = report
            .lines
            .iter()
            .filter(|line| matches!(line.fate, Fate::Stored { .. }));
        assert_eq!(stored.count(), found.tensors.0.len());
    }
}

#[test]
fn studiogans_yaml_is_its_config() {
    let root = fixture("sg-32");
    let read = |name: &str| std::fs::read(root.join(name)).unwrap();
    let json = String::from_utf8(read("config.json")).unwrap();
    let yaml = "DATA:\n  name: \"CIFAR10\"\n  img_size: 32\n  num_classes: 5\nMODEL:\n  \
                backbone: \"big_resnet\"\n  g_cond_mtd: \"cBN\"\n  d_cond_mtd: \"PD\"\n  apply_g_sn: True\n  \
                apply_attn: True\n  attn_g_loc: [2]\n  attn_d_loc: [1]\n  z_dim: 16\n  g_shared_dim: 12\n  \
                g_conv_dim: 6\n  d_conv_dim: 8\nLOSS:\n  adv_loss: \"hinge\"\n";
    let g =
        |config: &str| import::model(Source::Studiogan, &read("G_ema.pth"), Some(config)).unwrap();
    assert_eq!(g(yaml).0, g(&json).0);
    // a run's ReLUs work in place, bare modules' do not
    let purpose = import::Purpose::Training;
    let d = |config: &str| {
        import::discriminator(Source::Studiogan, &read("D.pth"), Some(config), purpose).unwrap()
    };
    assert!(d(yaml).config.activated_shortcut);
    assert!(!d(&json).config.activated_shortcut);
    assert_eq!(d(yaml).tensors, d(&json).tensors);
    let other = yaml.replace("\"PD\"", "\"2C\"");
    let error = import::model(Source::Studiogan, &read("G_ema.pth"), Some(&other)).unwrap_err();
    assert!(error.to_string().contains("d_cond_mtd"), "{error}");
}
