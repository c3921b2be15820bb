//! Figures of the metrics that are 0 on a quiet server: each is made something else, and has to say so.
#![allow(clippy::unwrap_used)]

#[path = "figures/committers.rs"]
mod committers;
#[path = "figures/process.rs"]
mod process;
mod processing_support;

use std::time::Duration;

use server::testing::TestApp;
use sqlx::PgPool;

/// Ends a wait that would have no end.
const LIMIT: Duration = Duration::from_secs(60);

/// What the only sample with this name and these labels says.
fn value(text: &str, series: &str) -> String {
    let series = format!("{series} ");
    let mut values = text.lines().filter_map(|line| line.strip_prefix(&series));
    let value = values.next().unwrap_or_else(|| panic!("{series}\n{text}"));
    value.to_owned()
}

/// The same of the metrics of now.
async fn told(app: &TestApp, series: &str) -> String {
    value(&app.metrics().await.text(), series)
}

/// The same where it is a whole number.
async fn sample(app: &TestApp, series: &str) -> u64 {
    told(app, series).await.parse().unwrap()
}

/// Waits for a condition; it fails the test when that never comes.
async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let met = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, met).await.unwrap();
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
    let clock = app.gateway().clock();
    let now = || u64::try_from(clock.now().unix_timestamp()).unwrap();
    let before = now();
    mine(2).await.unwrap();
    let after = now();
    assert_eq!(figure("lag_blocks").await, 0);
    let height = figure("height").await;
    let at_tip = figure("at_tip_timestamp_seconds").await;
    assert!((before..=after).contains(&at_tip), "{at_tip}");
    clock.advance(&pool, 1_000).await.unwrap();
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
    let stays = figure("at_tip_timestamp_seconds").await;
    assert_eq!(stays, at_tip, "our best block is not the node's");
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
    let again = figure("at_tip_timestamp_seconds").await;
    assert!((at_tip + 1_000..=now()).contains(&again), "{again}");
    assert_eq!(figure("failures").await, 0);
    assert_eq!(sample(&app, failed).await, 0);
}

/// Fails when the figures are those of the first audit, of all of them, or of the exceptions instead of the
/// checks that found some.
#[sqlx::test(migrations = "../migrations")]
async fn the_last_audit_is_told_with_its_age(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let none = app.metrics().await.text();
    assert!(!none.contains("exchequer_audit_"), "{none}");
    let checked_at = app.gateway().clock().now() - time::Duration::seconds(1_000);
    sqlx::query(
        r#"INSERT INTO book_audits (checked_at, asked_by, took_ms, found)
           VALUES ($1, 'command', 61250, '{"postings": 9, "accounts": 3, "checks": [
               {"name": "one", "violations": []},
               {"name": "two", "violations": ["a", "b", "c"]},
               {"name": "three", "violations": ["d"]}]}')"#,
    )
    .bind(checked_at)
    .execute(&pool)
    .await
    .unwrap();
    let age = sample(&app, "exchequer_audit_age_seconds").await;
    assert!((1_000..1_060).contains(&age), "{age}");
    for (series, value) in [
        ("exchequer_audit_clean", "0".to_owned()),
        ("exchequer_audit_violated_checks", "2".to_owned()),
        ("exchequer_audit_duration_seconds", "61.25".to_owned()),
        (
            "exchequer_audit_timestamp_seconds",
            checked_at.unix_timestamp().to_string(),
        ),
    ] {
        assert_eq!(told(&app, series).await, value, "{series}");
    }
    app.gateway().audit_and_keep("command").await.unwrap();
    let age = sample(&app, "exchequer_audit_age_seconds").await;
    assert!(age < 60, "{age}");
    assert_eq!(sample(&app, "exchequer_audit_clean").await, 1);
    assert_eq!(sample(&app, "exchequer_audit_violated_checks").await, 0);
}
