//! A file from an address to a path: what came of it before is gone on with, and nothing is there before it is whole
//! and has been checked.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use reqwest::StatusCode;
use reqwest::blocking::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_RANGE, RANGE};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::checksum::hex;
use crate::network::one_line;
use crate::run::atomic_file::sync_directory;
use crate::terminal::Bar;

/// How often a download that breaks off goes on by itself.
const TRIES: u32 = 4;
/// The wait before the second try; each is twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// End of the name of what has not come whole.
const INCOMPLETE: &str = ".incomplete";

/// What is known of a file before it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Bytes, if they are stated.
    pub bytes: Option<u64>,
    /// How its content is checked.
    pub check: Check,
}

/// A checksum in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// SHA-256 of the content: a large file of the hub.
    Sha256(String),
    /// SHA-1 of the content after `blob LENGTH\0`: a small file of the hub, as Git names it.
    GitBlob(String),
    /// None is stated.
    Unknown,
}

/// A file to fetch.
pub struct Download<'a> {
    /// Client that it comes by.
    pub client: &'a Client,
    /// Its address.
    pub url: &'a str,
    /// What it is called in messages.
    pub name: &'a str,
    /// Told to the host of the address, and to none that it leads to.
    pub token: Option<&'a str>,
    /// What it must be.
    pub expected: Expected,
}

