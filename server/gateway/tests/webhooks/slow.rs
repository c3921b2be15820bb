//! Receivers that do not answer keep up nobody but themselves.

use std::sync::Arc;
use std::time::Duration;

use gateway::Settings;
use gateway::outbox::Timeouts;
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::support::World;
use crate::{Receiver, paid_charge};

/// The slow ones never give their places back while a test runs.
fn with_slow_receivers() -> Settings {
    Settings {
        webhook_timeouts: Timeouts {
            connect: Duration::from_secs(600),
            total: Duration::from_secs(600),
            ..Timeouts::default()
        },
        ..Settings::test("http://127.0.0.1:3000")
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_slow_receiver_delays_nobody_else(pool: PgPool) {
    let world = World::with(&pool, with_slow_receivers()).await;
    let gate = Arc::new(Notify::new());
    let slow = Receiver {
        gate: Some(gate.clone()),
        ..Receiver::default()
    };
    let slow_url = slow.clone().start().await;
    let quick = Receiver::default();
    let quick_url = quick.clone().start().await;
    for _ in 0..6 {
        paid_charge(&world, &slow_url).await;
    }
    paid_charge(&world, &quick_url).await;
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let workers = world.gateway.spawn_workers(shutdown);
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while quick.count() == 0 {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap();
    // No more than four attempts are under way at the slow one.
    assert!(slow.count() <= 4, "{}", slow.count());
    stop.send(true).unwrap();
    gate.notify_waiters();
    for worker in workers {
        worker.abort();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_slow_receivers_of_one_merchant_delay_no_other_merchant(pool: PgPool) {
    let world = World::with(&pool, with_slow_receivers()).await;
    let gate = Arc::new(Notify::new());
    let slow = Receiver {
        gate: Some(gate.clone()),
        ..Receiver::default()
    };
    let slow_url = slow.clone().start().await;
    let quick = Receiver::default();
    let quick_url = quick.clone().start().await;
    let other: i64 = sqlx::query_scalar("SELECT max(id) FROM merchants")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_ne!(other, world.merchant);
    // 90 deliveries, each to a URL of its own on the slow host, before the other merchant's one.
    let id = paid_charge(&world, &format!("{slow_url}?order=0")).await;
    sqlx::query(
        "INSERT INTO deliveries (event_id, merchant_id, object, url, format, schedule, content_type, body,
             next_attempt_at, created_at)
         SELECT d.event_id, d.merchant_id, 'copy:' || n, d.url || n, d.format, d.schedule, d.content_type,
             d.body, d.next_attempt_at - interval '1 minute', d.created_at
         FROM deliveries d, generate_series(1, 90) n",
    )
    .execute(&pool)
    .await
    .unwrap();
    let mut new = world.new_charge("10.00", "EUR", Some(&quick_url));
    new.merchant_id = other;
    let theirs = world.charge_with(new).await;
    world.gateway.choose_method(&theirs, "BTC").await.unwrap();
    let payment = world
        .gateway
        .find_charge(other, &theirs)
        .await
        .unwrap()
        .payment
        .unwrap();
    let due = payment.due.shortest();
    world
        .gateway
        .sandbox_pay(&payment.address, &due, Some("BTC"), None)
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let workers = world.gateway.spawn_workers(shutdown);
    // Only says how long to wait before giving up; the runner has a limit of its own.
    let arrived = tokio::time::timeout(Duration::from_secs(60), async {
        while quick.count() == 0 {
            tokio::task::yield_now().await;
        }
    });
    arrived.await.unwrap();
    let answered: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id
         WHERE d.merchant_id = $1",
    )
    .bind(world.merchant)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(answered, 0, "a slow one had made room");
    assert!(slow.count() <= 16, "{} for {id}", slow.count());
    stop.send(true).unwrap();
    gate.notify_waiters();
    for worker in workers {
        worker.abort();
    }
}
