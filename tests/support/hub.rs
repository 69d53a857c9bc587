//! A server that behaves as Hugging Face's hub does: listings, redirects to a host of contents, ranges, tokens.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The commit of everything.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// Files of at least this many bytes are kept elsewhere, at the other host.
const LARGE: usize = 4096;

/// A file as the repository has it, and what goes wrong with it.
#[derive(Clone, Default)]
pub struct HubFile {
    pub bytes: Vec<u8>,
    /// How many connections break off half-way.
    pub cut: usize,
    /// It comes with other bytes than the listing says.
    pub is_damaged: bool,
    /// Ranges are passed by.
    pub no_ranges: bool,
}

/// What the hub has, and what it was asked.
#[derive(Default)]
pub struct State {
    /// By `OWNER/REPOSITORY` and the name of the file.
    pub files: HashMap<(String, String), HubFile>,
    /// Repositories that are seen with this token alone.
    pub private: HashMap<String, String>,
    /// Repositories whose terms nobody has accepted.
    pub gated: Vec<String>,
    /// Lines of requests, with the range that was asked for.
    pub asked: Vec<String>,
}

/// The hub; two hosts, until the test ends.
pub struct Hub {
    pub endpoint: String,
    pub state: Arc<Mutex<State>>,
}

impl Hub {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let contents = listen(Arc::clone(&state), None);
        let endpoint = listen(Arc::clone(&state), Some(contents));
        Self { endpoint, state }
    }

    pub fn put(&self, repository: &str, file: &str, bytes: &[u8]) {
        self.put_file(
            repository,
            file,
            HubFile {
                bytes: bytes.to_vec(),
                ..HubFile::default()
            },
        );
    }

    pub fn put_file(&self, repository: &str, file: &str, content: HubFile) {
        let key = (repository.to_owned(), file.to_owned());
        self.state.lock().unwrap().files.insert(key, content);
    }

    /// What was asked for since the last look.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

/// A host: the hub if it knows where contents are, otherwise that of contents.
fn listen(state: Arc<Mutex<State>>, contents: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (state, contents) = (Arc::clone(&state), contents.clone());
            std::thread::spawn(move || answer(stream.unwrap(), &state, contents.as_deref()));
        }
    });
    address
}

fn answer(mut stream: TcpStream, state: &Mutex<State>, contents: Option<&str>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    let headers: HashMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            line.split_once(": ")
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        })
        .collect();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let range = headers.get("range").and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    });
    let token = headers.get("authorization").map(String::as_str);
    let mut state = state.lock().unwrap();
    state.asked.push(format!(
        "{path}{}",
        range.map_or(String::new(), |at: usize| format!(" from {at}"))
    ));
    let reply = match contents {
        None if token.is_some() => text(
            "400 Bad Request",
            "",
            "a token came to the host of contents",
        ),
        None => {
            let (repository, file) = path
                .trim_start_matches('/')
                .split_once("/content/")
                .unwrap();
            content(&mut state, repository, file, range)
        }
        Some(contents) => hub(&mut state, &path, token, range, contents),
    };
    drop(state);
    let _ = stream.write_all(&reply);
}

fn hub(
    state: &mut State,
    path: &str,
    token: Option<&str>,
    range: Option<usize>,
    contents: &str,
) -> Vec<u8> {
    let listed = path
        .strip_prefix("/api/models/")
        .and_then(|rest| rest.strip_suffix("?blobs=true"));
    let resolved = path.trim_start_matches('/').split_once("/resolve/");
    let (repository, revision) = match (
        listed.and_then(|rest| rest.split_once("/revision/")),
        resolved,
    ) {
        (Some(asked), _) | (None, Some(asked)) => asked,
        _ => return text("404 Not Found", "", ""),
    };
    let key = state.private.get(repository);
    if key.is_some_and(|key| token != Some(&format!("Bearer {key}")))
        || !state.files.keys().any(|(id, _)| id == repository)
    {
        // as to strangers: nobody learns what is private
        return text("401 Unauthorized", "X-Error-Code: RepoNotFound\r\n", "");
    }
    if state.gated.iter().any(|gated| gated == repository) {
        return text("403 Forbidden", "X-Error-Code: GatedRepo\r\n", "");
    }
    if listed.is_some() {
        if ![COMMIT, "main", "v2", "refs%2Fpr%2F1"].contains(&revision) {
            return text("404 Not Found", "X-Error-Code: RevisionNotFound\r\n", "");
        }
        return text(
            "200 OK",
            "Content-Type: application/json\r\n",
            &listing(state, repository),
        );
    }
    let (commit, file) = revision.split_once('/').unwrap();
    assert_eq!(
        commit, COMMIT,
        "files are asked for by the commit that was listed"
    );
    let large = state
        .files
        .get(&(repository.to_owned(), file.to_owned()))
        .is_some_and(|f| f.bytes.len() >= LARGE);
    match large {
        true => text(
            "302 Found",
            &format!("Location: {contents}/{repository}/content/{file}\r\n"),
            "",
        ),
        false => content(state, repository, file, range),
    }
}

fn listing(state: &State, repository: &str) -> String {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let files = state.files.iter().filter(|((id, _), _)| id == repository);
    let siblings: Vec<serde_json::Value> = files
        .map(|((_, name), file)| {
            let size = file.bytes.len();
            let blob = Sha1::new_with_prefix(format!("blob {size}\0")).chain_update(&file.bytes).finalize();
            let mut sibling = serde_json::json!({ "rfilename": name, "size": size, "blobId": hex(&blob) });
            if size >= LARGE {
                sibling["lfs"] = serde_json::json!({ "sha256": hex(&Sha256::digest(&file.bytes)), "size": size });
            }
            sibling
        })
        .collect();
    serde_json::json!({ "id": repository, "sha": COMMIT, "siblings": siblings }).to_string()
}

fn content(state: &mut State, repository: &str, name: &str, range: Option<usize>) -> Vec<u8> {
    let Some(file) = state
        .files
        .get_mut(&(repository.to_owned(), name.to_owned()))
    else {
        return text("404 Not Found", "X-Error-Code: EntryNotFound\r\n", "");
    };
    let mut bytes = file.bytes.clone();
    if file.is_damaged {
        *bytes.last_mut().unwrap() ^= 1;
    }
    let at = range.filter(|_| !file.no_ranges).unwrap_or(0);
    let (status, more) = match at {
        0 => ("200 OK", String::new()),
        at => (
            "206 Partial Content",
            format!(
                "Content-Range: bytes {at}-{}/{}\r\n",
                bytes.len() - 1,
                bytes.len()
            ),
        ),
    };
    let rest = &bytes[at..];
    let mut sent = rest;
    if file.cut > 0 {
        file.cut -= 1;
        sent = &rest[..rest.len() / 2];
    }
    let head = format!(
        "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n",
        rest.len()
    );
    [head.as_bytes(), sent].concat()
}

fn text(status: &str, more: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
