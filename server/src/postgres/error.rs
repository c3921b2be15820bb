//! What can go wrong with the private Postgres, worded for the person who started the server.

use std::io;
use std::path::{Path, PathBuf};

/// How many lines of the log an error carries.
const TAIL_LINES_MAX: usize = 12;

/// Why the private Postgres cannot be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    /// Neither the setting, nor Debian's folders, nor `PATH` have a server.
    #[error(
        "no PostgreSQL server found in {looked_in}: install the package `postgresql`, name the \
         folder of its programs in EXCHEQUER_PG_BIN, or set DATABASE_URL"
    )]
    NoBinaries {
        /// The folders that were tried.
        looked_in: String,
    },
    /// A data folder belongs to one major version of Postgres and no other can read it.
    #[error(
        "the cluster in {cluster} needs PostgreSQL {wanted}, but only {found} is installed: \
         install version {wanted}, or upgrade the cluster with pg_upgrade"
    )]
    WrongMajor {
        /// Folder of the cluster.
        cluster: PathBuf,
        /// Major version that made it.
        wanted: u32,
        /// Major versions found, for the message.
        found: String,
    },
    /// The link points nowhere: an empty cluster in its place would hide the real one.
    #[error("{link} is a link to a cluster that is not there: restore it or remove the link")]
    LostCluster {
        /// The link in the data folder.
        link: PathBuf,
    },
    /// Root needs somebody to run Postgres as.
    #[error("Postgres cannot run as root and there is no user `postgres` or `nobody`")]
    NoAccount,
    /// Somebody else made the folder first, so its socket cannot be trusted.
    #[error("{folder} exists but is not a private folder of the database user: remove it")]
    UnsafeSocketFolder {
        /// The folder under the temporary folder.
        folder: PathBuf,
    },
    /// Another process holds the lock for longer than any start takes.
    #[error("another process has been starting or stopping the cluster for too long ({lock})")]
    Locked {
        /// The lock file.
        lock: PathBuf,
    },
    /// One of Postgres' own programs failed.
    #[error("{step} failed; the end of {log}:\n{tail}")]
    Step {
        /// What was being done.
        step: &'static str,
        /// The log file of the cluster.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A file or folder cannot be used.
    #[error("cannot use {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Adds the path to an error of the system.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> PrivatePostgresError + use<> {
    let path = path.to_owned();
    move |source| PrivatePostgresError::Io { path, source }
}

/// The failure of `step`, with the end of `log`.
pub(super) fn step(step: &'static str, log: &Path) -> PrivatePostgresError {
    let bytes = std::fs::read(log).unwrap_or_default();
    let tail = tail(&String::from_utf8_lossy(&bytes));
    PrivatePostgresError::Step {
        step,
        log: log.to_owned(),
        tail,
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES_MAX)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_a_long_log() {
        let log: String = (1..=100).map(|n| format!("line {n}\n")).collect();
        let tail = tail(&log);
        assert!(tail.starts_with("line 89\n"));
        assert!(tail.ends_with("\nline 100"));
    }

    #[test]
    fn a_short_log_is_shown_whole() {
        assert_eq!(tail("only this\n"), "only this");
        assert_eq!(tail(""), "");
    }

    #[test]
    fn a_failed_step_names_the_log() {
        let message = step("pg_ctl start", Path::new("/nowhere/postgres.log")).to_string();
        assert!(message.starts_with("pg_ctl start failed; the end of /nowhere/postgres.log:"));
    }
}
