//! Names of models: `hf:OWNER/REPOSITORY`, and short ones for the weights of the paper's authors.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Error, Result};

use crate::error::bad_usage;

/// Begins a name of a repository.
const PREFIX: &str = "hf:";
/// What a name without a revision means.
pub const MAIN: &str = "main";

/// A repository of models on the hub, at a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// `OWNER/REPOSITORY`.
    pub id: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// The file of the weights, where the repository has several.
    pub file: Option<String>,
}

/// What a short name stands for: weights and their config, by their addresses.
#[derive(Debug, PartialEq, Eq)]
pub struct Published {
    /// The name that is typed.
    pub name: &'static str,
    /// Address of PyTorch weights.
    pub weights: &'static str,
    /// Address of their `config.json`.
    pub config: &'static str,
}

/// Weights of the paper's authors, as converted for pytorch-pretrained-BigGAN, at the addresses of that program
/// (`model.py` and `config.py` there).
pub const PUBLISHED: [Published; 3] = [
    Published {
        name: "biggan-deep-128",
        weights: "https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-128-pytorch_model.bin",
        config: "https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-128-config.json",
    },
    Published {
        name: "biggan-deep-256",
        weights: "https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-256-pytorch_model.bin",
        config: "https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-256-config.json",
    },
    Published {
        name: "biggan-deep-512",
        weights: "https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-512-pytorch_model.bin",
        config: "https://s3.amazonaws.com/models.huggingface.co/biggan/biggan-deep-512-config.json",
    },
];

/// A model that is fetched by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// Of the hub.
    Hub(Repository),
    /// By a short name.
    Published(&'static Published),
}

impl Name {
    /// The name that a path is; `None` if it is the path of a file. A file that is there comes before a short name.
    ///
    /// # Errors
    /// If it begins as a name of the hub and is none.
    pub fn of(path: &Path) -> Result<Option<Self>> {
        let Some(text) = path.to_str() else {
            return Ok(None);
        };
        if text.starts_with(PREFIX) {
            return text.parse().map(Some);
        }
        let known = PUBLISHED.iter().find(|known| known.name == text);
        Ok(known.filter(|_| !path.exists()).map(Self::Published))
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(known) = PUBLISHED.iter().find(|known| known.name == text) {
            return Ok(Self::Published(known));
        }
        let refused = || {
            let short: Vec<&str> = PUBLISHED.iter().map(|known| known.name).collect();
            bad_usage(format!(
                "{text:?} names no model; give hf:OWNER/REPOSITORY, hf:OWNER/REPOSITORY@REVISION, \
                 hf:OWNER/REPOSITORY/FILE or one of {}",
                short.join(", ")
            ))
        };
        let name = text.strip_prefix(PREFIX).ok_or_else(refused)?;
        let (path, revision) = name.split_once('@').unwrap_or((name, MAIN));
        let mut parts = path.split('/');
        let (owner, repository) = (parts.next(), parts.next());
        let (Some(owner), Some(repository)) = (owner, repository) else {
            return Err(refused());
        };
        let file: Vec<&str> = parts.collect();
        // a branch may have slashes, as in refs/pr/1
        let pieces = [owner, repository].into_iter().chain(file.iter().copied());
        if !pieces.chain(revision.split('/')).all(is_plain) {
            return Err(refused());
        }
        Ok(Self::Hub(Repository {
            id: format!("{owner}/{repository}"),
            revision: revision.to_owned(),
            file: (!file.is_empty()).then(|| file.join("/")),
        }))
    }
}

/// Whether a piece of a name can be a name of a file too, wherever it is written.
fn is_plain(piece: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=200).contains(&piece.len()) && piece.chars().all(plain) && !piece.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(text: &str) -> Repository {
        match text.parse().unwrap() {
            Name::Hub(repository) => repository,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_have_an_owner_a_repository_and_perhaps_more() {
        let plain = hub("hf:owner/a-model_1.0");
        assert_eq!(
            (plain.id.as_str(), plain.revision.as_str()),
            ("owner/a-model_1.0", MAIN)
        );
        assert_eq!(plain.file, None);
        assert_eq!(hub("hf:o/m@refs/pr/1").revision, "refs/pr/1");
        let one = hub("hf:o/m/ema/a.safetensors@v2");
        assert_eq!(
            (one.file.as_deref(), one.revision.as_str()),
            (Some("ema/a.safetensors"), "v2")
        );
    }

    #[test]
    fn what_could_leave_the_cache_is_no_name() {
        for text in [
            "hf:",
            "hf:owner",
            "hf:owner/",
            "hf:/model",
            "hf:o/..",
            "hf:../m",
            "hf:o/m/../../x",
            "hf:o/m@../x",
            "hf:o/m@",
            "hf:o/m x",
            "hf:o/m?x",
            "hf:o/m\\x",
            "hf:o/m/",
            "o/m",
            "biggan-deep-1024",
        ] {
            let words = text.parse::<Name>().unwrap_err().to_string();
            assert!(
                words.contains("hf:OWNER/REPOSITORY") && words.contains("biggan-deep-512"),
                "{text}: {words}"
            );
        }
    }

    #[test]
    fn a_file_comes_before_a_short_name() {
        assert_eq!(
            Name::of(Path::new("biggan-deep-256")).unwrap(),
            Some(Name::Published(&PUBLISHED[1]))
        );
        assert_eq!(Name::of(Path::new("model.safetensors")).unwrap(), None);
        assert_eq!(Name::of(Path::new("hf/model")).unwrap(), None);
        assert!(Name::of(Path::new("hf:model")).is_err());
    }
}
