//! Times of processes as Linux tells them below `/proc`, in ticks of its clock.

use std::fs;
use std::path::Path;

/// Looks at a family until nobody of it ended meanwhile, at most.
const LOOKS_MAX: u32 = 20;

/// Fields between a process's parent and its times.
const FIELDS_BETWEEN: usize = 9;

/// What is told of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    parent: u32,
    /// Ticks of all its threads, inside and outside the kernel.
    pub(super) own: u64,
    /// The same of those children that ended and were waited for, and of theirs.
    ended: u64,
}

impl Stat {
    /// One line of `/proc/PID/stat`. The name in its parentheses may hold anything, parentheses too.
    fn parse(line: &str) -> Option<Self> {
        let (_, after_name) = line.rsplit_once(')')?;
        let mut fields = after_name.split_ascii_whitespace();
        // After its state.
        let parent = fields.nth(1)?.parse().ok()?;
        let mut times = fields
            .skip(FIELDS_BETWEEN)
            .map(|field| field.parse::<u64>().ok());
        let mut both = || times.next()??.checked_add(times.next()??);
        let (own, ended) = (both()?, both()?);
        Some(Self { parent, own, ended })
    }
}

/// The process of this number; `None` when there is none, or nothing is told of it.
pub(super) fn of(proc: &Path, process: u32) -> Option<Stat> {
    let told = fs::read(proc.join(process.to_string()).join("stat")).ok()?;
    Stat::parse(&String::from_utf8_lossy(&told))
}

/// Ticks of a process and of all its children, those that live and those that ended.
pub(super) fn of_family(proc: &Path, parent: u32) -> Option<u64> {
    for _ in 0..LOOKS_MAX {
        let before = of(proc, parent)?;
        let alive = of_children(proc, parent)?;
        let after = of(proc, parent)?;
        // A child that ended in between may have been counted twice, or not at all.
        if after.ended == before.ended {
            return alive.checked_add(after.own)?.checked_add(after.ended);
        }
    }
    None
}

/// Ticks of the children that live, or ended and were not yet waited for.
fn of_children(proc: &Path, parent: u32) -> Option<u64> {
    let ids = fs::read_dir(proc)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children = ids
        .filter_map(|process| of(proc, process))
        .filter(|stat| stat.parent == parent);
    Some(children.map(|stat| stat.own).sum())
}

/// The first process of the Postgres whose process `backend` serves `database`.
///
/// The number alone proves nothing: that Postgres may run on another machine or in a container, and
/// somebody else may have the number here. The title of the right one names the database.
pub(super) fn postmaster(proc: &Path, backend: u32, database: &str) -> Option<u32> {
    let title = fs::read(proc.join(backend.to_string()).join("cmdline")).ok()?;
    if !String::from_utf8_lossy(&title).contains(database) {
        return None;
    }
    of(proc, backend)
        .map(|stat| stat.parent)
        .filter(|parent| *parent > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A line as the kernel writes it; `times` are of itself twice, then of its children twice.
    fn line(process: u32, name: &str, parent: u32, times: [u64; 4]) -> String {
        let [user, system, ended_user, ended_system] = times;
        format!(
            "{process} ({name}) S {parent} {process} {process} 0 -1 4194560 5077 1215 3 9 \
             {user} {system} {ended_user} {ended_system} 20 0 1 0 8571 225771520 6913\n"
        )
    }

    /// A folder in the shape of `/proc`, gone with the test.
    struct Processes(PathBuf);

    impl Processes {
        fn of(name: &str) -> Self {
            let folder = format!("exchequer-stat-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(folder);
            fs::create_dir_all(path.join("sys")).unwrap();
            fs::write(path.join("uptime"), "5.00 9.00\n").unwrap();
            Self(path)
        }

        fn add(&self, process: u32, name: &str, parent: u32, times: [u64; 4]) {
            let folder = self.0.join(process.to_string());
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("stat"), line(process, name, parent, times)).unwrap();
            fs::write(folder.join("cmdline"), format!("{name}\0")).unwrap();
        }
    }

    impl Drop for Processes {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_name_may_hold_anything() {
        let expected = Some(Stat {
            parent: 41,
            own: 1_100,
            ended: 33,
        });
        for name in [
            "postgres",
            "a b",
            "(a) b)",
            ") S 7 (",
            "",
            "1 2 3 4 5 6 7",
            "a\nb",
            "ä",
        ] {
            let line = line(42, name, 41, [1_000, 100, 30, 3]);
            assert_eq!(Stat::parse(&line), expected, "{name:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_no_number_is_none() {
        let whole = line(42, "postgres", 41, [1, 2, 3, 4]);
        assert!(Stat::parse(&whole).is_some());
        let cut = whole.split(" 4 20 0").next().unwrap();
        for wrong in [
            "",
            "42",
            "42 (postgres)",
            "42 (postgres) S",
            "42 (postgres) S x",
            cut,
        ] {
            assert_eq!(Stat::parse(wrong), None, "{wrong}");
        }
        let negative = whole.replace(" 1 2 3 4 20", " 1 -2 3 4 20");
        assert_eq!(Stat::parse(&negative), None);
        let most = line(42, "postgres", 41, [u64::MAX, 1, 0, 0]);
        assert_eq!(Stat::parse(&most), None);
    }

    #[test]
    fn a_family_is_its_head_and_its_children_and_nobody_else() {
        let processes = Processes::of("family");
        processes.add(100, "postgres", 1, [1, 2, 40, 4]);
        processes.add(101, "postgres: writer", 100, [100, 10, 7, 7]);
        processes.add(102, "(a) b)", 100, [1_000, 0, 0, 0]);
        // A client, and a child of a child.
        processes.add(103, "pgbench", 90, [5_000, 5_000, 0, 0]);
        processes.add(104, "sh", 101, [5_000, 5_000, 0, 0]);
        assert_eq!(of_family(&processes.0, 100), Some(1_157));
        assert_eq!(of_family(&processes.0, 102), Some(1_000));
        assert_eq!(of_family(&processes.0, 99), None);
        assert_eq!(of_family(Path::new("/nonexistent"), 100), None);
    }

    #[test]
    fn postgres_is_found_by_a_process_that_serves_the_database() {
        let processes = Processes::of("postmaster");
        processes.add(100, "postgres", 1, [0; 4]);
        processes.add(101, "postgres: me bench_5f [local] idle", 100, [0; 4]);
        let found = |backend, database| postmaster(&processes.0, backend, database);
        assert_eq!(found(101, "bench_5f"), Some(100));
        // A number that is somebody else's here, and one that nobody has.
        assert_eq!(found(100, "bench_5f"), None);
        assert_eq!(found(101, "bench_60"), None);
        assert_eq!(found(102, "bench_5f"), None);
    }
}
