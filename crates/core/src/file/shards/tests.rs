//! Round trips and hostile indices.

use super::super::model_file::tests::tiny;
use super::*;
use crate::error::{ErrorFields, ErrorKind};

type Files = BTreeMap<String, Vec<u8>>;
const INDEX: &str = "model.safetensors.index.json";

/// Three parts, one a tensor.
fn files() -> Files {
    let files = tiny().encode_shards("model", Dtype::F32, 1).unwrap();
    assert_eq!(files.last().unwrap().0, INDEX);
    files.into_iter().collect()
}

fn read(files: &Files) -> Result<ModelFile> {
    ModelFile::decode_shards(&files[INDEX], |name| {
        files
            .get(name)
            .ok_or_else(|| Error::file(name).found("not there"))
    })
}

/// The error after a change of the index.
fn error_after(change: impl FnOnce(&mut serde_json::Value, &mut Files)) -> Error {
    let mut files = files();
    let mut index: serde_json::Value = serde_json::from_slice(&files[INDEX]).unwrap();
    change(&mut index, &mut files);
    files.insert(INDEX.into(), index.to_string().into_bytes());
    read(&files).unwrap_err()
}

fn refused(change: impl FnOnce(&mut serde_json::Value, &mut Files)) -> String {
    error_after(change).to_string()
}

const FIRST: &str = "model-00001-of-00003.safetensors";
const SECOND: &str = "model-00002-of-00003.safetensors";

#[test]
fn parts_round_trip_and_keep_the_bound() {
    for dtype in [Dtype::F32, Dtype::F16] {
        for max_bytes in [1, 700, 1 << 20] {
            let files = tiny().encode_shards("model", dtype, max_bytes).unwrap();
            for (name, bytes) in &files[..files.len() - 1] {
                let alone = open(bytes).unwrap().entries.len() == 1;
                assert!(bytes.len() <= max_bytes || alone, "{name}: {}", bytes.len());
            }
            assert_eq!(
                files,
                tiny().encode_shards("model", dtype, max_bytes).unwrap()
            );
            assert_eq!(read(&files.into_iter().collect()).unwrap(), tiny());
        }
    }
    let names: Vec<String> = files().into_keys().collect();
    assert_eq!(names[..2], [FIRST, SECOND]);
    assert_eq!(names.len(), 4);
    let whole = tiny().encode_shards("m", Dtype::F32, 1 << 20).unwrap();
    assert_eq!(whole[0].0, "m-00001-of-00001.safetensors");
}

#[test]
fn the_index_has_the_usual_form() {
    let index: serde_json::Value = serde_json::from_slice(&files()[INDEX]).unwrap();
    assert_eq!(index["metadata"]["total_size"], 4 * (40 + 27 + 3));
    assert_eq!(index["weight_map"]["linear.weight"], FIRST);
}

#[test]
fn names_that_lead_elsewhere_are_refused_before_anything_is_read() {
    for name in [
        "../model.safetensors",
        "/etc/model.safetensors",
        "a/b.safetensors",
        "a\\b.safetensors",
        "C:b.safetensors",
        "..safetensors",
        ".safetensors",
        "model.bin",
        "",
    ] {
        let mut index: serde_json::Value = serde_json::from_slice(&files()[INDEX]).unwrap();
        index["weight_map"]["linear.weight"] = name.into();
        let error = ModelFile::decode_shards(index.to_string().as_bytes(), |part| {
            panic!("{part} was read") as Result<Vec<u8>>
        });
        let message = error.unwrap_err().to_string();
        assert!(
            message.contains(&format!("name of a part is {name:?}")),
            "{message}"
        );
    }
    assert!(tiny().encode_shards("a/b", Dtype::F32, 1).is_err());
}

#[test]
fn parts_that_are_missing_or_changed_are_refused() {
    let message = refused(|_, files| drop(files.remove(SECOND)));
    assert!(
        message.contains(SECOND) && message.contains("not there"),
        "{message}"
    );
    let error = error_after(|_, files| *files.get_mut(SECOND).unwrap().last_mut().unwrap() ^= 1);
    let ErrorFields { name, place, .. } = error.fields();
    assert_eq!(
        (name.as_str(), place.as_deref()),
        ("its SHA-256", Some(SECOND))
    );
    assert_eq!(error.kind(), ErrorKind::File);
    let message = refused(|index, _| {
        drop(
            index["metadata"]["sha256"]
                .as_object_mut()
                .unwrap()
                .remove(FIRST),
        );
    });
    assert!(
        message.contains(FIRST) && message.contains("SHA-256 is not in the index"),
        "{message}"
    );
}

#[test]
fn tensors_that_are_elsewhere_are_refused() {
    // the second part is a copy of the first: its tensor stands in both
    let message = refused(|index, files| {
        files.insert(SECOND.into(), files[FIRST].clone());
        index["metadata"]["sha256"][SECOND] = index["metadata"]["sha256"][FIRST].clone();
    });
    assert!(
        message.contains("linear.weight") && message.contains(FIRST),
        "{message}"
    );
    let message = refused(|index, _| index["weight_map"]["extra"] = FIRST.into());
    assert!(message.contains("tensor extra is missing"), "{message}");
    let message = refused(|index, _| {
        drop(
            index["weight_map"]
                .as_object_mut()
                .unwrap()
                .remove("linear.weight"),
        );
        index["weight_map"]["other"] = FIRST.into();
    });
    assert!(
        message.contains("linear.weight is not in the index"),
        "{message}"
    );
    let message = refused(|index, _| index["metadata"]["total_size"] = 7.into());
    assert!(
        message.contains("280 bytes") && message.contains("expected 7 bytes"),
        "{message}"
    );
}

#[test]
fn an_index_of_another_kind_is_refused() {
    let listed_twice = String::from_utf8(files()[INDEX].clone())
        .unwrap()
        .replace("\"output_conv.weight\"", "\"linear.weight\"");
    for (index, part) in [
        (listed_twice.as_str(), "\"linear.weight\" is listed twice"),
        ("{", "not an index"),
        (
            r#"{"metadata": {"total_size": 4}, "weight_map": {}}"#,
            "not stated",
        ),
        (
            r#"{"metadata": {"total_size": 4, "format": "biggan", "format_version": "9"},
                "weight_map": {}}"#,
            "format_version is 9",
        ),
    ] {
        let files = Files::from([(INDEX.to_owned(), index.as_bytes().to_vec())]);
        let message = read(&files).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    // one part alone is no model
    let message = ModelFile::decode(&files()[FIRST]).unwrap_err().to_string();
    assert!(message.contains("index.json"), "{message}");
}

#[test]
fn the_info_is_replaced_and_parts_stay() {
    let mut files = files();
    let mut model = tiny();
    model.info.scores.insert("a score".into(), 0.25);
    let index = ModelFile::replace_info_in_index(&files[INDEX], &model.info).unwrap();
    files.insert(INDEX.into(), index);
    assert_eq!(read(&files).unwrap(), model);
}

#[test]
fn sha256_of_a_known_text() {
    // FIPS 180-2, appendix B.1
    assert_eq!(
        sha256_hex(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
