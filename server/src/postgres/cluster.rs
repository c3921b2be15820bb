//! Runs Postgres' own programs on one cluster folder.
//!
//! The programs run in a process group of their own, so that Ctrl-C reaches us first and the
//! server is stopped in order, and with a cleared environment, so that neither our secrets nor a
//! stray `PG…` variable reach it. Their output goes to the log file, never to a pipe: the server
//! inherits it and would keep a pipe open for ever.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, lchown};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::NAME;
use super::binaries::Binaries;
use super::error::{self, PrivatePostgresError, at};
use super::memory::shared_buffers;
use super::place::{Account, Place};
use super::socket::{self, PORT, Socket};

/// Appended to `postgresql.conf` of a new cluster, where the operator may change it. `fsync` is
/// not mentioned: it stays on.
const SETTINGS: &str = "
# Exchequer's own defaults.
max_connections = 200
max_wal_size = 2GB
# Kept for use again: who commits waits while a new file of the log is filled.
min_wal_size = 2GB
random_page_cost = 1.1
idle_in_transaction_session_timeout = 60s
timezone = 'UTC'
log_timezone = 'UTC'
# The details of a constraint error would put customers' data into the log.
log_error_verbosity = terse
log_checkpoints = off
";

const CREATE_DATABASE: &str = "select 'create database exchequer' \
    where not exists (select from pg_database where datname = 'exchequer') \\gexec\n";

/// Crash recovery replays up to `max_wal_size`.
const START_SECONDS_MAX: u64 = 300;
const STOP_SECONDS_MAX: u64 = 60;
const POLL: Duration = Duration::from_millis(200);
/// A log above this size is set aside at the next start.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What `psql` answers when there is no server, or one that is still starting.
const PSQL_NO_CONNECTION: i32 = 2;
/// All that the programs get to see of our environment.
const ENVIRONMENT: [&str; 3] = ["PATH", "TMPDIR", "LD_LIBRARY_PATH"];

/// One cluster folder with the programs that fit it.
#[derive(Debug)]
pub(super) struct Cluster {
    folder: PathBuf,
    account: Option<Account>,
    binaries: Binaries,
    log: PathBuf,
}

impl Cluster {
    pub(super) fn new(place: &Place, binaries: Binaries, log: PathBuf) -> Cluster {
        Cluster {
            folder: place.cluster.clone(),
            account: place.account,
            binaries,
            log,
        }
    }

    /// Makes the cluster beside its place and moves it there when it is complete: a start that
    /// was killed half-way leaves nothing that looks like a cluster.
    pub(super) async fn create(&self) -> Result<(), PrivatePostgresError> {
        let mut fresh = self.folder.clone().into_os_string();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(at(&fresh))?;
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&fresh)
            .map_err(at(&fresh))?;
        if let Some(account) = self.account {
            lchown(&fresh, Some(account.uid), Some(account.gid)).map_err(at(&fresh))?;
        }

        let mut initdb = self.command("initdb")?;
        initdb.arg("-D").arg(&fresh).args(["-U", NAME]);
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C"]);
        self.run("initdb", initdb).await?;

