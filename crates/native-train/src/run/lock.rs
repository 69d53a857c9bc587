//! Who writes to a run directory: one process at a time.
//!
//! The system's lock decides where there is one; it goes with its process, however that ends. File systems of clusters
//! may have none. So the file of the lock also says who writes (process and machine), and is written again every
//! [`BEAT`]: where locks are missing, a writer counts as there while its process lives or its heart beats.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::system_fault::{inject, is_unsupported};

/// Time between two heartbeats.
const BEAT: Duration = Duration::from_secs(10);
/// Age of the last heartbeat at which a writer on another machine counts as gone; clocks may differ by some of it.
const GONE: Duration = Duration::from_secs(60);

/// Who writes, as the file of the lock says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Writer {
    /// Number of the process.
    pid: u32,
    /// Its machine, and the space of its process numbers.
    machine: String,
    /// When it started, in the system's ticks: numbers of processes are used again.
    started: Option<u64>,
}

/// A lock that this process holds; another can take it when this is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
    heart: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Lock {
    /// Takes the lock of a run directory.
    ///
    /// # Errors
    /// If another process has it, or the file cannot be written.
    pub fn take(root: &Path, path: &Path) -> Result<Self> {
        let named = || {
            format!(
                "run directory {} cannot be written; choose another with --out",
                root.display()
            )
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .with_context(named)?;
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(root, written(&mut file).as_ref())),
            Err(TryLockError::Error(error)) if is_unsupported(&error) => {
                let writer = written(&mut file);
                if is_there(&file, writer.as_ref()) {
                    return Err(in_use(root, writer.as_ref()));
                }
                note!(
                    "warning: the file system of {} has no locks ({error}); take care that no other process \
                     trains into it",
                    root.display()
                );
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(named),
        }
        let record = serde_json::to_vec(&Writer::this())?;
        // a heart that does not beat is no reason to end
        let heart = file.try_clone().ok().and_then(|file| beat(file, record));
        Ok(Self { file, heart })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some((stop, heart)) = self.heart.take() {
            drop(stop);
            let _ = heart.join();
        }
        let _ = self.file.set_len(0);
    }
}

/// Whether a process writes to the run directory of this lock.
pub fn is_held(path: &Path) -> bool {
    let Ok(mut file) = File::open(path) else {
        return false;
    };
    if matches!(try_lock_shared(&file), Err(TryLockError::WouldBlock)) {
        return true;
    }
    let writer = written(&mut file);
    is_there(&file, writer.as_ref())
}

fn try_lock(file: &File) -> Result<(), TryLockError> {
    inject("flock").map_err(TryLockError::Error)?;
    file.try_lock()
}

fn try_lock_shared(file: &File) -> Result<(), TryLockError> {
    inject("flock").map_err(TryLockError::Error)?;
    file.try_lock_shared()
}

fn in_use(root: &Path, writer: Option<&Writer>) -> anyhow::Error {
    let who = writer.map_or(String::new(), |writer| {
        let host = writer.machine.split(' ').next().unwrap_or_default();
        format!(" ({} on {host})", writer.pid)
    });
    anyhow::anyhow!(
        "run directory {} is in use by another process{who}; wait for it, or choose another with --out",
        root.display()
    )
}

/// Writes the record now and at every beat, until the sender is dropped.
fn beat(mut file: File, record: Vec<u8>) -> Option<(Sender<()>, JoinHandle<()>)> {
    write(&mut file, &record).ok()?;
    let (stop, stopped) = channel();
    let heart = std::thread::Builder::new()
        .name("heartbeat".to_owned())
        .spawn(move || {
            while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                let _ = write(&mut file, &record);
            }
        });
    heart.ok().map(|heart| (stop, heart))
}

fn write(file: &mut File, record: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(record)?;
    file.set_len(record.len() as u64)
}

fn written(file: &mut File) -> Option<Writer> {
    let mut text = String::new();
    file.rewind().ok()?;
    // a record is short
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Whether a writer still writes.
fn is_there(file: &File, writer: Option<&Writer>) -> bool {
    let Some(writer) = writer else { return false };
    let this = Writer::this();
    if !writer.machine.is_empty() && writer.machine == this.machine {
        return writer.pid != this.pid && writer.lives();
    }
    let beaten = file.metadata().and_then(|metadata| metadata.modified());
    beaten.is_ok_and(|at| match SystemTime::now().duration_since(at) {
        Ok(age) => age < GONE,
        Err(_) => true, // by its clock, it has just beaten
    })
}

impl Writer {
    fn this() -> Self {
        let pid = std::process::id();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let space = std::fs::read_link("/proc/self/ns/pid");
        let space = space.map_or(String::new(), |space| space.display().to_string());
        Self {
            pid,
            machine: format!("{} {space}", host.trim()).trim().to_owned(),
            started: started(pid).map(|(started, _)| started),
        }
    }

    /// Whether the process of this number is the one that wrote, and has not ended.
    fn lives(&self) -> bool {
        started(self.pid).is_some_and(|(started, has_ended)| {
            !has_ended && self.started.is_none_or(|own| own == started)
        })
    }
}

/// When a process of this machine started, and whether it has ended and only waits to be reaped; from
/// `/proc/PID/stat`, see proc_pid_stat(5).
fn started(pid: u32) -> Option<(u64, bool)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?; // a name may hold anything
    let fields: Vec<&str> = fields.split(' ').collect();
    Some((
        fields.get(19)?.parse().ok()?,
        matches!(fields[0], "Z" | "X"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &Path, writer: &Writer) {
        std::fs::write(path, serde_json::to_vec(writer).unwrap()).unwrap();
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        assert!(!is_held(&path));
        let lock = Lock::take(directory.path(), &path).unwrap();
        assert!(is_held(&path));
        let refused = Lock::take(directory.path(), &path).unwrap_err().to_string();
        assert!(refused.contains("in use by another process"), "{refused}");
        drop(lock);
        assert!(!is_held(&path));
        Lock::take(directory.path(), &path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn without_locks_a_writer_is_told_by_its_process_or_its_heartbeat() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let this = Writer::this();
        let parent = std::os::unix::process::parent_id();
        let living = Writer {
            pid: parent,
            started: started(parent).map(|(started, _)| started),
            ..this.clone()
        };
        record(&path, &living);
        assert!(is_held(&path), "its process lives");
        let other = Writer {
            started: living.started.map(|started| started + 1),
            ..living.clone()
        };
        record(&path, &other);
        assert!(!is_held(&path), "another process has its number");
        let elsewhere = Writer {
            machine: "elsewhere".to_owned(),
            ..living
        };
        record(&path, &elsewhere);
        assert!(is_held(&path), "its heart has just beaten");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - 2 * GONE).unwrap();
        assert!(!is_held(&path), "its heart stopped");
    }
}
