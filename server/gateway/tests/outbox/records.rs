//! What is recorded, and what happens to what could not be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use futures::future::join_all;
use gateway::outbox::{Outcome, deliver_due};
use sqlx::PgPool;
use tokio::sync::{Notify, watch};

use super::support::World;
use super::support::rivals::until_waiting;
use super::{LIMIT, Receiver, claim, count, drain, end_leases, leased, queue};

/// Delivery, its state and attempts; number and status of the attempt; whether the lease is over, the time of
/// arrival is that of the attempt, and the next attempt is as far away as the schedule says.
type Recorded = (i64, String, i32, i32, Option<i32>, bool, bool, bool);

/// Fails when rows of one statement are mixed up, or one of the columns is not what one attempt alone
/// would have written.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_recorded_together_is_recorded_exactly(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let base = receiver.start().await;
    let mut statuses: BTreeMap<i64, i32> = BTreeMap::new();
    // Two rows each, in no order of their statuses.
    for number in 0..2 {
        for status in [500, 200, 404, 202, 410, 302] {
            let object = format!("{status}/{number}");
            let url = format!("{base}/{status}");
            let id = queue(&pool, world.merchant, &object, &url, "1").await;
            statuses.insert(id, status);
        }
    }
    assert_eq!(deliver_due(&world.gateway).await.unwrap(), Outcome::Worked);
    let rows: Vec<Recorded> = sqlx::query_as(
        "SELECT d.id, d.state, d.attempts, a.number, a.status,
             NOT EXISTS (SELECT FROM delivery_claims c WHERE d.id = ANY (c.deliveries)),
             coalesce(d.delivered_at = a.at, false),
             coalesce(d.next_attempt_at BETWEEN a.at + interval '4 seconds' AND a.at + interval '5 seconds',
                      false)
         FROM deliveries d JOIN delivery_attempts a ON a.delivery_id = d.id ORDER BY d.id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let expected: Vec<Recorded> = statuses
        .iter()
        .map(|(id, status)| {
            let good = matches!(status, 200 | 202);
            let state = if good { "delivered" } else { "pending" };
            let status = Some(*status);
            (*id, state.to_owned(), 1, 1, status, true, good, !good)
        })
        .collect();
    assert_eq!(rows, expected);
    world.gateway.advance(6).await.unwrap();
    let second: Vec<i32> =
        sqlx::query_scalar("SELECT number FROM delivery_attempts ORDER BY delivery_id, id")
            .fetch_all(&pool)
            .await
            .unwrap();
    let expected: Vec<i32> = statuses
        .values()
        .flat_map(|status| match status {
            200 | 202 => vec![1],
            _ => vec![1, 2],
        })
        .collect();
    assert_eq!(second, expected);
}

