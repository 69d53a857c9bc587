//! Files that earlier versions wrote (`tests/fixtures/checkpoints`).

use biggan::train::{CheckpointInfo, Session, ShortRecipe, TrainingImages, Which};
use burn::tensor::Device;
use native_train::run::checkpoint::Checkpoint;
use pollster::block_on;

use crate::support::fixtures::fixture;
use crate::support::setting::Setting;

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(&format!("checkpoints/{name}"))).unwrap()
}

/// The images of `train.pack`.
fn images() -> TrainingImages {
    let rgb: Vec<u8> = (0..9 * 16 * 16 * 3)
        .map(|i: usize| (i * i % 251) as u8)
        .collect();
    let labels = (0..9).map(|i| i % 2).collect();
    let names = ["a", "b"].map(String::from).to_vec();
    TrainingImages::new("nine".to_owned(), names, 16, &rgb, labels).unwrap()
}

#[test]
fn a_checkpoint_of_a_run_is_written_again_to_the_byte() {
    let old = bytes("native.safetensors");
    let checkpoint = Checkpoint::decode(&old).unwrap();
    assert_eq!(checkpoint.plan.train().generator.resolution, 16);
    let new = checkpoint.encode().unwrap();
    let (old, new) = (file(&old), file(&new));
    assert!(old.values == new.values, "the values differ");
    // only the digests are new
    let mut header = new.header;
    let metadata = header["__metadata__"].as_object_mut().unwrap();
    assert!(metadata.remove("tensors_crc32").is_some());
    assert!(metadata.remove("metadata_crc32").is_some());
    assert_eq!(header, old.header);
}

/// Header and values of a safetensors file.
struct File {
    header: serde_json::Value,
    values: Vec<u8>,
}

fn file(bytes: &[u8]) -> File {
    let (len, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, values) = rest.split_at(u64::from_le_bytes(*len) as usize);
    File {
        header: serde_json::from_slice(header).unwrap(),
        values: values.to_vec(),
    }
}

#[test]
fn a_checkpoint_of_a_browser_goes_on_in_a_session() {
    let old = bytes("browser.safetensors");
    let (info, _) = CheckpointInfo::<serde_json::Map<_, _>>::decode(&old).unwrap();
    let recipe: ShortRecipe = serde_json::from_str(&info.more["recipe"]).unwrap();
    let mut session = Session::start(recipe, images(), Device::flex()).unwrap();
    session.resume(&old).unwrap();
    let report = block_on(session.step(Which::Both)).unwrap();
    assert_eq!((report.g_step, report.d_step), (2, 4));
    // and what is saved names the same plan
    let saved = block_on(session.checkpoint(info.plan.clone())).unwrap();
    let (again, _) = CheckpointInfo::<serde_json::Map<_, _>>::decode(&saved).unwrap();
    assert_eq!((again.plan, again.config), (info.plan, info.config));
}

#[test]
fn a_checkpoint_of_a_browser_goes_on_with_its_images() {
    assert!(
        images().packed().unwrap() == bytes("train.pack"),
        "the bytes differ"
    );
    let setting = Setting::new();
    std::fs::create_dir(setting.path("images")).unwrap();
    std::fs::copy(
        fixture("checkpoints/train.pack"),
        setting.path("images/train.pack"),
    )
    .unwrap();
    let config = fixture("checkpoints/browser.safetensors")
        .display()
        .to_string();
    let data = ["--set", "data.path=images"];
    let args = [
        "--config", &config, "--resume", "--out", "run", "--steps", "1",
    ];
    setting.ok(&[&args[..], &data].concat());
    let bytes = std::fs::read(setting.newest_checkpoint("run")).unwrap();
    let counters = Checkpoint::decode(&bytes).unwrap().counters;
    assert_eq!((counters.g_step, counters.d_step), (2, 4));
}
