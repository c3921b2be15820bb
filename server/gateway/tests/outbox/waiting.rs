//! What waits costs nothing and hides nothing: long queues, many URLs, attempts of later on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::post;
use gateway::Error;
use sqlx::{PgConnection, PgPool};

use super::support::World;
use super::{LIMIT, Receiver, claim, count, drain, queue};

/// One due delivery for each of many URLs of this merchant.
async fn queue_many(pool: &PgPool, merchant: i64, prefix: &str, many: i32) {
    let events = "INSERT INTO events (id, merchant_id, type, object, sequence, payload, created_at)
                  SELECT 'evt_' || $2::text || n, $1, 'test', $2::text || n, 1, '{}'::jsonb, now()
                  FROM generate_series(1, $3::int) n";
    let deliveries = "INSERT INTO deliveries (event_id, merchant_id, object, url, format, schedule,
                          content_type, body, next_attempt_at, created_at)
                      SELECT 'evt_' || $2::text || n, $1, $2::text || n, 'http://127.0.0.1:9/' || $2::text || n,
                          'standard', 'standard', 'application/json', convert_to('1', 'UTF8'),
                          clock_timestamp() - interval '1 hour', now()
                      FROM generate_series(1, $3::int) n";
    for statement in [events, deliveries] {
        sqlx::query(statement)
            .bind(merchant)
            .bind(prefix)
            .bind(many)
            .execute(pool)
            .await
            .unwrap();
    }
}

async fn wait_an_hour(pool: &PgPool, id: i64) {
    sqlx::query(
        "UPDATE deliveries SET next_attempt_at = clock_timestamp() + interval '1 hour', attempts = 3
         WHERE id = $1",
    )
    .bind(id)
    .execute(pool)
    .await
    .unwrap();
}

/// Pages a claim looks at, on a connection that knows the function and the tables already.
async fn pages_of_a_claim(pool: &PgPool) -> i64 {
    let mut conn = pool.acquire().await.unwrap();
    claim_for_nothing(&mut conn).await;
    pages_of_the_next_claim(&mut conn).await
}

async fn claim_for_nothing(conn: &mut PgConnection) {
    sqlx::raw_sql(
        "BEGIN; SELECT * FROM claim_deliveries(clock_timestamp(), 600, 100, 4, 16); ROLLBACK;",
    )
    .execute(conn)
    .await
    .unwrap();
}

async fn pages_of_the_next_claim(conn: &mut PgConnection) -> i64 {
    let plan: serde_json::Value = sqlx::query_scalar(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
         SELECT * FROM claim_deliveries(clock_timestamp(), 600, 100, 4, 16)",
    )
    .fetch_one(conn)
    .await
    .unwrap();
    let plan = &plan[0]["Plan"];
    plan["Shared Hit Blocks"].as_i64().unwrap() + plan["Shared Read Blocks"].as_i64().unwrap()
}

/// Fails when a claim looks at each URL: that is some fifteen thousand pages, each second.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_due_later_is_not_read(pool: PgPool) {
    let world = World::new(&pool).await;
    queue_many(&pool, world.merchant, "later", 2_000).await;
    sqlx::query("UPDATE deliveries SET next_attempt_at = clock_timestamp() + interval '1 hour'")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::raw_sql("VACUUM ANALYZE deliveries")
        .execute(&pool)
        .await
        .unwrap();
    let pages = pages_of_a_claim(&pool).await;
    assert!(pages < 1_000, "{pages} pages for nothing");
}

/// Fails when a claim looks at each URL: that is more than twenty thousand pages for sixteen deliveries.
#[sqlx::test(migrations = "../../migrations")]
async fn a_claim_reads_a_part_of_many_urls(pool: PgPool) {
    let world = World::new(&pool).await;
    queue_many(&pool, world.merchant, "due", 2_000).await;
    sqlx::raw_sql("VACUUM ANALYZE deliveries")
        .execute(&pool)
        .await
        .unwrap();
    let pages = pages_of_a_claim(&pool).await;
    assert!(pages < 6_000, "{pages} pages");
    assert_eq!(
        claim(&pool, 100).await.len(),
        0,
        "it has its sixteen places"
    );
}

/// Fails when a plan is kept that reads all that is pending, which looks cheap as long as nothing is: that is
/// more than nine thousand pages for sixteen deliveries.
#[sqlx::test(migrations = "../../migrations")]
async fn a_plan_from_when_nothing_was_pending_serves_a_full_queue(pool: PgPool) {
    let world = World::new(&pool).await;
    queue_many(&pool, world.merchant, "done", 4_000).await;
    // So large that plans are kept.
    sqlx::query(
        "UPDATE deliveries SET state = 'delivered', next_attempt_at = NULL,
             body = convert_to(repeat('x', 1500), 'UTF8')",
    )
    .execute(&pool)
    .await
    .unwrap();
    sqlx::raw_sql("VACUUM ANALYZE deliveries")
        .execute(&pool)
        .await
        .unwrap();
    let mut conn = pool.acquire().await.unwrap();
    queue_many(&pool, world.merchant, "first", 1).await;
    claim_for_nothing(&mut conn).await;
    queue_many(&pool, world.merchant, "due", 2_000).await;
    let pages = pages_of_the_next_claim(&mut conn).await;
    assert!(pages < 6_000, "{pages} pages");
}

