//! Models by name: what a hub has of them, fetched once and kept.
//!
//! The protocol is that of Hugging Face's hub: `GET /api/models/ID/revision/REVISION?blobs=true` lists a commit's files
//! with their checksums, and `GET /ID/resolve/COMMIT/FILE` leads to their content. What is kept is in the directory of
//! Hugging Face's own libraries, so that neither fetches what the other has.

mod cache;
mod download;
mod listing;
mod name;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use reqwest::blocking::Client;

pub use self::name::{Name, PUBLISHED, Published, Repository};

use self::cache::Cache;
use self::download::{Check, Download, Expected};
use self::listing::Listing;
use crate::error::bad_usage;
use crate::network::client;

/// Where names lead without `HF_ENDPOINT`.
const ENDPOINT: &str = "https://huggingface.co";
/// Variables that are read.
const VARIABLE_ENDPOINT: &str = "HF_ENDPOINT";
const VARIABLE_TOKEN: &str = "HF_TOKEN";
const VARIABLE_OFFLINE: &str = "HF_HUB_OFFLINE";

/// A hub, and the directories of what is kept of it.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    endpoint: String,
    token: Option<String>,
    /// In Hugging Face's layout; `None` if the process has no home.
    hub: Option<PathBuf>,
    /// Files that only this program makes or fetches.
    own: Option<PathBuf>,
    /// Nothing may be asked of the network.
    offline: bool,
}

/// A model's files, as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The weights: a model file, its index, or weights of another program.
    pub weights: PathBuf,
    /// `config.json` of another program's weights.
    pub config: Option<PathBuf>,
    /// The commit, of a hub's model.
    pub commit: Option<String>,
}

impl Hub {
    /// From the variables that Hugging Face's libraries read: `HF_ENDPOINT`, `HF_TOKEN` (or the file `token` that a login
    /// leaves), `HF_HUB_CACHE`, `HF_HOME` and `HF_HUB_OFFLINE`; its own files are in `$XDG_CACHE_HOME/biggan`.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| {
            let value = variable(name)?.into_string().ok()?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let directory = |name: &str| {
            variable(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let caches = directory("XDG_CACHE_HOME")
            .or_else(|| directory("HOME").map(|home| home.join(".cache")));
        let home = directory("HF_HOME")
            .or_else(|| caches.clone().map(|caches| caches.join("huggingface")));
        let login = || std::fs::read_to_string(home.as_ref()?.join("token")).ok();
        Self {
            endpoint: text(VARIABLE_ENDPOINT)
                .unwrap_or_else(|| ENDPOINT.to_owned())
                .trim_end_matches('/')
                .to_owned(),
            token: text(VARIABLE_TOKEN)
                .or_else(login)
                .map(|token| token.trim().to_owned())
                .filter(|token| !token.is_empty()),
            hub: directory("HF_HUB_CACHE").or_else(|| home.clone().map(|home| home.join("hub"))),
            own: caches.map(|caches| caches.join("biggan")),
            offline: text(VARIABLE_OFFLINE)
                .is_some_and(|value| !["0", "false", "no"].contains(&value.as_str())),
        }
    }

    /// The directory of models that were converted from other programs' weights.
    ///
    /// # Errors
    /// If the process has no home.
    pub fn converted(&self) -> Result<PathBuf> {
        Ok(self.own()?.join("models"))
    }

    /// The files of a model as they are kept; where none are, they are fetched.
    ///
    /// # Errors
    /// As [`Hub::fetch`].
    pub fn files(&self, name: &Name) -> Result<Files> {
        match self.kept(name)? {
            Some(kept) => Ok(kept),
            None => self.fetch(name),
        }
    }

    /// The files of a model as the hub has them now; only what is not kept is fetched.
    ///
    /// # Errors
    /// If the hub does not have it or does not show it, it has no weights, or they cannot be fetched; nothing
    /// half-written is left.
    pub fn fetch(&self, name: &Name) -> Result<Files> {
        if self.offline {
            return match self.kept(name)? {
                Some(kept) => Ok(kept),
                None => bail!(
                    "{VARIABLE_OFFLINE} is set, and nothing of it is kept in {}",
                    self.hub()?.display()
                ),
            };
        }
        match name {
            Name::Hub(repository) => self.fetch_repository(repository),
            Name::Published(published) => self.fetch_published(published),
        }
    }

    /// What is kept of a model, if it is whole.
    fn kept(&self, name: &Name) -> Result<Option<Files>> {
        let files = match name {
            Name::Published(published) => Some(self.published(published)?),
            Name::Hub(repository) => self.kept_commit(repository)?,
        };
        Ok(files.filter(Files::are_there))
    }

    /// The files of the commit that a revision had when it was fetched.
    fn kept_commit(&self, repository: &Repository) -> Result<Option<Files>> {
        let cache = Cache::new(self.hub()?, repository);
        let Some(commit) = cache.commit(&repository.revision) else {
            return Ok(None);
        };
        let snapshot = cache.snapshot(&commit);
        let names = file_names(&snapshot, repository.file.as_deref());
        let chosen = listing::choose(&names, repository.file.as_deref());
        Ok(chosen
            .ok()
            .map(|chosen| Files::of(&snapshot, &chosen, &commit)))
    }

    fn fetch_repository(&self, repository: &Repository) -> Result<Files> {
        let client = self.client()?;
        let listing = Listing::get(&client, &self.endpoint, self.token.as_deref(), repository)?;
        let names: Vec<&str> = listing.names().collect();
        let chosen = listing::choose(&names, repository.file.as_deref())
            .with_context(|| format!("{}/{}", self.endpoint, repository.id))?;
        let cache = Cache::new(self.hub()?, repository);
        let commit = &listing.sha;
        for file in chosen.all() {
            let (checksum, expected) = listing.expected(file)?;
            if !cache.snapshot(commit).join(file).exists() {
                let url = format!(
                    "{}/{}/resolve/{commit}/{file}",
                    self.endpoint, repository.id
                );
                let download = Download {
                    client: &client,
                    url: &url,
                    name: file,
                    token: self.token.as_deref(),
                    expected,
                };
                download.fetch(&cache.blob(&checksum))?;
                cache.link(commit, file, &checksum)?;
            }
        }
        // last: a revision that is recorded has its files
        cache.set_commit(&repository.revision, commit)?;
        Ok(Files::of(&cache.snapshot(commit), &chosen, commit))
    }

    /// Where the files of a short name are.
    fn published(&self, published: &Published) -> Result<Files> {
        let directory = self.own()?.join("published").join(published.name);
        Ok(Files {
            weights: directory.join("pytorch_model.bin"),
            config: Some(directory.join("config.json")),
            commit: None,
        })
    }

    fn fetch_published(&self, published: &Published) -> Result<Files> {
        let client = self.client()?;
        let files = self.published(published)?;
        let parts = [
            (published.config, files.config.as_deref()),
            (published.weights, Some(files.weights.as_path())),
        ];
        for (url, path) in parts {
            let path = path.context("a short name has a config")?;
            if path.exists() {
                continue;
            }
            let download = Download {
                client: &client,
                url,
                name: published.name,
                token: None,
                expected: Expected {
                    bytes: None,
                    check: Check::Unknown,
                },
            };
            download.fetch(path)?;
        }
        Ok(files)
    }

    /// Over https alone, unless somebody's own endpoint is without it.
    fn client(&self) -> Result<Client> {
        let schemes = ["https://", "http://"];
        match schemes
            .iter()
            .position(|scheme| self.endpoint.starts_with(scheme))
        {
            Some(number) => client(number == 0),
            None => Err(bad_usage(format!(
                "{VARIABLE_ENDPOINT} is {:?}; give an address such as {ENDPOINT}",
                self.endpoint
            ))),
        }
    }

    fn hub(&self) -> Result<&Path> {
        self.hub
            .as_deref()
            .context("there is no home for what is fetched; set HF_HOME to a directory")
    }

    fn own(&self) -> Result<&Path> {
        self.own
            .as_deref()
            .context("there is no home for what is fetched; set XDG_CACHE_HOME to a directory")
    }
}

impl Files {
    fn of(snapshot: &Path, chosen: &listing::Chosen, commit: &str) -> Self {
        Self {
            weights: snapshot.join(&chosen.weights),
            config: chosen.config.as_ref().map(|config| snapshot.join(config)),
            commit: Some(commit.to_owned()),
        }
    }

