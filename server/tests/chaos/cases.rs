//! What is done to servers and Postgres, each under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection, PgConnection};
use tokio::net::TcpListener;

use crate::cluster::pool;
use crate::crowd::{lost_and_doubled, wait_for};
use crate::field::{Bases, Field, SERVERS};
use crate::programs::{Server, postgres, run};
use crate::proxy::{Cut, Proxy};
use crate::report::Outcome;
use crate::shop::{Said, Wish};

/// Answers before and after each fault: everybody is in the middle of something.
const SOME: usize = 40;

/// Commits that are cut at each place.
const CUTS: usize = 4;

/// Requests at once to a server with two connections.
const TOO_MANY: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    ServerKilled,
    BackendKilled,
    PostmasterKilled,
    CommitCut,
    DumpRestored,
    ReceiversHang,
    Overload,
}

impl Case {
    pub const ALL: [Self; 7] = [
        Self::ServerKilled,
        Self::BackendKilled,
        Self::PostmasterKilled,
        Self::CommitCut,
        Self::DumpRestored,
        Self::ReceiversHang,
        Self::Overload,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Self::ServerKilled => "`kill -9` of one of two servers",
            Self::BackendKilled => "`kill -9` of a backend of Postgres",
            Self::PostmasterKilled => "`kill -9` of Postgres itself",
            Self::CommitCut => "connection cut before `COMMIT`, and before its reply",
            Self::DumpRestored => "`pg_dump` under load, restored and audited",
            Self::ReceiversHang => "receivers of callbacks hang",
            Self::Overload => "more requests than connections",
        }
    }

    /// Needs no wait of many seconds.
    pub fn is_quick(self) -> bool {
        self != Self::Overload
    }

    pub async fn run(self, field: &mut Field, round: usize) -> Outcome {
        match self {
            Self::ServerKilled => server_killed(field, round % SERVERS).await,
            Self::BackendKilled => backend_killed(field).await,
            Self::PostmasterKilled => postmaster_killed(field).await,
            Self::CommitCut => commit_cut(field).await,
            Self::DumpRestored => dump_restored(field).await,
            Self::ReceiversHang => receivers_hang(field).await,
            Self::Overload => overload(field).await,
        }
    }
}

/// The other server goes on, and a new one takes the place of the dead.
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

/// The copy has everything that was acknowledged before it was begun, and its books are clean.
async fn dump_restored(field: &mut Field) -> Outcome {
    const COPY: &str = "chaos_copy";
    let crowd = field.crowd();
    crowd.more(SOME).await;
    let before = crowd.acks();
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
    let missing = lost_and_doubled(&looking, &before).await;
    looking.close().await;
    let mut connection = PgConnection::connect(&field.cluster.url).await.unwrap();
    sqlx::query("DROP DATABASE chaos_copy WITH (FORCE)")
        .execute(&mut connection)
        .await
        .unwrap();
    let outcome = field.end(crowd, recovery).await;
    Outcome {
        lost: outcome.lost + missing.0,
        doubled: outcome.doubled + missing.1,
        ..outcome
    }
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
    let mut connection = PgConnection::connect(&field.cluster.url).await.unwrap();
    sqlx::query("UPDATE merchants SET callback_url = $1")
        .bind(&url)
        .execute(&mut connection)
        .await
        .unwrap();
    let crowd = field.crowd();
    wait_for(|| taken.load(Ordering::SeqCst) > 0).await;
    let recovery = crowd.recovery(Instant::now()).await;
    crowd.more(2 * SOME).await;
    sqlx::query("UPDATE merchants SET callback_url = NULL")
        .execute(&mut connection)
        .await
        .unwrap();
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
        .map(|number| Wish::order(format!("{tag}-{number}")))
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
