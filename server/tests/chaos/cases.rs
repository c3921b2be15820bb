//! What is done to servers and Postgres, each under load.

use std::time::Instant;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection, PgConnection};

use crate::clocks::{clock_moved, wrong_clock};
use crate::cluster::Cluster;
use crate::crowd::{CLIENTS, Mix, PATIENCE, wait_for};
use crate::disk::SmallDisk;
use crate::field::{Bases, Field, SERVERS};
use crate::overload::overload;
use crate::programs::Server;
use crate::proxy::{Cut, Proxy};
use crate::receivers::{receivers_broken, receivers_hang};
use crate::report::Outcome;
use crate::restore::{dump_restored, point_in_time};

/// Answers before and after each fault: everybody is in the middle of something.
pub const SOME: usize = 40;

/// Commits that are cut at each place.
const CUTS: usize = 4;

/// Connections that find the pool stopped before it goes on.
const TURNED_AWAY: usize = 8;

/// Servers and clients that want the same accounts.
const CROWDED_SERVERS: usize = SERVERS + 1;
const CROWDED_CLIENTS: usize = 4 * CLIENTS;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    ServerKilled,
    BackendKilled,
    PostmasterKilled,
    CommitCut,
    PoolStopped,
    HotAccount,
    DumpRestored,
    PointInTime,
    WrongClock,
    ClockMoved,
    ReceiversHang,
    ReceiversBroken,
    Overload,
    DiskFull,
}

impl Case {
    pub const ALL: [Self; 14] = [
        Self::ServerKilled,
        Self::BackendKilled,
        Self::PostmasterKilled,
        Self::CommitCut,
        Self::PoolStopped,
        Self::HotAccount,
        Self::DumpRestored,
        Self::PointInTime,
        Self::WrongClock,
        Self::ClockMoved,
        Self::ReceiversHang,
        Self::ReceiversBroken,
        Self::Overload,
        Self::DiskFull,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Self::ServerKilled => "`kill -9` of one of three servers",
            Self::BackendKilled => "`kill -9` of a backend of Postgres",
            Self::PostmasterKilled => "`kill -9` of Postgres itself",
            Self::CommitCut => "connection cut before `COMMIT`, and before its reply",
            Self::PoolStopped => "connections to Postgres end, and new ones are refused",
            Self::HotAccount => "four servers, one wallet",
            Self::DumpRestored => "`pg_dump` under load, restored and audited",
            Self::PointInTime => "a base backup under load, brought to any moment and audited",
            Self::WrongClock => "the clock of one of two servers is wrong",
            Self::ClockMoved => "an hour passes where much is about to end",
            Self::ReceiversHang => "receivers of callbacks hang",
            Self::ReceiversBroken => "receivers do everything wrong",
            Self::Overload => "more requests than connections",
            Self::DiskFull => "the disk of Postgres is full",
        }
    }

    /// How it is called for `--cases`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServerKilled => "server-killed",
            Self::BackendKilled => "backend-killed",
            Self::PostmasterKilled => "postgres-killed",
            Self::CommitCut => "commit-cut",
            Self::PoolStopped => "pool-stopped",
            Self::HotAccount => "hot-account",
            Self::DumpRestored => "dump-restored",
            Self::PointInTime => "point-in-time",
            Self::WrongClock => "wrong-clock",
            Self::ClockMoved => "clock-moved",
            Self::ReceiversHang => "receivers-hang",
            Self::ReceiversBroken => "receivers-broken",
            Self::Overload => "overload",
            Self::DiskFull => "disk-full",
        }
    }

    /// Needs no wait of many seconds, and no rights.
    pub fn is_quick(self) -> bool {
        !matches!(
            self,
            Self::PointInTime | Self::ReceiversBroken | Self::Overload | Self::DiskFull
        )
    }

    /// Its clients do everything, so some of them pay, and some are refused what they ask for.
    pub fn has_everything(self) -> bool {
        !matches!(self, Self::HotAccount | Self::ClockMoved)
    }

    /// `is_long`: with as much of everything as `./x chaos` has time for.
    ///
    /// # Errors
    /// What it would need that is not here.
    pub async fn run(
        self,
        field: &mut Field,
        round: usize,
        is_long: bool,
    ) -> Result<Outcome, &'static str> {
        Ok(match self {
            Self::ServerKilled => server_killed(field, round % SERVERS).await,
            Self::BackendKilled => backend_killed(field).await,
            Self::PostmasterKilled => postmaster_killed(field).await,
            Self::CommitCut => commit_cut(field).await,
            Self::PoolStopped => pool_stopped(field).await,
            Self::HotAccount => hot_account(field).await,
            Self::DumpRestored => dump_restored(field).await,
            Self::PointInTime => point_in_time(field, is_long).await?,
            Self::WrongClock => wrong_clock(field).await?,
            Self::ClockMoved => clock_moved(field).await,
            Self::ReceiversHang => receivers_hang(field).await,
            Self::ReceiversBroken => receivers_broken(field, is_long).await,
            Self::Overload => overload(field).await,
            Self::DiskFull => disk_full().await?,
        })
    }
}