    fn are_there(&self) -> bool {
        self.weights.exists() && self.config.as_ref().is_none_or(|config| config.exists())
    }
}

/// Names of the files of a directory, and of a file in it that is deeper.
fn file_names(directory: &Path, deeper: Option<&str>) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let deeper = deeper
        .filter(|file| directory.join(file).exists())
        .map(str::to_owned);
    names.chain(deeper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(variables: &[(&str, &str)]) -> Hub {
        Hub::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name)?;
            Some(OsString::from(found.1))
        })
    }

    #[test]
    fn the_variables_of_hugging_faces_libraries_count() {
        let plain = hub(&[("HOME", "/home/a")]);
        assert_eq!((plain.endpoint.as_str(), plain.offline), (ENDPOINT, false));
        assert_eq!(
            plain.hub().unwrap(),
            Path::new("/home/a/.cache/huggingface/hub")
        );
        assert_eq!(
            plain.converted().unwrap(),
            Path::new("/home/a/.cache/biggan/models")
        );
        let set = hub(&[
            ("HOME", "/home/a"),
            ("XDG_CACHE_HOME", "/caches"),
            ("HF_ENDPOINT", "https://mirror.test/"),
            ("HF_TOKEN", " secret\n"),
            ("HF_HUB_OFFLINE", "1"),
        ]);
        assert_eq!(
            (set.endpoint.as_str(), set.token.as_deref(), set.offline),
            ("https://mirror.test", Some("secret"), true)
        );
        assert_eq!(set.hub().unwrap(), Path::new("/caches/huggingface/hub"));
        assert_eq!(
            hub(&[("HF_HOME", "/hf")]).hub().unwrap(),
            Path::new("/hf/hub")
        );
        assert_eq!(
            hub(&[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/c")])
                .hub()
                .unwrap(),
            Path::new("/c")
        );
        assert!(hub(&[]).hub().unwrap_err().to_string().contains("HF_HOME"));
    }
}
