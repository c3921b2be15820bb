//! Keys are kept for a moment; what becomes of them is heard by every process.
#![allow(clippy::unwrap_used)]

mod support;

use std::future::Future;
use std::time::{Duration, Instant};

use futures::future::join_all;
use gateway::auth::NewKeyPair;
use gateway::{Error, Gateway, Settings};
use sqlx::PgPool;
use support::World;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Ends a wait that would have no end.
const LIMIT: Duration = Duration::from_secs(60);

/// A process: its gateway and its workers.
struct Process {
    gateway: Gateway,
    workers: Vec<JoinHandle<()>>,
    _keep: watch::Sender<bool>,
}

impl Process {
    async fn start(pool: &PgPool) -> Self {
        let settings = Settings::test("http://127.0.0.1:3000");
        Self::of(World::open(pool, settings).await.unwrap())
    }

    fn of(gateway: Gateway) -> Self {
        let (keep, asked) = watch::channel(false);
        Self {
            workers: gateway.spawn_workers(asked),
            gateway,
            _keep: keep,
        }
    }

    async fn end(self) {
        for worker in &self.workers {
            worker.abort();
        }
        join_all(self.workers).await;
    }
}

/// Waits for a condition, whatever time the machine takes.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < LIMIT, "{what}");
        tokio::task::yield_now().await;
    }
}

async fn pair(world: &World) -> (i64, String) {
    let new = NewKeyPair {
        merchant_id: world.merchant,
        name: "Web shop".to_owned(),
        permissions: vec!["convert".to_owned()],
    };
    let made = world.gateway.create_key_pair(new, "inga").await.unwrap();
    (made.id, made.public_key)
}

