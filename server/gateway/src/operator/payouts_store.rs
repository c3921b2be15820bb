use rust_decimal::Decimal;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// A payout with the transaction that stands for it: the one in the chain, else the newest.
#[derive(Debug, FromRow)]
pub(super) struct PayoutRecord {
    pub(super) id: i64,
    pub(super) created_at: OffsetDateTime,
    pub(super) coin_id: i16,
    pub(super) state: String,
    pub(super) txid: String,
    /// Satoshi.
    pub(super) fee: i64,
    pub(super) last_error: Option<String>,
    pub(super) riders: i64,
    /// Ledger units.
    pub(super) paid: Decimal,
    pub(super) is_drafted: bool,
}

const PAYOUTS: &str = "
    SELECT p.id, p.created_at, p.coin_id, x.state, x.txid, x.fee, x.last_error, w.riders, w.paid,
        x.state = 'drafted' AS is_drafted
    FROM payouts p
    JOIN LATERAL (SELECT * FROM payout_txs WHERE payout_id = p.id
                  ORDER BY (id = p.confirmed_tx_id) DESC NULLS LAST, state = 'dropped', id DESC
                  LIMIT 1) x ON true
    CROSS JOIN LATERAL (SELECT count(*) AS riders, coalesce(sum(amount), 0) AS paid
                        FROM withdrawals WHERE payout_id = p.id) w ";

/// Payouts with a number below `before`, the newest first.
pub(super) async fn list(pool: &PgPool, before: i64, limit: i64) -> Result<Vec<PayoutRecord>> {
    let query = format!("{PAYOUTS} WHERE p.id < $1 ORDER BY p.id DESC LIMIT $2");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(before)
        .bind(limit)
        .fetch_all(pool)
        .await?)
}

pub(super) async fn find(pool: &PgPool, id: i64) -> Result<PayoutRecord> {
    let query = format!("{PAYOUTS} WHERE p.id = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(id)
        .fetch_one(pool)
        .await?)
}

/// One transaction of a payout.
#[derive(Debug, FromRow)]
pub(super) struct TxRecord {
    pub(super) id: i64,
    pub(super) state: String,
    pub(super) txid: String,
    pub(super) fee: i64,
    pub(super) vsize: Option<i64>,
    pub(super) plan: Json<signing::Plan>,
    pub(super) made_by: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) downloaded_by: Option<String>,
    pub(super) downloaded_at: Option<OffsetDateTime>,
    pub(super) signed_by: Option<String>,
    pub(super) signed_at: Option<OffsetDateTime>,
    pub(super) broadcast_at: Option<OffsetDateTime>,
    pub(super) last_error: Option<String>,
}

/// The newest first.
pub(super) async fn txs(pool: &PgPool, payout_id: i64) -> Result<Vec<TxRecord>> {
    Ok(sqlx::query_as(
        "SELECT id, state, txid, fee, vsize, plan, made_by, created_at, downloaded_by, downloaded_at,
             signed_by, signed_at, broadcast_at, last_error
         FROM payout_txs WHERE payout_id = $1 ORDER BY id DESC",
    )
    .bind(payout_id)
    .fetch_all(pool)
    .await?)
}

/// A withdrawal that rides in a payout.
#[derive(Debug, FromRow)]
pub(super) struct RiderRecord {
    pub(super) operation_id: i64,
    pub(super) merchant_id: i64,
    pub(super) merchant: String,
    pub(super) address: String,
    pub(super) amount: Decimal,
    pub(super) state: String,
}

pub(super) async fn riders(pool: &PgPool, payout_id: i64) -> Result<Vec<RiderRecord>> {
    Ok(sqlx::query_as(
        "SELECT w.operation_id, o.merchant_id, m.name AS merchant, w.address, w.amount, w.state
         FROM withdrawals w JOIN operations o ON o.id = w.operation_id
         JOIN merchants m ON m.id = o.merchant_id
         WHERE w.payout_id = $1 ORDER BY w.operation_id",
    )
    .bind(payout_id)
    .fetch_all(pool)
    .await?)
}
