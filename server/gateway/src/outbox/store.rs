use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use super::endpoint;
use crate::Result;

/// Deliveries one URL may have under way at once, so that a slow receiver holds few workers.
const IN_FLIGHT_PER_URL_MAX: i64 = 4;

/// Deliveries one merchant may have under way at once in all, so that many slow receivers of one
/// merchant do not take every worker. Merchants take turns.
const IN_FLIGHT_PER_MERCHANT_MAX: i64 = 16;

/// Where the Processing API's callbacks of a merchant go.
pub(super) async fn callback_url(
    conn: &mut PgConnection,
    merchant_id: i64,
) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT callback_url FROM merchants WHERE id = $1")
            .bind(merchant_id)
            .fetch_one(conn)
            .await?,
    )
}

/// Public and private key of the merchant's oldest active pair.
pub(super) async fn processing_keys(
    conn: &mut PgConnection,
    merchant_id: i64,
) -> Result<Option<(String, String)>> {
    Ok(sqlx::query_as(
        "SELECT public_key, private_key FROM key_pairs
         WHERE merchant_id = $1 AND revoked_at IS NULL ORDER BY id LIMIT 1",
    )
    .bind(merchant_id)
    .fetch_optional(conn)
    .await?)
}

/// A delivery a worker has taken.
pub(super) struct Claimed {
    pub(super) id: i64,
    pub(super) event_id: String,
    pub(super) endpoint_id: Option<i64>,
    pub(super) url: String,
    pub(super) schedule: String,
    pub(super) content_type: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) attempts: i32,
    pub(super) secrets: Vec<String>,
}

/// Takes due deliveries under a lease. Skipped: one whose object has an earlier one to the same URL
/// still to come (order), and URLs and merchants that have enough under way (fairness).
pub(super) async fn claim(
    pool: &PgPool,
    now: OffsetDateTime,
    lease_seconds: i32,
    limit: i64,
) -> Result<Vec<Claimed>> {
    let rows = sqlx::query(
        "WITH flying AS (
             SELECT url, merchant_id FROM deliveries
             WHERE state = 'pending' AND locked_until IS NOT NULL AND locked_until >= clock_timestamp()),
         per_url AS (SELECT url, count(*) AS n FROM flying GROUP BY url),
         per_merchant AS (SELECT merchant_id, count(*) AS n FROM flying GROUP BY merchant_id),
         due AS (
             SELECT d.id, d.merchant_id, d.next_attempt_at,
                 coalesce(u.n, 0) + row_number() OVER (
                     PARTITION BY d.url ORDER BY d.next_attempt_at, d.id) AS place
             FROM deliveries d LEFT JOIN per_url u ON u.url = d.url
             WHERE d.state = 'pending' AND d.next_attempt_at <= $1
               AND (d.locked_until IS NULL OR d.locked_until < clock_timestamp())
               AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.object = d.object AND e.url = d.url
                               AND e.state = 'pending' AND e.id < d.id)),
         ranked AS (
             SELECT due.id, due.next_attempt_at,
                 coalesce(m.n, 0) + row_number() OVER (
                     PARTITION BY due.merchant_id ORDER BY due.next_attempt_at, due.id) AS turn
             FROM due LEFT JOIN per_merchant m ON m.merchant_id = due.merchant_id
             WHERE due.place <= $2),
         picked AS (
             SELECT d.id FROM deliveries d JOIN ranked ON ranked.id = d.id
             WHERE ranked.turn <= $5 AND d.state = 'pending'
               AND (d.locked_until IS NULL OR d.locked_until < clock_timestamp())
             ORDER BY ranked.turn, ranked.next_attempt_at, d.id
             LIMIT $3 FOR NO KEY UPDATE OF d SKIP LOCKED)
         UPDATE deliveries d
         SET locked_until = clock_timestamp() + $4 * interval '1 second'
         FROM picked, merchants m
         WHERE d.id = picked.id AND m.id = d.merchant_id
         RETURNING d.id, d.event_id, d.endpoint_id, d.url, d.schedule, d.content_type, d.headers, d.body,
             d.attempts, m.webhook_secret,
             (SELECT e.secret FROM webhook_endpoints e WHERE e.id = d.endpoint_id) AS endpoint_secret,
             (SELECT e.previous_secret FROM webhook_endpoints e
              WHERE e.id = d.endpoint_id AND e.previous_until > $1) AS previous_secret",
    )
    .bind(now)
    .bind(IN_FLIGHT_PER_URL_MAX)
    .bind(limit)
    .bind(lease_seconds)
    .bind(IN_FLIGHT_PER_MERCHANT_MAX)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let Json(headers): Json<Vec<(String, String)>> = row.try_get("headers")?;
            let own: Option<String> = row.try_get("endpoint_secret")?;
            let previous: Option<String> = row.try_get("previous_secret")?;
            let default: String = row.try_get("webhook_secret")?;
            let secrets = std::iter::once(own.unwrap_or(default))
                .chain(previous)
                .collect();
            Ok(Claimed {
                id: row.try_get("id")?,
                event_id: row.try_get("event_id")?,
                endpoint_id: row.try_get("endpoint_id")?,
                url: row.try_get("url")?,
                schedule: row.try_get("schedule")?,
                content_type: row.try_get("content_type")?,
                headers,
                body: row.try_get("body")?,
                attempts: row.try_get("attempts")?,
                secrets,
            })
        })
        .collect()
}

