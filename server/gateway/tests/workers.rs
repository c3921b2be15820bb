//! When what runs by itself ends, and what holds locks and does nothing.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use gateway::outbox::{EventRecord, Format, MerchantKeys, Render, RenderedBody};
use gateway::{Gateway, Options, Settings};
use sqlx::{ConnectOptions, PgPool};
use support::World;
use tokio::sync::watch;

/// Ends a wait that would have no end.
const LIMIT: Duration = Duration::from_secs(60);

#[sqlx::test(migrations = "../../migrations")]
async fn workers_end_when_they_are_asked_to(pool: PgPool) {
    let world = World::new(&pool).await;
    let (ask, asked) = watch::channel(false);
    let workers = world.gateway.spawn_workers(asked);
    // They have looked around once, and wait.
    world.gateway.advance(0).await.unwrap();
    ask.send(true).unwrap();
    tokio::time::timeout(LIMIT, join_all(workers))
        .await
        .unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn workers_end_when_nobody_can_ask_them_any_more(pool: PgPool) {
    let world = World::new(&pool).await;
    let (ask, asked) = watch::channel(false);
    let workers = world.gateway.spawn_workers(asked);
    drop(ask);
    tokio::time::timeout(LIMIT, join_all(workers))
        .await
        .unwrap();
}

/// Has no word for anything.
struct Mute;

impl Render for Mute {
    fn render(&self, _: Format, _: &EventRecord, _: &MerchantKeys) -> Option<RenderedBody> {
        None
    }
}

/// How long a session of a server that is started now may do nothing within a transaction, on a database
/// with this setting.
async fn idle_limit(pool: &PgPool, of_the_database: &str) -> String {
    let alter = format!(
        "DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = {of_the_database}',
                            current_database());
         END $$"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(alter))
        .execute(pool)
        .await
        .unwrap();
    let options = Options {
        database_url: pool.connect_options().to_url_lossy().to_string(),
        settings: Settings::test("http://127.0.0.1:3000"),
        renderer: Arc::new(Mute),
    };
    let gateway = Gateway::open(options).await.unwrap();
    let limit = sqlx::query_scalar("SHOW idle_in_transaction_session_timeout")
        .fetch_one(gateway.pool())
        .await
        .unwrap();
    gateway.close().await;
    limit
}

/// Fails when that is left to the database: by default it leaves such a session alone, and whoever wants the
/// same rows waits until the network finds out.
#[sqlx::test(migrations = "../../migrations")]
async fn a_session_that_holds_locks_and_does_nothing_ends(pool: PgPool) {
    assert_eq!(idle_limit(&pool, "0").await, "1min");
    // Milliseconds: the operator knows better.
    assert_eq!(idle_limit(&pool, "5000").await, "5s");
}
