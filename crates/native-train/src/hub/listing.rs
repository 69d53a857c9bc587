//! What a repository of the hub has at a commit, and which of its files are a model.

use anyhow::{Context, Result, anyhow, bail};
use biggan::file::INDEX_SUFFIX;
use reqwest::StatusCode;
use reqwest::blocking::Client;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;

use super::cache::is_commit;
use super::download::{Check, Expected};
use super::name::{MAIN, Repository};
use crate::network::one_line;

/// Most bytes of a listing.
const MAX_BYTES: u64 = 64 << 20;
const MODEL_SUFFIX: &str = ".safetensors";
const TORCH_SUFFIXES: [&str; 3] = [".bin", ".pth", ".pt"];
/// The names that Hugging Face's libraries write, which come before others.
const USUAL: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];
const CONFIG: &str = "config.json";
/// D of a model's generator, which `--init` reads where it is.
const DISCRIMINATOR: &str = "discriminator.safetensors";
/// Files that a message names.
const NAMED: usize = 6;

/// A commit and its files.
#[derive(Debug, Deserialize)]
pub struct Listing {
    pub sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    #[serde(rename = "rfilename")]
    name: String,
    #[serde(default)]
    size: Option<u64>,
    /// Git's checksum of the file, or of what stands for a large one.
    #[serde(default, rename = "blobId")]
    blob: Option<String>,
    #[serde(default)]
    lfs: Option<Large>,
}

#[derive(Debug, Deserialize)]
struct Large {
    sha256: String,
    size: u64,
}

/// The files of a model, by their names in the repository.
#[derive(Debug, PartialEq, Eq)]
pub struct Chosen {
    pub weights: String,
    pub config: Option<String>,
    /// Parts, of a model that is an index, and a discriminator.
    others: Vec<String>,
}

impl Chosen {
    /// All files, the weights last.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let others = self.config.iter().chain(&self.others);
        others
            .chain(std::iter::once(&self.weights))
            .map(String::as_str)
    }
}

impl Listing {
    /// Asks the hub.
    ///
    /// # Errors
    /// If it cannot be reached, has no such repository or revision, or does not show it; the message has the remedy.
    pub fn get(
        client: &Client,
        endpoint: &str,
        token: Option<&str>,
        repository: &Repository,
    ) -> Result<Self> {
        let Repository { id, revision, .. } = repository;
        let url = format!(
            "{endpoint}/api/models/{id}/revision/{}?blobs=true",
            revision.replace('/', "%2F")
        );
        let mut request = client.get(&url);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = request.send().map_err(one_line).with_context(|| {
            format!("{endpoint} cannot be reached; set HF_ENDPOINT if a mirror can")
        })?;
        let status = response.status();
        if !status.is_success() {
            let code = response
                .headers()
                .get("x-error-code")
                .and_then(|code| code.to_str().ok());
            return Err(refusal(status, code, endpoint, token.is_some(), repository));
        }
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(response, MAX_BYTES), &mut bytes)
            .map_err(|error| anyhow!("{url}: the answer broke off: {error}"))?;
        let listing: Self = serde_json::from_slice(&bytes).map_err(|error| {
            anyhow!("{url}: the answer lists no files ({error}); is HF_ENDPOINT a hub?")
        })?;
        if !is_commit(&listing.sha) {
            bail!(
                "{url}: the answer names the commit {:?}, expected 40 hex digits",
                listing.sha
            );
        }
        Ok(listing)
    }

    /// The names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.siblings.iter().map(|file| file.name.as_str())
    }

    /// The name of a file's content in the cache, and what it must be.
    ///
    /// # Errors
    /// If the hub states no checksum.
    pub fn expected(&self, name: &str) -> Result<(String, Expected)> {
        let file = self.siblings.iter().find(|file| file.name == name);
        let file = file.with_context(|| format!("{name} is not listed"))?;
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        match (&file.lfs, &file.blob) {
            (Some(large), _) if hex(&large.sha256, 64) => Ok((
                large.sha256.clone(),
                Expected {
                    bytes: Some(large.size),
                    check: Check::Sha256(large.sha256.clone()),
                },
            )),
            (None, Some(blob)) if hex(blob, 40) => Ok((
                blob.clone(),
                Expected {
                    bytes: file.size,
                    check: Check::GitBlob(blob.clone()),
                },
            )),
            _ => bail!(
                "the hub states no checksum of {name}; fetch it by other means and give its path"
            ),
        }
    }
}

/// Which files are the model: the one that is named, an index with its parts, a model file, or another program's weights.
///
/// # Errors
/// If there are none, or several and none of a usual name; the message names files that are there.
pub fn choose<S: AsRef<str>>(names: &[S], named: Option<&str>) -> Result<Chosen> {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let weights = match named {
        Some(named) if names.contains(&named) => named,
        Some(named) => bail!("it has no file {named}{}", listed(&names)),
        None => weights(&names)?,
    };
    let (directory, name) = weights
        .rsplit_once('/')
        .map_or(("", weights), |(directory, name)| (directory, name));
    let beside = |name: &str| match directory {
        "" => name.to_owned(),
        directory => format!("{directory}/{name}"),
    };
    let is_torch = TORCH_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    let config = Some(beside(CONFIG)).filter(|config| is_torch && names.contains(&config.as_str()));
    let stem = name
        .strip_suffix(INDEX_SUFFIX)
        .map(|stem| beside(stem) + "-");
    let discriminator = beside(DISCRIMINATOR);
    let is_other = |name: &&str| {
        let is_part = stem
            .as_ref()
            .is_some_and(|stem| name.starts_with(stem) && name.ends_with(MODEL_SUFFIX));
        is_part || (!is_torch && *name == discriminator)
    };
    let others = names
        .iter()
        .copied()
        .filter(is_other)
        .map(str::to_owned)
        .collect();
    Ok(Chosen {
        weights: weights.to_owned(),
        config,
        others,
    })
}