/// What an attempt came to, ready to store.
pub(super) struct Attempt {
    pub(super) at: OffsetDateTime,
    pub(super) status: Option<i32>,
    pub(super) duration_ms: i64,
    pub(super) error: Option<String>,
    pub(super) response_head: String,
}

/// What becomes of a delivery after an attempt.
pub(super) enum After {
    Delivered,
    RetryAt(OffsetDateTime),
    GivenUp,
}

pub(super) async fn record_attempt(
    pool: &PgPool,
    delivery: &Claimed,
    attempt: Attempt,
    after: After,
) -> Result<()> {
    let (state, next) = match after {
        After::Delivered => ("delivered", None),
        After::RetryAt(at) => ("pending", Some(at)),
        After::GivenUp => ("failed", None),
    };
    let mut tx = pool.begin().await?;
    let number: i32 = sqlx::query_scalar(
        "UPDATE deliveries SET attempts = attempts + 1, state = $2, next_attempt_at = $3,
             locked_until = NULL, delivered_at = CASE WHEN $2 = 'delivered' THEN $4 END
         WHERE id = $1 RETURNING attempts",
    )
    .bind(delivery.id)
    .bind(state)
    .bind(next)
    .bind(attempt.at)
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO delivery_attempts (delivery_id, number, at, status, duration_ms, error, response_head)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(delivery.id)
    .bind(number)
    .bind(attempt.at)
    .bind(attempt.status)
    .bind(attempt.duration_ms)
    .bind(attempt.error)
    .bind(attempt.response_head)
    .execute(&mut *tx)
    .await?;
    if let Some(endpoint_id) = delivery.endpoint_id {
        let delivered = state == "delivered";
        endpoint::note_attempt(&mut tx, endpoint_id, delivered, attempt.at).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Deliveries due by `now`, claimed or not.
pub(crate) async fn count_due(pool: &PgPool, now: OffsetDateTime) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM deliveries d WHERE state = 'pending' AND next_attempt_at <= $1
         AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.object = d.object AND e.url = d.url
                         AND e.state = 'pending' AND e.id < d.id AND e.next_attempt_at > $1)",
    )
    .bind(now)
    .fetch_one(pool)
    .await?)
}

/// Sends a finished or waiting delivery again at once; its schedule is not used up by it.
pub(crate) async fn redeliver(
    pool: &PgPool,
    merchant_id: i64,
    delivery_id: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE deliveries SET state = 'pending', next_attempt_at = $3, delivered_at = NULL
         WHERE id = $2 AND merchant_id = $1
           AND (locked_until IS NULL OR locked_until < clock_timestamp())",
    )
    .bind(merchant_id)
    .bind(delivery_id)
    .bind(now)
    .execute(pool)
    .await?
    .rows_affected();
    sqlx::query("SELECT pg_notify('exchequer_delivery', '')")
        .execute(pool)
        .await?;
    Ok(updated == 1)
}

/// Whether the merchant has such a delivery.
pub(crate) async fn is_known(pool: &PgPool, merchant_id: i64, delivery_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM deliveries WHERE id = $2 AND merchant_id = $1)",
    )
    .bind(merchant_id)
    .bind(delivery_id)
    .fetch_one(pool)
    .await?)
}

/// Forgets finished deliveries that were made before `oldest`; events stay, the audit needs them.
pub(crate) async fn delete_older(pool: &PgPool, oldest: OffsetDateTime) -> Result<u64> {
    let mut tx = pool.begin().await?;
    sqlx::query(
        "DELETE FROM delivery_attempts a USING deliveries d
         WHERE d.id = a.delivery_id AND d.state <> 'pending' AND d.created_at < $1",
    )
    .bind(oldest)
    .execute(&mut *tx)
    .await?;
    let deleted = sqlx::query(
        "DELETE FROM deliveries d WHERE d.state <> 'pending' AND d.created_at < $1
         AND NOT EXISTS (SELECT 1 FROM delivery_attempts a WHERE a.delivery_id = d.id)",
    )
    .bind(oldest)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(deleted)
}
