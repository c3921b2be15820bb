use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// A payment with the transaction that stands for it: the one in the chain, else the newest.
#[derive(Debug, FromRow)]
pub(super) struct PaymentRecord {
    pub(super) id: i64,
    pub(super) created_at: OffsetDateTime,
    pub(super) purpose: String,
    pub(super) coin_id: i16,
    /// Base units of the coin, in digits.
    pub(super) raw: String,
    pub(super) address: String,
    pub(super) to_address: String,
    pub(super) nonce: i64,
    pub(super) operation_id: Option<i64>,
    pub(super) merchant_id: Option<i64>,
    pub(super) state: String,
    pub(super) txid: Option<String>,
    /// Wei, in digits: at most, and what it cost.
    pub(super) fee_max: String,
    pub(super) cost: Option<String>,
    pub(super) last_error: Option<String>,
    pub(super) is_drafted: bool,
    pub(super) is_sent: bool,
    pub(super) is_decided: bool,
}

const PAYMENTS: &str = "
    SELECT p.id, p.created_at, p.purpose, p.coin_id, p.raw_amount::text AS raw, p.address, p.to_address,
        p.nonce, p.operation_id, o.merchant_id,
        CASE WHEN p.lost THEN 'lost' ELSE coalesce(p.outcome, x.state) END AS state, x.txid,
        ((x.plan->>'gas_limit')::numeric * (x.plan->>'max_fee_per_gas')::numeric)::text AS fee_max,
        x.cost::text AS cost, x.last_error, n.is_drafted, n.is_sent, p.outcome IS NOT NULL AS is_decided
    FROM treasury_payments p
    JOIN LATERAL (SELECT * FROM treasury_txs WHERE payment_id = p.id
                  ORDER BY (id = p.confirmed_tx_id) DESC NULLS LAST, state = 'dropped', id DESC
                  LIMIT 1) x ON true
    CROSS JOIN LATERAL (SELECT coalesce(bool_or(state = 'drafted'), false) AS is_drafted,
                            coalesce(bool_or(state IN ('signed', 'broadcast')), false) AS is_sent
                        FROM treasury_txs WHERE payment_id = p.id) n
    LEFT JOIN operations o ON o.id = p.operation_id ";

/// What is asked for; empty for everything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) state: &'a str,
    pub(super) chain: &'a str,
    pub(super) kind: &'a str,
}

/// Payments with a number below `before`, the newest first.
pub(super) async fn list(
    pool: &PgPool,
    wanted: Wanted<'_>,
    before: i64,
    limit: i64,
) -> Result<Vec<PaymentRecord>> {
    let query = format!(
        "{PAYMENTS} WHERE p.id < $1 AND p.purpose <> 'gap'
           AND ($3 = '' OR CASE WHEN p.lost THEN 'lost' ELSE coalesce(p.outcome, x.state) END = $3)
           AND ($4 = '' OR p.chain = $4) AND ($5 = '' OR p.purpose = $5)
         ORDER BY p.id DESC LIMIT $2"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(before)
        .bind(limit)
        .bind(wanted.state)
        .bind(wanted.chain)
        .bind(wanted.kind)
        .fetch_all(pool)
        .await?)
}

pub(super) async fn find(pool: &PgPool, id: i64) -> Result<PaymentRecord> {
    let query = format!("{PAYMENTS} WHERE p.id = $1 AND p.purpose <> 'gap'");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(id)
        .fetch_one(pool)
        .await?)
}

/// One transaction of a payment.
#[derive(Debug, FromRow)]
pub(super) struct TxRecord {
    pub(super) id: i64,
    pub(super) state: String,
    pub(super) txid: Option<String>,
    /// Wei for each unit of gas, in digits.
    pub(super) max_fee: String,
    pub(super) tip: String,
    pub(super) gas_limit: String,
    pub(super) cost: Option<String>,
    pub(super) height: Option<i64>,
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
pub(super) async fn txs(pool: &PgPool, payment_id: i64) -> Result<Vec<TxRecord>> {
    Ok(sqlx::query_as(
        "SELECT id, state, txid, plan->>'max_fee_per_gas' AS max_fee,
             plan->>'max_priority_fee_per_gas' AS tip, plan->>'gas_limit' AS gas_limit,
             cost::text AS cost, height, made_by, created_at, downloaded_by, downloaded_at, signed_by,
             signed_at, broadcast_at, last_error
         FROM treasury_txs WHERE payment_id = $1 ORDER BY id DESC",
    )
    .bind(payment_id)
    .fetch_all(pool)
    .await?)
}

/// A withdrawal without a number.
#[derive(Debug, FromRow)]
pub(super) struct WaitingRecord {
    pub(super) operation_id: i64,
    pub(super) merchant_id: i64,
    pub(super) merchant: String,
    pub(super) coin_id: i16,
    pub(super) amount: Decimal,
    pub(super) last_error: Option<String>,
}

/// Withdrawals of the coins that have none, those asked for first in front.
pub(super) async fn waiting(
    pool: &PgPool,
    coins: &[i16],
    limit: i64,
) -> Result<Vec<WaitingRecord>> {
    Ok(sqlx::query_as(
        "SELECT w.operation_id, o.merchant_id, m.name AS merchant, w.coin_id, w.amount, w.last_error
         FROM withdrawals w JOIN operations o ON o.id = w.operation_id
         JOIN merchants m ON m.id = o.merchant_id
         WHERE w.coin_id = ANY($1) AND w.state = 'queued' AND NOT w.internal
           AND NOT EXISTS (SELECT FROM treasury_payments p WHERE p.operation_id = w.operation_id
                           AND p.outcome IS DISTINCT FROM 'released')
         ORDER BY w.operation_id LIMIT $2",
    )
    .bind(coins)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

/// An account that is paused.
#[derive(Debug, FromRow)]
pub(super) struct PausedRecord {
    pub(super) chain_id: i64,
    pub(super) address: String,
    pub(super) next_nonce: i64,
    pub(super) paused_why: Option<String>,
}

pub(super) async fn paused(pool: &PgPool, limit: i64) -> Result<Vec<PausedRecord>> {
    Ok(sqlx::query_as(
        "SELECT chain_id, address, next_nonce, paused_why FROM treasuries
         WHERE paused_at IS NOT NULL ORDER BY paused_at, address LIMIT $1",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?)
}
