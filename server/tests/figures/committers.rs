//! Committers, each by itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use super::processing_support::{Program, sign};
use super::{sample, told, until};

const ORDER: &str = r#"{"amount":"10.00","currency":"EUR","redirect_url":"https://shop.example/",
    "customer_details":{"name":"Inga","surname":"Berzina","email":"inga@shop.example","phone":"1"}}"#;

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

/// Fails when the size is that of all batches, of the queue, or of the first one, or when what one committer
/// does is told of another one.
#[sqlx::test(migrations = "../migrations")]
async fn each_committer_tells_its_queue_its_newest_batch_and_its_time(pool: PgPool) {
    let program = Program::start(&pool).await;
    let app = &program.app;
    let series = |name: &str, of: &str| format!("exchequer_committer_{name}{{committer=\"{of}\"}}");
    let none = app.metrics().await.text();
    assert!(!none.contains("exchequer_committer_queue_depth{"), "{none}");
    let mut lock = pool.begin().await.unwrap();
    // Exchanges write to it, and nobody who only looks is kept up.
    sqlx::query("LOCK TABLE operations IN SHARE MODE")
        .execute(&mut *lock)
        .await
        .unwrap();
    let begun_at = Instant::now();
    let mut asked = vec![exchange(&program, 0)];
    until(|| waits_for_a_lock(&pool)).await;
    let waits_at = Instant::now();
    asked.extend((1..=5).map(|number| exchange(&program, number)));
    let depth = series("queue_depth", "grouped");
    until(|| async { sample(app, &depth).await == 5 }).await;
    let waited = waits_at.elapsed();
    lock.rollback().await.unwrap();
    for each in asked {
        assert_eq!(each.await.unwrap(), 201);
    }
    let took = begun_at.elapsed();

    let too_much = r#"{"sender_currency":"EUR","receiver_currency":"BTC","sender_amount":"900000","foreign_id":"much"}"#;
    program.post("exchange/now", too_much).await.expect(400);
    let key = format!("Bearer {}", app.demo().await.merchant.ex_pk);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
    ];
    program
        .send("POST", "/api/orders", &headers, ORDER)
        .await
        .expect(201);
    for (name, grouped, charges) in [
        ("queue_depth", 0, 0),
        ("batch_size", 5, 1),
        ("batches_total", 2, 1),
        ("batched_units_total", 6, 1),
        ("refused_total", 1, 0),
    ] {
        assert_eq!(
            sample(app, &series(name, "grouped")).await,
            grouped,
            "{name}"
        );
        assert_eq!(
            sample(app, &series(name, "charges")).await,
            charges,
            "{name}"
        );
    }
    // One task, so one batch after the other; the first one began before it waited for the lock.
    let summed = told(app, &series("commit_seconds_total", "grouped")).await;
    let summed = Duration::from_secs_f64(summed.parse().unwrap());
    assert!(
        (waited..=took).contains(&summed),
        "{waited:?} {summed:?} {took:?}"
    );
}
