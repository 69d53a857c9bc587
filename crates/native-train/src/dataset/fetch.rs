//! Fetches the files of a data set: over HTTPS from its authors or, if that is unreachable, from
//! Debian's package. In either case the decompressed bytes must have the known SHA-256.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail, ensure};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::checksum::hex;
use crate::network::{client, one_line};
use crate::terminal::Bar;

/// Most bytes that a decompressed file may have.
const MAX_BYTES: u64 = 1 << 30;

/// Sources of the four files of a data set.
#[derive(Debug)]
pub struct Source {
    /// Name of the data set.
    pub name: &'static str,
    /// Address to which a file's name and `.gz` are appended.
    pub base_url: &'static str,
    /// Names of the decompressed files.
    pub files: [&'static str; 4],
    /// SHA-256 of the decompressed files.
    pub sha256: [&'static str; 4],
    /// Debian package with the same files.
    pub debian_package: &'static str,
    /// Directory in the package that holds `<file>.gz`.
    pub debian_directory: &'static str,
}

/// Puts the checked, decompressed files into a directory. A file appears completely or not at all.
///
/// # Errors
/// If no source has files with the known checksums; the message names both sources and the remedy.
pub fn fetch(source: &Source, directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("data directory {}", directory.display()))?;
    // next to the destination, so that a rename does not cross file systems
    let workspace = tempfile::Builder::new()
        .prefix(".partial-")
        .tempdir_in(directory)
        .with_context(|| format!("data directory {}", directory.display()))?;
    let online = download(source, workspace.path());
    let archives = match online {
        Ok(()) => workspace.path().to_owned(),
        Err(online) => {
            note!(
                "{}: {online:#}; trying Debian's package {}",
                source.name,
                source.debian_package
            );
            unpack_debian(source, workspace.path()).map_err(|debian| {
                anyhow!(
                    "data set {} cannot be fetched: {online:#}; nor from Debian: {debian:#}; get the \
                     files {} (.gz) by other means and set data.path to their directory",
                    source.name,
                    source.files.join(", ")
                )
            })?
        }
    };
    for (name, sha256) in source.files.iter().zip(source.sha256) {
        let archive = archives.join(format!("{name}.gz"));
        let plain = workspace.path().join(name);
        decompress(&archive, &plain, sha256)
            .with_context(|| format!("{name} of {}", source.name))?;
    }
    for name in source.files {
        std::fs::rename(workspace.path().join(name), directory.join(name))
            .with_context(|| format!("data file {}", directory.join(name).display()))?;
    }
    crate::run::atomic_file::sync_directory(directory)?;
    note!("{}: fetched into {}", source.name, directory.display());
    Ok(())
}

/// Writes the decompressed file and checks what was written.
fn decompress(archive: &Path, plain: &Path, sha256: &str) -> Result<()> {
    let mut input = MultiGzDecoder::new(BufReader::new(File::open(archive)?)).take(MAX_BYTES);
    let mut output = File::create(plain)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match input.read(&mut buffer).context("decompressing failed")? {
            0 => break,
            n => {
                digest.update(&buffer[..n]);
                output.write_all(&buffer[..n])?;
            }
        }
    }
    output.sync_all()?;
    let found = hex(&digest.finalize());
    ensure!(
        found == sha256,
        "the SHA-256 of what was fetched is {found}, expected {sha256}; nothing was kept, try again"
    );
    Ok(())
}

fn download(source: &Source, into: &Path) -> Result<()> {
    let client = client(true)?;
    for name in source.files {
        let url = format!("{}{name}.gz", source.base_url);
        download_file(&client, &url, name, &into.join(format!("{name}.gz")))?;
    }
    Ok(())
}

fn download_file(
    client: &reqwest::blocking::Client,
    url: &str,
    name: &str,
    into: &Path,
) -> Result<()> {
    let response = client
        .get(url)
        .send()
        .and_then(reqwest::blocking::Response::error_for_status)
        .map_err(one_line)?;
    let bytes = response.content_length().unwrap_or_default();
    let bar = Bar::new(
        usize::try_from(bytes).unwrap_or(usize::MAX),
        "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    );
    bar.set_message(name);
    let mut file = File::create(into)?;
    io::copy(&mut bar.wrap_read(response), &mut file)
        .with_context(|| format!("{url}: the download broke off"))?;
    bar.finish();
    Ok(())
}

/// Downloads and unpacks the package, without installing it and without root.
fn unpack_debian(source: &Source, workspace: &Path) -> Result<std::path::PathBuf> {
    // not in the workspace: apt's own user must be able to write there, or apt prints long warnings
    let download = TempDir::new()?;
    run(Command::new("apt-get")
        .args(["--quiet=2", "download", source.debian_package])
        .current_dir(download.path()))?;
    let package = std::fs::read_dir(download.path())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get download left no package")?;
    let unpacked = workspace.join("debian");
    run(Command::new("dpkg-deb")
        .arg("--extract")
        .arg(&package)
        .arg(&unpacked))?;
    Ok(unpacked.join(source.debian_directory))
}

/// Runs a program to completion; an error has the last line of its stderr.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| anyhow!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().rev().find(|line| !line.trim().is_empty());
    bail!(
        "{name} ended with {}: {}",
        output.status,
        said.unwrap_or("no message").trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(content).unwrap();
        gz.finish().unwrap()
    }

    #[test]
    fn a_wrong_checksum_names_both() {
        let directory = TempDir::new().unwrap();
        let (archive, plain) = (directory.path().join("a.gz"), directory.path().join("a"));
        std::fs::write(&archive, gzip(b"abc")).unwrap();
        // FIPS 180-2, appendix B.1: the digest of "abc"
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        decompress(&archive, &plain, sha256).unwrap();
        assert_eq!(std::fs::read(&plain).unwrap(), b"abc");
        let message = decompress(&archive, &plain, "0123")
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(sha256) && message.contains("expected 0123"),
            "{message}"
        );
    }

    /// A server that answers one request.
    fn serve(answer: &'static str) -> (String, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file.gz", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        (url, server)
    }

    #[test]
    fn downloads_arrive_and_refusals_are_one_line() {
        let directory = TempDir::new().unwrap();
        let into = directory.path().join("file.gz");
        let client = client(false).unwrap();
        let (url, server) = serve("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbytes");
        download_file(&client, &url, "file", &into).unwrap();
        server.join().unwrap();
        assert_eq!(std::fs::read(&into).unwrap(), b"bytes");
        let (url, server) = serve("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        let error = format!(
            "{:#}",
            download_file(&client, &url, "file", &into).unwrap_err()
        );
        server.join().unwrap();
        assert!(error.contains("404") && !error.contains('\n'), "{error}");
        let (url, server) = serve("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbytes");
        let error = format!(
            "{:#}",
            download_file(&client, &url, "file", &into).unwrap_err()
        );
        server.join().unwrap();
        assert!(error.contains("broke off"), "{error}");
    }
}
