//! The unix socket of a cluster: its folder and the URL that leads to it.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use sha2::{Digest, Sha256};

use super::NAME;
use super::error::{PrivatePostgresError, at};
use super::place::Account;

/// Part of the socket's file name only: nothing listens on the network.
pub(super) const PORT: u16 = 5432;

/// `sun_path` holds 104 bytes on the tightest system, of which `/.s.PGSQL.5432` and the final zero
/// take 15.
const FOLDER_BYTES_MAX: usize = 88;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Socket {
    pub(super) folder: PathBuf,
    pub(super) port: u16,
}

impl Socket {
    /// Reads lines 4 and 5 of `postmaster.pid` (PostgreSQL, `miscadmin.h`): port, socket folder.
    pub(super) fn from_pid_file(text: &str) -> Option<Socket> {
        let mut lines = text.lines().skip(3);
        let port = lines.next()?.trim().parse().ok()?;
        let folder = PathBuf::from(lines.next()?.trim());
        folder.is_absolute().then_some(Socket { folder, port })
    }

    /// The file that clients connect to.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{}", self.port))
    }

    /// A URL that spells out everything `PG…` variables could otherwise change.
    pub(super) fn url(&self) -> String {
        let host = percent_encode(&self.folder.to_string_lossy());
        format!(
            "postgres://{NAME}@localhost:{}/{NAME}?host={host}&sslmode=disable",
            self.port
        )
    }
}

/// The socket folder of the cluster in `cluster`: the cluster's own, which only its user can
/// enter. A path too long for a socket, or with a character that `pg_ctl` would have to quote,
/// gets a short one under `temp`, named by a hash so that every start finds the same.
pub(super) fn choose_folder(cluster: &Path, temp: &Path) -> PathBuf {
    if is_usable(cluster) {
        return cluster.to_owned();
    }
    let digest = hex::encode(Sha256::digest(cluster.as_os_str().as_encoded_bytes()));
    let name = format!("exchequer-{}", &digest[..16]);
    let folder = temp.join(&name);
    if is_usable(&folder) {
        folder
    } else {
        Path::new("/tmp").join(name)
    }
}

/// Makes a socket folder under the temporary folder. One that is there already must be a private
/// folder of the user who runs the cluster: anybody may have made it.
pub(super) fn prepare_folder(
    folder: &Path,
    account: Option<Account>,
) -> Result<(), PrivatePostgresError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {
            if let Some(account) = account {
                lchown(folder, Some(account.uid), Some(account.gid)).map_err(at(folder))?;
            }
        }
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(at(folder)(error)),
        Err(_) => {}
    }
    let owner = account.map_or(geteuid().as_raw(), |account| account.uid);
    let found = fs::symlink_metadata(folder).map_err(at(folder))?;
    if found.is_dir() && found.uid() == owner && found.mode() & 0o077 == 0 {
        Ok(())
    } else {
        Err(PrivatePostgresError::UnsafeSocketFolder {
            folder: folder.to_owned(),
        })
    }
}

fn is_usable(folder: &Path) -> bool {
    let bytes = folder.as_os_str().as_encoded_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    bytes.len() <= FOLDER_BYTES_MAX && bytes.iter().all(plain)
}

/// Everything but RFC 3986's unreserved characters, so that libpq and form decoding agree.
fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sqlx::postgres::PgConnectOptions;

    use super::*;

    #[test]
    fn sqlx_reads_the_url_back() {
        let folder = PathBuf::from("/srv/a b+c&d=e%/postgres");
        let url = Socket {
            folder: folder.clone(),
            port: 5432,
        }
        .url();
        let options: PgConnectOptions = url.parse().unwrap();
        assert_eq!(options.get_socket(), Some(&folder));
        assert_eq!(options.get_port(), 5432);
        assert_eq!(options.get_username(), "exchequer");
        assert_eq!(options.get_database(), Some("exchequer"));
    }

    #[test]
    fn the_url_is_spelled_out() {
        let socket = Socket {
            folder: PathBuf::from("/srv/data/postgres"),
            port: 5432,
        };
        assert_eq!(
            socket.url(),
            "postgres://exchequer@localhost:5432/exchequer\
             ?host=%2Fsrv%2Fdata%2Fpostgres&sslmode=disable"
        );
    }

    #[test]
    fn the_pid_file_tells_port_and_folder() {
        let text = "18910\n/srv/postgres\n1795228720\n5433\n/run/x\n\n 10010676   4\nready   \n";
        let expected = Socket {
            folder: PathBuf::from("/run/x"),
            port: 5433,
        };
        assert_eq!(Socket::from_pid_file(text), Some(expected));
        assert_eq!(
            Socket::from_pid_file("18910\n/srv/postgres\n1795228720\n"),
            None
        );
        assert_eq!(
            Socket::from_pid_file("1\n/srv\n1\n5432\n\n\n"),
            None,
            "no unix socket"
        );
    }

    #[test]
    fn a_short_plain_path_is_its_own_socket_folder() {
        let cluster = Path::new("/srv/exchequer/data/postgres");
        assert_eq!(choose_folder(cluster, Path::new("/tmp")), cluster);
    }

    #[test]
    fn a_long_or_odd_path_gets_a_short_folder_of_its_own() {
        let temp = Path::new("/tmp");
        let long = PathBuf::from(format!("/srv/{}/postgres", "x".repeat(100)));
        let odd = PathBuf::from("/srv/my data/postgres");
        let (for_long, for_odd) = (choose_folder(&long, temp), choose_folder(&odd, temp));
        for folder in [&for_long, &for_odd] {
            assert!(
                folder.starts_with("/tmp") && is_usable(folder),
                "{folder:?}"
            );
        }
        assert_ne!(for_long, for_odd);
        assert_eq!(choose_folder(&long, temp), for_long);
    }
}