fn weights<'a>(names: &[&'a str]) -> Result<&'a str> {
    let here = || names.iter().copied().filter(|name| !name.contains('/'));
    if let Some(index) = here().find(|name| name.ends_with(INDEX_SUFFIX)) {
        return Ok(index);
    }
    if let Some(usual) = USUAL
        .iter()
        .find_map(|usual| here().find(|name| name == usual))
    {
        return Ok(usual);
    }
    let models: Vec<&str> = here()
        .filter(|name| name.ends_with(MODEL_SUFFIX) && *name != DISCRIMINATOR)
        .collect();
    let torch = here().filter(|name| TORCH_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)));
    let found = if models.is_empty() {
        torch.collect()
    } else {
        models
    };
    match found[..] {
        [one] => Ok(one),
        [] => bail!(
            "it has no weights ({MODEL_SUFFIX}, .bin, .pth){}",
            listed(names)
        ),
        _ => bail!(
            "it has several weights; name one as hf:OWNER/REPOSITORY/FILE{}",
            listed(&found)
        ),
    }
}

fn listed(names: &[&str]) -> String {
    let some = names[..names.len().min(NAMED)].join(", ");
    match names.len() {
        0 => "; it has no files at all".to_owned(),
        all if all > NAMED => format!("; it has {some} and {} more", all - NAMED),
        _ => format!("; it has {some}"),
    }
}

/// Why the hub does not show a repository. It says 401 to strangers of what is private and of what is not there.
fn refusal(
    status: StatusCode,
    code: Option<&str>,
    endpoint: &str,
    has_token: bool,
    repository: &Repository,
) -> anyhow::Error {
    let Repository { id, revision, .. } = repository;
    let page = format!("{endpoint}/{id}");
    match (status, code) {
        (_, Some("GatedRepo")) | (StatusCode::FORBIDDEN, _) => anyhow!(
            "{page} is shown only to those who accepted its terms ({status}); accept them there, then set HF_TOKEN to a token \
             of yours"
        ),
        (_, Some("RevisionNotFound")) => {
            anyhow!("{page} has no revision {revision}; leave @{revision} out for {MAIN}")
        }
        (StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND, _) => {
            let remedy = if has_token {
                "your HF_TOKEN may not see it"
            } else {
                "it is private and wants HF_TOKEN"
            };
            anyhow!("there is no {page} ({status}), or {remedy}; check the name")
        }
        _ => anyhow!("{page}: the hub answers {status}; try again later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_found_by_their_names() {
        let chosen = |names: &[&str]| {
            choose(names, None).map(|chosen| chosen.all().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(
            chosen(&["README.md", "config.json", "model.safetensors"]).unwrap(),
            ["model.safetensors"]
        );
        assert_eq!(
            chosen(&["a.safetensors", "d/b.safetensors"]).unwrap(),
            ["a.safetensors"]
        );
        assert_eq!(
            chosen(&["a.safetensors", DISCRIMINATOR]).unwrap(),
            [DISCRIMINATOR, "a.safetensors"]
        );
        assert_eq!(
            chosen(&["config.json", "pytorch_model.bin"]).unwrap(),
            ["config.json", "pytorch_model.bin"]
        );
        assert_eq!(chosen(&["G_ema.pth"]).unwrap(), ["G_ema.pth"]);
        let parts = [
            "m.safetensors.index.json",
            "m-00001-of-00002.safetensors",
            "m-00002-of-00002.safetensors",
        ];
        assert_eq!(chosen(&parts).unwrap(), [parts[1], parts[2], parts[0]]);
        let words = |names: &[&str]| chosen(names).unwrap_err().to_string();
        assert!(words(&["a.safetensors", "b.safetensors"]).contains("name one as hf:"));
        assert!(
            words(&["README.md"]).contains("no weights")
                && words(&["README.md"]).contains("README.md")
        );
        assert!(words(&[]).contains("no files at all"));
        let one = choose(
            &["d/config.json", "d/G.pth", "x.bin", "y.bin"],
            Some("d/G.pth"),
        )
        .unwrap();
        assert_eq!(one.all().collect::<Vec<_>>(), ["d/config.json", "d/G.pth"]);
        assert!(
            choose(&["a"], Some("b"))
                .unwrap_err()
                .to_string()
                .contains("no file b")
        );
    }

    #[test]
    fn checksums_are_those_of_the_content() {
        let listing: Listing = serde_json::from_str(
            r#"{"sha": "0", "siblings": [
                {"rfilename": "a", "size": 9, "blobId": "0123456789012345678901234567890123456789"},
                {"rfilename": "b", "size": 5, "blobId": "0123456789012345678901234567890123456789",
                 "lfs": {"sha256": "0123456789012345678901234567890123456789012345678901234567890123", "size": 5, "pointerSize": 1}},
                {"rfilename": "c"}, {"rfilename": "d", "blobId": "../../x"}]}"#,
        )
        .unwrap();
        let kind = |name: &str| {
            listing
                .expected(name)
                .map(|(_, expected)| (expected.bytes, matches!(expected.check, Check::Sha256(_))))
        };
        assert_eq!(kind("a").unwrap(), (Some(9), false));
        assert_eq!(kind("b").unwrap(), (Some(5), true));
        assert!(kind("c").is_err() && kind("d").is_err());
    }
}
