//! The SQL behind the suspense page.
//!
//! What waits is derived from charges, deposits and refunds, and compared with what the accounts
//! say: the page proves the books instead of repeating them. The audit checks the same
//! (`audit/store/charges.rs`).

use rust_decimal::Decimal;
use sqlx::{AssertSqlSafe, FromRow, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// Each movement in or out of suspense with the charge or deposit that it belongs to.
const MOVED: &str = "
    SELECT c.merchant_id, r.coin_id AS currency_id, c.id AS charge_id, NULL::bigint AS deposit_id,
           r.amount AS units, 0::numeric AS held, r.final_at AS at
    FROM receipts r JOIN charges c ON c.id = r.charge_id WHERE r.state = 'final'
    UNION ALL
    SELECT merchant_id, coin_id, id, NULL, -coin_consumed, 0, paid_at FROM charges
    WHERE status = 'paid' AND coin_consumed <> 0
    UNION ALL
    SELECT o.merchant_id, d.coin_id, NULL, d.operation_id, d.amount, 0, d.final_at
    FROM deposits d JOIN operations o ON o.id = d.operation_id
    WHERE d.disposition IN ('suspended', 'refunded') AND d.state = 'final'
    UNION ALL
    SELECT o.merchant_id, d.coin_id, NULL, d.operation_id, -d.amount, 0, d.final_at
    FROM deposits d JOIN operations o ON o.id = d.operation_id
    WHERE d.disposition = 'credited' AND d.state = 'reversed'
    UNION ALL
    SELECT o.merchant_id, w.coin_id, r.charge_id, back.deposit_id,
           CASE WHEN w.state = 'settled' THEN -w.amount ELSE 0 END,
           CASE WHEN w.state IN ('settled', 'void') THEN 0 ELSE w.held END, o.created_at
    FROM withdrawals w JOIN operations o ON o.id = w.operation_id
    LEFT JOIN refund_claims r ON r.id = w.claim_id
    LEFT JOIN LATERAL (
        SELECT substr(a.subject, length('operation:') + 1)::bigint AS deposit_id
        FROM audit_log a
        WHERE a.action = 'deposit.refunded' AND (a.data ->> 'refund')::bigint = w.operation_id
        LIMIT 1) back ON w.claim_id IS NULL
    WHERE o.kind = 'refund'";

/// Money of one charge or deposit, in ledger units.
#[derive(Debug, FromRow)]
pub(super) struct ItemRecord {
    pub(super) merchant_id: i64,
    pub(super) merchant: String,
    pub(super) currency_id: i16,
    pub(super) units: Decimal,
    pub(super) held: Decimal,
    pub(super) since: Option<OffsetDateTime>,
    pub(super) public_id: Option<String>,
    pub(super) charge_status: Option<String>,
    /// The coin that was asked for.
    pub(super) asked_id: Option<i16>,
    pub(super) deposit_id: Option<i64>,
    pub(super) deposit_state: Option<String>,
    pub(super) disposition: Option<String>,
    pub(super) error: Option<String>,
    /// Rows of the whole list.
    pub(super) total: i64,
}

/// Which items: part of a merchant's name or a whole number in `q`, a coin, one deposit. Empty and
/// `None` are all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    pub(super) q: &'a str,
    pub(super) currency_id: Option<i16>,
    pub(super) deposit_id: Option<i64>,
}

/// Oldest first.
pub(super) async fn items(
    pool: &PgPool,
    wanted: Wanted<'_>,
    limit: i64,
    offset: i64,
) -> Result<Vec<ItemRecord>> {
    let query = format!(
        "SELECT i.merchant_id, m.name AS merchant, i.currency_id, i.units, i.held, i.since,
             c.public_id, c.status AS charge_status, c.coin_id AS asked_id, i.deposit_id,
             d.state AS deposit_state, d.disposition, o.error, count(*) OVER () AS total
         FROM (SELECT merchant_id, currency_id, charge_id, deposit_id, sum(units) AS units,
                      sum(held) AS held, min(at) AS since
               FROM ({MOVED}) moved
               GROUP BY merchant_id, currency_id, charge_id, deposit_id
               HAVING sum(units) <> 0 OR sum(held) <> 0) i
         JOIN merchants m ON m.id = i.merchant_id
         LEFT JOIN charges c ON c.id = i.charge_id
         LEFT JOIN operations o ON o.id = i.deposit_id
         LEFT JOIN deposits d ON d.operation_id = i.deposit_id
         WHERE ($1 = '' OR strpos(lower(m.name), lower($1)) > 0 OR c.public_id = upper($1)
                OR i.deposit_id::text = $1)
           AND ($2::smallint IS NULL OR i.currency_id = $2)
           AND ($3::bigint IS NULL OR i.deposit_id = $3)
         ORDER BY i.since, c.public_id, i.deposit_id, i.currency_id LIMIT $4 OFFSET $5"
    );
    Ok(sqlx::query_as(AssertSqlSafe(query))
        .bind(wanted.q)
        .bind(wanted.currency_id)
        .bind(wanted.deposit_id)
        .bind(limit)
        .bind(offset)
        .fetch_all(pool)
        .await?)
}

/// What the accounts hold and what the movements explain, in ledger units.
#[derive(Debug, FromRow)]
pub(super) struct SumRecord {
    pub(super) currency_id: i16,
    pub(super) accounts: Decimal,
    pub(super) explained: Decimal,
}

