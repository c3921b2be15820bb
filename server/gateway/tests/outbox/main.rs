//! The queue of deliveries: who is claimed, what is recorded, and what a worker that dies leaves behind.
#![allow(clippy::unwrap_used)]

mod claims;
mod leases;
#[cfg(unix)]
#[allow(dead_code)]
#[path = "../committer/proxy.rs"]
mod proxy;
mod records;
#[path = "../support/mod.rs"]
mod support;
#[cfg(unix)]
mod unanswered;
mod waiting;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use gateway::outbox::{Outcome, deliver_due};
use sqlx::PgPool;
use support::World;

/// Ends a wait that would have no end.
const LIMIT: Duration = Duration::from_secs(60);

/// Answers each request with the status that its path names, and keeps ids and bodies.
#[derive(Clone, Default)]
struct Receiver {
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Receiver {
    /// Answers `http://host:port`.
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/{status}", post(take))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        base
    }

    fn bodies(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(_, body)| body.clone()).collect()
    }

    fn ids(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(id, _)| id.clone()).collect()
    }
}

async fn take(
    State(receiver): State<Receiver>,
    Path(status): Path<u16>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let id = headers.get("webhook-id").unwrap().to_str().unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    receiver.seen.lock().unwrap().push((id.to_owned(), body));
    StatusCode::from_u16(status).unwrap()
}

/// A delivery of this merchant that is due; those made earlier are due for longer. Its id.
async fn queue(pool: &PgPool, merchant: i64, object: &str, url: &str, body: &str) -> i64 {
    let mut tx = pool.begin().await.unwrap();
    let event = format!("evt_{object}_{body}");
    sqlx::query(
        "INSERT INTO events (id, merchant_id, type, object, sequence, payload, created_at)
         SELECT $1::text, $2::bigint, 'test', $3::text, count(*) + 1, '{}'::jsonb, now()
         FROM events WHERE object = $3::text",
    )
    .bind(&event)
    .bind(merchant)
    .bind(object)
    .execute(&mut *tx)
    .await
    .unwrap();
    let id = sqlx::query_scalar(
        "INSERT INTO deliveries (event_id, merchant_id, object, url, format, schedule, content_type, body,
             next_attempt_at, created_at)
         VALUES ($1, $2, $3, $4, 'standard', 'standard', 'application/json', convert_to($5, 'UTF8'),
             clock_timestamp() - interval '1 minute', now()) RETURNING id",
    )
    .bind(&event)
    .bind(merchant)
    .bind(object)
    .bind(url)
    .bind(body)
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

/// Ids that a worker which then dies would take, in order.
async fn claim(pool: &PgPool, most: i64) -> Vec<i64> {
    let mut ids: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM claim_deliveries(clock_timestamp(), 600, $1, 4, 16)")
            .bind(most)
            .fetch_all(pool)
            .await
            .unwrap();
    ids.sort_unstable();
    ids
}

async fn end_leases(pool: &PgPool) {
    sqlx::query(
        "UPDATE delivery_claims SET locked_until = clock_timestamp() - interval '1 second'",
    )
    .execute(pool)
    .await
    .unwrap();
}

/// Deliveries under a lease, run out or not, in order.
async fn leased(pool: &PgPool) -> Vec<i64> {
    sqlx::query_scalar("SELECT unnest(deliveries) FROM delivery_claims ORDER BY 1")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// Records an attempt of this delivery as a worker does: it arrived, or it is tried again in an hour.
async fn record(pool: &PgPool, id: i64, arrived: bool) {
    let state = if arrived { "delivered" } else { "pending" };
    sqlx::query(
        "SELECT record_deliveries(ARRAY(SELECT max(id) FROM delivery_claims WHERE $1 = ANY (deliveries)),
             ARRAY[$1::bigint], ARRAY[$2::text],
             ARRAY[CASE WHEN $2::text = 'pending' THEN clock_timestamp() + interval '1 hour' END],
             ARRAY[clock_timestamp()], ARRAY[200], ARRAY[0::bigint], ARRAY[NULL::text], ARRAY[''])",
    )
    .bind(id)
    .bind(state)
    .execute(pool)
    .await
    .unwrap();
}

async fn drain(world: &World) {
    while deliver_due(&world.gateway).await.unwrap() == Outcome::Worked {}
}

async fn merchants(world: &World) -> (i64, i64) {
    let other: i64 = sqlx::query_scalar("SELECT max(id) FROM merchants")
        .fetch_one(world.gateway.pool())
        .await
        .unwrap();
    assert_ne!(other, world.merchant);
    (world.merchant, other)
}

async fn count(pool: &PgPool, condition: &'static str) -> i64 {
    let question = match condition {
        "delivered" => "SELECT count(*) FROM deliveries WHERE state = 'delivered'",
        "waiting" => "SELECT count(*) FROM deliveries WHERE state = 'pending'",
        _ => "SELECT count(*) FROM delivery_attempts",
    };
    sqlx::query_scalar(question).fetch_one(pool).await.unwrap()
}