/// From now on no attempt of this delivery can be recorded; `code` is what Postgres calls that. The sequence
/// `test_tries` counts how often it was tried.
async fn refuse_records(pool: &PgPool, delivery: i64, code: &str) {
    let install = format!(
        "CREATE SEQUENCE test_tries;
         CREATE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF NEW.delivery_id = {delivery} THEN
                 PERFORM nextval('test_tries');
                 RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{code}';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER test_refuse BEFORE INSERT ON delivery_attempts
             FOR EACH ROW EXECUTE FUNCTION test_refuse();"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(install))
        .execute(pool)
        .await
        .unwrap();
}

async fn take_records(pool: &PgPool) {
    sqlx::query("DROP TRIGGER test_refuse ON delivery_attempts")
        .execute(pool)
        .await
        .unwrap();
}

/// Fails when a statement that is refused is given up with all its rows.
#[sqlx::test(migrations = "../../migrations")]
async fn one_that_cannot_be_recorded_takes_no_other_with_it(pool: PgPool) {
    let (with_others, alone) = (1, 1);
    takes_no_other_with_it(&pool, "P0001", with_others + alone).await;
}

/// The same when it is somebody's lock that is in the way of one: that may pass, and the others need not wait.
/// Fails, too, when each of many that are in somebody's way is tried again and again.
#[sqlx::test(migrations = "../../migrations")]
async fn one_that_is_locked_takes_no_other_with_it(pool: PgPool) {
    let (with_others, alone) = (4, 1);
    takes_no_other_with_it(&pool, "55P03", with_others + alone).await;
}

async fn takes_no_other_with_it(pool: &PgPool, code: &str, tries: i64) {
    let world = World::new(pool).await;
    let receiver = Receiver::default();
    let base = receiver.start().await;
    let mut ids = Vec::new();
    for number in 0..8 {
        let url = format!("{base}/{}", 200 + number);
        ids.push(queue(pool, world.merchant, &format!("o{number}"), &url, "1").await);
    }
    refuse_records(pool, ids[3], code).await;
    deliver_due(&world.gateway).await.unwrap();
    let waiting: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM deliveries WHERE state = 'pending' ORDER BY id")
            .fetch_all(pool)
            .await
            .unwrap();
    assert_eq!(waiting, [ids[3]]);
    assert_eq!(leased(pool).await, [ids[3]]);
    assert_eq!(count(pool, "attempts").await, 7);
    let tried: i64 = sqlx::query_scalar("SELECT last_value FROM test_tries")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(tried, tries);
    // Another worker makes it once its lease is over: at least once, with the same id.
    take_records(pool).await;
    end_leases(pool).await;
    drain(&world).await;
    assert_eq!(count(pool, "waiting").await, 0);
    let ids = receiver.ids();
    assert_eq!(ids.len(), 9);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 8);
}

/// Fails when a delivery without a recorded attempt is taken for done.
#[sqlx::test(migrations = "../../migrations")]
async fn what_a_dead_worker_had_taken_is_sent_when_its_lease_is_over(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = format!("{}/200", receiver.start().await);
    let id = queue(&pool, world.merchant, "o", &url, "1").await;
    assert_eq!(claim(&pool, 100).await, [id]);
    assert_eq!(
        deliver_due(&world.gateway).await.unwrap(),
        Outcome::Worked,
        "somebody is at it"
    );
    assert!(receiver.bodies().is_empty());
    end_leases(&pool).await;
    drain(&world).await;
    assert_eq!(receiver.bodies(), ["1"]);
    assert_eq!(count(&pool, "delivered").await, 1);
}

