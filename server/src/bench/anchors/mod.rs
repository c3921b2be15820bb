//! Other ledgers on the same server of Postgres, in the same rounds: what ours is compared with.
//!
//! Their code is not ours: whoever measures one describes it in a folder (see `docs/bench.md`), from which
//! psql makes it in a database of its own and pgbench uses it. Its rates count entries, so that a ledger
//! which books many in one transaction is not told by its transactions.
//!
//! Invariant: the databases go when the bench ends, whatever came of it.

mod folder;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use self::folder::Script;
pub(super) use self::folder::{Folder, read_all};
use super::Plan;
use super::pgbench::Pgbench;
use super::report::Report;
use super::say;
use super::scratch::{Programs, Scratch, run as run_program};
use super::subject::{Title, Unit};

/// Longest wait for one of psql's scripts.
const SCRIPT_WAIT_MAX: Duration = Duration::from_secs(1_800);

const UNIFORM: &str = "uniform";
const HOT: &str = "hot";

/// Key of the row that another ledger has under a load.
pub(super) fn key(name: &str, load: &str) -> String {
    format!("anchor_{name}_{load}")
}

/// That row.
pub(super) fn title(name: &str, load: &str) -> Title {
    Title {
        key: key(name, load).into(),
        label: format!("anchor {name}, {load}").into(),
        unit: Unit::PerSecond,
    }
}

/// The load of a row of our own ledger that others have, too.
pub(super) fn load_of(key: &str) -> Option<&'static str> {
    match key {
        "ledger_uniform" => Some(UNIFORM),
        "ledger_hot" => Some(HOT),
        _ => None,
    }
}

/// One of them.
struct Anchor<'p> {
    folder: Folder,
    scratch: Scratch<'p>,
}

/// All of them, each in its database, until [`Anchors::remove`].
pub(super) struct Anchors<'p> {
    programs: &'p Programs,
    all: Vec<Anchor<'p>>,
}

impl<'p> Anchors<'p> {
    /// Makes the databases, still empty.
    ///
    /// # Errors
    /// Postgres refuses one; then there is none.
    pub(super) async fn create(
        programs: &'p Programs,
        cluster_url: &str,
        folders: Vec<Folder>,
    ) -> anyhow::Result<Self> {
        let mut anchors = Self {
            programs,
            all: Vec::new(),
        };
        for folder in folders {
            match Scratch::create(programs, cluster_url).await {
                Ok(scratch) => anchors.all.push(Anchor { folder, scratch }),
                Err(refused) => {
                    // Why there is none is the first thing to be told.
                    return match anchors.remove().await {
                        Ok(()) => Err(refused),
                        Err(left) => Err(left.context(format!("{refused:#}"))),
                    };
                }
            }
        }
        Ok(anchors)
    }

    pub(super) fn names(&self) -> Vec<String> {
        let names = self.all.iter().map(|anchor| anchor.folder.name.clone());
        names.collect()
    }

    /// Makes each ledger and loads it.
    ///
    /// # Errors
    /// A statement of a script failed.
    pub(super) async fn fill(&self) -> anyhow::Result<()> {
        for Anchor { folder, scratch } in &self.all {
            let name = &folder.name;
            say(&format!("making the ledger {name}"));
            for script in [Some(&folder.schema), folder.load.as_ref()]
                .into_iter()
                .flatten()
            {
                self.psql(scratch, script)
                    .await
                    .with_context(|| format!("the anchor {name}: {}", script.display()))?;
            }
        }
        Ok(())
    }

    async fn psql(&self, scratch: &Scratch<'_>, script: &Path) -> anyhow::Result<()> {
        let access = scratch.access();
        // It need not be text.
        let mut file = OsString::from("--file=");
        file.push(script);
        let mut arguments: Vec<OsString> = [
            "--no-psqlrc",
            "--quiet",
            "--no-password",
            "--set=ON_ERROR_STOP=1",
        ]
        .iter()
        .map(OsString::from)
        .collect();
        arguments.extend([file, format!("--dbname={}", access.url()).into()]);
        run_program(&self.programs.psql, &arguments, access, SCRIPT_WAIT_MAX).await?;
        Ok(())
    }

    /// One round: each ledger under each load, at its best number of clients, `room` at most.
    ///
    /// # Errors
    /// A script failed: figures about failures would say nothing.
    pub(super) async fn measure(
        &self,
        plan: Plan,
        room: u32,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        for Anchor { folder, scratch } in &self.all {
            let pgbench = Pgbench {
                program: &self.programs.pgbench,
                access: scratch.access(),
                plan,
            };
            for (load, script) in [(UNIFORM, &folder.uniform), (HOT, &folder.hot)] {
                measure_one(&pgbench, script, room, title(&folder.name, load), report)
                    .await
                    .with_context(|| format!("the anchor {}", folder.name))?;
            }
        }
        Ok(())
    }

    /// Drops the databases, whoever is still connected.
    ///
    /// # Errors
    /// One of them is still there; all the others are gone.
    pub(super) async fn remove(self) -> anyhow::Result<()> {
        let mut removed = Ok(());
        for anchor in self.all {
            removed = removed.and(anchor.scratch.remove().await);
        }
        removed
    }
}

async fn measure_one(
    pgbench: &Pgbench<'_>,
    script: &Script,
    room: u32,
    title: Title,
    report: &mut Report,
) -> anyhow::Result<()> {
    let ran = pgbench.best(Some(&script.path), room, report.meter).await?;
    let entries = u64::from(script.entries);
    let rate = ran.rate.scaled(entries, 1);
    let rate = rate.context("more entries than can be counted")?;
    let booked = ran.transactions.saturating_mul(entries);
    report.add_rate(title, rate, ran.spent.each(booked));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::subject::LEDGER_UNIFORM;
    use super::*;

    #[test]
    fn rows_are_named_for_ledger_and_load() {
        let row = title("tb-perf", HOT);
        assert_eq!(row.key, "anchor_tb-perf_hot");
        assert_eq!(row.label, "anchor tb-perf, hot");
        assert_eq!(key("pgledger", UNIFORM), "anchor_pgledger_uniform");
    }

    #[test]
    fn two_rows_of_ours_are_compared() {
        assert_eq!(load_of(LEDGER_UNIFORM.key), Some(UNIFORM));
        assert_eq!(load_of("ledger_hot"), Some(HOT));
        for other in ["ledger_zipf", "percall_hot", "tpcb", "anchor_x_hot", ""] {
            assert_eq!(load_of(other), None, "{other}");
        }
    }
}