/// Takes the row away behind everybody's back: only who has kept the key still knows it.
async fn hide(pool: &PgPool, public_key: &str) {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("SET LOCAL session_replication_role = 'replica'")
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("UPDATE key_pairs SET revoked_at = now() WHERE public_key = $1")
        .bind(public_key)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn is_unknown<T>(found: Result<T, Error>) -> bool {
    matches!(found, Err(Error::Unauthorized))
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_revoked_pair_is_refused_here_at_once_and_elsewhere_when_it_is_heard_of(pool: PgPool) {
    let world = World::new(&pool).await;
    let (id, key) = pair(&world).await;
    let here = Process::of(world.gateway.clone());
    let there = Process::start(&pool).await;
    for process in [&here, &there] {
        process.gateway.key_pair(&key).await.unwrap();
    }
    here.gateway
        .revoke_key_pair(world.merchant, id, "inga")
        .await
        .unwrap();
    assert!(is_unknown(here.gateway.key_pair(&key).await));
    until("the other process has not heard of it", || async {
        is_unknown(there.gateway.key_pair(&key).await)
    })
    .await;
    here.end().await;
    there.end().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn changed_permissions_hold_here_at_once_and_elsewhere_when_they_are_heard_of(pool: PgPool) {
    let world = World::new(&pool).await;
    let (id, key) = pair(&world).await;
    let here = Process::of(world.gateway.clone());
    let there = Process::start(&pool).await;
    for process in [&here, &there] {
        assert!(
            process
                .gateway
                .key_pair(&key)
                .await
                .unwrap()
                .permits("convert")
        );
    }
    here.gateway
        .change_key_permissions(world.merchant, id, &[], "inga")
        .await
        .unwrap();
    assert!(
        !here
            .gateway
            .key_pair(&key)
            .await
            .unwrap()
            .permits("convert")
    );
    until("the other process has not heard of it", || async {
        !there
            .gateway
            .key_pair(&key)
            .await
            .unwrap()
            .permits("convert")
    })
    .await;
    here.end().await;
    there.end().await;
}

/// Changes by hand are heard of, too: every trigger announces what it is there for, and the use of a
/// key announces nothing.
#[sqlx::test(migrations = "../../migrations")]
async fn the_database_tells_what_was_changed_by_hand(pool: PgPool) {
    let _world = World::new(&pool).await;
    let mut heard = sqlx::postgres::PgListener::connect_with(&pool)
        .await
        .unwrap();
    heard.listen("exchequer_keys").await.unwrap();
    heard.listen("mark").await.unwrap();
    let cases = [
        ("UPDATE merchant_keys SET last_used_at = now()", false),
        ("UPDATE key_pairs SET last_used_at = now()", false),
        ("UPDATE merchants SET tolerance = 1", false),
        ("UPDATE merchant_keys SET revoked_at = now()", true),
        ("UPDATE key_pairs SET permissions = '{}'", true),
        ("UPDATE key_pairs SET revoked_at = now()", true),
        ("UPDATE users SET email = 'x' || email", true),
        ("DELETE FROM key_pairs", true),
    ];
    for (change, is_told) in cases {
        sqlx::query(change).execute(&pool).await.unwrap();
        sqlx::query("SELECT pg_notify('mark', '')")
            .execute(&pool)
            .await
            .unwrap();
        let mut told = false;
        loop {
            let wait = tokio::time::timeout(LIMIT, heard.recv()).await;
            match wait.unwrap().unwrap().channel() {
                "mark" => break,
                _ => told = true,
            }
        }
        assert_eq!(told, is_told, "{change}");
    }
}

/// The proof that something is kept at all, and that nothing is without a listener.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_kept_is_forgotten_when_nobody_listens_any_more(pool: PgPool) {
    let world = World::new(&pool).await;
    let (_, key) = pair(&world).await;
    let gateway = &world.gateway;
    gateway.key_pair(&key).await.unwrap();
    hide(&pool, &key).await;
    assert!(is_unknown(gateway.key_pair(&key).await), "nobody listens");
    show(&pool, &key).await;

    let process = Process::of(gateway.clone());
    // Known, hidden, and still known: it was kept. It is not before the worker listens.
    until("nothing is ever kept", || async {
        show(&pool, &key).await;
        gateway.key_pair(&key).await.unwrap();
        hide(&pool, &key).await;
        gateway.key_pair(&key).await.is_ok()
    })
    .await;
    process.end().await;
    assert!(
        is_unknown(gateway.key_pair(&key).await),
        "the listener is lost"
    );
}

/// A listener whose connection breaks begins anew, and nothing of before is believed.
#[sqlx::test(migrations = "../../migrations")]
async fn a_broken_connection_of_the_listener_is_noticed(pool: PgPool) {
    let world = World::new(&pool).await;
    let (_, key) = pair(&world).await;
    let process = Process::of(world.gateway.clone());
    let gateway = &process.gateway;
    let is_kept = || async {
        show(&pool, &key).await;
        gateway.key_pair(&key).await.unwrap();
        hide(&pool, &key).await;
        gateway.key_pair(&key).await.is_ok()
    };
    until("nothing is ever kept", is_kept).await;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .execute(&pool)
    .await
    .unwrap();
    until("what was kept is believed for ever", || async {
        is_unknown(gateway.key_pair(&key).await)
    })
    .await;
    until("the listener does not come back", is_kept).await;
    process.end().await;
}

/// The other way round than [`hide`].
async fn show(pool: &PgPool, public_key: &str) {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("SET LOCAL session_replication_role = 'replica'")
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("UPDATE key_pairs SET revoked_at = NULL WHERE public_key = $1")
        .bind(public_key)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_merchants_key_that_is_revoked_by_hand_is_refused_when_it_is_heard_of(pool: PgPool) {
    let world = World::new(&pool).await;
    let key = world.gateway.demo().await.unwrap().merchant.ex_pk.clone();
    let process = Process::of(world.gateway.clone());
    let gateway = &process.gateway;
    gateway.merchant_by_key(&key).await.unwrap();
    sqlx::query("UPDATE merchant_keys SET revoked_at = now()")
        .execute(&pool)
        .await
        .unwrap();
    until("it is not heard of", || async {
        is_unknown(gateway.merchant_by_key(&key).await)
    })
    .await;
    process.end().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_use_of_a_key_is_noted_once_a_minute(pool: PgPool) {
    let world = World::new(&pool).await;
    let (_, key) = pair(&world).await;
    let used = || async {
        let query = "SELECT last_used_at FROM key_pairs WHERE public_key = $1";
        let at: Option<time::OffsetDateTime> = sqlx::query_scalar(query)
            .bind(&key)
            .fetch_one(&pool)
            .await
            .unwrap();
        at
    };
    assert_eq!(used().await, None);
    world.gateway.key_pair(&key).await.unwrap();
    until("it is never noted", || async { used().await.is_some() }).await;
    let first = used().await;
    world.gateway.key_pair(&key).await.unwrap();
    assert_eq!(used().await, first);
    world.gateway.advance(60).await.unwrap();
    world.gateway.key_pair(&key).await.unwrap();
    until("it is noted once only", || async { used().await != first }).await;
}
