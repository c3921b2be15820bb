//! File locks shared by the processes that use one cluster.
//!
//! The kernel releases them with the process, so a crash never leaves one behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::{PrivatePostgresError, at};

/// Longer than a start with crash recovery may take.
const WAIT_MAX: Duration = Duration::from_secs(360);
const POLL: Duration = Duration::from_millis(100);

/// Waits for the exclusive lock; it is held until the file is dropped.
pub(super) async fn exclusive(path: &Path) -> Result<File, PrivatePostgresError> {
    let file = open(path)?;
    let deadline = Instant::now() + WAIT_MAX;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(POLL).await,
            Err(error) => return Err(refused(error, path)),
        }
    }
}

/// Takes the shared lock; it is held until the file is dropped.
pub(super) fn shared(path: &Path) -> Result<File, PrivatePostgresError> {
    let file = open(path)?;
    file.try_lock_shared()
        .map_err(|error| refused(error, path))?;
    Ok(file)
}

/// Whether nobody holds a lock on `file`, opened from `path`.
pub(super) fn is_free(file: &File, path: &Path) -> Result<bool, PrivatePostgresError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(error) => Err(refused(error, path)),
    }
}

fn open(path: &Path) -> Result<File, PrivatePostgresError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(at(path))
}

fn refused(error: TryLockError, path: &Path) -> PrivatePostgresError {
    match error {
        TryLockError::WouldBlock => PrivatePostgresError::Locked {
            lock: path.to_owned(),
        },
        TryLockError::Error(source) => at(path)(source),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_user_finds_the_cluster_free() {
        let path = std::env::temp_dir().join(format!("exchequer-lock-{}", std::process::id()));
        let serve = shared(&path).unwrap();
        let demo = shared(&path).unwrap();

        serve.unlock().unwrap();
        assert!(!is_free(&serve, &path).unwrap(), "demo still uses it");
        drop(demo);
        assert!(is_free(&serve, &path).unwrap());
        std::fs::remove_file(&path).unwrap();
    }
}
