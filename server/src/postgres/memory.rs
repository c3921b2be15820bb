//! How much of the machine's memory a new cluster takes for itself.

use std::fs;
use std::path::Path;

/// What Postgres' manual advises to begin with: a quarter of the memory.
const SHARE: u64 = 4;

/// In mebibytes. A machine of whose memory nothing is known gets the first, the largest the last.
const LEAST: u64 = 128;
const UNKNOWN: u64 = 256;
const MOST: u64 = 2_048;

/// `shared_buffers` of a new cluster, in mebibytes: the most used part of the books should fit. By what the
/// machine has or, where that is less, by what a container may use.
pub(super) fn shared_buffers() -> u64 {
    let machine = read("/proc/meminfo").and_then(|text| total_of(&text));
    let container = read("/sys/fs/cgroup/memory.max").and_then(|text| limit_of(&text));
    share_of(machine.into_iter().chain(container).min())
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Mebibytes of a line like `MemTotal:  16318420 kB`.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1_024)
}

/// Mebibytes of what stands there in bytes; without a limit there is the word `max`.
fn limit_of(memory_max: &str) -> Option<u64> {
    let bytes: u64 = memory_max.trim().parse().ok()?;
    Some(bytes / (1_024 * 1_024))
}

fn share_of(memory: Option<u64>) -> u64 {
    memory.map_or(UNKNOWN, |memory| (memory / SHARE).clamp(LEAST, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_within_bounds() {
        assert_eq!(share_of(None), 256);
        assert_eq!(share_of(Some(100)), 128);
        assert_eq!(share_of(Some(4_096)), 1_024);
        assert_eq!(share_of(Some(64_000)), 2_048);
    }

    #[test]
    fn memory_is_read_as_linux_tells_it() {
        let meminfo = "MemTotal:        4028320 kB\nMemFree:          812340 kB\n";
        assert_eq!(total_of(meminfo), Some(3_933));
        assert_eq!(total_of("MemFree: 1 kB"), None);
        assert_eq!(limit_of("536870912\n"), Some(512));
        assert_eq!(limit_of("max\n"), None);
    }
}
