//! Parity with the public implementations: every folder of `tests/fixtures` and of
//! `$BIGGAN_FIXTURES` whose `config.json` names a kind that we read (see `fixtures/README.md`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use biggan::arch::Architecture;
use biggan::config::{ClassEmbedding, DiscriminatorConfig, GeneratorConfig};
use biggan::file::decode;
use biggan::latent::{Latents, one_hot};
use biggan::layers::{Pass, PowerStep};
use biggan::model::Discriminator;
use biggan::named::{
    HostTensor, HostTensors, adopt_state, load_tensors, named_tensors, read_values,
};
use biggan::train::{
    AdamConfig, AdamMoments, EmaConfig, RealBatch, Techniques, TrainConfig, TrainState,
    discriminator_step, generator_step,
};
use burn::tensor::{Device, Tensor, TensorData};
use pollster::FutureExt;
use serde::Deserialize;

/// Images and logits, absolute: f32 through about 20 layers (fixtures/README.md).
const FORWARD: f32 = 1e-4;
/// First-step gradients: this share of the tensor's largest value, plus `GRADIENT_FLOOR`.
const GRADIENT: f32 = 1e-4;
const GRADIENT_FLOOR: f32 = 1e-6;
/// Losses of the third step, relative: two Adam steps lie between.
const LOSS: f32 = 1e-3;
/// Weights after three Adam steps, absolute.
const WEIGHT: f32 = 1e-3;
/// Share of weights that must be within [`WEIGHT`]: Adam with beta1 = 0 turns a tiny gradient of
/// uncertain sign into a full step.
const WEIGHT_SHARE: f64 = 0.995;

/// `config.json` of the kind "biggan".
#[derive(Debug, Deserialize)]
#[allow(non_snake_case)] // the keys are those of the reference
struct Reference {
    resolution: usize,
    G_ch: usize,
    D_ch: usize,
    dim_z: usize,
    shared_dim: usize,
    hier: bool,
    G_shared: bool,
    G_attn: String,
    D_attn: String,
    n_classes: usize,
    BN_eps: f64,
    SN_eps: f64,
    adam_eps: f64,
    bn_momentum: f64,
    G_lr: f64,
    D_lr: f64,
    B1: f64,
    B2: f64,
    ortho: f64,
    ema_decay: f64,
}

impl Reference {
    fn train_config(&self) -> TrainConfig {
        let attention = |list: &str| -> Vec<usize> {
            let parse = |r: &str| r.parse().expect("an attention resolution");
            list.split('_').filter(|r| *r != "0").map(parse).collect()
        };
        let adam = |lr| AdamConfig {
            lr,
            beta1: self.B1,
            beta2: self.B2,
            eps: self.adam_eps,
        };
        TrainConfig {
            generator: GeneratorConfig {
                architecture: Architecture::Biggan,
                depth: None,
                resolution: self.resolution,
                channels: self.G_ch,
                z_dim: self.dim_z,
                classes: self.n_classes,
                class_embedding: if self.G_shared {
                    ClassEmbedding::Shared {
                        dim: self.shared_dim,
                    }
                } else {
                    ClassEmbedding::PerLayer
                },
                hierarchical_z: self.hier,
                attention: attention(&self.G_attn),
                spectral_norm: true,
                bn_eps: self.BN_eps,
                output_bn_eps: None,
                sn_eps: self.SN_eps,
                bn_momentum: self.bn_momentum,
            },
            discriminator: DiscriminatorConfig {
                architecture: Architecture::Biggan,
                depth: None,
                resolution: self.resolution,
                channels: self.D_ch,
                classes: self.n_classes,
                attention: attention(&self.D_attn),
                attention_after_stages: vec![],
                activated_shortcut: false,
                spectral_norm: true,
                sn_eps: self.SN_eps,
            },
            adam_g: adam(self.G_lr),
            adam_d: adam(self.D_lr),
            ema: EmaConfig {
                decay: self.ema_decay,
                start_step: 0,
                ramp: false,
            },
            batch_size: 4,
            d_steps: 1,
            orthogonal: self.ortho,
            orthogonal_factor: 2.0,
            techniques: Techniques::default(),
            seed: 0,
        }
    }
}

