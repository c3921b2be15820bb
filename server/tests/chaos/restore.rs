//! Cases of copies: of a dump, and of any moment since a base backup.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection, PgPool};

use crate::cases::SOME;
use crate::cluster::{Cluster, pool};
use crate::crowd::{Crowd, Log, wait_for};
use crate::field::Field;
use crate::oracle::{self, Faults};
use crate::programs::{Background, postgres, run};
use crate::report::Outcome;

/// Moments that are gone back to, of each base backup.
const MOMENTS: usize = 2;
const MOMENTS_LONG: usize = 5;

/// The copy has everything that was acknowledged before it was begun, and its books are clean.
pub async fn dump_restored(field: &mut Field) -> Outcome {
    const COPY: &str = "chaos_copy";
    let crowd = field.crowd();
    crowd.more(SOME).await;
    let before = crowd.log();
    let since = Instant::now();
    let folder = std::env::temp_dir();
    let file = folder.join(format!("exchequer-chaos-{}.dump", std::process::id()));
    let (url, copy) = (field.cluster.url.clone(), field.cluster.url_of(COPY));
    let copy_url = copy.clone();
    let restored = tokio::task::spawn_blocking(move || {
        let path = file.to_str().unwrap();
        let (from, to) = (format!("--dbname={url}"), format!("--dbname={copy_url}"));
        postgres("pg_dump", &["-Fc", "--no-owner", "-f", path, &from]);
        postgres(
            "psql",
            &["-X", "-q", "-c", &format!("CREATE DATABASE {COPY}"), &from],
        );
        postgres("pg_restore", &["--exit-on-error", "--no-owner", &to, path]);
        std::fs::remove_file(&file).unwrap();
        run(&copy_url, &["audit"]);
    });
    restored.await.unwrap();
    let recovery = since.elapsed();
    let faults = of_copy(&copy, &before).await;
    let mut connection = PgConnection::connect(&field.cluster.url).await.unwrap();
    sqlx::query("DROP DATABASE chaos_copy WITH (FORCE)")
        .execute(&mut connection)
        .await
        .unwrap();
    let mut outcome = field.end(crowd, recovery).await;
    outcome.faults += faults;
    outcome
}

async fn of_copy(url: &str, log: &Log) -> Faults {
    let looking = pool(url).await;
    let mut faults = oracle::requests(&looking, log).await;
    faults += oracle::withdrawals(&looking).await;
    looking.close().await;
    faults
}

/// A base backup is taken under load, and all that Postgres writes into its log is kept. A copy that goes
/// back to any place in that log has what was acknowledged before it, once.
pub async fn point_in_time(field: &mut Field, is_long: bool) -> Result<Outcome, &'static str> {
    let temp = fs::canonicalize(std::env::temp_dir()).unwrap();
    if !field.cluster.place().starts_with(temp) {
        return Err("needs a temporary folder that Postgres' user can enter");
    }
    let crowd = field.crowd();
    crowd.more(SOME / 2).await;
    let archive = Archive::start(&field.cluster).await;
    archive.back_up(&field.cluster.url).await;
    let looking = field.cluster.pool().await;
    let mut marks = Vec::new();
    let moments = if is_long { MOMENTS_LONG } else { MOMENTS };
    for _ in 0..=moments {
        crowd.more(SOME / 2).await;
        marks.push(Mark::now(&crowd, &looking).await);
    }
    crowd.more(SOME / 2).await;
    let archive = archive.end(&looking).await;
    looking.close().await;
    let (mut faults, mut recovery) = (Faults::default(), Duration::ZERO);
    for pair in marks.windows(2) {
        let since = Instant::now();
        let at = between(pair[0].at, pair[1].at);
        println!("back to {at:X} of {:X} to {:X}", pair[0].at, pair[1].at);
        let copy = archive.go_to(at).await;
        let url = copy.url.clone();
        let audited = tokio::task::spawn_blocking(move || run(&url, &["audit"]));
        audited.await.unwrap();
        recovery = recovery.max(since.elapsed());
        faults += of_copy(&copy.url, &pair[0].log).await;
        copy.stop().await;
    }
    let mut outcome = field.end(crowd, recovery).await;
    outcome.faults += faults;
    Ok(outcome)
}

