//! Imported models against the images and logits of the programs that they come from.

use std::path::{Path, PathBuf};

use biggan::import::{self, Imported, Purpose, Source};
use biggan::latent::Latents;
use biggan::model::Discriminator;
use biggan::named::{load_tensors, read_values};
use biggan::sampler::Sampler;
use biggan::truncation::Truncation;
use burn::tensor::{Device, Tensor};
use pollster::FutureExt;

use super::cases::{Cases, FORWARD, close};

/// The files of a generator in a fixture, those that it has.
fn generators(folder: &Path) -> Vec<PathBuf> {
    let names = ["pytorch_model.bin", "G_ema.pth", "G.pth", "G_zip.pth"];
    let files = names.map(|name| folder.join(name)).into_iter();
    files.filter(|path| path.is_file()).collect()
}

pub fn check(folder: &Path, source: Source, json: &str) {
    let device = Device::flex();
    let cases = Cases::read(&folder.join("cases.safetensors"), &device);
    for path in generators(folder) {
        let bytes = std::fs::read(&path).expect("weights");
        let (file, report) = import::model(source, &bytes, Some(json)).expect("a model");
        println!("{}", report.summary());
        // through the file, as a user does
        let bytes = file.encode(biggan::file::Dtype::F32).expect("a file");
        let file = biggan::file::ModelFile::decode(&bytes).expect("a model file");
        let sampler = Sampler::new(file, &device).expect("a sampler");
        if cases.has("0.image") {
            check_truncations(&sampler, &cases);
        } else {
            let classes = sampler.info().generator.classes;
            let y = cases.classes("eval.y", classes);
            generate(
                &sampler,
                &cases,
                ["eval.z", "eval.image"],
                y,
                Truncation::Off,
            );
        }
    }
    let path = folder.join("D.pth");
    if path.is_file() {
        let bytes = std::fs::read(&path).expect("weights");
        check_discriminator(source, &bytes, json, &cases, &device);
    }
}

/// Cases `k.z`, `k.class_vector`, `k.truncation`, `k.image` for k = 0, 1, ..
fn check_truncations(sampler: &Sampler, cases: &Cases) {
    for case in (0..).take_while(|case| cases.has(&format!("{case}.image"))) {
        let at = |name: &str| format!("{case}.{name}");
        // a decimal that f32 rounded
        let t = f64::from(cases.values(&at("truncation"))[0]);
        let t = Truncation::Threshold((t * 1e6).round() / 1e6);
        let classes = cases.tensor(&at("class_vector"));
        generate(sampler, cases, [&at("z"), &at("image")], classes, t);
    }
}

fn generate(
    sampler: &Sampler,
    cases: &Cases,
    [z, image]: [&str; 2],
    classes: Tensor<2>,
    truncation: Truncation,
) {
    let latents = Latents {
        z: cases.tensor(z),
        class_weights: classes,
    };
    let found = sampler.generate(latents, truncation).block_on();
    let found = found.expect("images").images_pm1;
    close(image, &found, cases.values(image), FORWARD);
}

fn check_discriminator(source: Source, bytes: &[u8], json: &str, cases: &Cases, device: &Device) {
    let Imported {
        config,
        tensors,
        report,
        ..
    } = import::discriminator(source, bytes, Some(json), Purpose::Inference).expect("D");
    println!("{}", report.summary());
    let fresh = Discriminator::zeros(&config, device).expect("D");
    let discriminator = load_tensors(fresh, tensors, device).expect("tensors that fit");
    let logit = discriminator.evaluate(
        cases.tensor("eval.image"),
        cases.classes("eval.y", config.classes),
    );
    let logit = read_values(logit).block_on().expect("a read");
    close("eval.logit", &logit, cases.values("eval.logit"), FORWARD);
}