impl Download<'_> {
    /// Fetches it; at the end the path has all of it.
    ///
    /// # Errors
    /// If the host refuses, the network breaks off again and again, the disk is full, or the content is another: what
    /// came is kept for the next time, unless it is wrong.
    pub fn fetch(&self, path: &Path) -> Result<()> {
        let directory = path.parent().context("a file in a directory")?;
        std::fs::create_dir_all(directory)
            .with_context(|| format!("directory {}", directory.display()))?;
        let partial = incomplete(path);
        // one process fetches it; another waits, and finds it
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&partial)
            .with_context(|| format!("file {}", partial.display()))?;
        file.lock()
            .with_context(|| format!("lock of {}", partial.display()))?;
        if path.exists() {
            let _ = std::fs::remove_file(&partial);
            return Ok(());
        }
        let size = self.expected.bytes.map(|bytes| format!(" ({bytes} bytes)"));
        note!("fetching {}{}", self.url, size.unwrap_or_default());
        self.fill(&mut file, &partial)?;
        if let Err(error) = self.checked(&mut file) {
            let _ = std::fs::remove_file(&partial);
            return Err(error.context(format!("{}: what came was removed, try again", self.url)));
        }
        file.sync_all()
            .with_context(|| format!("file {}", partial.display()))?;
        std::fs::rename(&partial, path).with_context(|| format!("file {}", path.display()))?;
        sync_directory(directory)
    }

    /// Fetches what is missing of the file, in as many connections as it takes.
    fn fill(&self, file: &mut File, partial: &Path) -> Result<()> {
        let mut failed = None;
        for number in 0..TRIES {
            if number > 0 {
                std::thread::sleep(FIRST_WAIT * 2u32.pow(number - 1));
            }
            let mut at = file.seek(SeekFrom::End(0))?;
            if self.expected.bytes == Some(at) {
                return Ok(());
            }
            if self.expected.bytes.is_some_and(|bytes| at > bytes) {
                // of another file
                file.set_len(0)?;
                at = 0;
            }
            match self.receive(file, at) {
                Ok(()) => return Ok(()),
                Err(Failure::Network(error)) => failed = Some(error),
                Err(Failure::Final(error)) => {
                    discard_empty(file, partial);
                    return Err(error);
                }
            }
        }
        let error = failed.context("a try at least")?;
        let kept = file.seek(SeekFrom::End(0))?;
        discard_empty(file, partial);
        Err(error.context(format!(
            "{}: broke off {TRIES} times; {kept} bytes are kept, the same command goes on from there",
            self.url
        )))
    }

    /// One connection, from a place in the file on.
    fn receive(&self, file: &mut File, at: u64) -> Result<(), Failure> {
        let mut request = self.client.get(self.url);
        if let Some(token) = self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if at > 0 {
            request = request.header(RANGE, format!("bytes={at}-"));
        }
        let response =
            request
                .send()
                .map_err(|error| match error.is_connect() || error.is_builder() {
                    true => Failure::Final(
                        one_line(error).context(format!("{} cannot be reached", self.url)),
                    ),
                    false => Failure::Network(one_line(error)),
                })?;
        let status = response.status();
        let at = match status {
            StatusCode::PARTIAL_CONTENT => {
                let begins = response
                    .headers()
                    .get(CONTENT_RANGE)
                    .and_then(|range| range.to_str().ok());
                let wanted = format!("bytes {at}-");
                if !begins.is_some_and(|begins| begins.starts_with(&wanted)) {
                    let words = begins.unwrap_or("none").to_owned();
                    return Err(Failure::Final(anyhow!(
                        "{}: the host sent the range {words}, expected {wanted}",
                        self.url
                    )));
                }
                at
            }
            // what is there is not a beginning of the file, or all of it: the check decides
            StatusCode::RANGE_NOT_SATISFIABLE if self.expected.bytes.is_none() => return Ok(()),
            _ if status.is_success() => 0,
            _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(Failure::Network(anyhow!("the host answers {status}")));
            }
            _ => {
                return Err(Failure::Final(anyhow!(
                    "{}: the host answers {status}",
                    self.url
                )));
            }
        };
        let bytes = response
            .content_length()
            .map(|rest| at + rest)
            .or(self.expected.bytes);
        if let (Some(coming), Some(expected)) = (bytes, self.expected.bytes)
            && coming != expected
        {
            return Err(Failure::Final(anyhow!(
                "{}: the host sends {coming} bytes, expected {expected}",
                self.url
            )));
        }
        file.set_len(at)
            .and_then(|()| file.seek(SeekFrom::Start(at)))
            .map_err(full)?;
        self.copy(response, file, at, bytes)
    }

    fn copy(
        &self,
        mut from: impl Read,
        file: &mut File,
        at: u64,
        bytes: Option<u64>,
    ) -> Result<(), Failure> {
        let length = bytes
            .and_then(|bytes| usize::try_from(bytes).ok())
            .unwrap_or(usize::MAX);
        let bar = Bar::new(
            length,
            "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        );
        bar.set_message(self.name);
        let mut place = at;
        let mut buffer = vec![0; 1 << 16];
        loop {
            bar.set_position(place);
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Failure::Network(anyhow!("the download broke off: {error}")));
                }
            };
            place += read as u64;
            if bytes.is_some_and(|bytes| place > bytes) {
                return Err(Failure::Final(anyhow!(
                    "{}: the host sends more than it said",
                    self.url
                )));
            }
            file.write_all(&buffer[..read]).map_err(full)?;
        }
        bar.finish();
        match bytes {
            Some(bytes) if bytes != place => Err(Failure::Network(anyhow!(
                "the download broke off after {place} of {bytes} bytes"
            ))),
            _ => Ok(()),
        }
    }

    /// Reads what was written, and holds it against what is known.
    fn checked(&self, file: &mut File) -> Result<()> {
        let bytes = file.seek(SeekFrom::End(0))?;
        if let Some(expected) = self.expected.bytes {
            ensure!(bytes == expected, "{bytes} bytes came, expected {expected}");
        }
        file.seek(SeekFrom::Start(0))?;
        let (what, found, expected) = match &self.expected.check {
            Check::Unknown => return Ok(()),
            Check::Sha256(expected) => ("SHA-256", digest::<Sha256>(file, b"")?, expected),
            Check::GitBlob(expected) => {
                let header = format!("blob {bytes}\0");
                (
                    "Git's SHA-1",
                    digest::<Sha1>(file, header.as_bytes())?,
                    expected,
                )
            }
        };
        if found != *expected {
            bail!("{what} of what came is {found}, expected {expected}");
        }
        Ok(())
    }
}

/// Why a connection ended early.
enum Failure {
    /// Another may do better.
    Network(anyhow::Error),
    /// None will.
    Final(anyhow::Error),
}

fn full(error: io::Error) -> Failure {
    Failure::Final(anyhow!(
        "what comes cannot be written: {error}; what came is kept, the same command goes on from there"
    ))
}

/// An empty file tells nothing.
fn discard_empty(file: &File, partial: &Path) {
    if file.metadata().is_ok_and(|found| found.len() == 0) {
        let _ = std::fs::remove_file(partial);
    }
}

/// Where a file is until it is whole.
fn incomplete(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(INCOMPLETE);
    name.into()
}

fn digest<D: Digest>(file: &mut File, before: &[u8]) -> Result<String> {
    let mut digest = D::new_with_prefix(before);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => digest.update(&buffer[..read]),
        }
    }
    Ok(hex(&digest.finalize()))
}
