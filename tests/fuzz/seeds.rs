//! Small whole files of every kind, and inputs made of them.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use biggan::config::{Architecture, ClassEmbedding, GeneratorConfig};
use biggan::file::{
    DatasetInfo, Dtype, ModelFile, ModelInfo, PackWriter, Provenance, StatisticsTable, encode,
};
use biggan::import::torch::TorchFile;
use biggan::named::{HostTensor, HostTensors};
use biggan::train::Counters;
use biggan::truncation::{Truncation, TruncationKind};
use native_train::recipe::plan::Plan;
use native_train::run::checkpoint::Checkpoint;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::mutate::{Random, mutate};
use crate::support::torch_writer::{Item, TorchWriter, ZipOptions};

/// What reads an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The structure and all tensors.
    Torch,
    /// The importer of a generator of BigGAN-PyTorch.
    Generator,
    /// Our own model files.
    Model,
    /// Checkpoints.
    Checkpoint,
    /// Packed images.
    Pack,
    /// Statistics of pytorch-fid.
    Npz,
    /// A picture, to its pixels.
    Picture,
    /// Recipes.
    Recipe,
    /// The settings beside foreign weights.
    ForeignConfig,
}

/// Small pictures.
const PICTURES: [(&str, &[u8]); 6] = [
    ("jpeg", include_bytes!("../fixtures/pictures/baseline.jpg")),
    (
        "progressive jpeg",
        include_bytes!("../fixtures/pictures/progressive.jpg"),
    ),
    ("cmyk jpeg", include_bytes!("../fixtures/pictures/cmyk.jpg")),
    (
        "moving png",
        include_bytes!("../fixtures/pictures/moving.png"),
    ),
    ("webp", include_bytes!("../fixtures/pictures/lossy.webp")),
    (
        "moving webp",
        include_bytes!("../fixtures/pictures/moving.webp"),
    ),
];

/// A whole file.
pub struct Seed {
    pub name: &'static str,
    pub target: Target,
    pub bytes: Vec<u8>,
}

/// Config of the generator.
pub const CONFIG: &str = "{\"BN_eps\": 1e-5}";

const PLAIN: ZipOptions = ZipOptions {
    checksums: false,
    zip64: false,
    method: 0,
};
const ZIP64: ZipOptions = ZipOptions {
    zip64: true,
    ..PLAIN
};

fn text(text: &str) -> Item {
    Item::Text(text.to_owned())
}

/// Every kind of tensor, and what stands around them in checkpoints.
fn tensors() -> (TorchWriter, Item) {
    let mut writer = TorchWriter::default();
    let mut state: Vec<(String, Item)> = Vec::new();
    for (class, size) in [
        ("FloatStorage", 4),
        ("DoubleStorage", 8),
        ("HalfStorage", 2),
        ("BFloat16Storage", 2),
        ("LongStorage", 8),
    ] {
        let tensor = writer.tensor(class, size, &[2, 2], vec![1; 4 * size]);
        state.push((class.to_lowercase(), tensor));
    }
    for parameter in [false, true] {
        let view = Item::Tensor {
            storage: 0,
            offset: 1,
            shape: vec![3, 1],
            strides: vec![1, 3],
            parameter,
        };
        state.push((format!("view {parameter}"), view));
    }
    let moments = Item::Dict(vec![
        (text("step"), Item::Int(300)),
        (text("exp_avg"), writer.f32(&[2], &[0.5, 0.25])),
    ]);
    let group = Item::Dict(vec![
        (text("lr"), Item::Float(1e-4)),
        (
            text("betas"),
            Item::Tuple(vec![Item::Float(0.0), Item::Float(0.999)]),
        ),
        (
            text("params"),
            Item::List(vec![Item::Int(140_234_567_890_123), Item::Int(-2)]),
        ),
    ]);
    let optimiser = Item::Dict(vec![
        (text("state"), Item::Dict(vec![(Item::Int(0), moments)])),
        (text("param_groups"), Item::List(vec![group])),
    ]);
    let scalar = Item::Call("numpy.core.multiarray", "scalar", vec![Item::None]);
    let root = Item::Dict(vec![
        (text("state_dict"), Item::Ordered(state)),
        (text("optimizer"), optimiser),
        (text("best_fid"), scalar),
        (
            text("flags"),
            Item::Tuple(vec![
                Item::Bool(true),
                Item::Bool(false),
                Item::None,
                Item::Int(70_000),
            ]),
        ),
    ]);
    (writer, root)
}

