//! Weights of other programs: imported, sampled, trained on.

use std::path::Path;

use biggan::import::torch::TorchFile;
use biggan::named::HostTensor;
use native_train::run::checkpoint::Checkpoint;

use crate::support::fixtures::fixture;
use crate::support::setting::{IMAGES, Setting, stderr};
use crate::support::torch_writer::{Item, TorchWriter};

/// Images, absolute: as in tests/models/parity.
const FORWARD: f32 = 1e-4;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn tensors(path: &Path) -> std::collections::BTreeMap<String, HostTensor> {
    biggan::file::decode(&std::fs::read(path).unwrap())
        .unwrap()
        .tensors
        .0
}

/// The fixture's case as a file of latents: z, a soft mix of classes and a truncation.
fn write_latents(setting: &Setting, cases: &Path, case: usize) -> (String, Vec<f32>) {
    let mut cases = tensors(cases);
    let mut take = |name: &str| cases.remove(&format!("{case}.{name}")).unwrap();
    let latents = [("z", take("z")), ("class_vector", take("class_vector"))];
    let latents = biggan::named::HostTensors(
        latents
            .into_iter()
            .map(|(name, tensor)| (name.to_owned(), tensor))
            .collect(),
    );
    let bytes = biggan::file::encode(&latents, &Default::default(), biggan::file::Dtype::F32);
    std::fs::write(setting.path("latents.safetensors"), bytes.unwrap()).unwrap();
    let truncation = f64::from(take("truncation").values[0]);
    (format!("{:.4}", truncation), take("image").values)
}

#[test]
fn an_imported_model_samples_the_pictures_of_its_program() {
    let setting = Setting::new();
    let folder = fixture("hf-deep-128");
    let weights = folder.join("pytorch_model.bin");
    // config.json stands beside the weights
    setting.ok(&[
        "import",
        "--from",
        "hf-deep",
        text(&weights),
        "--out",
        "m.safetensors",
        "--dtype",
        "f32",
        "--report",
        "report.txt",
    ]);
    let report = std::fs::read_to_string(setting.path("report.txt")).unwrap();
    assert!(
        report.contains("generator.conv_to_rgb.weight_orig"),
        "{report}"
    );
    assert!(report.contains("the first 3 outputs kept"));
    let (truncation, expected) = write_latents(&setting, &folder.join("cases.safetensors"), 2);
    setting.ok(&[
        "sample",
        "m.safetensors",
        "--latents",
        "latents.safetensors",
        "--truncation",
        &truncation,
        "--raw",
        "raw.safetensors",
    ]);
    let found = &tensors(&setting.path("raw.safetensors"))["image"].values;
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= FORWARD, "{found} {expected}");
    }
    let inspected = setting.ok(&["inspect", "m.safetensors"]);
    for part in ["hf-deep", "SHA-256", "scaled_truncated_normal", "51 rows"] {
        assert!(inspected.contains(part), "{inspected} lacks {part}");
    }
}

#[test]
fn parts_and_f16() {
    let setting = Setting::new();
    let weights = fixture("sg-32").join("G_ema.pth");
    setting.ok(&[
        "import",
        "--from",
        "studiogan",
        text(&weights),
        "--out",
        "m.safetensors",
        "--shard-size",
        "40KiB",
    ]);
    assert!(setting.path("m.safetensors.index.json").is_file());
    setting.ok(&[
        "sample",
        "m.safetensors.index.json",
        "--class",
        "0",
        "--count",
        "1",
        "--out",
        "a.png",
    ]);
}

