//! Finds the programs of a Postgres server and tells which major version they are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::PrivatePostgresError;
use super::place::Place;

/// Where Debian and Ubuntu install each major version side by side.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

/// The folder of one installed Postgres server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// The explicit `setting`; otherwise Debian's folders, newest first, then `PATH`. An existing
    /// cluster takes the first of its own major version.
    pub(super) async fn find(
        setting: Option<&Path>,
        place: &Place,
    ) -> Result<Binaries, PrivatePostgresError> {
        let folders = match setting {
            Some(dir) => vec![dir.to_owned()],
            None => [debian_folders(Path::new(DEBIAN_ROOT)), path_folders()].concat(),
        };
        let mut installed = Vec::new();
        for dir in &folders {
            let seen = installed.iter().any(|one: &Binaries| one.dir == *dir);
            if !seen && let Some(major) = installed_major(dir).await {
                installed.push(Binaries {
                    dir: dir.clone(),
                    major,
                });
            }
        }
        if installed.is_empty() {
            return Err(PrivatePostgresError::NoBinaries {
                looked_in: looked_in(&folders),
            });
        }
        pick(&installed, place.major)
            .cloned()
            .ok_or_else(|| PrivatePostgresError::WrongMajor {
                cluster: place.cluster.clone(),
                wanted: place.major.unwrap_or_default(),
                found: installed
                    .iter()
                    .map(|one| one.major.to_string())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }

    /// The path of one program. A server without the client programs beside it leaves `psql` to
    /// the search path.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        let beside = self.dir.join(name);
        if beside.exists() {
            beside
        } else {
            PathBuf::from(name)
        }
    }
}

/// The major version in what `postgres --version` prints or `PG_VERSION` holds.
pub(super) fn parse_major(text: &str) -> Option<u32> {
    let number = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let digits = number?.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The first program of this name: in `setting` alone when that is given; else in Debian's folders,
/// newest first, then on the search path.
pub(crate) fn find_program(setting: Option<&Path>, name: &str) -> Option<PathBuf> {
    let folders = match setting {
        Some(dir) => vec![dir.to_owned()],
        None => {
            let path = env::var_os("PATH").unwrap_or_default();
            let search: Vec<PathBuf> = env::split_paths(&path).collect();
            [debian_folders(Path::new(DEBIAN_ROOT)), search].concat()
        }
    };
    folders
        .iter()
        .map(|dir| dir.join(name))
        .find(|program| program.is_file())
}

fn pick(installed: &[Binaries], existing_major: Option<u32>) -> Option<&Binaries> {
    installed
        .iter()
        .find(|one| existing_major.is_none_or(|major| major == one.major))
}

fn debian_folders(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions
        .iter()
        .map(|major| root.join(major.to_string()).join("bin"))
        .collect()
}

/// Links in `PATH` are followed, because the programs look for each other in their real folder.
fn path_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter_map(|dir| fs::canonicalize(dir.join("initdb")).ok())
        .filter_map(|initdb| initdb.parent().map(Path::to_owned))
        .collect()
}

async fn installed_major(dir: &Path) -> Option<u32> {
    let complete = ["initdb", "pg_ctl", "postgres"]
        .iter()
        .all(|name| dir.join(name).exists());
    if !complete {
        return None;
    }
    let version = Command::new(dir.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await
        .ok()?;
    parse_major(&String::from_utf8_lossy(&version.stdout))
}

fn looked_in(folders: &[PathBuf]) -> String {
    if folders.is_empty() {
        return format!("{DEBIAN_ROOT} or PATH");
    }
    folders
        .iter()
        .map(|dir| dir.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn installed(majors: &[u32]) -> Vec<Binaries> {
        let dir = PathBuf::from("/bin");
        majors
            .iter()
            .map(|&major| Binaries {
                dir: dir.clone(),
                major,
            })
            .collect()
    }

    #[test]
    fn a_folder_that_is_named_is_the_only_one() {
        let shell = Path::new("/bin");
        assert_eq!(find_program(Some(shell), "sh"), Some(shell.join("sh")));
        assert_eq!(find_program(Some(Path::new("/nonexistent")), "sh"), None);
        assert!(find_program(None, "sh").is_some());
    }

    #[test]
    fn versions_are_read_as_postgres_prints_them() {
        let cases = [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18beta1\n", Some(18)),
            ("postgres (PostgreSQL) 9.6.24\n", Some(9)),
            ("16\n", Some(16)),
            ("postgres: command not found", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_major(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_new_cluster_takes_the_first_found() {
        assert_eq!(pick(&installed(&[17, 15]), None).unwrap().major, 17);
        assert_eq!(pick(&[], None), None);
    }

    #[test]
    fn an_existing_cluster_keeps_its_major_version() {
        assert_eq!(pick(&installed(&[17, 15]), Some(15)).unwrap().major, 15);
        assert_eq!(pick(&installed(&[17, 15]), Some(16)), None);
    }

    #[test]
    fn debian_folders_are_ordered_by_number_not_by_text() {
        let root = env::temp_dir().join(format!("exchequer-debian-{}", std::process::id()));
        for name in ["9", "15", "17", "common"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let found = debian_folders(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            found,
            ["17", "15", "9"].map(|major| root.join(major).join("bin"))
        );
    }

    #[test]
    fn a_machine_without_debian_folders_has_none() {
        assert!(debian_folders(Path::new("/nonexistent")).is_empty());
    }
}
