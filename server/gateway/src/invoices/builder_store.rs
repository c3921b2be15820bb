//! The SQL behind invoices that a person writes and sends.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// The charge behind an invoice of this merchant.
pub(super) async fn charge_of(
    pool: &PgPool,
    merchant_id: i64,
    code: &str,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT c.public_id FROM invoices i JOIN charges c ON c.id = i.charge_id
         WHERE i.merchant_id = $1 AND i.code = $2",
    )
    .bind(merchant_id)
    .bind(code)
    .fetch_optional(pool)
    .await?)
}

/// The highest number of the form `2026-0001` in that year; 0 when there is none.
pub(super) async fn highest_number(pool: &PgPool, merchant_id: i64, year: i32) -> Result<i64> {
    // The CASE keeps the cast away from references of another form.
    Ok(sqlx::query_scalar(
        "SELECT coalesce(max(CASE WHEN foreign_id ~ '^[0-9]{4}-[0-9]{4,9}$'
                                  THEN substr(foreign_id, 6)::bigint END), 0)
         FROM invoices WHERE merchant_id = $1 AND starts_with(foreign_id, $2)",
    )
    .bind(merchant_id)
    .bind(format!("{year}-"))
    .fetch_one(pool)
    .await?)
}

/// When the link was last sent; the caller holds the charge's lock.
pub(super) async fn last_sent(
    conn: &mut PgConnection,
    charge_id: i64,
) -> Result<Option<OffsetDateTime>> {
    Ok(sqlx::query_scalar(
        "SELECT max(at) FROM charge_timeline WHERE charge_id = $1 AND kind = 'invoice.sent'",
    )
    .bind(charge_id)
    .fetch_one(conn)
    .await?)
}
