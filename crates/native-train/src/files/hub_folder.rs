//! A model as a repository of Hugging Face's hub: weights, `config.json`, and a card whose first lines the hub reads
//! ("Model Cards" of the hub's documentation).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use biggan::file::ModelInfo;
use serde_json::{Value, json};

/// Name of the weights.
pub const WEIGHTS: &str = "model.safetensors";
/// Name of the card.
pub const CARD: &str = "README.md";
/// Name of the sheet of samples.
pub const SHEET: &str = "samples.png";
const CONFIG: &str = "config.json";
/// Classes that the card names.
const NAMED: usize = 24;

/// The config beside the weights: the model's own description, as its file has it too.
///
/// # Errors
/// If a number of it is not finite.
pub fn config(directory: &Path, info: &ModelInfo) -> Result<(PathBuf, Vec<u8>)> {
    let mut config = json!({ "model_type": "biggan" });
    if let (Value::Object(all), Value::Object(own)) = (&mut config, serde_json::to_value(info)?) {
        all.extend(own);
    }
    Ok((
        directory.join(CONFIG),
        serde_json::to_string_pretty(&config)?.into_bytes(),
    ))
}

/// The card: facts for the hub, a sheet, how to use the model, its scores with their protocols.
pub fn card(name: &str, info: &ModelInfo, license: Option<&str>) -> String {
    let mut card = String::from("---\n");
    facts(&mut card, name, info, license);
    card.push_str("---\n\n");
    let side = info.generator.resolution;
    let _ = writeln!(card, "# {name}\n\n![samples]({SHEET})\n");
    let _ = writeln!(
        card,
        "A class-conditional generator of {side}x{side} images, {} classes: BigGAN (Brock, Donahue and Simonyan 2018, \
         arXiv:1809.11096).\n",
        info.class_names.len()
    );
    let named = info
        .class_names
        .iter()
        .take(NAMED)
        .map(|name| markdown(name))
        .collect::<Vec<_>>();
    let more = info.class_names.len().saturating_sub(NAMED);
    let and = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let _ = writeln!(card, "Classes: {}{and}.\n", named.join(", "));
    let provenance = &info.provenance;
    let _ = writeln!(card, "| | |\n|---|---|");
    let data = format!(
        "{}, {} images",
        markdown(&info.dataset.name),
        info.dataset.images
    );
    for (key, value) in [
        ("data", data),
        ("recipe", markdown(&provenance.recipe)),
        ("images seen by D", provenance.images_seen.to_string()),
        ("generator steps", provenance.g_step.to_string()),
        ("program", markdown(&provenance.program)),
    ] {
        let _ = writeln!(card, "| {key} | {value} |");
    }
    card.push_str(
        "\n## Use\n\nFetched by its name, with `OWNER` in place of the account that has it:\n\n",
    );
    let class = info.class_names.first().map_or("0", String::as_str);
    let _ = writeln!(
        card,
        "```sh\nnative-train sample hf:OWNER/{name} --class {} --truncation 0.5 --out samples.png\n```\n\n```js\nimport {{ \
         createGenerator }} from \"biggan\";\nconst generator = await createGenerator({{ model: \"hf:OWNER/{name}\" }});\n\
         const {{ samples }} = await generator.sample({{ class: 0, seed: 1 }});\n```",
        shell(class)
    );
    if !info.scores.is_empty() {
        card.push_str("\n## Scores\n\n| protocol | value |\n|---|---|\n");
        for (protocol, value) in &info.scores {
            let _ = writeln!(card, "| {} | {value:.4} |", markdown(protocol));
        }
    }
    card
}

/// The lines between `---`: YAML, of which JSON's strings are a part.
fn facts(card: &mut String, name: &str, info: &ModelInfo, license: Option<&str>) {
    let text = |text: &str| Value::from(text).to_string();
    if let Some(license) = license {
        let _ = writeln!(card, "license: {}", text(license));
    }
    card.push_str("library_name: biggan\npipeline_tag: unconditional-image-generation\ntags:\n- biggan\n- gan\n");
    let _ = writeln!(card, "datasets:\n- {}", text(&info.dataset.name));
    if info.scores.is_empty() {
        return;
    }
    let _ = writeln!(
        card,
        "model-index:\n- name: {}\n  results:\n  - task:\n      type: unconditional-image-generation\n    dataset:\n      \
         name: {1}\n      type: {1}\n    metrics:",
        text(name),
        text(&info.dataset.name)
    );
    for (protocol, value) in &info.scores {
        // a protocol begins with the score's name
        let kind = protocol.split(':').next().unwrap_or(protocol);
        let _ = writeln!(
            card,
            "    - type: {}\n      name: {}\n      value: {value}",
            text(kind),
            text(protocol)
        );
    }
}

/// Text that stands for itself in a table.
fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_control() {
            escaped.push(' ');
            continue;
        }
        if matches!(
            c,
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Text as one word of a shell.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!(
            "'{}'",
            text.replace('\'', r"'\''").replace(char::is_control, " ")
        ),
    }
}