/// Of every currency in which either is not zero.
pub(super) async fn sums(pool: &PgPool) -> Result<Vec<SumRecord>> {
    let query = format!(
        "SELECT currency_id, coalesce(s.units, 0) AS accounts, coalesce(e.units, 0) AS explained
         FROM (SELECT currency_id, sum(posted) AS units FROM accounts
               WHERE kind = 'suspense' GROUP BY currency_id) s
         FULL JOIN (SELECT currency_id, sum(units) AS units FROM ({MOVED}) moved
                    GROUP BY currency_id) e USING (currency_id)
         WHERE coalesce(s.units, 0) <> 0 OR coalesce(e.units, 0) <> 0"
    );
    Ok(sqlx::query_as(AssertSqlSafe(query)).fetch_all(pool).await?)
}

/// Where a deposit came to.
#[derive(Debug, FromRow)]
pub(super) struct OriginRecord {
    pub(super) address: String,
    pub(super) reference: String,
    pub(super) txid: String,
    pub(super) vout: i32,
    pub(super) confirmed_at: Option<OffsetDateTime>,
}

pub(super) async fn origin(pool: &PgPool, operation_id: i64) -> Result<Option<OriginRecord>> {
    Ok(sqlx::query_as(
        "SELECT k.address, a.foreign_id AS reference, d.txid, d.vout, d.final_at AS confirmed_at
         FROM deposits d JOIN deposit_addresses a ON a.id = d.deposit_address_id
         JOIN chain_addresses k ON k.id = a.address_id WHERE d.operation_id = $1",
    )
    .bind(operation_id)
    .fetch_optional(pool)
    .await?)
}

/// A withdrawal that is late, in ledger units.
#[derive(Debug, FromRow)]
pub(super) struct StuckRecord {
    pub(super) id: i64,
    pub(super) since: OffsetDateTime,
    pub(super) merchant_id: i64,
    pub(super) merchant: String,
    pub(super) coin_id: i16,
    pub(super) amount: Decimal,
    pub(super) address: String,
    pub(super) state: String,
    pub(super) attempts: i32,
    pub(super) error: Option<String>,
    pub(super) last_error: Option<String>,
    /// Its bytes are stored and may be sent again, or a signer's refusal may be over.
    pub(super) has_bytes: bool,
    /// Another transaction took its coins, or nothing was sent: a person decides what becomes of it.
    pub(super) is_replaced: bool,
    /// What came of its payment with a number.
    pub(super) outcome: Option<String>,
    /// Where that is unclear, base units in digits: what left the account, and what the receiver got.
    pub(super) moved: Option<String>,
    pub(super) arrived: Option<String>,
}

/// Those that need a person, could not be sent, or are on their way since before `late`; the longest
/// first.
pub(super) async fn stuck(
    pool: &PgPool,
    late: OffsetDateTime,
    limit: i64,
) -> Result<Vec<StuckRecord>> {
    Ok(sqlx::query_as(
        "SELECT o.id, coalesce(w.decided_at, o.created_at) AS since, o.merchant_id,
             m.name AS merchant, w.coin_id, w.amount, w.address, w.state, w.attempts, o.error,
             w.last_error, (w.state = 'queued' AND w.refusals > 0 AND w.payout_id IS NULL)
                 OR (w.state NOT IN ('queued', 'void')
                     AND (w.raw IS NOT NULL OR w.payout_id IS NOT NULL)
                     -- Its bytes are in the chain, or can never be.
                     AND coalesce(q.outcome NOT IN ('failed', 'unclear', 'taken'), true)) AS has_bytes,
             (w.state = 'queued' AND NOT w.internal
                 AND (q.id IS NULL OR coalesce(q.outcome IN ('failed', 'unclear', 'taken'), false)))
             OR w.state IN ('built', 'broadcast') AND o.needs_attention
                 AND (coalesce(q.outcome IN ('failed', 'unclear', 'taken'), false)
                      OR (NOT EXISTS (SELECT 1 FROM chain_txs t WHERE t.chain = c.code
                                      AND t.txid = w.txid AND t.status IN ('mempool', 'confirmed'))
                          AND NOT EXISTS (SELECT 1 FROM payout_txs x JOIN chain_txs t
                                          ON t.chain = x.chain AND t.txid = x.txid
                                          WHERE x.payout_id = w.payout_id
                                            AND t.status IN ('mempool', 'confirmed'))))
                 AS is_replaced, q.outcome, d.moved::text AS moved, d.arrived::text AS arrived
         FROM withdrawals w JOIN operations o ON o.id = w.operation_id
         JOIN merchants m ON m.id = o.merchant_id
         JOIN currencies c ON c.id = w.coin_id
         LEFT JOIN treasury_payments q ON q.operation_id = w.operation_id
             AND q.outcome IS DISTINCT FROM 'released'
         LEFT JOIN treasury_txs d ON d.id = q.confirmed_tx_id
         WHERE (w.state IN ('queued', 'built', 'broadcast')
                AND (o.needs_attention OR (w.last_error IS NOT NULL AND w.state <> 'broadcast')
                     OR coalesce(w.decided_at, o.created_at) < $1))
            -- Settled, and no longer in the chain; or given back, and in the chain after all.
            OR (w.state IN ('settled', 'void') AND o.needs_attention)
         ORDER BY since, o.id LIMIT $2",
    )
    .bind(late)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}