/// Our name for a tensor of BigGAN-PyTorch; none for `sv0`, which is only logged there.
fn our_name(reference: &str) -> Option<String> {
    if reference.ends_with(".sv0") {
        return None;
    }
    let mut parts: Vec<&str> = reference.split('.').collect();
    match parts[0] {
        "blocks" if parts[2] == "0" => {
            parts.remove(2);
        }
        "blocks" => parts[2] = "attention",
        "output_layer" => {
            let module = if parts[1] == "0" {
                "output_bn"
            } else {
                "output_conv"
            };
            parts.splice(0..2, [module]);
        }
        _ => {}
    }
    let name = parts.join(".");
    Some(
        name.replace("stored_mean", "stats.mean")
            .replace("stored_var", "stats.variance")
            .replace(".u0", ".u"),
    )
}

/// Singular vectors are `[1, out]` there and `[out]` here; gamma is 0-dimensional there.
fn our_tensor(name: &str, mut tensor: HostTensor) -> HostTensor {
    if name.ends_with(".u") || name.ends_with(".gamma") {
        tensor.shape = vec![tensor.values.len()];
    }
    tensor
}

fn translate(tensors: impl IntoIterator<Item = (String, HostTensor)>) -> HostTensors {
    HostTensors(
        tensors
            .into_iter()
            .filter_map(|(name, tensor)| {
                let name = our_name(&name)?;
                let tensor = our_tensor(&name, tensor);
                Some((name, tensor))
            })
            .collect(),
    )
}

fn read_pth(path: &Path) -> HostTensors {
    let file = pytorch_reader::PytorchReader::new(path).expect("a readable .pth");
    translate(file.into_tensors().into_iter().map(|(name, tensor)| {
        let bytes = tensor.read().expect("tensor bytes");
        let values = bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let shape = tensor.shape().to_vec();
        (name, HostTensor { shape, values })
    }))
}

/// The cases: floats by name, and labels (i64) by name.
struct Cases {
    floats: HostTensors,
    labels: BTreeMap<String, Vec<usize>>,
    device: Device,
}

impl Cases {
    fn read(path: &Path, device: &Device) -> Self {
        let bytes = std::fs::read(path).expect("cases.safetensors");
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
        let mut floats = Vec::new();
        let mut labels = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() == safetensors::Dtype::I64 {
                let values = view.data().chunks_exact(8).map(|b| {
                    usize::try_from(i64::from_le_bytes(b.try_into().expect("8 bytes")))
                        .expect("a label")
                });
                labels.insert(name, values.collect());
            } else {
                floats.push((name, view));
            }
        }
        let floats = safetensors::serialize(floats, None).expect("safetensors");
        Self {
            floats: decode(&floats).expect("float cases").tensors,
            labels,
            device: device.clone(),
        }
    }

    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let tensor = &self.floats.0[name];
        let shape: [usize; D] = tensor.shape.clone().try_into().expect("the rank");
        Tensor::from_data(TensorData::new(tensor.values.clone(), shape), &self.device)
    }

    fn classes(&self, name: &str, classes: usize) -> Tensor<2> {
        one_hot(&self.labels[name], classes, &self.device)
    }

    fn values(&self, name: &str) -> &[f32] {
        &self.floats.0[name].values
    }

    /// All tensors under a prefix, by our names.
    fn under(&self, prefix: &str) -> HostTensors {
        translate(self.floats.clone().take_under(prefix).0)
    }
}

fn max_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(a, b)| {
            if a.is_finite() {
                (a - b).abs()
            } else {
                f32::INFINITY
            }
        })
        .fold(0.0, f32::max)
}