        // As the cluster's user, like everything in its folder: root follows no links in there.
        let mut tee = self.command("tee")?;
        tee.arg("-a")
            .arg(fresh.join("postgresql.conf"))
            .stdout(Stdio::null());
        let settings = format!(
            "{SETTINGS}shared_buffers = {}MB\nwal_compression = {}\n",
            shared_buffers(),
            self.wal_compression(&fresh).await?
        );
        let written = self.feed(tee, &settings).await?;
        if !written.success() {
            return Err(error::step("writing postgresql.conf", &self.log));
        }
        fs::rename(&fresh, &self.folder).map_err(at(&self.folder))
    }

    /// How whole pages are made smaller in the log: by LZ4, which takes less time, if these programs can.
    async fn wal_compression(&self, fresh: &Path) -> Result<&'static str, PrivatePostgresError> {
        let mut postgres = self.command("postgres")?;
        postgres.args(["-C", "wal_compression", "-c", "wal_compression=lz4", "-D"]);
        postgres.arg(fresh);
        let status = postgres.status().await.map_err(at(program_of(&postgres)))?;
        Ok(if status.success() { "lz4" } else { "on" })
    }

    /// The socket of a server that runs on this folder. Asking the socket itself is the proof: a
    /// process id left behind may belong to somebody else by now.
    pub(super) async fn running_socket(&self) -> Option<Socket> {
        let pid_file = fs::read_to_string(self.folder.join("postmaster.pid")).ok()?;
        let socket = Socket::from_pid_file(&pid_file)?;
        UnixStream::connect(socket.file()).await.ok()?;
        Some(socket)
    }

    pub(super) async fn start(&self) -> Result<Socket, PrivatePostgresError> {
        let folder = socket::choose_folder(&self.folder, &env::temp_dir());
        if folder != self.folder {
            socket::prepare_folder(&folder, self.account)?;
        }
        self.set_long_log_aside()?;
        // Nothing here needs quoting: `choose_folder` sees to the only free text.
        let mut options = OsString::from(format!("-p {PORT} -c listen_addresses="));
        options.push(" -c unix_socket_permissions=0700 -c unix_socket_directories=");
        options.push(&folder);

        let mut pg_ctl = self.pg_ctl("start", START_SECONDS_MAX)?;
        pg_ctl.arg("-o").arg(options);
        self.run("pg_ctl start", pg_ctl).await?;
        Ok(Socket { folder, port: PORT })
    }

    /// Stops a running server: clients are cut off, committed work is kept.
    pub(super) async fn stop(&self) -> Result<(), PrivatePostgresError> {
        if self.running_socket().await.is_none() {
            return Ok(());
        }
        let mut pg_ctl = self.pg_ctl("stop", STOP_SECONDS_MAX)?;
        pg_ctl.args(["-m", "fast"]);
        self.run("pg_ctl stop", pg_ctl).await
    }

    /// Creates the database when missing, waiting for a server that still recovers from a crash; false when that
    /// server is gone.
    pub(super) async fn create_database(
        &self,
        socket: &Socket,
    ) -> Result<bool, PrivatePostgresError> {
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        loop {
            let mut psql = self.command("psql")?;
            psql.args(["-X", "-w", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
            psql.arg("-h")
                .arg(&socket.folder)
                .arg("-p")
                .arg(socket.port.to_string());
            psql.args(["-U", NAME, "-d", "postgres"]);
            let status = self.feed(psql, CREATE_DATABASE).await?;
            if status.success() {
                return Ok(true);
            }
            if status.code() != Some(PSQL_NO_CONNECTION) || Instant::now() > deadline {
                return Err(error::step("creating the database", &self.log));
            }
            // One that recovers takes connections and refuses them itself.
            if self.running_socket().await.is_none() {
                return Ok(false);
            }
            sleep(POLL).await;
        }
    }

    fn pg_ctl(&self, action: &str, seconds_max: u64) -> Result<Command, PrivatePostgresError> {
        let mut pg_ctl = self.command("pg_ctl")?;
        pg_ctl.arg(action).arg("-D").arg(&self.folder);
        pg_ctl.args(["-s", "-w", "-t"]).arg(seconds_max.to_string());
        Ok(pg_ctl)
    }

    fn command(&self, program: &str) -> Result<Command, PrivatePostgresError> {
        let log = self.open_log()?;
        let mut command = Command::new(self.binaries.program(program));
        command
            .env_clear()
            .envs(
                ENVIRONMENT
                    .iter()
                    .filter_map(|name| Some((name, env::var_os(name)?))),
            )
            .env("LC_ALL", "C")
            // Ours may be a folder that the cluster's user cannot enter.
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(at(&self.log))?)
            .stderr(log)
            .process_group(0);
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        Ok(command)
    }

    async fn run(
        &self,
        step: &'static str,
        mut command: Command,
    ) -> Result<(), PrivatePostgresError> {
        let status = command.status().await.map_err(at(program_of(&command)))?;
        if status.success() {
            Ok(())
        } else {
            Err(error::step(step, &self.log))
        }
    }

    async fn feed(
        &self,
        mut command: Command,
        input: &str,
    ) -> Result<ExitStatus, PrivatePostgresError> {
        command.stdin(Stdio::piped());
        let mut child = command.spawn().map_err(at(program_of(&command)))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ended early tells more by its exit status than by a broken pipe.
            let _ended_early = stdin.write_all(input.as_bytes()).await;
        }
        child.wait().await.map_err(at(program_of(&command)))
    }

    fn open_log(&self) -> Result<File, PrivatePostgresError> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        options.open(&self.log).map_err(at(&self.log))
    }

    fn set_long_log_aside(&self) -> Result<(), PrivatePostgresError> {
        let bytes = fs::metadata(&self.log).map_or(0, |log| log.len());
        if bytes <= LOG_BYTES_MAX {
            return Ok(());
        }
        fs::rename(&self.log, self.log.with_extension("log.1")).map_err(at(&self.log))
    }
}

fn program_of(command: &Command) -> &Path {
    Path::new(command.as_std().get_program())
}