/// The smallest generator of BigGAN-PyTorch, by its tensors.
fn generator() -> (TorchWriter, Item) {
    let mut writer = TorchWriter::default();
    let mut state: Vec<(String, Item)> = Vec::new();
    let mut vector = None;
    let mut add = |name: String, shape: &[usize]| {
        let count: usize = shape.iter().product();
        if count == 4
            && let Some(Item::Tensor { storage, .. }) = &vector
        {
            // all short vectors are views of one storage, to be small
            let tensor = Item::Tensor {
                storage: *storage,
                offset: 0,
                shape: shape.iter().map(|&dim| dim as i64).collect(),
                strides: vec![1; shape.len()],
                parameter: false,
            };
            state.push((name, tensor));
            return;
        }
        // f16 from 0.5 to 0.9, to be small
        let bytes = (0..count).flat_map(|i| (0x3800u16 + (i as u16 % 7) * 0x80).to_le_bytes());
        let tensor = writer.tensor("HalfStorage", 2, shape, bytes.collect());
        if count == 4 {
            vector = Some(tensor.clone());
        }
        state.push((name, tensor));
    };
    // width 1, no shared embedding, z of 1, 1 class: 4 channels throughout
    add("linear.weight".into(), &[64, 1]);
    add("linear.bias".into(), &[64]);
    add("linear.u0".into(), &[1, 64]);
    for block in 0..3 {
        for (conv, kernel) in [("conv1", 3), ("conv2", 3), ("conv_sc", 1)] {
            add(
                format!("blocks.{block}.0.{conv}.weight"),
                &[4, 4, kernel, kernel],
            );
            add(format!("blocks.{block}.0.{conv}.bias"), &[4]);
            add(format!("blocks.{block}.0.{conv}.u0"), &[1, 4]);
        }
        for bn in ["bn1", "bn2"] {
            for part in ["gain", "bias"] {
                add(format!("blocks.{block}.0.{bn}.{part}.weight"), &[1, 4]);
            }
            add(format!("blocks.{block}.0.{bn}.stored_mean"), &[4]);
            add(format!("blocks.{block}.0.{bn}.stored_var"), &[4]);
        }
    }
    for name in ["gain", "bias", "stored_mean", "stored_var"] {
        add(format!("output_layer.0.{name}"), &[4]);
    }
    add("output_layer.2.weight".into(), &[3, 4, 3, 3]);
    add("output_layer.2.bias".into(), &[3]);
    add("output_layer.2.u0".into(), &[1, 3]);
    add("output_layer.2.sv0".into(), &[1]);
    (writer, Item::Ordered(state))
}

/// A model file; its tensors need not fit its config to be read.
fn model() -> ModelFile {
    let tensor = |shape: &[usize]| HostTensor {
        shape: shape.to_vec(),
        values: vec![0.5; shape.iter().product()],
    };
    let generator = GeneratorConfig {
        architecture: Architecture::Biggan,
        depth: None,
        resolution: 32,
        channels: 1,
        latent: biggan::latent_kind::LatentKind::Normal,
        z_dim: 4,
        classes: 2,
        class_embedding: ClassEmbedding::PerLayer,
        hierarchical_z: false,
        attention: vec![],
        spectral_norm: false,
        bn_eps: 1e-5,
        output_bn_eps: None,
        sn_eps: 1e-6,
        bn_momentum: 0.1,
    };
    ModelFile {
        info: ModelInfo {
            generator,
            class_names: vec!["a".into(), "b".into()],
            class_ids: vec![],
            truncation_kind: TruncationKind::Resampling,
            statistics: StatisticsTable {
                truncations: vec![Truncation::Off, Truncation::Threshold(0.5)],
                samples: 10,
            },
            dataset: DatasetInfo {
                name: "none".into(),
                images: 0,
                sha256: vec!["00".into()],
                source: None,
            },
            provenance: Provenance {
                program: "test".into(),
                recipe: "test".into(),
                images_seen: 1,
                g_step: 2,
                seed: 3,
                ema_initial_share: 0.5,
                imported: None,
            },
            scores: BTreeMap::from([("FD".into(), 1.5)]),
        },
        tensors: HostTensors(BTreeMap::from([
            ("linear.weight".into(), tensor(&[64, 4])),
            ("stats.output_bn.mean".into(), tensor(&[2, 4])),
        ])),
    }
}

/// A pickle without tensors.
pub fn no_weights() -> &'static [u8] {
    b"\x80\x02}."
}

/// Metadata and tensors of a checkpoint; its tensors need not fit its config to be read.
fn checkpoint() -> Vec<u8> {
    let text = include_str!("../../configs/fashion32.toml");
    let plan = Plan::parse(text, &[]).unwrap();
    let tensor = HostTensor {
        shape: vec![2, 2],
        values: vec![0.5; 4],
    };
    let checkpoint = Checkpoint {
        dataset: DatasetInfo {
            name: "none".into(),
            images: 1,
            sha256: vec!["00".into()],
            source: None,
        },
        class_names: (0..plan.train().generator.classes)
            .map(|class| class.to_string())
            .collect(),
        interventions: Vec::new(),
        counters: Counters {
            d_step: 2,
            g_step: 1,
            images_seen: 64,
            ema_initial_share: 0.5,
            adam_g_time: 1,
            adam_d_time: 2,
        },
        tensors: HostTensors(BTreeMap::from([("generator.linear.weight".into(), tensor)])),
        plan,
    };
    checkpoint.encode().unwrap()
}

