//! The SQL behind how rates have changed.

use rust_decimal::Decimal;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::Result;

/// What a source said of a pair: codes, source, rate.
pub(super) type PastRate = (String, String, String, Decimal);

/// The rates that were in force at `at`, sorted by pair: of each pair and source the last of an hour
/// that was over by then. None older than `oldest`.
pub(super) async fn rates_at(
    pool: &PgPool,
    at: OffsetDateTime,
    oldest: OffsetDateTime,
) -> Result<Vec<PastRate>> {
    Ok(sqlx::query_as(
        "SELECT f.code, t.code, r.source, r.rate
         FROM (SELECT DISTINCT ON (from_id, to_id, source) from_id, to_id, source, rate
               FROM rate_hours WHERE hour <= $1 - interval '1 hour' AND hour >= $2
               ORDER BY from_id, to_id, source, hour DESC) r
         JOIN currencies f ON f.id = r.from_id JOIN currencies t ON t.id = r.to_id
         ORDER BY f.code, t.code, r.source",
    )
    .bind(at)
    .bind(oldest)
    .fetch_all(pool)
    .await?)
}
