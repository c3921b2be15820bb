//! The SQL behind pins and the page of rate sources.

use domain::money::CurrencyId;
use rust_decimal::Decimal;
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// Source name of a rate that the operator has pinned.
pub(super) const PIN_SOURCE: &str = "pinned";

/// What a source said last.
#[derive(Debug, Clone, FromRow)]
pub(super) struct SourceRecord {
    pub(super) from_id: i16,
    pub(super) to_id: i16,
    pub(super) source: String,
    pub(super) rate: Decimal,
    pub(super) observed_at: OffsetDateTime,
    pub(super) ages: bool,
    /// Pins only.
    pub(super) expires_at: Option<OffsetDateTime>,
}

/// Of every pair, sorted by pair and source, without pins that are over.
pub(super) async fn all(pool: &PgPool, now: OffsetDateTime) -> Result<Vec<SourceRecord>> {
    Ok(sqlx::query_as(
        "SELECT r.from_id, r.to_id, r.source, r.rate, r.observed_at, r.ages, r.expires_at
         FROM rate_observations r
         JOIN currencies f ON f.id = r.from_id JOIN currencies t ON t.id = r.to_id
         WHERE r.expires_at IS NULL OR r.expires_at > $1
         ORDER BY f.code, t.code, r.source",
    )
    .bind(now)
    .fetch_all(pool)
    .await?)
}

/// Of one pair, without a pin that is over.
pub(super) async fn of_pair(
    conn: &mut PgConnection,
    from: CurrencyId,
    to: CurrencyId,
    now: OffsetDateTime,
) -> Result<Vec<SourceRecord>> {
    Ok(sqlx::query_as(
        "SELECT from_id, to_id, source, rate, observed_at, ages, expires_at
         FROM rate_observations
         WHERE from_id = $1 AND to_id = $2 AND (expires_at IS NULL OR expires_at > $3)
         ORDER BY source",
    )
    .bind(from)
    .bind(to)
    .bind(now)
    .fetch_all(conn)
    .await?)
}

/// One change of the pins of a pair, in either direction, at a time.
pub(super) async fn lock(conn: &mut PgConnection, from: CurrencyId, to: CurrencyId) -> Result<()> {
    sqlx::query("SELECT 1 FROM currencies WHERE id = $1 FOR NO KEY UPDATE")
        .bind(from.min(to))
        .fetch_one(conn)
        .await?;
    Ok(())
}

pub(super) async fn pin(
    conn: &mut PgConnection,
    from: CurrencyId,
    to: CurrencyId,
    rate: Decimal,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO rate_observations (from_id, to_id, source, rate, observed_at, ages, expires_at)
         VALUES ($1, $2, $3, $4, $5, false, $6)
         ON CONFLICT (from_id, to_id, source)
         DO UPDATE SET rate = $4, observed_at = $5, ages = false, expires_at = $6",
    )
    .bind(from)
    .bind(to)
    .bind(PIN_SOURCE)
    .bind(rate)
    .bind(now)
    .bind(until)
    .execute(&mut *conn)
    .await?;
    forget_hours(conn, from, to).await
}

/// False when there was none.
pub(super) async fn unpin(
    conn: &mut PgConnection,
    from: CurrencyId,
    to: CurrencyId,
) -> Result<bool> {
    let deleted = sqlx::query(
        "DELETE FROM rate_observations WHERE from_id = $1 AND to_id = $2 AND source = $3",
    )
    .bind(from)
    .bind(to)
    .bind(PIN_SOURCE)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(deleted == 1)
}

/// A pin says nothing about how the market has moved, so the history of the pair has none.
async fn forget_hours(conn: &mut PgConnection, from: CurrencyId, to: CurrencyId) -> Result<()> {
    sqlx::query("DELETE FROM rate_hours WHERE from_id = $1 AND to_id = $2 AND source = $3")
        .bind(from)
        .bind(to)
        .bind(PIN_SOURCE)
        .execute(conn)
        .await?;
    Ok(())
}