/// Two images of 2x2 pixels.
fn pack() -> Vec<u8> {
    let names = ["a".to_owned(), "b".to_owned()];
    let file = Cursor::new(Vec::new());
    let mut writer = PackWriter::new(file, "seed", &names, [3, 2, 2], Some(2)).unwrap();
    for label in 0..2 {
        writer.push(&[7; 12], &[label]).unwrap();
    }
    writer.finish().unwrap().1.into_inner()
}

/// Mean and covariance of two features, stored and deflated.
fn npz(method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, shape, values) in [
        ("mu", "(2,)", &[0.5, 1.0][..]),
        ("sigma", "(2, 2)", &[1.0, 0.0, 0.0, 1.0]),
    ] {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        zip.start_file(format!("{name}.npy"), options).unwrap();
        zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
        zip.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        zip.write_all(header.as_bytes()).unwrap();
        for value in values {
            zip.write_all(&f64::to_le_bytes(*value)).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Settings of a network of one layer, which no small file has the weights of.
const FOREIGN_CONFIG: &str = r#"{"output_dim": 128, "z_dim": 128, "class_embed_dim": 128, "channel_width": 128,
"num_classes": 1000, "layers": [[false, 16, 16], [true, 16, 16]], "attention_layer_position": 8, "eps": 0.0001,
"n_stats": 51}"#;

/// The tensors of a file of `torch.save` in a safetensors file.
fn safetensors(bytes: &[u8]) -> Vec<u8> {
    let file = TorchFile::open(bytes).unwrap();
    let tensors = file.root().state_dict().unwrap().into_iter();
    let tensors = tensors.map(|(name, tensor)| {
        let (shape, values) = (tensor.shape().to_vec(), tensor.to_f32().unwrap());
        (name.to_owned(), HostTensor { shape, values })
    });
    encode(
        &HostTensors(tensors.collect()),
        &BTreeMap::new(),
        Dtype::F16,
    )
    .unwrap()
}

/// All seeds.
pub fn all() -> Vec<Seed> {
    let seed = |name, target, bytes| Seed {
        name,
        target,
        bytes,
    };
    let (writer, root) = tensors();
    let (small, state) = generator();
    vec![
        seed("zip", Target::Torch, writer.zip(&root, PLAIN)),
        seed("zip64", Target::Torch, writer.zip(&root, ZIP64)),
        seed(
            "zip with checksums",
            Target::Torch,
            writer.zip(&root, ZipOptions::default()),
        ),
        seed("legacy", Target::Torch, writer.legacy(&root)),
        seed("legacy generator", Target::Generator, small.legacy(&state)),
        seed(
            "safetensors generator",
            Target::Generator,
            safetensors(&small.legacy(&state)),
        ),
        seed(
            "model f32",
            Target::Model,
            model().encode(Dtype::F32).unwrap(),
        ),
        seed(
            "model f16",
            Target::Model,
            model().encode(Dtype::F16).unwrap(),
        ),
        seed("checkpoint", Target::Checkpoint, checkpoint()),
        seed("pack", Target::Pack, pack()),
        seed("npz", Target::Npz, npz(CompressionMethod::Stored)),
        seed(
            "npz deflated",
            Target::Npz,
            npz(CompressionMethod::Deflated),
        ),
        seed(
            "recipe",
            Target::Recipe,
            include_bytes!("../../configs/fashion32.toml").to_vec(),
        ),
        seed(
            "foreign config",
            Target::ForeignConfig,
            FOREIGN_CONFIG.into(),
        ),
    ]
    .into_iter()
    .chain(PICTURES.map(|(name, bytes)| seed(name, Target::Picture, bytes.to_vec())))
    .collect()
}

/// One input: a seed mutated as a whole, or a pickle mutated within a whole container.
pub fn input(seeds: &[Seed], random: &mut Random) -> Seed {
    let other = &seeds[random.below(seeds.len())].bytes;
    if random.below(3) > 0 {
        let seed = &seeds[random.below(seeds.len())];
        let mut bytes = seed.bytes.clone();
        mutate(&mut bytes, other, random);
        return Seed { bytes, ..*seed };
    }
    let is_legacy = random.below(2) == 0;
    let (target, (writer, root)) = match random.below(4) {
        0 => (Target::Generator, generator()),
        _ => (Target::Torch, tensors()),
    };
    let mut pickle = writer.pickle(&root, is_legacy);
    mutate(&mut pickle, other, random);
    let bytes = match (is_legacy, random.below(2)) {
        (true, _) => writer.legacy_of_pickle(&pickle),
        (false, 0) => writer.zip_of_pickle(&pickle, PLAIN),
        (false, _) => writer.zip_of_pickle(&pickle, ZIP64),
    };
    Seed {
        name: "a pickle within its container",
        target,
        bytes,
    }
}
