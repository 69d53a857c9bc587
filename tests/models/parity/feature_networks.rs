//! Feature networks against the programs they come from, block by block, with weights by a formula
//! (`make.py` of `fixtures/inception` and `fixtures/efficientnet-lite0`), through the reader of their files:
//! Inception against pytorch-fid, EfficientNet-Lite0 against efficientnet-lite-pytorch.

use std::collections::BTreeMap;

use biggan::file::{StoredTensors, decode};
use biggan::metrics::{EfficientNet, FeatureNetwork, Inception, resize};
use burn::tensor::{Device, Tensor, TensorData};

use crate::support::torch_writer::{Item, TorchWriter, ZipOptions};

/// Largest difference, as a share of an activation's largest value: sums of some thousand f32 in
/// another order, through up to 17 layers.
const TOLERANCE: f32 = 1e-4;

/// SplitMix64 of the name's FNV-1a hash + index, as numbers in [-1, 1).
fn uniform(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    (0..count as u64).map(move |index| {
        let mut z = hash
            .wrapping_add(index)
            .wrapping_add(1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
    })
}

fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let count = shape.iter().product();
    let is_norm = name.split('.').any(|part| part.contains("bn"));
    let is_scale = is_norm && (name.ends_with("weight") || name.ends_with("running_var"));
    let (offset, width) = match shape {
        [_, fan_in @ ..] if !fan_in.is_empty() => {
            (0.0, (6.0 / fan_in.iter().product::<usize>() as f64).sqrt())
        }
        _ if is_scale => (1.0, 0.5),
        _ => (0.0, 0.2),
    };
    uniform(name, count)
        .map(|u| (offset + width * u) as f32)
        .collect()
}

const INCEPTION: &str = include_str!("../../fixtures/inception/shapes.json");
const EFFICIENTNET: &str = include_str!("../../fixtures/efficientnet-lite0/shapes.json");

/// The file of weights of these shapes, with one tensor of another shape if it is named.
fn file(shapes: &str, reshaped: Option<(&str, &[usize])>) -> Vec<u8> {
    let shapes: BTreeMap<String, Vec<usize>> = serde_json::from_str(shapes).unwrap();
    let mut writer = TorchWriter::default();
    let mut items: Vec<(String, Item)> = Vec::new();
    for (name, shape) in shapes {
        let shape = match reshaped {
            Some((other, shape)) if other == name => shape.to_vec(),
            _ => shape,
        };
        items.push((name.clone(), writer.f32(&shape, &values(&name, &shape))));
    }
    let counter = writer.tensor("LongStorage", 8, &[], 7i64.to_le_bytes().to_vec());
    items.push(("some.bn.num_batches_tracked".to_owned(), counter));
    writer.zip(&Item::Ordered(items), ZipOptions::default())
}

/// Bytes as a picture holds them, in [-1, 1].
fn images(name: &str, shape: [usize; 4]) -> Tensor<4> {
    let bytes =
        uniform(name, shape.iter().product()).map(|u| ((u + 1.0) * 127.5).round_ties_even());
    let values: Vec<f32> = bytes.map(|byte| (byte / 127.5 - 1.0) as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn check<const D: usize>(fixture: &StoredTensors, name: &str, found: &Tensor<D>) {
    let stored = |name: &str| &fixture.tensors.0[name].values;
    let expected = stored(name);
    let largest = stored(&format!("{name}.max"))[0];
    let found: Vec<f32> = found.clone().into_data().try_to_vec().unwrap();
    let found_largest = found.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
    assert!(
        (found_largest / largest - 1.0).abs() < TOLERANCE,
        "{name}: largest {found_largest}, {largest}"
    );
    let step = (found.len() / 256).max(1);
    let off = found
        .iter()
        .step_by(step)
        .zip(expected)
        .map(|(a, b)| (a - b).abs() / largest)
        .fold(0.0f32, f32::max);
    println!("{name}: {off:e}");
    assert!(
        off < TOLERANCE,
        "{name}: {off} of the largest value {largest}"
    );
}

#[test]
fn inception_is_pytorch_fids() {
    let fixture = decode(include_bytes!(
        "../../fixtures/inception/activations.safetensors"
    ))
    .unwrap();
    let network = Inception::decode(&file(INCEPTION, None), &Device::flex()).unwrap();
    let mut seen = Vec::new();
    let output = network.observe(images("images", [2, 3, 40, 40]), &mut |name, x| {
        check(&fixture, name, x);
        seen.push(name.to_owned());
    });
    assert_eq!(seen.len(), 20, "{seen:?}");
    check(&fixture, "block3", &output.features);
    check(
        &fixture,
        "logits",
        &(output.logits + network.bias().unsqueeze()),
    );
    let large = resize::bilinear(images("large", [1, 3, 320, 310]), 299);
    check(&fixture, "large_resized", &large);
    // it is named by its checksum: these are not the published weights
    let info = network.info();
    assert!(!info.published);
    assert_eq!(
        info.score("FD"),
        format!("FD-inception-{}", &info.sha256[..8])
    );
}

#[test]
fn another_inception_is_refused_by_its_first_tensor() {
    let refused = |name: &str, shape: &[usize], parts: &[&str]| {
        let bytes = file(INCEPTION, Some((name, shape)));
        let error = Inception::decode(&bytes, &Device::flex())
            .unwrap_err()
            .to_string();
        for part in parts {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    };
    // torchvision's classifier has 1000 classes
    refused(
        "fc.weight",
        &[1000, 2048],
        &["fc.weight", "[1000, 2048]", "[1008, 2048]"],
    );
    refused(
        "Mixed_5b.branch_pool.bn.bias",
        &[64],
        &["Mixed_5b.branch_pool.bn.bias", "[64]", "[32]"],
    );
}

#[test]
fn efficientnet_is_its_package_s() {
    let fixture = include_bytes!("../../fixtures/efficientnet-lite0/activations.safetensors");
    let fixture = decode(fixture).unwrap();
    let network = EfficientNet::decode(&file(EFFICIENTNET, None), &Device::flex()).unwrap();
    let mut seen = 0;
    let output = network.observe(images("images", [2, 3, 40, 40]), &mut |name, x| {
        check(&fixture, name, x);
        seen += 1;
    });
    assert_eq!(seen, 16);
    check(&fixture, "features", &output.features);
    check(&fixture, "logits", &output.logits);
    let name = network.info().score("FD");
    assert!(name.starts_with("FD-efficientnet-lite0-"), "{name}");

    let bytes = file(EFFICIENTNET, Some(("_fc.weight", &[10, 1280])));
    let error = EfficientNet::decode(&bytes, &Device::flex())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("_fc.weight") && error.contains("[10, 1280]"),
        "{error}"
    );
}
