//! What left, on disk.
//!
//! Invariants: one process at a time has it open; a new state replaces the old one whole, and is
//! on the disk, not only on its way there, before a signature leaves.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::spent::Spent;

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum SpentFileError {
    #[error("{}: {error}", .path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: another signer has it open", .path.display())]
    InUse { path: PathBuf },
    /// Without it the limit of the day would begin anew, so a person has to look.
    #[error("{}: it is damaged: {error}", .path.display())]
    Damaged {
        path: PathBuf,
        error: serde_json::Error,
    },
}

/// The file, open for this process alone.
#[derive(Debug)]
pub struct SpentFile {
    path: PathBuf,
    spent: Spent,
    /// Locked as long as it is open. A file of its own, for the other one is replaced.
    _lock: File,
}

impl SpentFile {
    /// Opens the file, or begins with nothing where there is none.
    ///
    /// # Errors
    /// See [`SpentFileError`].
    pub fn open(path: &Path) -> Result<Self, SpentFileError> {
        let failed = |error| SpentFileError::Io {
            path: path.to_owned(),
            error,
        };
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(beside(path, "lock"))
            .map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => SpentFileError::InUse {
                path: path.to_owned(),
            },
            TryLockError::Error(error) => failed(error),
        })?;
        let spent = match fs::read(path) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| SpentFileError::Damaged {
                path: path.to_owned(),
                error,
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Spent::default(),
            Err(error) => return Err(failed(error)),
        };
        Ok(Self {
            path: path.to_owned(),
            spent,
            _lock: lock,
        })
    }

    /// What left.
    pub const fn spent(&self) -> &Spent {
        &self.spent
    }

    /// Replaces what is kept. Returns once it is on the disk.
    ///
    /// # Errors
    /// [`SpentFileError::Io`]; then what left before is what left.
    pub fn replace(&mut self, spent: Spent) -> Result<(), SpentFileError> {
        if spent == self.spent {
            return Ok(());
        }
        self.write(&spent).map_err(|error| SpentFileError::Io {
            path: self.path.clone(),
            error,
        })?;
        self.spent = spent;
        Ok(())
    }

    fn write(&self, spent: &Spent) -> io::Result<()> {
        let json = serde_json::to_vec(spent)?;
        let new = beside(&self.path, "new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        // The name is in the directory, and that has to reach the disk as well.
        let directory = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(directory)?.sync_all()
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::os::unix::fs::MetadataExt as _;

    use bitcoin::hashes::Hash as _;
    use bitcoin::{OutPoint, Txid};
    use time::macros::datetime;

    use super::*;
    use crate::spent::{Day, Leaving};

    fn grown(spent: &Spent) -> Spent {
        let txid = Txid::from_byte_array([1; 32]);
        let outpoints = BTreeSet::from([OutPoint::new(txid, 0)]);
        let leaving = Leaving {
            unsigned_txid: txid,
            outpoints: &outpoints,
            satoshi: 700,
        };
        spent
            .with(&leaving, datetime!(2030-01-31 12:00 UTC))
            .unwrap()
            .0
    }

    #[test]
    fn what_left_is_there_after_a_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spent.json");
        let mut file = SpentFile::open(&path).unwrap();
        assert_eq!(*file.spent(), Spent::default());
        file.replace(grown(file.spent())).unwrap();
        drop(file);
        let file = SpentFile::open(&path).unwrap();
        let day = Day::of(datetime!(2030-01-31 00:00 UTC));
        assert_eq!(file.spent().on(&day), 700);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_second_signer_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spent.json");
        let first = SpentFile::open(&path).unwrap();
        assert!(matches!(
            SpentFile::open(&path),
            Err(SpentFileError::InUse { .. })
        ));
        drop(first);
        SpentFile::open(&path).unwrap();
    }

    #[test]
    fn a_damaged_file_is_not_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spent.json");
        fs::write(&path, "{\"claims\":[").unwrap();
        assert!(matches!(
            SpentFile::open(&path),
            Err(SpentFileError::Damaged { .. })
        ));
    }

    #[test]
    fn what_cannot_be_written_is_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spent.json");
        let mut file = SpentFile::open(&path).unwrap();
        // A directory in the place of the new file: not even the administrator can write it.
        fs::create_dir(beside(&path, "new")).unwrap();
        let next = grown(file.spent());
        assert!(file.replace(next).is_err());
        assert_eq!(*file.spent(), Spent::default());
        assert!(!path.exists());
    }
}