/// Fails when only what is due for longest is looked at.
#[sqlx::test(migrations = "../../migrations")]
async fn a_url_whose_places_are_taken_hides_no_other(pool: PgPool) {
    let world = World::new(&pool).await;
    for number in 0..200 {
        let object = format!("full{number}");
        queue(
            &pool,
            world.merchant,
            &object,
            "http://127.0.0.1:9/full",
            "1",
        )
        .await;
    }
    assert_eq!(claim(&pool, 100).await.len(), 4);
    let mut others = Vec::new();
    for number in 0..8 {
        let url = format!("http://127.0.0.1:9/{number}");
        others.push(queue(&pool, world.merchant, &format!("o{number}"), &url, "1").await);
    }
    assert_eq!(claim(&pool, 100).await, others);
}

/// Fails when what is blocked stays in front of what is not: the last one would never be taken.
#[sqlx::test(migrations = "../../migrations")]
async fn what_waits_behind_an_attempt_of_later_on_hides_nothing(pool: PgPool) {
    let world = World::new(&pool).await;
    let url = "http://127.0.0.1:9/back-again";
    for number in 0..300 {
        let object = format!("o{number}");
        let first = queue(&pool, world.merchant, &object, url, "1").await;
        wait_an_hour(&pool, first).await;
        queue(&pool, world.merchant, &object, url, "2").await;
    }
    let last = queue(&pool, world.merchant, "last", url, "1").await;
    let mut taken = Vec::new();
    for _ in 0..20 {
        taken.extend(claim(&pool, 100).await);
    }
    assert_eq!(taken, [last]);
    // They are due when the one before them is, not earlier and not later.
    let same: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM deliveries d JOIN deliveries e USING (object, url, next_attempt_at)
         WHERE e.id < d.id",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(same, 300);
}

/// Fails when what was put off until the next attempt is not due with an earlier one by hand.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_sent_again_takes_along_what_waits_behind_it(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = format!("{}/200", receiver.start().await);
    let first = queue(&pool, world.merchant, "o", &url, "1").await;
    wait_an_hour(&pool, first).await;
    queue(&pool, world.merchant, "o", &url, "2").await;
    drain(&world).await;
    assert!(receiver.bodies().is_empty());
    world
        .gateway
        .redeliver(world.merchant, first)
        .await
        .unwrap();
    drain(&world).await;
    assert_eq!(receiver.bodies(), ["1", "2"]);
    assert_eq!(count(&pool, "waiting").await, 0);
}

/// Answers, and makes the next delivery to itself before it does.
async fn start_endless(pool: PgPool, merchant: i64) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let (counter, own) = (Arc::clone(&asked), url.clone());
    let answer = move || {
        let (pool, url) = (pool.clone(), own.clone());
        let number = counter.fetch_add(1, Ordering::SeqCst);
        async move {
            let id = queue(&pool, merchant, &format!("next{number}"), &url, "1").await;
            sqlx::query("UPDATE deliveries SET next_attempt_at = clock_timestamp() WHERE id = $1")
                .bind(id)
                .execute(&pool)
                .await
                .unwrap();
        }
    };
    let app = Router::new().route("/", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, asked)
}

/// Fails when whoever moves the clock of a busy instance waits for what becomes due meanwhile: there is no end
/// to it.
#[sqlx::test(migrations = "../../migrations")]
async fn what_comes_after_a_move_of_the_clock_is_not_waited_for(pool: PgPool) {
    let world = World::new(&pool).await;
    let (url, asked) = start_endless(pool.clone(), world.merchant).await;
    queue(&pool, world.merchant, "first", &url, "1").await;
    let moved = world.gateway.advance(0);
    tokio::time::timeout(LIMIT, moved).await.unwrap().unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(count(&pool, "delivered").await, 1);
    assert_eq!(count(&pool, "waiting").await, 1);
}

/// Fails when a timer that somebody else holds is told as fired, when whoever moved the clock is told to do it
/// again, or when nothing else is done because of it.
#[sqlx::test(migrations = "../../migrations")]
async fn a_clock_is_moved_once_also_when_a_timer_cannot_fire(pool: PgPool) {
    let world = World::new(&pool).await;
    let receiver = Receiver::default();
    let url = format!("{}/200", receiver.start().await);
    let id = world.picked("10", "EUR", "BTC").await;
    let mut holder = pool.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM charges WHERE public_id = $1 FOR UPDATE")
        .bind(&id)
        .execute(&mut *holder)
        .await
        .unwrap();
    queue(&pool, world.merchant, "o", &url, "1").await;
    let before = world.gateway.clock().now();
    let moved = tokio::time::timeout(LIMIT, world.gateway.advance(3_600)).await;
    let moved = moved.unwrap();
    assert!(matches!(moved, Err(Error::OutcomeUnknown)), "{moved:?}");
    assert_eq!(receiver.bodies(), ["1"]);
    let after = world.gateway.clock().now() - before;
    assert!(after.whole_seconds() >= 3_600, "{after}");
    assert!(after.whole_seconds() < 2 * 3_600, "{after}");
    holder.rollback().await.unwrap();
    world.gateway.advance(0).await.unwrap();
    assert_eq!(world.view(&id).await.status.word(), "expired");
}