/// Fails when the attempt that ends last decides: what arrived would be sent again.
#[sqlx::test(migrations = "../../migrations")]
async fn an_attempt_that_fails_late_takes_no_arrival_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let requests = Arc::new(AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let receiver = {
        let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
        move || {
            let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
            let number = requests.fetch_add(1, Ordering::SeqCst);
            async move {
                if number > 0 {
                    return StatusCode::OK;
                }
                asked.notify_one();
                answer.notified().await;
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    };
    let app = Router::new().route("/", post(receiver));
    tokio::spawn(async move { axum::serve(listener, app).await });
    queue(&pool, world.merchant, "o", &url, "1").await;
    let late = deliver_due(&world.gateway);
    let other = async {
        asked.notified().await;
        end_leases(&pool).await;
        deliver_due(&world.gateway).await.unwrap();
        assert_eq!(count(&pool, "delivered").await, 1);
        answer.notify_one();
    };
    let (late, ()) = tokio::join!(late, other);
    assert_eq!(late.unwrap(), Outcome::Worked);
    assert_eq!(count(&pool, "attempts").await, 2);
    assert_eq!(count(&pool, "delivered").await, 1);
    let is_dated: bool = sqlx::query_scalar("SELECT delivered_at IS NOT NULL FROM deliveries")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(is_dated);
    assert!(leased(&pool).await.is_empty());
}

/// Whatever holds up recording, workers end; what they sent is sent again rather than lost.
#[sqlx::test(migrations = "../../migrations")]
async fn workers_end_although_recording_is_held_up(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = format!("{}/200", receiver.start().await);
    queue(&pool, world.merchant, "o", &url, "1").await;
    let mut held = pool.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(41)")
        .execute(&mut *held)
        .await
        .unwrap();
    sqlx::raw_sql(
        "CREATE FUNCTION test_wait() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             PERFORM pg_advisory_xact_lock(41);
             RETURN NEW;
         END $$;
         CREATE TRIGGER test_wait BEFORE INSERT ON delivery_attempts
             FOR EACH ROW EXECUTE FUNCTION test_wait();",
    )
    .execute(&pool)
    .await
    .unwrap();
    let (stop, asked) = watch::channel(false);
    let workers = world.gateway.spawn_workers(asked);
    let sent = async {
        while receiver.bodies().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, sent).await.unwrap();
    stop.send(true).unwrap();
    tokio::time::timeout(LIMIT, join_all(workers))
        .await
        .unwrap();
    held.rollback().await.unwrap();
    end_leases(&pool).await;
    drain(&world).await;
    assert_eq!(count(&pool, "waiting").await, 0);
    let ids = receiver.ids();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1);
}

/// Fails when what waits is forgotten, or attempts stay behind: nothing refers to their delivery.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_old_and_over_is_forgotten_with_its_attempts(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let base = receiver.start().await;
    for status in [200, 500] {
        let url = format!("{base}/{status}");
        queue(&pool, world.merchant, &format!("old{status}"), &url, "1").await;
    }
    // Once each: what has failed is due again in some seconds, which may pass on a slow machine.
    world.gateway.advance(0).await.unwrap();
    sqlx::query(
        "UPDATE deliveries SET created_at = created_at - interval '31 days',
             next_attempt_at = next_attempt_at + interval '1 day'",
    )
    .execute(&pool)
    .await
    .unwrap();
    let url = format!("{base}/200");
    queue(&pool, world.merchant, "new", &url, "1").await;
    drain(&world).await;
    assert_eq!(count(&pool, "attempts").await, 3);
    assert_eq!(world.gateway.forget_old_deliveries().await.unwrap(), 1);
    assert_eq!(world.gateway.forget_old_deliveries().await.unwrap(), 0);
    let left: Vec<(String, i32)> = sqlx::query_as(
        "SELECT d.object, a.number FROM delivery_attempts a LEFT JOIN deliveries d ON d.id = a.delivery_id
         ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(left, [("new".to_owned(), 1), ("old500".to_owned(), 1)]);
    assert_eq!(count(&pool, "waiting").await, 1);
}

/// Somebody has the last of all that is old, and what was made before its batch is gone by then. Fails when all of it
/// goes in one transaction, and when what waits among it ends the pass.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_old_goes_in_batches(pool: PgPool) {
    let world = World::new(&pool).await;
    queue(&pool, world.merchant, "old", "http://127.0.0.1:9/", "1").await;
    sqlx::query("UPDATE deliveries SET created_at = created_at - interval '31 days'")
        .execute(&pool)
        .await
        .unwrap();
    let last: i64 = sqlx::query_scalar(
        "WITH made AS (
             INSERT INTO deliveries (event_id, merchant_id, object, url, format, schedule, content_type, body,
                 state, delivered_at, created_at)
             SELECT event_id, merchant_id, object, url, format, schedule, content_type, body,
                 'delivered', created_at, created_at
             FROM deliveries, generate_series(1, 2500)
             RETURNING id)
         SELECT max(id) FROM made",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let mut held = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM deliveries WHERE id = $1 FOR UPDATE")
        .bind(last)
        .execute(&mut *held)
        .await
        .unwrap();
    let gateway = world.gateway.clone();
    let forgetting = tokio::spawn(async move { gateway.forget_old_deliveries().await });
    until_waiting(&pool, "FROM deliveries", 1).await;
    let left = count(&pool, "delivered").await;
    assert!((1..=1_000).contains(&left), "{left}");
    held.rollback().await.unwrap();
    assert_eq!(forgetting.await.unwrap().unwrap(), 2_500);
    assert_eq!(count(&pool, "delivered").await, 0);
    assert_eq!(count(&pool, "waiting").await, 1);
    assert_eq!(world.gateway.forget_old_deliveries().await.unwrap(), 0);
}