/// What was acknowledged before Postgres' log was as long as this.
struct Mark {
    log: Log,
    at: u64,
}

impl Mark {
    async fn now(crowd: &Crowd, pool: &PgPool) -> Self {
        let log = crowd.log();
        let at: i64 =
            sqlx::query_scalar("SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint")
                .fetch_one(pool)
                .await
                .unwrap();
        let at = u64::try_from(at).unwrap();
        Self { log, at }
    }
}

/// Any place, also in the middle of a record: it counts as written when it begins before.
fn between(from: u64, to: u64) -> u64 {
    let any = RandomState::new().build_hasher().finish();
    from + any % (to - from).max(1)
}

/// A base backup and the log that was written since.
struct Archive {
    folder: PathBuf,
    /// Whoever runs Postgres.
    owner: Metadata,
    taking: Option<Background>,
}

impl Archive {
    async fn start(cluster: &Cluster) -> Self {
        let name = format!("exchequer-chaos-archive-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o711)).unwrap();
        let mut archive = Self {
            folder,
            owner: fs::metadata(cluster.place()).unwrap(),
            taking: None,
        };
        let log = archive.log();
        fs::create_dir(&log).unwrap();
        let (to, from) = (text(&log), format!("--dbname={}", cluster.url));
        // It comes again when its connection ends.
        let taking = Background::postgres("pg_receivewal", &["-D", to, &from]);
        archive.taking = Some(taking);
        // The first file is begun: nothing that is written from now on is missed.
        wait_for(|| fs::read_dir(&log).unwrap().next().is_some()).await;
        archive
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn base(&self) -> PathBuf {
        self.folder.join("base")
    }

    async fn back_up(&self, url: &str) {
        let (base, from) = (self.base(), format!("--dbname={url}"));
        let taken = tokio::task::spawn_blocking(move || {
            // The log comes from where it is kept.
            let to = format!("--pgdata={}", text(&base));
            postgres(
                "pg_basebackup",
                &[
                    "--wal-method=none",
                    "--checkpoint=fast",
                    "--no-sync",
                    &to,
                    &from,
                ],
            );
        });
        taken.await.unwrap();
    }

    /// All that was written until now is kept; nothing more is.
    async fn end(mut self, pool: &PgPool) -> Self {
        let last: String = sqlx::query_scalar("SELECT pg_walfile_name(pg_current_wal_lsn())")
            .fetch_one(pool)
            .await
            .unwrap();
        sqlx::query("SELECT pg_switch_wal()")
            .execute(pool)
            .await
            .unwrap();
        // It has this name when it is complete.
        let last = self.log().join(last);
        wait_for(|| last.exists()).await;
        drop(self.taking.take());
        for entry in fs::read_dir(self.log()).unwrap() {
            give(&entry.unwrap().path(), &self.owner);
        }
        give(&self.log(), &self.owner);
        self
    }

    /// A server of its own with all up to there.
    async fn go_to(&self, at: u64) -> Cluster {
        let name = format!("exchequer-chaos-back-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o711)).unwrap();
        let place = folder.join("postgres");
        copy(&self.base(), &place, &self.owner);
        let settings = format!(
            "restore_command = 'cp \"{}/%f\" \"%p\"'\nrecovery_target_lsn = '{:X}/{:X}'\n\
             recovery_target_action = promote\nhot_standby = off\nshared_buffers = 32MB\n",
            text(&self.log()),
            at >> 32,
            at & 0xFFFF_FFFF,
        );
        let file = place.join("postgresql.auto.conf");
        let mut file = OpenOptions::new().append(true).open(file).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
        let signal = place.join("recovery.signal");
        File::create(&signal).unwrap();
        give(&signal, &self.owner);
        // Without hot standby it takes connections only when it is there.
        Cluster::open(folder).await
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        drop(self.taking.take());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A whole folder, without the lock of a socket: it names a server that runs.
fn copy(from: &Path, to: &Path, owner: &Metadata) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_name().to_string_lossy().starts_with(".s.PGSQL") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, owner);
        } else {
            fs::copy(entry.path(), &target).unwrap();
            give(&target, owner);
        }
    }
    give(to, owner);
}

fn give(path: &Path, owner: &Metadata) {
    chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
}
