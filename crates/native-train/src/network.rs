//! Files over the network: one client, one way to say what failed.

use std::time::Duration;

use anyhow::{Result, anyhow};

/// Longest wait for a connection; if the network drops packets, the next source is tried after it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait between two pieces of a download.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A client that goes over https alone, unless `https_only` is false.
///
/// # Errors
/// If the system's network settings cannot be used.
pub fn client(https_only: bool) -> Result<reqwest::blocking::Client> {
    // fails if a provider is installed already, which is fine
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::builder()
        .user_agent(concat!("native-train/", env!("CARGO_PKG_VERSION")))
        .https_only(https_only)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(READ_TIMEOUT)
        .build()
        .map_err(one_line)
}

/// reqwest's error and its causes, which its own text leaves out.
pub fn one_line(error: reqwest::Error) -> anyhow::Error {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    anyhow!("{}", text.split_whitespace().collect::<Vec<_>>().join(" "))
}
