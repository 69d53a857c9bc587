//! Memory of this process, as reported by the system.

use serde::{Deserialize, Serialize};

/// Main memory of a process, without GPU memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Currently in main memory.
    pub resident_bytes: u64,
    /// Peak since the process started.
    pub peak_bytes: u64,
}

impl Memory {
    /// The memory of this process; `None` on systems without `/proc` (all but Linux).
    pub fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/self/status").ok()?)
    }

    /// From the text of `/proc/<id>/status` (`man 5 proc`).
    fn parse(status: &str) -> Option<Self> {
        let kib = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            let number = line.trim().strip_suffix(" kB")?;
            number.trim().parse::<u64>().ok()?.checked_mul(1024)
        };
        Some(Self {
            resident_bytes: kib("VmRSS:")?,
            peak_bytes: kib("VmHWM:")?,
        })
    }
}

/// Where nothing tells how much memory is free.
const UNKNOWN: usize = 4 << 30;

/// Bytes that this process may still take: what the system has, within the limits of the process (`ulimit -v`) and of its
/// control group.
pub fn free_bytes() -> usize {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let system = read("/proc/meminfo")
        .and_then(|text| number_after(&text, "MemAvailable:")?.checked_mul(1024));
    let mapped = read("/proc/self/status")
        .and_then(|text| number_after(&text, "VmSize:")?.checked_mul(1024));
    let process =
        read("/proc/self/limits").and_then(|text| number_after(&text, "Max address space"));
    let group = read("/proc/self/cgroup").and_then(|text| {
        let path = text
            .lines()
            .find_map(|line| line.strip_prefix("0::"))?
            .to_owned();
        let limit = |path: &str| read(&format!("/sys/fs/cgroup{path}/memory.max"));
        limit(&path).or_else(|| limit(""))?.trim().parse().ok()
    });
    let process = process.map(|limit| limit.saturating_sub(mapped.unwrap_or(0)));
    [system, process, group]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(UNKNOWN)
}

/// The first number after a key at the start of a line; none if there is a word, such as `unlimited`.
fn number_after(text: &str, key: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_the_process_are_numbers_or_none() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max address space         8388608000           unlimited            bytes     \n";
        assert_eq!(
            number_after(limits, "Max address space"),
            Some(8_388_608_000)
        );
        let none = limits.replace("8388608000", "unlimited ");
        assert_eq!(number_after(&none, "Max address space"), None);
        assert_eq!(
            number_after("MemAvailable:   19 kB\n", "MemAvailable:"),
            Some(19)
        );
        assert!(free_bytes() > 0);
    }

    #[test]
    fn the_system_tells_in_kib() {
        let status = "Name:\tx\nVmPeak:\t    9 kB\nVmHWM:\t   2048 kB\nVmRSS:\t    1024 kB\n";
        let memory = Memory::parse(status).unwrap();
        assert_eq!(memory.resident_bytes, 1 << 20);
        assert_eq!(memory.peak_bytes, 2 << 20);
        for cut in ["", "VmRSS:\t 1 kB\n", "VmRSS:\t x kB\nVmHWM:\t 1 kB\n"] {
            assert_eq!(Memory::parse(cut), None, "{cut:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_some() {
        let memory = Memory::now().unwrap();
        assert!(memory.resident_bytes > 0 && memory.resident_bytes <= memory.peak_bytes);
    }
}
