//! Where the cluster lives and which user runs it.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};

use super::binaries::parse_major;
use super::error::{PrivatePostgresError, at};

/// Clusters of a root whose data folder the database user cannot enter, such as `/root/…`.
const SYSTEM_ROOT: &str = "/var/lib/exchequer-postgres";
/// Users to try when root starts the cluster, in this order.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// The user that runs the cluster in root's stead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The folder of a cluster, made or to be made.
#[derive(Debug)]
pub(super) struct Place {
    /// Absolute, without links.
    pub(super) cluster: PathBuf,
    /// `None` when we run it ourselves.
    pub(super) account: Option<Account>,
    /// Major version of the cluster; `None` when there is none yet.
    pub(super) major: Option<u32>,
}

impl Place {
    /// Finds the cluster that belongs to `data_dir`, or chooses where to make it.
    pub(super) fn find(data_dir: &Path) -> Result<Place, PrivatePostgresError> {
        let usual = data_dir.join("postgres");
        let cluster = match fs::canonicalize(&usual) {
            Ok(cluster) => cluster,
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(&usual)(error)),
            Err(_) if usual.is_symlink() => {
                return Err(PrivatePostgresError::LostCluster { link: usual });
            }
            Err(_) => choose(data_dir, usual)?,
        };
        let account = account_for(&cluster)?;
        let major = existing_major(&cluster)?;
        Ok(Place {
            cluster,
            account,
            major,
        })
    }
}

/// Makes the data folder when missing and returns its absolute path. Root lets others pass
/// through it (not list it), because another user's cluster lies inside.
pub(super) fn prepare_data_dir(data_dir: &Path) -> Result<PathBuf, PrivatePostgresError> {
    let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(data_dir)
        .map_err(at(data_dir))?;
    fs::canonicalize(data_dir).map_err(at(data_dir))
}

fn choose(data_dir: &Path, usual: PathBuf) -> Result<PathBuf, PrivatePostgresError> {
    match account_for(&usual)? {
        Some(account) if !can_reach(data_dir, account)? => {
            let cluster = reserve_system_folder()?;
            symlink(&cluster, &usual).map_err(at(&usual))?;
            tracing::info!(cluster = %cluster.display(), link = %usual.display(),
                "the database user cannot enter the data folder, so the cluster is made elsewhere");
            Ok(cluster)
        }
        _ => Ok(usual),
    }
}

/// Makes the first free numbered folder; the link to it keeps it from being taken again.
fn reserve_system_folder() -> Result<PathBuf, PrivatePostgresError> {
    let root = Path::new(SYSTEM_ROOT);
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(root)
        .map_err(at(root))?;
    let mut number = 1_u32;
    loop {
        let folder = root.join(format!("cluster-{number}"));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(at(&folder)(error)),
        }
    }
}

fn existing_major(cluster: &Path) -> Result<Option<u32>, PrivatePostgresError> {
    let file = cluster.join("PG_VERSION");
    match fs::read_to_string(&file) {
        Ok(text) => Ok(parse_major(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(&file)(error)),
    }
}

/// Who must run the cluster: ourselves, unless we are root. An existing cluster stays with its
/// owner.
fn account_for(cluster: &Path) -> Result<Option<Account>, PrivatePostgresError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    if let Ok(folder) = fs::metadata(cluster)
        && folder.uid() != 0
    {
        return Ok(Some(Account {
            uid: folder.uid(),
            gid: folder.gid(),
        }));
    }
    for name in ACCOUNTS {
        let user =
            User::from_name(name).map_err(|errno| at(Path::new("/etc/passwd"))(errno.into()))?;
        if let Some(user) = user {
            return Ok(Some(Account {
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
            }));
        }
    }
    Err(PrivatePostgresError::NoAccount)
}

fn can_reach(dir: &Path, account: Account) -> Result<bool, PrivatePostgresError> {
    for folder in dir.ancestors() {
        let found = fs::metadata(folder).map_err(at(folder))?;
        let owner = Account {
            uid: found.uid(),
            gid: found.gid(),
        };
        if !may_enter(found.mode(), owner, account) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The kernel's rule: the owner's bit, else the group's, else everybody's.
fn may_enter(mode: u32, owner: Account, account: Account) -> bool {
    let bit = if owner.uid == account.uid {
        0o100
    } else if owner.gid == account.gid {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Account = Account { uid: 0, gid: 0 };
    const POSTGRES: Account = Account { uid: 101, gid: 104 };

    #[test]
    fn entering_a_folder_follows_the_most_specific_bit() {
        let same_group = Account {
            uid: 0,
            gid: POSTGRES.gid,
        };
        let cases = [
            (0o700, ROOT, false),
            (0o711, ROOT, true),
            (0o755, ROOT, true),
            (0o710, ROOT, false),
            (0o710, same_group, true),
            (0o701, same_group, false),
            (0o700, POSTGRES, true),
            (0o077, POSTGRES, false),
        ];
        for (mode, owner, expected) in cases {
            assert_eq!(
                may_enter(mode, owner, POSTGRES),
                expected,
                "{mode:o} {owner:?}"
            );
        }
    }

    #[test]
    fn a_folder_without_a_cluster_has_no_version() {
        assert_eq!(existing_major(Path::new("/nonexistent")).ok(), Some(None));
    }
}
