use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::Result;

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

/// Whether there is a delivery that is due by `now`, claimed or not.
pub(super) async fn any_due(pool: &PgPool, now: OffsetDateTime) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT 1 FROM deliveries d WHERE state = 'pending' AND next_attempt_at <= $1
             AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.object = d.object AND e.url = d.url
                             AND e.state = 'pending' AND e.id < d.id AND e.next_attempt_at > $1))",
    )
    .bind(now)
    .fetch_one(pool)
    .await?)
}

/// Sends a finished or waiting delivery again at once; its schedule is not used up by it. Those that a claim
/// put off until its next attempt (`claim_deliveries`) are due with it.
pub(crate) async fn redeliver(
    pool: &PgPool,
    merchant_id: i64,
    delivery_id: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    let mut tx = pool.begin().await?;
    let sent: Option<(String, String)> = sqlx::query_as(
        "UPDATE deliveries SET state = 'pending', next_attempt_at = $3, delivered_at = NULL
         WHERE id = $2 AND merchant_id = $1
           AND NOT EXISTS (SELECT 1 FROM delivery_claims c
                           WHERE c.locked_until >= clock_timestamp() AND $2 = ANY (c.deliveries))
         RETURNING object, url",
    )
    .bind(merchant_id)
    .bind(delivery_id)
    .bind(now)
    .fetch_optional(&mut *tx)
    .await?;
    let Some((object, url)) = sent else {
        return Ok(false);
    };
    // A statement of its own: what was put off while this one waited for the row is seen.
    sqlx::query(
        "UPDATE deliveries SET next_attempt_at = $4
         WHERE object = $1 AND url = $2 AND state = 'pending' AND id > $3 AND next_attempt_at > $4",
    )
    .bind(object)
    .bind(url)
    .bind(delivery_id)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    sqlx::query("SELECT pg_notify('exchequer_delivery', '')")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(true)
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
