//! Which deliveries a worker takes.

use sqlx::types::Json;
use sqlx::{PgPool, Row};
use time::OffsetDateTime;

use crate::Result;

/// Deliveries one URL may have under way at once, so that a slow receiver holds few workers.
const IN_FLIGHT_PER_URL_MAX: i64 = 4;

/// Deliveries one merchant may have under way at once in all, so that many slow receivers of one
/// merchant do not take every worker. Merchants take turns.
const IN_FLIGHT_PER_MERCHANT_MAX: i64 = 16;

/// A delivery a worker has taken.
pub(super) struct Claimed {
    pub(super) id: i64,
    /// The claim that holds its lease.
    pub(super) claim_id: i64,
    pub(super) event_id: String,
    pub(super) endpoint_id: Option<i64>,
    pub(super) url: String,
    pub(super) schedule: String,
    pub(super) content_type: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Attempts made before this one.
    pub(super) attempts: i32,
    /// The endpoint's or the merchant's, and during a rotation the one before.
    pub(super) secrets: Vec<String>,
}

/// Takes up to `limit` due deliveries under a lease. Left out: one whose object has an earlier one to
/// the same URL still to come (order), and URLs and merchants that have enough under way (fairness).
pub(super) async fn claim(
    pool: &PgPool,
    now: OffsetDateTime,
    lease_seconds: i32,
    limit: i64,
) -> Result<Vec<Claimed>> {
    let rows = sqlx::query(
        "SELECT d.id, d.claim_id, d.event_id, d.endpoint_id, d.url, d.schedule, d.content_type, d.headers,
             d.body, d.attempts, m.webhook_secret,
             (SELECT e.secret FROM webhook_endpoints e WHERE e.id = d.endpoint_id) AS endpoint_secret,
             (SELECT e.previous_secret FROM webhook_endpoints e
              WHERE e.id = d.endpoint_id AND e.previous_until > $1) AS previous_secret
         FROM claim_deliveries($1, $2, $3, $4, $5) d JOIN merchants m ON m.id = d.merchant_id",
    )
    .bind(now)
    .bind(lease_seconds)
    .bind(limit)
    .bind(IN_FLIGHT_PER_URL_MAX)
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
                claim_id: row.try_get("claim_id")?,
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

/// Ends the leases of these claims, of which nothing was attempted: others may take what they took at once.
pub(super) async fn give_back(pool: &PgPool, claims: &[i64]) -> Result<()> {
    sqlx::query("DELETE FROM delivery_claims WHERE id = ANY($1)")
        .bind(claims)
        .execute(pool)
        .await?;
    Ok(())
}
