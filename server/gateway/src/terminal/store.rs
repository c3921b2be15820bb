use rust_decimal::Decimal;
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;

use crate::{Error, Result};

/// One deposit as the page needs it.
#[derive(Debug, FromRow)]
pub(super) struct PaymentRow {
    pub(super) coin_id: i16,
    pub(super) amount: Decimal,
    pub(super) txid: String,
    pub(super) state: String,
    pub(super) confirmations_required: i32,
    /// NULL outside of blocks.
    pub(super) confirmations: Option<i64>,
    pub(super) first_seen_at: OffsetDateTime,
}

/// The latest deposits of an address, newest first.
pub(super) async fn payments(
    pool: &PgPool,
    deposit_address_id: i64,
    limit: i64,
) -> Result<Vec<PaymentRow>> {
    Ok(sqlx::query_as(
        "SELECT d.coin_id, d.amount, d.txid, d.state, d.confirmations_required, d.first_seen_at,
             CASE WHEN t.status = 'confirmed' THEN
                 (SELECT max(height) FROM chain_blocks WHERE chain = t.chain AND active) - t.height + 1
             END AS confirmations
         FROM deposits d
         JOIN currencies c ON c.id = d.coin_id
         LEFT JOIN chain_txs t ON t.chain = c.code AND t.txid = d.txid
         WHERE d.deposit_address_id = $1
         ORDER BY d.operation_id DESC LIMIT $2",
    )
    .bind(deposit_address_id)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn frame_origins(pool: &PgPool, merchant_id: i64) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT frame_origins FROM merchants WHERE id = $1")
        .bind(merchant_id)
        .fetch_optional(pool)
        .await?
        .ok_or(Error::NotFound)
}

/// Sets a merchant's origins; answers those before.
pub(super) async fn replace_origins(
    conn: &mut PgConnection,
    merchant_id: i64,
    origins: &[String],
) -> Result<Vec<String>> {
    let before: Vec<String> =
        sqlx::query_scalar("SELECT frame_origins FROM merchants WHERE id = $1 FOR NO KEY UPDATE")
            .bind(merchant_id)
            .fetch_optional(&mut *conn)
            .await?
            .ok_or(Error::NotFound)?;
    sqlx::query("UPDATE merchants SET frame_origins = $2 WHERE id = $1")
        .bind(merchant_id)
        .bind(origins)
        .execute(conn)
        .await?;
    Ok(before)
}
