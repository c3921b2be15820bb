//! The SQL behind a merchant's callback address and its tests.

use sqlx::{PgConnection, PgPool};

use crate::Result;

/// The address, held until the transaction ends; the outer `None` = there is no such merchant.
pub(super) async fn lock_url(
    conn: &mut PgConnection,
    merchant_id: i64,
) -> Result<Option<Option<String>>> {
    Ok(
        sqlx::query_scalar("SELECT callback_url FROM merchants WHERE id = $1 FOR NO KEY UPDATE")
            .bind(merchant_id)
            .fetch_optional(conn)
            .await?,
    )
}

pub(super) async fn set_url(
    conn: &mut PgConnection,
    merchant_id: i64,
    url: Option<&str>,
) -> Result<()> {
    sqlx::query("UPDATE merchants SET callback_url = $2 WHERE id = $1")
        .bind(merchant_id)
        .bind(url)
        .execute(conn)
        .await?;
    Ok(())
}

/// Address and `whsec_…` of the merchant; `None` = there is no such merchant.
pub(super) async fn settings(
    pool: &PgPool,
    merchant_id: i64,
) -> Result<Option<(Option<String>, String)>> {
    Ok(
        sqlx::query_as("SELECT callback_url, webhook_secret FROM merchants WHERE id = $1")
            .bind(merchant_id)
            .fetch_optional(pool)
            .await?,
    )
}

/// Whether the deliveries about `object` were tried once, each of them.
pub(super) async fn is_attempted(pool: &PgPool, object: &str) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT 1 FROM deliveries d JOIN events e ON e.id = d.event_id
         WHERE e.object = $1 AND d.attempts = 0)",
    )
    .bind(object)
    .fetch_one(pool)
    .await?)
}
