//! The database of one bench, made in the cluster that was asked for and thrown away at the end, and
//! the programs of Postgres that do it.
//!
//! Invariant: nothing but a database of this bench's own name is ever dropped, and no password
//! stands on a command line.

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use percent_encoding::percent_decode_str;
use tokio::process::Command;
use tokio::time::timeout;
use url::Url;

use crate::postgres::find_program;

/// What every name of such a database begins with.
const NAME_PREFIX: &str = gateway::chain::generated::SCRATCH_DATABASES;

/// Longest wait for making or dropping the database.
const STEP_WAIT_MAX: Duration = Duration::from_secs(120);

/// Lines of a failed program's complaint that an error repeats.
const COMPLAINT_LINES: usize = 6;

/// A parameter of sqlx's, which Postgres' own programs refuse.
const NOT_LIBPQ: &str = "statement-cache-capacity=";

/// Would win over the path and lead past the database of the bench.
const OTHER_DATABASE: &str = "dbname=";

/// Where Postgres' own programs are.
pub(super) struct Programs {
    pub(super) pgbench: PathBuf,
    pub(super) psql: PathBuf,
    createdb: PathBuf,
    dropdb: PathBuf,
}

impl Programs {
    /// In `bin_dir` when it is given; otherwise where the private Postgres' programs are looked for,
    /// then on the search path.
    ///
    /// # Errors
    /// One of them is not installed.
    pub(super) fn find(bin_dir: Option<&Path>) -> anyhow::Result<Self> {
        let find = |name: &str| {
            find_program(bin_dir, name).with_context(|| {
                format!(
                    "{name} is missing beside the other programs of Postgres: install the package \
                     `postgresql`, or name the folder that holds it in EXCHEQUER_PG_BIN"
                )
            })
        };
        Ok(Self {
            pgbench: find("pgbench")?,
            psql: find("psql")?,
            createdb: find("createdb")?,
            dropdb: find("dropdb")?,
        })
    }
}

/// A database as Postgres' own programs are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    /// Without a password.
    url: String,
    password: Option<String>,
}