#[test]
fn what_does_not_fit_is_named() {
    let setting = Setting::new();
    let refused = |code, from, weights: &Path, config: Option<&str>, parts: &[&str]| {
        let mut args = vec![
            "import",
            "--from",
            from,
            text(weights),
            "--out",
            "m.safetensors",
        ];
        if let Some(config) = config {
            std::fs::write(setting.path("config.txt"), config).unwrap();
            args.extend(["--config", "config.txt"]);
        }
        setting.refused(code, &args, parts);
        assert!(!setting.path("m.safetensors").exists());
    };
    let hf = fixture("hf-deep-128").join("pytorch_model.bin");
    let aj = fixture("aj-32").join("G.pth");
    let aj_d = fixture("aj-32").join("D.pth");
    let sg = fixture("sg-32").join("G_ema.pth");
    refused(
        1,
        "studiogan",
        &hf,
        None,
        &["BigGAN-deep", "try --from hf-deep"],
    );
    refused(
        1,
        "hf-deep",
        &aj,
        None,
        &["BigGAN-PyTorch", "try --from biggan-pytorch"],
    );
    refused(
        1,
        "biggan-pytorch",
        &sg,
        None,
        &["StudioGAN, big_resnet;", "try --from studiogan"],
    );
    refused(
        1,
        "biggan-pytorch",
        &aj_d,
        None,
        &["discriminator", "give the file of a generator"],
    );
    refused(2, "biggan-pytorch", &aj, Some("{}"), &["BN_eps", "1e-5"]);
    let wrong = "{\"BN_eps\": 1e-5, \"G_ch\": 96}";
    refused(
        2,
        "biggan-pytorch",
        &aj,
        Some(wrong),
        &["G_ch is 96", "expected 6"],
    );
    let sg_config = std::fs::read_to_string(fixture("sg-32").join("config.json")).unwrap();
    let deep = sg_config.replace("\"big_resnet\"", "\"big_resnet_deep_legacy\"");
    let deep = deep.replace("\"g_depth\": \"N/A\"", "\"g_depth\": 2");
    refused(
        2,
        "studiogan",
        &sg,
        Some(&deep),
        &["big_resnet_deep_legacy", "expected \"big_resnet\""],
    );
    let wide = sg_config.replace("\"g_conv_dim\": 6", "\"g_conv_dim\": 7");
    refused(
        1,
        "studiogan",
        &sg,
        Some(&wide),
        &["linear0.weight_orig", "[384, 4]", "[448, 4]"],
    );
    let fewer = sg_config.replace("\"apply_attn\": true", "\"apply_attn\": false");
    refused(1, "studiogan", &sg, Some(&fewer), &["blocks.2.0"]);
    let hf_config = std::fs::read_to_string(fixture("hf-deep-128").join("config.json")).unwrap();
    let swapped = hf_config.replace("\"output_dim\": 128", "\"output_dim\": 256");
    refused(2, "hf-deep", &hf, Some(&swapped), &["layers", "256"]);
    let cut = setting.path("cut.bin");
    std::fs::write(&cut, &std::fs::read(&hf).unwrap()[..100_000]).unwrap();
    refused(1, "hf-deep", &cut, Some(&hf_config), &["cut short"]);
}

const RECIPE: &str = r#"
name = "continued"

[data]
dataset = "idx"
path = "data"
class_names = ["a", "b", "c", "d", "e"]

[run]
images = 1_000_000
checkpoint_every_images = 1000
sample_every_images = 1000
log_every_steps = 5

[train]
seed = 3
batch_size = 4
d_steps = 1

[train.generator]
resolution = 32
channels = 6
z_dim = 16
classes = 5
class_embedding = { kind = "shared", dim = 12 }
hierarchical_z = true
bn_eps = 1e-5
sn_eps = 1e-6

[train.discriminator]
resolution = 32
channels = 6
classes = 5
sn_eps = 1e-6

[train.adam_g]
lr = 1e-3
eps = 1e-6

[train.adam_d]
lr = 1e-3
eps = 1e-6

[train.ema]
decay = 0.5
"#;

