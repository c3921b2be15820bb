//! Figures of the metrics that are 0 on a quiet server: each is made something else, and has to say so.
#![allow(clippy::unwrap_used)]

mod processing_support;

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use processing_support::{Program, sign};
use server::testing::TestApp;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// Ends a wait that would have no end.
const LIMIT: Duration = Duration::from_secs(60);

/// Value of the only sample with this name and these labels.
async fn sample(app: &TestApp, series: &str) -> u64 {
    let text = app.metrics().await.text();
    let series = format!("{series} ");
    let mut values = text.lines().filter_map(|line| line.strip_prefix(&series));
    let value = values.next().unwrap_or_else(|| panic!("{series}\n{text}"));
    value.parse().unwrap()
}

/// A delivery of some merchant that was made and is due so many seconds ago, after so many attempts.
async fn queue(pool: &PgPool, object: &str, made: i32, due: i32, attempts: i32) {
    sqlx::query(
        "INSERT INTO events (id, merchant_id, type, object, sequence, payload, created_at)
         SELECT 'evt_' || $1::text, min(id), 'test', $1::text, 1, '{}'::jsonb, now() FROM merchants",
    )
    .bind(object)
    .execute(pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO deliveries (event_id, merchant_id, object, url, format, schedule, content_type, body,
             attempts, created_at, next_attempt_at)
         SELECT e.id, e.merchant_id, e.object, 'http://127.0.0.1:9/', 'standard', 'standard',
             'application/json', ''::bytea, $4::int, clock_timestamp() - $2::int * interval '1 second',
             clock_timestamp() - $3::int * interval '1 second'
         FROM events e WHERE e.object = $1::text",
    )
    .bind(object)
    .bind(made)
    .bind(due)
    .bind(attempts)
    .execute(pool)
    .await
    .unwrap();
}

/// Fails when what is due later counts as late, the age of a delivery is taken for how late it is, or the day
/// it was made for the one it was given up.
#[sqlx::test(migrations = "../migrations")]
async fn the_outbox_lags_by_what_is_due_longest(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    app.demo().await;
    assert_eq!(sample(&app, "exchequer_outbox_lag_seconds").await, 0);
    queue(&pool, "later", 1_000, -3_600, 3).await;
    assert_eq!(sample(&app, "exchequer_outbox_lag_seconds").await, 0);
    queue(&pool, "late", 400, 300, 1).await;
    queue(&pool, "a little late", 10, 10, 0).await;
    let lag = sample(&app, "exchequer_outbox_lag_seconds").await;
    assert!((300..360).contains(&lag), "{lag}");
    let oldest = sample(&app, "exchequer_outbox_oldest_age_seconds").await;
    assert!((1_000..1_060).contains(&oldest), "{oldest}");
    for (series, value) in [
        ("exchequer_outbox_pending", 3),
        ("exchequer_outbox_retrying", 2),
        ("exchequer_outbox_attempts_max", 3),
        ("exchequer_outbox_given_up_day", 0),
    ] {
        assert_eq!(sample(&app, series).await, value, "{series}");
    }
    // One that was made long ago is given up now, another one was two days ago.
    sqlx::query(
        "UPDATE deliveries SET state = 'failed', next_attempt_at = NULL,
             created_at = created_at - interval '4 days',
             given_up_at = clock_timestamp() - CASE object WHEN 'late' THEN interval '1 minute'
                                                           ELSE interval '2 days' END
         WHERE object IN ('late', 'later')",
    )
    .execute(&pool)
    .await
    .unwrap();
    let lag = sample(&app, "exchequer_outbox_lag_seconds").await;
    assert!((10..70).contains(&lag), "{lag}");
    assert_eq!(sample(&app, "exchequer_outbox_given_up_day").await, 1);
}

/// Blocks that cannot be written down are blocks the node has and we have not.
#[sqlx::test(migrations = "../migrations")]
async fn a_follower_lags_by_the_blocks_it_has_not_got(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let mine = async |blocks| app.gateway().sandbox_mine(Some("BTC"), Some(blocks)).await;
    let figure = async |name: &str| {
        sample(&app, &format!("exchequer_follower_{name}{{chain=\"BTC\"}}")).await
    };
    mine(2).await.unwrap();
    assert_eq!(figure("lag_blocks").await, 0);
    let height = figure("height").await;
    sqlx::raw_sql(
        "CREATE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             RAISE EXCEPTION 'refused by the test';
         END $$;
         CREATE TRIGGER test_refuse BEFORE INSERT ON chain_blocks
             FOR EACH ROW EXECUTE FUNCTION test_refuse();",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert!(mine(3).await.is_err());
    assert_eq!(figure("lag_blocks").await, 3);
    assert_eq!(figure("height").await, height);
    assert!(figure("failures").await >= 1);
    let failed = "exchequer_follower_state{chain=\"BTC\",state=\"failed\"}";
    assert_eq!(sample(&app, failed).await, 1);
    sqlx::query("DROP TRIGGER test_refuse ON chain_blocks")
        .execute(&pool)
        .await
        .unwrap();
    mine(1).await.unwrap();
    assert_eq!(figure("lag_blocks").await, 0);
    assert_eq!(figure("height").await, height + 4);
    assert_eq!(figure("failures").await, 0);
    assert_eq!(sample(&app, failed).await, 0);
}

/// Status of the answer to an exchange that is asked for now.
fn exchange(program: &Program, number: usize) -> JoinHandle<u16> {
    let body = format!(
        r#"{{"sender_currency":"EUR","receiver_currency":"BTC","sender_amount":"200","foreign_id":"{number}"}}"#
    );
    let mut request = Request::builder()
        .method("POST")
        .uri("/api/v2/exchange/now")
        .header("content-type", "application/json")
        .header("x-processing-key", &program.pair.public)
        .header("x-processing-signature", sign(&program.pair.private, &body))
        .body(Body::from(body))
        .unwrap();
    let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
    request.extensions_mut().insert(ConnectInfo(peer));
    let router = program.app.router();
    tokio::spawn(async move { router.oneshot(request).await.unwrap().status().as_u16() })
}

async fn waits_for_a_lock(pool: &PgPool) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                        AND wait_event_type = 'Lock' AND state = 'active')",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Fails when the size is that of all batches, of the queue, or of the first one.
#[sqlx::test(migrations = "../migrations")]
async fn the_batch_size_is_that_of_the_newest_batch(pool: PgPool) {
    let program = Program::start(&pool).await;
    let app = &program.app;
    let mut held = pool.begin().await.unwrap();
    // Exchanges write to it, and nobody who only looks is kept up.
    sqlx::query("LOCK TABLE operations IN SHARE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut asked = vec![exchange(&program, 0)];
    let begun = async {
        while !waits_for_a_lock(&pool).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, begun).await.unwrap();
    asked.extend((1..=5).map(|number| exchange(&program, number)));
    let gathered = async {
        while sample(app, "exchequer_committer_queue_depth").await < 5 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gathered).await.unwrap();
    held.rollback().await.unwrap();
    for each in asked {
        assert_eq!(each.await.unwrap(), 201);
    }
    for (series, value) in [
        ("exchequer_committer_queue_depth", 0),
        ("exchequer_committer_batch_size", 5),
        ("exchequer_committer_batches_total", 2),
        ("exchequer_committer_batched_units_total", 6),
    ] {
        assert_eq!(sample(app, series).await, value, "{series}");
    }
}