fn close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    let error = max_error(found, expected);
    assert!(
        error <= tolerance,
        "{what}: error {error} above {tolerance}"
    );
}

fn gradients_close(what: &str, found: &BTreeMap<String, Tensor<1>>, expected: HostTensors) {
    assert!(!expected.0.is_empty(), "{what}: no reference gradients");
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.0.keys().collect::<Vec<_>>(),
        "{what}: parameters with gradients"
    );
    for (name, expected) in expected.0 {
        let largest = expected.values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let values = read_values(found[&name].clone())
            .block_on()
            .expect("a read");
        let tolerance = GRADIENT * largest + GRADIENT_FLOOR;
        close(
            &format!("{what} {name}"),
            &values,
            &expected.values,
            tolerance,
        );
    }
}

fn weights_close(what: &str, found: &HostTensors, expected: &HostTensors) {
    let (mut within, mut all) = (0usize, 0usize);
    for (name, expected) in &expected.0 {
        let found = &found.0[name].values;
        assert_eq!(found.len(), expected.values.len(), "{what} {name}");
        all += found.len();
        within += found
            .iter()
            .zip(&expected.values)
            .filter(|(a, b)| (*a - *b).abs() <= WEIGHT)
            .count();
    }
    assert_eq!(found.0.len(), expected.0.len(), "{what}: number of tensors");
    let share = within as f64 / all as f64;
    println!(
        "{what}: {:.3} % of {all} values within {WEIGHT}",
        share * 100.0
    );
    assert!(
        share >= WEIGHT_SHARE,
        "{what}: only {share} within {WEIGHT}"
    );
}

fn check_biggan(folder: &Path, json: &str) {
    let reference: Reference = serde_json::from_str(json).expect("config.json");
    let config = reference.train_config();
    let classes = reference.n_classes;
    let device = Device::flex();
    let cases = Cases::read(&folder.join("cases.safetensors"), &device);

    let mut state = TrainState::new(&config, &device).expect("a state");
    let load = "tensors that fit";
    state.generator =
        load_tensors(state.generator, read_pth(&folder.join("G.pth")), &device).expect(load);
    state.discriminator = load_tensors(
        state.discriminator,
        read_pth(&folder.join("D.pth")),
        &device,
    )
    .expect(load);
    state.ema.generator = state.generator.clone();

    // evaluation
    let image = state.generator.clone().forward(
        cases.tensor("eval.z"),
        cases.classes("eval.y", classes),
        Pass::EVAL,
    );
    let read = |t: Tensor<4>| read_values(t).block_on().expect("a read");
    close(
        "eval.image",
        &read(image.clone()),
        cases.values("eval.image"),
        FORWARD,
    );
    let folded = state.generator.clone().folded().forward(
        cases.tensor("eval.z"),
        cases.classes("eval.y", classes),
        Pass::EVAL,
    );
    close(
        "eval.image, folded",
        &read(folded),
        cases.values("eval.image"),
        FORWARD,
    );
    let logit = state.discriminator.clone().forward(
        cases.tensor("eval.image"),
        cases.classes("eval.y", classes),
        PowerStep::Discard,
    );
    let read2 = |t: Tensor<2>| read_values(t).block_on().expect("a read");
    close(
        "eval.logit",
        &read2(logit),
        cases.values("eval.logit"),
        FORWARD,
    );

    // three training steps
    for step in 0..3 {
        let at = |name: &str| format!("step{step}.{name}");
        let real = RealBatch {
            images: cases.tensor(&at("real")),
            class_weights: cases.classes(&at("y_real"), classes),
        };
        let latents = |z: &str, y: &str| Latents {
            z: cases.tensor(&at(z)),
            class_weights: cases.classes(&at(y), classes),
        };
        let before = state.discriminator.clone();
        let (next, d) =
            discriminator_step(state, &config, real, latents("z_d", "y_d")).expect("a D step");
        let after_d = next.clone();
        let (next, g) =
            generator_step(next, &config, latents("z_g", "y_g"), None).expect("a G step");
        state = next;
        let scalar = |t: Tensor<1>| read_values(t).block_on().expect("a read")[0];
        for (name, found) in [("loss_d", scalar(d.loss)), ("loss_g", scalar(g.loss))] {
            let expected = cases.values(&at(name))[0];
            close(
                &at(name),
                &[found],
                &[expected],
                LOSS * expected.abs().max(1.0),
            );
        }
        if step == 0 {
            close(
                "fake",
                &read(d.fake_images),
                cases.values("step0.fake"),
                FORWARD,
            );
            close(
                "d_fake",
                &read2(d.fake),
                cases.values("step0.d_fake"),
                FORWARD,
            );
            close(
                "d_real",
                &read2(d.real),
                cases.values("step0.d_real"),
                FORWARD,
            );
            let expected_d = cases.under("step0.grad.D");
            let mut gradients = g.gradients;
            if !expected_d.0.is_empty() {
                gradients_close("gradient of D", &d.gradients, expected_d.clone());
                let same_d = with_step_of_reference(after_d, before, &config, expected_d);
                let (_, g) =
                    generator_step(same_d, &config, latents("z_g", "y_g"), None).expect("a G step");
                gradients = g.gradients;
            }
            gradients_close("gradient of G", &gradients, cases.under("step0.grad.G"));
        }
    }
    let host = |tensors| HostTensors::read(tensors).block_on().expect("a read");
    for (what, tensors) in [
        ("after.G", named_tensors(&state.generator)),
        ("after.D", named_tensors(&state.discriminator)),
        ("after.EMA", named_tensors(&state.ema.generator)),
    ] {
        let expected = cases.under(what);
        if !expected.0.is_empty() {
            weights_close(what, &host(tensors), &expected);
        }
    }
}