impl Access {
    fn of(url: &Url) -> anyhow::Result<Self> {
        let mut url = url.clone();
        let password = url
            .password()
            .map(|text| percent_decode_str(text).decode_utf8())
            .transpose()
            .context("the password of the database is no text")?
            .map(String::from);
        if password.is_some() && url.set_password(None).is_err() {
            bail!("the password cannot be taken out of the database's address");
        }
        keep_parameters(&mut url, |pair| !pair.starts_with(NOT_LIBPQ));
        Ok(Self {
            url: url.into(),
            password,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// A database that exists until [`Scratch::remove`].
pub(super) struct Scratch<'p> {
    programs: &'p Programs,
    name: String,
    /// With its password.
    url: String,
    access: Access,
    /// The database it was made from.
    maintenance: Access,
}

impl<'p> Scratch<'p> {
    /// Makes a database beside the one at `url`.
    ///
    /// # Errors
    /// The address cannot be read, or Postgres refuses.
    pub(super) async fn create(programs: &'p Programs, url: &str) -> anyhow::Result<Self> {
        // The address may hold a password, so it is not repeated.
        let mut there = Url::parse(url).context("the address of the database cannot be read")?;
        let maintenance = Access::of(&there)?;
        let random = RandomState::new().hash_one(std::process::id());
        let name = format!("{NAME_PREFIX}{random:016x}");
        lead_to(&mut there, &name);
        let scratch = Self {
            programs,
            access: Access::of(&there)?,
            url: there.into(),
            maintenance,
            name,
        };
        let arguments = [
            "--template=template0",
            "--encoding=UTF8",
            scratch.name.as_str(),
        ];
        scratch
            .administer(&programs.createdb, &arguments)
            .await
            .context("the database of the bench cannot be made")?;
        Ok(scratch)
    }

    /// What the database is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// For the server.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// For Postgres' own programs.
    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    /// Drops the database, whoever is still connected.
    ///
    /// # Errors
    /// It is still there, by the name that the error tells.
    pub(super) async fn remove(self) -> anyhow::Result<()> {
        let arguments = ["--if-exists", "--force", self.name.as_str()];
        self.administer(&self.programs.dropdb, &arguments)
            .await
            .with_context(|| format!("the database {} is left behind", self.name))
    }

    async fn administer(&self, program: &Path, arguments: &[&str]) -> anyhow::Result<()> {
        let mut all = vec![OsString::from(format!(
            "--maintenance-db={}",
            self.maintenance.url
        ))];
        all.push(OsString::from("--no-password"));
        all.extend(arguments.iter().map(OsString::from));
        run(program, &all, &self.maintenance, STEP_WAIT_MAX).await?;
        Ok(())
    }
}

/// Runs one of Postgres' programs to its end; answers what it printed.
///
/// It has a process group of its own, so that Ctrl-C reaches only us, and dies when the wait for it
/// is given up.
///
/// # Errors
/// It cannot be started, fails, or takes longer than `wait_max`.
pub(super) async fn run(
    program: &Path,
    arguments: &[OsString],
    access: &Access,
    wait_max: Duration,
) -> anyhow::Result<String> {
    let named = program.display();
    let mut command = Command::new(program);
    command
        .args(arguments)
        // Its output is read.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(password) = &access.password {
        command.env("PGPASSWORD", password);
    }
    let Ok(ended) = timeout(wait_max, command.output()).await else {
        bail!("{named} did not end within {} s", wait_max.as_secs());
    };
    let output = ended.with_context(|| format!("{named} cannot be run"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = complaint.lines().collect();
    let last = lines.len().saturating_sub(COMPLAINT_LINES);
    let tail = lines.get(last..).unwrap_or_default().join("\n");
    bail!("{named} failed ({}):\n{tail}", output.status)
}

/// Names another database in an address and leaves everything else as it is.
fn lead_to(url: &mut Url, database: &str) {
    url.set_path(&format!("/{database}"));
    keep_parameters(url, |pair| !pair.starts_with(OTHER_DATABASE));
}

/// Parameters are kept as they were written: both sides decode them, each in its own way.
fn keep_parameters(url: &mut Url, is_kept: impl Fn(&str) -> bool) {
    let Some(query) = url.query() else { return };
    let kept: Vec<&str> = query.split('&').filter(|pair| is_kept(pair)).collect();
    let kept = kept.join("&");
    url.set_query(Some(kept.as_str()).filter(|query| !query.is_empty()));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PRIVATE: &str =
        "postgres://exchequer@localhost:5432/exchequer?host=%2Fsrv%2Fa%20b&sslmode=disable";

    fn led_to(url: &str, name: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        lead_to(&mut url, name);
        url.into()
    }

    #[test]
    fn only_the_database_changes() {
        assert_eq!(
            led_to(PRIVATE, "exchequer_bench_1"),
            "postgres://exchequer@localhost:5432/exchequer_bench_1?host=%2Fsrv%2Fa%20b&sslmode=disable"
        );
        assert_eq!(
            led_to("postgresql://u:p@db.example/live?dbname=live", "b"),
            "postgresql://u:p@db.example/b"
        );
        assert_eq!(
            led_to("postgres:///live?host=/run&dbname=x&user=u", "b"),
            "postgres:///b?host=/run&user=u"
        );
    }

    #[test]
    fn the_password_is_told_apart() {
        let url =
            "postgres://u:p%40ss@db.example:5433/live?statement-cache-capacity=0&sslmode=require";
        let access = Access::of(&Url::parse(url).unwrap()).unwrap();
        assert_eq!(
            access,
            Access {
                url: "postgres://u@db.example:5433/live?sslmode=require".to_owned(),
                password: Some("p@ss".to_owned()),
            }
        );
        let access = Access::of(&Url::parse(PRIVATE).unwrap()).unwrap();
        assert_eq!((access.url.as_str(), access.password), (PRIVATE, None));
    }

    #[test]
    fn a_missing_program_is_named() {
        let found = Programs::find(Some(Path::new("/nonexistent")));
        let message = found.err().unwrap().to_string();
        assert!(message.starts_with("pgbench is missing"), "{message}");
        assert!(message.contains("EXCHEQUER_PG_BIN"), "{message}");
    }

    #[tokio::test]
    async fn a_failed_program_is_told_with_what_it_said() {
        let access = Access {
            url: String::new(),
            password: Some("secret".to_owned()),
        };
        let script = ["-c", "echo no such thing >&2; exit 3"].map(OsString::from);
        let wait = Duration::from_secs(60);
        let failed = run(Path::new("sh"), &script, &access, wait).await;
        let message = failed.unwrap_err().to_string();
        assert!(message.ends_with("no such thing"), "{message}");
        let script = ["-c", "echo $PGPASSWORD"].map(OsString::from);
        let said = run(Path::new("sh"), &script, &access, wait).await.unwrap();
        assert_eq!(said, "secret\n");
    }
}