/// The others go on, and a new one takes the place of the dead.
async fn server_killed(field: &mut Field, at: usize) -> Outcome {
    let crowd = field.crowd();
    crowd.more(SOME).await;
    let since = Instant::now();
    field.kill_server(at);
    let recovery = crowd.recovery(since).await;
    crowd.more(SOME).await;
    field.start_server(at);
    crowd.more(SOME).await;
    field.end(crowd, recovery).await
}

/// Postgres ends every other backend, too, and recovers.
async fn backend_killed(field: &mut Field) -> Outcome {
    let crowd = field.crowd();
    crowd.more(SOME).await;
    let mut connection = PgConnection::connect(&field.cluster.url).await.unwrap();
    let since = loop {
        let victim: i32 = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
             ORDER BY (state = 'active') IS TRUE DESC, pid LIMIT 1",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        let since = Instant::now();
        // It was a backend of our own cluster a moment ago.
        match kill(Pid::from_raw(victim), Signal::SIGKILL) {
            Ok(()) => break since,
            // It has ended by itself: another one then.
            Err(Errno::ESRCH) => {}
            Err(error) => panic!("{error}"),
        }
    };
    // Until it has ended this one, too.
    let ended = async {
        while sqlx::query("SELECT 1")
            .execute(&mut connection)
            .await
            .is_ok()
        {}
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
    let recovery = crowd.recovery(since).await;
    crowd.more(SOME).await;
    field.end(crowd, recovery).await
}

async fn postmaster_killed(field: &mut Field) -> Outcome {
    let crowd = field.crowd();
    crowd.more(SOME).await;
    let since = Instant::now();
    field.cluster.kill_postmaster();
    field.cluster.start_again().await;
    let recovery = crowd.recovery(since).await;
    crowd.more(SOME).await;
    field.end(crowd, recovery).await
}

/// A server cannot know whether its commit was one. Its client asks again.
async fn commit_cut(field: &mut Field) -> Outcome {
    let proxy = Proxy::start(field.cluster.socket()).await;
    let server = Server::start(&proxy.url(), &[]);
    let crowd = field.crowd_at(Bases::of(vec![server.base.clone()]));
    crowd.more(SOME).await;
    let since = Instant::now();
    for cut in [Cut::BeforeCommit, Cut::BeforeReply] {
        for _ in 0..CUTS {
            let wanted = proxy.cuts() + 1;
            proxy.cut_next(cut);
            wait_for(|| proxy.cuts() >= wanted).await;
            crowd.more(1).await;
        }
    }
    let recovery = crowd.recovery(since).await;
    crowd.more(SOME).await;
    let outcome = field.end(crowd, recovery).await;
    drop(server);
    outcome
}

/// Somebody restarts what stands between servers and Postgres.
async fn pool_stopped(field: &mut Field) -> Outcome {
    let proxy = Proxy::start(field.cluster.socket()).await;
    let server = Server::start(&proxy.url(), &[]);
    let crowd = field.crowd_at(Bases::of(vec![server.base.clone()]));
    crowd.more(SOME).await;
    proxy.stop();
    wait_for(|| proxy.turned_away() >= TURNED_AWAY).await;
    let since = Instant::now();
    proxy.go_on();
    let recovery = crowd.recovery(since).await;
    crowd.more(SOME).await;
    let outcome = field.end(crowd, recovery).await;
    drop(server);
    outcome
}

/// Everybody exchanges between the same two wallets, at every server: some wait, none for ever.
async fn hot_account(field: &mut Field) -> Outcome {
    let more: Vec<Server> = (SERVERS..CROWDED_SERVERS)
        .map(|_| Server::start(&field.cluster.url, &[]))
        .collect();
    let all = (0..SERVERS).map(|at| field.bases.one(at));
    let all = all.chain(more.iter().map(|server| server.base.clone()));
    let bases = Bases::of(all.collect());
    let crowd = field.crowd_of(bases, Mix::Exchanges, CROWDED_CLIENTS);
    let recovery = crowd.recovery(Instant::now()).await;
    crowd.more(4 * SOME).await;
    let outcome = field.end(crowd, recovery).await;
    drop(more);
    outcome
}

/// On a small disk of its own. Postgres refuses statements, and may end by itself; when there is room again it
/// is started again if it has, and nothing that was acknowledged is missing.
async fn disk_full() -> Result<Outcome, &'static str> {
    let Some(disk) = SmallDisk::mount() else {
        return Err("needs root and mounts of its own, as `./x chaos` makes them");
    };
    let mut field = Field::on(Cluster::start_in(disk.cluster()).await).await;
    let place = field.cluster.place();
    assert!(place.starts_with(disk.cluster()), "{}", place.display());
    let mut connection = PgConnection::connect(&field.cluster.url).await.unwrap();
    sqlx::query("CREATE TABLE chaos_ballast (text text)")
        .execute(&mut connection)
        .await
        .unwrap();
    let crowd = field.crowd();
    crowd.more(SOME).await;
    disk.fill();
    // What room there is in files that exist is used up, too.
    let refused = async {
        let more =
            "INSERT INTO chaos_ballast SELECT repeat('x', 1000) FROM generate_series(1, 1000)";
        while sqlx::query(more).execute(&mut connection).await.is_ok() {}
    };
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
    let since = Instant::now();
    disk.free();
    field.cluster.up_again().await;
    let recovery = crowd.recovery(since).await;
    crowd.more(SOME).await;
    let outcome = field.end(crowd, recovery).await;
    field.stop().await;
    Ok(outcome)
}
