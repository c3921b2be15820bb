//! When what runs by itself ends.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use futures::future::join_all;
use sqlx::PgPool;
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