/// The state with D as Adam leaves it after the *reference's* gradients.
///
/// Adam with beta1 = 0 turns a gradient of 1e-7 whose last digits differ into another step, and that
/// moves G's gradient by per cents. G's gradient is therefore compared behind the same D.
fn with_step_of_reference(
    mut state: TrainState,
    before: Discriminator,
    config: &TrainConfig,
    gradients: HostTensors,
) -> TrainState {
    let device = before.linear.weight.val().device();
    let gradients: BTreeMap<String, Tensor<1>> = gradients
        .0
        .into_iter()
        .map(|(name, gradient)| (name, gradient.into_device(&device)))
        .collect();
    let stepped = AdamMoments::default()
        .step(&config.adam_d, before, gradients)
        .expect("an Adam step");
    state.discriminator = adopt_state(stepped, &state.discriminator).expect("the same names");
    state
}

fn fixture_folders() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let further = std::env::var_os("BIGGAN_FIXTURES").map(PathBuf::from);
    let mut folders: Vec<PathBuf> = std::iter::once(own)
        .chain(further)
        .flat_map(|root| {
            let entries = std::fs::read_dir(&root)
                .unwrap_or_else(|error| panic!("fixtures {}: {error}", root.display()));
            entries.map(|entry| entry.expect("a folder entry").path())
        })
        .filter(|path| path.join("config.json").is_file())
        .collect();
    folders.sort();
    folders
}

#[test]
fn parity_with_the_public_implementations() {
    let mut checked = Vec::new();
    for folder in fixture_folders() {
        let json = std::fs::read_to_string(folder.join("config.json")).expect("config.json");
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let kind = value["kind"].as_str().unwrap_or_default();
        let mybn = value["mybn"].as_bool().unwrap_or(false);
        if kind != "biggan" || mybn {
            println!(
                "skipped {}: kind {kind:?} is not read yet",
                folder.display()
            );
            continue;
        }
        println!("checking {}", folder.display());
        check_biggan(&folder, &json);
        checked.push(folder);
    }
    assert!(
        checked.len() >= 2,
        "the project's own fixtures are missing: {checked:?}"
    );
}
