//! Secrets and settings of the signer on disk: who else may read or change them.
//!
//! Invariant: a key is not used that another user of the machine could have read, and limits are
//! not believed that another user could have written.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Most bytes read of a file. A policy with a thousand destinations has 64 KiB.
const LENGTH_MAX: u64 = 1024 * 1024;

/// Permissions of group and others to read, write and execute.
const OF_OTHERS: u32 = 0o077;

/// Permissions of group and others to write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Why a file is not used.
#[derive(Debug, Error)]
pub enum FileError {
    #[error("{}: {error}", .path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: others may read it (mode {mode:03o}); make it 600", .path.display())]
    Readable { path: PathBuf, mode: u32 },
    #[error("{}: others may write it (mode {mode:03o})", .path.display())]
    Writable { path: PathBuf, mode: u32 },
    #[error("{}: it belongs to user {owner}, and the signer is user {user}", .path.display())]
    Foreign {
        path: PathBuf,
        owner: u32,
        user: u32,
    },
    #[error("{}: it is not a file of text, or longer than it can be", .path.display())]
    NotText { path: PathBuf },
}

/// Reads a file that only `user` may read.
///
/// # Errors
/// See [`FileError`].
pub fn read_secret(path: &Path, user: u32) -> Result<String, FileError> {
    let (text, metadata) = read(path)?;
    let mode = metadata.mode() & 0o777;
    if mode & OF_OTHERS != 0 {
        return Err(FileError::Readable {
            path: path.to_owned(),
            mode,
        });
    }
    if metadata.uid() != user {
        return Err(FileError::Foreign {
            path: path.to_owned(),
            owner: metadata.uid(),
            user,
        });
    }
    Ok(text)
}

/// Reads a file that only `user` or the administrator may write, and anybody may read.
///
/// # Errors
/// See [`FileError`].
pub fn read_settings(path: &Path, user: u32) -> Result<String, FileError> {
    let (text, metadata) = read(path)?;
    let mode = metadata.mode() & 0o777;
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(FileError::Writable {
            path: path.to_owned(),
            mode,
        });
    }
    if metadata.uid() != user && metadata.uid() != 0 {
        return Err(FileError::Foreign {
            path: path.to_owned(),
            owner: metadata.uid(),
            user,
        });
    }
    Ok(text)
}

/// Text and metadata of one and the same open file, so that it cannot be changed for another in
/// between.
fn read(path: &Path) -> Result<(String, Metadata), FileError> {
    let unreadable = |error| FileError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let not_text = || FileError::NotText {
        path: path.to_owned(),
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > LENGTH_MAX {
        return Err(not_text());
    }
    let mut bytes = Vec::new();
    file.take(LENGTH_MAX)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| not_text())?;
    Ok((text, metadata))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(directory: &Path, mode: u32) -> (PathBuf, u32) {
        let path = directory.join(format!("{mode:o}"));
        fs::write(&path, "text\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let owner = fs::metadata(&path).unwrap().uid();
        (path, owner)
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601, 0o644] {
            let (path, owner) = file(directory.path(), mode);
            assert!(
                matches!(
                    read_secret(&path, owner),
                    Err(FileError::Readable { mode: found, .. }) if found == mode
                ),
                "{mode:o}"
            );
        }
        for mode in [0o600, 0o400] {
            let (path, owner) = file(directory.path(), mode);
            assert_eq!(read_secret(&path, owner).unwrap(), "text\n");
        }
    }

    #[test]
    fn settings_that_others_may_write_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (path, owner) = file(directory.path(), 0o664);
        assert!(matches!(
            read_settings(&path, owner),
            Err(FileError::Writable { .. })
        ));
        let (path, owner) = file(directory.path(), 0o644);
        assert_eq!(read_settings(&path, owner).unwrap(), "text\n");
    }

    #[test]
    fn a_file_of_somebody_else_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (path, owner) = file(directory.path(), 0o600);
        let user = owner + 1;
        let refused = read_secret(&path, user);
        assert!(matches!(refused, Err(FileError::Foreign { user: u, .. }) if u == user));
    }

    #[test]
    fn a_directory_is_no_file() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(
            read_secret(directory.path(), 0),
            Err(FileError::NotText { .. })
        ));
    }
}
