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

#[cfg(test)]
mod tests {
    use super::*;

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