/// The state of PyTorch's Adam over the parameters of a file, after 7 steps: parameter k has the first
/// moment k and the second 2 k + 1 everywhere. Ids are addresses, as PyTorch 1.0 wrote them.
fn optimiser(weights: &Path) -> Vec<u8> {
    let bytes = std::fs::read(weights).unwrap();
    let file = TorchFile::open(&bytes).unwrap();
    let all = file.root().state_dict().unwrap();
    let is_buffer = |name: &str| {
        [".u0", ".sv0", ".stored_mean", ".stored_var"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let text = |text: &str| Item::Text(text.to_owned());
    let mut writer = TorchWriter::default();
    let (mut state, mut ids) = (Vec::new(), Vec::new());
    for (_, tensor) in all.iter().filter(|(name, _)| !is_buffer(name)) {
        let number = ids.len() as f32;
        let id = 140_000_000_000_000 + 64 * ids.len() as i64;
        let mut moment = |value| writer.f32(tensor.shape(), &vec![value; tensor.len()]);
        let entry = vec![
            (text("step"), Item::Int(7)),
            (text("exp_avg"), moment(number)),
            (text("exp_avg_sq"), moment(2.0 * number + 1.0)),
        ];
        state.push((Item::Int(id), Item::Dict(entry)));
        ids.push(Item::Int(id));
    }
    let group = Item::Dict(vec![
        (text("lr"), Item::Float(1e-4)),
        (text("params"), Item::List(ids)),
    ]);
    writer.legacy(&Item::Dict(vec![
        (text("state"), Item::Dict(state)),
        (text("param_groups"), Item::List(vec![group])),
    ]))
}

/// The tiny data with as many classes as the fixtures' networks have.
fn with_five_classes() -> Setting {
    let setting = Setting::new();
    let labels: Vec<u8> = (0..IMAGES).map(|i| (i % 5) as u8).collect();
    setting.write_idx("train-labels-idx1-ubyte", &[IMAGES], &labels);
    setting
}

#[test]
fn a_foreign_run_goes_on() {
    let setting = with_five_classes();
    std::fs::write(setting.path("continued.toml"), RECIPE).unwrap();
    let run = setting.path("weights");
    std::fs::create_dir(&run).unwrap();
    for (from, to) in [
        ("G.pth", "G.pth"),
        ("G.pth", "G_ema.pth"),
        ("D.pth", "D.pth"),
    ] {
        std::fs::copy(fixture("aj-32").join(from), run.join(to)).unwrap();
    }
    for (weights, optim) in [("G.pth", "G_optim.pth"), ("D.pth", "D_optim.pth")] {
        std::fs::write(run.join(optim), optimiser(&run.join(weights))).unwrap();
    }
    let import = [
        "import",
        "--from",
        "biggan-pytorch",
        "weights",
        "--training",
        "--recipe",
        "continued.toml",
        "--out",
        "run",
    ];
    let output = setting.run(&import);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("Adam after 7 steps"),
        "{}",
        stderr(&output)
    );

    let path = setting.newest_checkpoint("run");
    let found = Checkpoint::decode(&std::fs::read(&path).unwrap()).unwrap();
    let counters = &found.counters;
    assert_eq!(
        (counters.g_step, counters.d_step, counters.images_seen),
        (7, 7, 28)
    );
    // the first three parameters, in PyTorch's order
    for (name, first) in [
        ("shared.weight", 0.0),
        ("linear.weight", 1.0),
        ("linear.bias", 2.0),
    ] {
        let moment = &found.tensors.0[&format!("adam_g.first.{name}")].values;
        assert!(
            moment.iter().all(|&value| value == first),
            "{name}: {moment:?}"
        );
    }
    let of = |prefix: &str| {
        found
            .tensors
            .0
            .keys()
            .filter(|name| name.starts_with(prefix))
            .count()
    };
    let last = of("adam_g.first.") as f32 - 1.0;
    let second = &found.tensors.0["adam_g.second.output_conv.bias"].values;
    assert_eq!(*second, [2.0 * last + 1.0; 3]);
    // u0 is kept for the next power step
    assert_eq!(found.tensors.0["discriminator.embed.u"].shape, [5]);

    setting.refused(1, &import, &["has checkpoints already"]);
    setting.ok(&[
        "--config",
        "continued.toml",
        "--out",
        "run",
        "--resume",
        "--steps",
        "2",
    ]);
    let resumed = setting.newest_checkpoint("run");
    let found = Checkpoint::decode(&std::fs::read(resumed).unwrap()).unwrap();
    assert_eq!(found.counters.g_step, 9);
    setting.ok(&["export", "run", "--out", "m.safetensors", "--passes", "1"]);

    setting.refused(
        2,
        &[
            &import[..8],
            &["other", "--set", "train.generator.channels=8"],
        ]
        .concat(),
        &["generator.channels is 8 in the recipe, 6 in the weights"],
    );
}

#[test]
fn a_run_of_studiogan_goes_on_with_a_fresh_optimiser() {
    let setting = with_five_classes();
    let recipe = RECIPE
        .replace("bn_eps = 1e-5", "bn_eps = 1e-4\narchitecture = \"big_resnet\"\nattention = [16]")
        .replace(
            "channels = 6\nclasses = 5\nsn_eps",
            "architecture = \"big_resnet\"\nattention = [16]\nactivated_shortcut = true\nchannels = 8\n\
             classes = 5\nsn_eps",
        );
    std::fs::write(setting.path("sg.toml"), recipe).unwrap();
    let run = setting.path("weights");
    std::fs::create_dir(&run).unwrap();
    for (from, to) in [
        ("G_ema.pth", "model=G-best-weights-step=4.pth"),
        ("G_ema.pth", "model=G_ema-best-weights-step=4.pth"),
        ("D.pth", "model=D-best-weights-step=4.pth"),
    ] {
        std::fs::copy(fixture("sg-32").join(from), run.join(to)).unwrap();
    }
    let import = [
        "import",
        "--from",
        "studiogan",
        "weights",
        "--training",
        "--recipe",
        "sg.toml",
        "--out",
        "run",
    ];
    let output = setting.run(&import);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("Adam starts afresh"),
        "{}",
        stderr(&output)
    );
    setting.ok(&[
        "--config", "sg.toml", "--out", "run", "--resume", "--steps", "1",
    ]);
    let bn_eps = [&import[..], &["--set", "train.generator.bn_eps=1e-5"]].concat();
    setting.refused(2, &bn_eps, &["bn_eps is 0.00001", "0.0001"]);
    let in_place = [
        &import[..],
        &["--set", "train.discriminator.activated_shortcut=false"],
    ]
    .concat();
    setting.refused(2, &in_place, &["activated_shortcut"]);
}
