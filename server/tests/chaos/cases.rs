//! What is done to servers and Postgres, each under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection, PgConnection};
use tokio::net::TcpListener;

use crate::cluster::{Cluster, pool};
use crate::crowd::{CLIENTS, Mix, PATIENCE, wait_for};
use crate::disk::SmallDisk;
use crate::field::{Bases, Field, SERVERS};
use crate::oracle;
use crate::programs::{Server, postgres, run};
use crate::proxy::{Cut, Proxy};
use crate::report::Outcome;
use crate::shop::{Kind, Said, Wish};

/// Answers before and after each fault: everybody is in the middle of something.
const SOME: usize = 40;

/// Commits that are cut at each place.
const CUTS: usize = 4;

/// Requests at once to a server with two connections.
const TOO_MANY: usize = 12;

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
    ReceiversHang,
    Overload,
    DiskFull,
}

impl Case {
    pub const ALL: [Self; 10] = [
        Self::ServerKilled,
        Self::BackendKilled,
        Self::PostmasterKilled,
        Self::CommitCut,
        Self::PoolStopped,
        Self::HotAccount,
        Self::DumpRestored,
        Self::ReceiversHang,
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
            Self::ReceiversHang => "receivers of callbacks hang",
            Self::Overload => "more requests than connections",
            Self::DiskFull => "the disk of Postgres is full",
        }
    }

    /// Needs no wait of many seconds, and no rights.
    pub fn is_quick(self) -> bool {
        !matches!(self, Self::Overload | Self::DiskFull)
    }

    /// # Errors
    /// What it would need that is not here.
    pub async fn run(self, field: &mut Field, round: usize) -> Result<Outcome, &'static str> {
        Ok(match self {
            Self::ServerKilled => server_killed(field, round % SERVERS).await,
            Self::BackendKilled => backend_killed(field).await,
            Self::PostmasterKilled => postmaster_killed(field).await,
            Self::CommitCut => commit_cut(field).await,
            Self::PoolStopped => pool_stopped(field).await,
            Self::HotAccount => hot_account(field).await,
            Self::DumpRestored => dump_restored(field).await,
            Self::ReceiversHang => receivers_hang(field).await,
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
    kill(Pid::from_raw(victim), Signal::SIGKILL).unwrap();
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

/// On a small disk of its own. Postgres refuses, ends, does not start again; when there is room again,
/// nothing that was acknowledged is missing.
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

/// The copy has everything that was acknowledged before it was begun, and its books are clean.
async fn dump_restored(field: &mut Field) -> Outcome {
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
    let looking = pool(&copy).await;
    let mut faults = oracle::requests(&looking, &before).await;
    faults += oracle::withdrawals(&looking).await;
    looking.close().await;
    let mut connection = PgConnection::connect(&field.cluster.url).await.unwrap();
    sqlx::query("DROP DATABASE chaos_copy WITH (FORCE)")
        .execute(&mut connection)
        .await
        .unwrap();
    let mut outcome = field.end(crowd, recovery).await;
    outcome.faults += faults;
    outcome
}

/// Whoever takes a callback and never answers delays nobody but its own merchant's callbacks.
async fn receivers_hang(field: &mut Field) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hangs", listener.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let receiver = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    field.call_back(&url).await;
    let crowd = field.crowd();
    wait_for(|| taken.load(Ordering::SeqCst) > 0).await;
    let recovery = crowd.recovery(Instant::now()).await;
    crowd.more(2 * SOME).await;
    field.call_back_again().await;
    let outcome = field.end(crowd, recovery).await;
    receiver.abort();
    outcome
}

/// Who cannot be served in time is told to come again, and then gets what was asked for, once.
async fn overload(field: &mut Field) -> Outcome {
    let server = Server::start(&field.cluster.url, &[("EXCHEQUER_DB_CONNECTIONS", "2")]);
    let mut connection = PgConnection::connect(&field.cluster.url).await.unwrap();
    let mut held = connection.begin().await.unwrap();
    sqlx::query("LOCK TABLE charges IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let (shop, base, tag) = (field.shop.clone(), server.base.clone(), field.tag());
    let wishes: Vec<Wish> = (0..TOO_MANY)
        .map(|number| field.shop.order(format!("{tag}-{number}"), Kind::Order))
        .collect();
    let answered = AtomicUsize::new(0);
    let (shop, base, answered) = (&shop, &base, &answered);
    let asked = wishes.iter().map(|wish| async move {
        let said = shop.ask(base, wish).await;
        answered.fetch_add(1, Ordering::SeqCst);
        said
    });
    // Those that wait for the lock are answered when it is gone.
    let release = async {
        wait_for(|| answered.load(Ordering::SeqCst) >= TOO_MANY / 2).await;
        held.rollback().await.unwrap();
        Instant::now()
    };
    let (said, since) = tokio::join!(join_all(asked), release);
    let told_to_wait = said
        .iter()
        .filter(|said| matches!(said, Said::Later(status, Some(1..)) if status.as_u16() == 503));
    assert!(
        told_to_wait.count() >= TOO_MANY / 2,
        "nobody was told to wait"
    );
    let crowd = field.crowd_at(Bases::of(vec![server.base.clone()]));
    let recovery = crowd.recovery(since).await;
    // Where there are connections.
    let elsewhere = field.bases.one(0);
    for wish in &wishes {
        let again = shop.ask(&elsewhere, wish).await;
        assert!(matches!(again, Said::Done(_)), "{wish:?}");
    }
    let outcome = field.end(crowd, recovery).await;
    drop(server);
    outcome
}
