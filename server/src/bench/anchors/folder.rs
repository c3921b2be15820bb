//! Folders that describe another ledger: its tables, what it is loaded with, and what pgbench has it do.
//!
//! Invariant: what is wrong with a folder is said before anything is made or measured.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

/// Longest name of a ledger.
const NAME_MAX: usize = 40;

/// What the first line of a script may tell, as a comment and with a number after a colon.
const ENTRIES: &str = "entries per transaction";

/// Entries of a transaction at most.
const ENTRIES_MAX: u32 = 100_000;

/// One ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bench) struct Folder {
    /// That of the folder: letters, digits, `.`, `-` and `_`.
    pub(super) name: String,
    /// Run once by psql.
    pub(super) schema: PathBuf,
    /// The same, afterwards.
    pub(super) load: Option<PathBuf>,
    pub(super) uniform: Script,
    pub(super) hot: Script,
}

/// What pgbench runs again and again, one transaction each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) path: PathBuf,
    /// Ledger entries that one run of it books.
    pub(super) entries: u32,
}

/// All folders of `dir`, by name. Files beside them and folders whose name begins with a dot are none.
///
/// # Errors
/// There is none, a file is missing, cannot be read or is empty, a name or a number of entries cannot
/// be used.
pub(in crate::bench) fn read_all(dir: &Path) -> anyhow::Result<Vec<Folder>> {
    let named = dir.display();
    let unreadable = || format!("the folder of anchors {named} cannot be read");
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let path = entry.path();
        if path.is_dir() && !is_hidden {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    ensure!(
        !paths.is_empty(),
        "{named} holds no anchor: each is a folder with schema.sql, uniform.sql and hot.sql"
    );
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> anyhow::Result<Folder> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .filter(|name| is_name(name))
        .with_context(|| {
            format!(
                "the anchor {} needs a name of letters, digits, '.', '-' and '_', {NAME_MAX} at most",
                path.display()
            )
        })?;
    let load = path.join("load.sql");
    let load = if load.exists() {
        Some(present(name, load)?)
    } else {
        None
    };
    Ok(Folder {
        name: name.to_owned(),
        schema: present(name, path.join("schema.sql"))?,
        load,
        uniform: script(name, path.join("uniform.sql"))?,
        hot: script(name, path.join("hot.sql"))?,
    })
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    name.len() <= NAME_MAX && name.bytes().all(is_plain)
}

fn script(name: &str, path: PathBuf) -> anyhow::Result<Script> {
    let text = text(name, &path)?;
    let entries =
        entries(&text).with_context(|| format!("the anchor {name}: {}", path.display()))?;
    Ok(Script { path, entries })
}

/// The path, when something can be read there.
fn present(name: &str, path: PathBuf) -> anyhow::Result<PathBuf> {
    text(name, &path)?;
    Ok(path)
}

fn text(name: &str, path: &Path) -> anyhow::Result<String> {
    let named = path.display();
    let text = fs::read_to_string(path)
        .with_context(|| format!("the anchor {name}: {named} cannot be read"))?;
    ensure!(
        !text.trim().is_empty(),
        "the anchor {name}: {named} is empty"
    );
    Ok(text)
}

/// What the first line tells, or one.
fn entries(script: &str) -> anyhow::Result<u32> {
    let mut lines = script.lines();
    let first = lines.next().unwrap_or_default();
    // Overlooked, it would make a batch of five hundred count as one.
    if lines.any(says_entries) {
        bail!("what begins with `-- {ENTRIES}` has to be the first line");
    }
    if !says_entries(first) {
        return Ok(1);
    }
    number(first).with_context(|| {
        format!("`{first}` has to be `-- {ENTRIES}: N` with a number from 1 to {ENTRIES_MAX}")
    })
}

/// What a comment says, in small letters.
fn comment(line: &str) -> Option<String> {
    let said = line.trim_start().strip_prefix("--")?;
    Some(said.trim().to_ascii_lowercase())
}

fn says_entries(line: &str) -> bool {
    comment(line).is_some_and(|said| said.starts_with(ENTRIES))
}

fn number(line: &str) -> Option<u32> {
    let said = comment(line)?;
    let number = said.strip_prefix(ENTRIES)?.trim_start().strip_prefix(':')?;
    let number = number.trim().parse::<u32>().ok()?;
    (1..=ENTRIES_MAX).contains(&number).then_some(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Folders of anchors, gone with the test.
    struct Anchors(PathBuf);

    impl Anchors {
        fn of(name: &str) -> Self {
            let folder = format!("exchequer-anchors-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(folder);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        /// One with these files, each with its text.
        fn add(&self, name: &str, files: &[(&str, &str)]) {
            fs::create_dir_all(self.0.join(name)).unwrap();
            for (file, text) in files {
                fs::write(self.0.join(name).join(file), text).unwrap();
            }
        }

        fn complaint(&self) -> String {
            format!("{:#}", read_all(&self.0).unwrap_err())
        }
    }

    impl Drop for Anchors {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const WHOLE: [(&str, &str); 3] = [
        ("schema.sql", "CREATE TABLE t (n int)"),
        ("uniform.sql", "INSERT INTO t VALUES (1);"),
        ("hot.sql", "-- entries per transaction: 500\nSELECT 1;"),
    ];

    #[test]
    fn folders_are_read_in_the_order_of_their_names() {
        let anchors = Anchors::of("order");
        anchors.add("tb-perf", &WHOLE);
        anchors.add("a_2.0", &WHOLE);
        anchors.add("a_2.0", &[("load.sql", "SELECT 1;")]);
        // Neither is a ledger.
        anchors.add(".git", &[]);
        fs::write(anchors.0.join("README"), "").unwrap();
        let read = read_all(&anchors.0).unwrap();
        let (first, folder) = (&read[0], anchors.0.join("a_2.0"));
        let expected = Folder {
            name: "a_2.0".to_owned(),
            schema: folder.join("schema.sql"),
            load: Some(folder.join("load.sql")),
            uniform: Script {
                path: folder.join("uniform.sql"),
                entries: 1,
            },
            hot: Script {
                path: folder.join("hot.sql"),
                entries: 500,
            },
        };
        assert_eq!(first, &expected);
        assert_eq!((read[1].name.as_str(), &read[1].load), ("tb-perf", &None));
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn the_example_can_be_used() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench_anchors");
        let read = read_all(Path::new(dir)).unwrap();
        let told: Vec<(&str, u32, u32)> = read
            .iter()
            .map(|folder| {
                let Folder {
                    name, uniform, hot, ..
                } = folder;
                (name.as_str(), uniform.entries, hot.entries)
            })
            .collect();
        assert_eq!(told, [("two-balances", 1, 2)]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let anchors = Anchors::of("missing");
        let complaint = anchors.complaint();
        assert!(complaint.contains("holds no anchor"), "{complaint}");
        anchors.add("small", &[]);
        for (file, text) in WHOLE {
            let complaint = anchors.complaint();
            assert!(
                complaint.contains("the anchor small") && complaint.contains(file),
                "{file}: {complaint}"
            );
            anchors.add("small", &[(file, text)]);
        }
        assert_eq!(read_all(&anchors.0).unwrap().len(), 1);
        for file in ["hot.sql", "load.sql"] {
            anchors.add("small", &[(file, " \n")]);
            let complaint = anchors.complaint();
            assert!(
                complaint.contains(file) && complaint.contains("is empty"),
                "{complaint}"
            );
            anchors.add("small", &[(file, "SELECT 1;")]);
        }
        let nowhere = read_all(Path::new("/nonexistent")).unwrap_err();
        assert!(format!("{nowhere:#}").contains("/nonexistent cannot be read"));
    }

    #[test]
    fn a_name_fits_into_a_table() {
        let anchors = Anchors::of("name");
        anchors.add("two words", &WHOLE);
        let complaint = anchors.complaint();
        assert!(complaint.contains("needs a name of letters"), "{complaint}");
        assert!(is_name("tb-perf") && is_name(&"a".repeat(40)));
        for wrong in ["a|b", "ü", "a b", &"a".repeat(41)] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn entries_stand_in_the_first_line_or_are_one() {
        let read = |script| entries(script).ok();
        for (script, expected) in [
            ("SELECT 1;", Some(1)),
            ("-- a transfer\nSELECT 1;", Some(1)),
            ("-- entries per transaction: 500\nSELECT 1;", Some(500)),
            ("--Entries per transaction :  7 \r\nSELECT 1;", Some(7)),
            ("-- entries per transaction: 100000", Some(100_000)),
            ("-- entries per transaction: 100001", None),
            ("-- entries per transaction: 0", None),
            ("-- entries per transaction: -1", None),
            ("-- entries per transaction: many", None),
            ("-- entries per transaction 500", None),
            ("-- entries per transaction:", None),
            ("SELECT 1;\n-- entries per transaction: 500", None),
            ("\n-- entries per transaction: 500", None),
        ] {
            assert_eq!(read(script), expected, "{script}");
        }
    }

    #[test]
    fn a_wrong_number_is_told_with_its_script() {
        let anchors = Anchors::of("number");
        anchors.add("small", &WHOLE);
        anchors.add("small", &[("hot.sql", "-- entries per transaction: x")]);
        let complaint = anchors.complaint();
        for told in ["small", "hot.sql", "from 1 to 100000"] {
            assert!(complaint.contains(told), "{told}: {complaint}");
        }
    }
}
