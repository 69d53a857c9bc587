//! Parity with the public implementations, through the importer: every folder of `tests/fixtures` and
//! of `$BIGGAN_FIXTURES` that has a `config.json` (see `fixtures/README.md`).

use std::path::PathBuf;

use biggan::import::Source;

use crate::support::fixtures::fixture;

mod cases;
mod feature_networks;
mod inference;
mod training;

fn fixture_folders() -> Vec<PathBuf> {
    let own = fixture("");
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

/// Whose fixture it is: `kind` of its config, which those of pytorch-pretrained-BigGAN have not.
fn source(json: &str) -> Source {
    let config: serde_json::Value = serde_json::from_str(json).expect("config.json");
    match config["kind"].as_str() {
        Some("biggan" | "biggan-deep") => Source::BigganPytorch,
        Some("studiogan") => Source::Studiogan,
        None if config["layers"].is_array() => Source::HfDeep,
        other => panic!("config.json of an unknown kind {other:?}"),
    }
}

#[test]
fn parity_with_the_public_implementations() {
    let mut found = [0; 3];
    for folder in fixture_folders() {
        println!("checking {}", folder.display());
        let json = std::fs::read_to_string(folder.join("config.json")).expect("config.json");
        let source = source(&json);
        inference::check(&folder, source, &json);
        if source == Source::BigganPytorch {
            training::check(&folder, &json);
        }
        found[Source::ALL
            .iter()
            .position(|&s| s == source)
            .expect("a source")] += 1;
    }
    assert!(
        found.iter().all(|&count| count > 0),
        "the project's own fixtures are missing: {found:?}"
    );
}
