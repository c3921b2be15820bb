//! What the figures of a run were measured on.

use std::fs::{File, remove_file};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::Context;
use gateway::bench::Facts;
use serde_json::{Value, json};

use super::figure::percentile;

/// Writes whose middle is told.
const WRITES: usize = 100;

/// A page of Postgres.
const PAGE_BYTES: usize = 8_192;

/// The machine and its Postgres as they were at the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) cores: usize,
    /// Averages over 1, 5 and 15 minutes; empty where nobody tells.
    pub(super) load: String,
    /// Until one written page is on the disk.
    pub(super) fdatasync: Option<Duration>,
    /// Where that page was.
    pub(super) folder: PathBuf,
    pub(super) postgres: Facts,
}

impl Machine {
    /// Writes a small file in `folder` and removes it; a folder that cannot be written to leaves that
    /// fact out.
    pub(super) async fn look(folder: PathBuf, postgres: Facts) -> anyhow::Result<Self> {
        let looked = tokio::task::spawn_blocking(move || Self {
            cores: available_parallelism().map_or(1, usize::from),
            load: load(),
            fdatasync: fdatasync(&folder).ok().flatten(),
            folder,
            postgres,
        });
        looked.await.context("the machine cannot be looked at")
    }

    /// For people, two lines.
    pub(super) fn text(&self) -> String {
        let sync = self.fdatasync.map_or_else(
            || "fdatasync not measured".to_owned(),
            |time| {
                format!(
                    "fdatasync {} µs in {}",
                    time.as_micros(),
                    self.folder.display()
                )
            },
        );
        let load = match self.load.as_str() {
            "" => "unknown",
            load => load,
        };
        let Facts {
            version,
            fsync,
            synchronous_commit,
            shared_buffers,
            max_connections,
        } = &self.postgres;
        format!(
            "{} cores, load {load}, {sync}\n\
             Postgres {version}: fsync {fsync}, synchronous_commit {synchronous_commit}, \
             shared_buffers {shared_buffers}, max_connections {max_connections}",
            self.cores
        )
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "cores": self.cores,
            "load": self.load,
            "fdatasync_us": self.fdatasync.and_then(|time| u64::try_from(time.as_micros()).ok()),
            "fdatasync_folder": self.folder.display().to_string(),
            "postgres": self.postgres.version,
            "fsync": self.postgres.fsync,
            "synchronous_commit": self.postgres.synchronous_commit,
            "shared_buffers": self.postgres.shared_buffers,
            "max_connections": self.postgres.max_connections,
        })
    }
}

/// Where Linux tells it.
fn load() -> String {
    let told = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    told.split_whitespace()
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The middle of [`WRITES`] times.
fn fdatasync(folder: &Path) -> io::Result<Option<Duration>> {
    let path = folder.join(format!("exchequer-bench-{}.tmp", process::id()));
    let file = File::create_new(&path)?;
    let timed = time_writes(file);
    remove_file(&path)?;
    timed
}

fn time_writes(mut file: File) -> io::Result<Option<Duration>> {
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[0; PAGE_BYTES])?;
        let written_at = Instant::now();
        file.sync_data()?;
        times.push(written_at.elapsed());
    }
    times.sort_unstable();
    Ok(percentile(&times, 50))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    /// A machine of nowhere.
    pub(in crate::bench) fn machine() -> Machine {
        Machine {
            cores: 2,
            load: "0.10 0.20 0.30".to_owned(),
            fdatasync: Some(Duration::from_micros(900)),
            folder: PathBuf::from("/srv"),
            postgres: Facts {
                version: "15.18".to_owned(),
                max_connections: 100,
                fsync: "on".to_owned(),
                synchronous_commit: "on".to_owned(),
                shared_buffers: "128MB".to_owned(),
            },
        }
    }

    #[test]
    fn it_is_told_in_two_lines() {
        assert_eq!(
            machine().text(),
            "2 cores, load 0.10 0.20 0.30, fdatasync 900 µs in /srv\n\
             Postgres 15.18: fsync on, synchronous_commit on, shared_buffers 128MB, max_connections 100"
        );
        assert_eq!(machine().json()["fdatasync_us"], 900);
    }

    #[tokio::test]
    async fn looking_leaves_no_file_behind_and_needs_none() {
        let postgres = machine().postgres;
        let nowhere = PathBuf::from("/nonexistent");
        let looked = Machine::look(nowhere, postgres.clone()).await.unwrap();
        assert_eq!(looked.fdatasync, None);
        assert!(looked.text().contains("not measured"), "{}", looked.text());
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 1);
        let folder = std::env::temp_dir().join(format!("exchequer-look-{random:x}"));
        std::fs::create_dir(&folder).unwrap();
        let looked = Machine::look(folder.clone(), postgres).await.unwrap();
        assert!(looked.cores > 0 && looked.fdatasync.is_some());
        // Only an empty folder can be removed.
        std::fs::remove_dir(&folder).unwrap();
    }
}
