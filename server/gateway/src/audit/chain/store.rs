use domain::money::Currency;
use domain::view::reconciliation::{Cause, ChainAuditPage, ChainAuditView};
use rust_decimal::Decimal;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::compare::{Coin, Item};
use crate::ledger::{decimal, units};
use crate::{Error, Result};

/// After so long whoever compared is not there any more.
const RUN_MAX: time::Duration = time::Duration::hours(2);

/// One chain, as the questions need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) code: &'static str,
    pub(super) coin: Currency,
    /// Ledger units of a base unit.
    pub(super) factor: i128,
    pub(super) is_simulated: bool,
}

/// Our best block.
pub(super) async fn height(conn: &mut PgConnection, chain: &str) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active")
            .bind(chain)
            .fetch_one(conn)
            .await?,
    )
}

/// Height of a block of ours; `None` when it is not one.
pub(super) async fn height_of(
    conn: &mut PgConnection,
    chain: &str,
    hash: &str,
) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT height FROM chain_blocks WHERE chain = $1 AND hash = $2 AND active",
    )
    .bind(chain)
    .bind(hash)
    .fetch_optional(conn)
    .await?)
}

/// Every address that can have something on the chain.
pub(super) async fn addresses(pool: &PgPool, chain: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT address FROM chain_addresses WHERE chain = $1
         UNION
         SELECT a.address FROM chain_outputs o
         JOIN chain_addresses a ON a.id = o.address_id
         WHERE o.chain = $1 ORDER BY 1",
    )
    .bind(chain)
    .fetch_all(pool)
    .await?)
}

/// Ledger units of the coin that the house says are on its chain.
pub(super) async fn books(conn: &mut PgConnection, coin: Currency) -> Result<i128> {
    let posted: Decimal = sqlx::query_scalar(
        "SELECT coalesce(sum(posted), 0) FROM accounts
         WHERE merchant_id = 0 AND kind = 'chain_holdings' AND currency_id = $1",
    )
    .bind(coin.id)
    .fetch_one(conn)
    .await?;
    Ok(-units(posted))
}

/// Unspent outputs of ours in blocks up to `height`.
pub(super) async fn unspent(
    conn: &mut PgConnection,
    chain: &str,
    height: i64,
) -> Result<Vec<Coin>> {
    let rows: Vec<(String, String, i32, Decimal)> = sqlx::query_as(
        "SELECT a.address, o.txid, o.vout, o.raw FROM chain_outputs o
         JOIN chain_txs t ON t.chain = o.chain AND t.txid = o.txid
             AND t.status = 'confirmed' AND t.height <= $2
         JOIN chain_addresses a ON a.id = o.address_id
         WHERE o.chain = $1 AND o.raw > 0 AND NOT EXISTS (
             SELECT FROM chain_spends s
             JOIN chain_txs b ON b.chain = s.chain AND b.txid = s.txid
                 AND b.status = 'confirmed' AND b.height <= $2
             WHERE s.chain = o.chain AND s.prev_txid = o.txid AND s.prev_vout = o.vout)",
    )
    .bind(chain)
    .bind(height)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(address, txid, vout, raw)| Coin {
            address,
            place: Some((txid, vout)),
            raw: units(raw),
            may_be_immature: false,
        })
        .collect())
}

/// What accounts of ours have paid in blocks up to `height`, as negative coins: payments of the coin, moves to
/// another account of ours and what a person took out among them, and, on the chain that gas is paid on, gas.
pub(super) async fn paid_from_accounts(
    conn: &mut PgConnection,
    chain: &str,
    coin: Currency,
    height: i64,
) -> Result<Vec<Coin>> {
    let rows: Vec<(String, Decimal)> = sqlx::query_as(
        "SELECT address, sum(raw) FROM (
             SELECT p.address, CASE WHEN p.coin_id <> $2 THEN 0
                                    WHEN x.succeeded THEN p.raw_amount ELSE coalesce(x.moved, 0) END
                               + CASE WHEN $1 = 'ETH' THEN x.cost ELSE 0 END AS raw
             FROM treasury_txs x
             JOIN treasury_payments p ON p.id = x.payment_id
             WHERE x.cost IS NOT NULL AND EXISTS (
                 SELECT FROM chain_txs t WHERE t.chain = $1 AND t.txid IN (x.txid, x.txid || ':failed')
                     AND t.status = 'confirmed' AND t.height <= $3)
             UNION ALL
             -- What a person took out past this instance, and said so.
             SELECT f.address, CASE WHEN f.coin_id <> $2 THEN 0 ELSE f.raw_sent END
                               + CASE WHEN $1 = 'ETH' THEN f.raw_cost ELSE 0 END
             FROM own_funds_out f
             WHERE f.state = 'booked' AND f.address IS NOT NULL AND (f.coin_id = $2 OR $1 = 'ETH')
               AND EXISTS (SELECT FROM chain_blocks b WHERE b.chain = $1 AND b.hash = f.block_hash
                           AND b.active AND b.height <= $3)) paid
         GROUP BY address",
    )
    .bind(chain)
    .bind(coin.id)
    .bind(height)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(address, raw)| Coin {
            address,
            place: None,
            raw: -units(raw),
            may_be_immature: false,
        })
        .collect())
}

/// Why the tables have more or less than the books, fact by fact. Signs are those of tables less books.
///
/// A fact is a payment that came (with its receipt or deposit), a transaction in a block that spends
/// coins of ours (with the withdrawals and the fee booked for it), or something booked whose
/// transaction is in no block.
const CAUSES: &str = "
    WITH ours AS (
        SELECT txid FROM payout_txs WHERE chain = $1
        UNION SELECT txid FROM withdrawals WHERE coin_id = $2 AND txid IS NOT NULL AND NOT internal),
    mined AS MATERIALIZED (
        SELECT txid FROM chain_txs WHERE chain = $1 AND status = 'confirmed'),
    arrivals AS (
        SELECT txid, vout, amount, state, 'receipt:' || id AS what FROM receipts WHERE coin_id = $2
        UNION ALL
        SELECT txid, vout, amount, state, 'operation:' || operation_id FROM deposits
        WHERE coin_id = $2 AND internal_from IS NULL
        UNION ALL
        -- The house's own, as a person said.
        SELECT txid, vout, amount, 'final', 'own funds' FROM own_funds
        WHERE coin_id = $2 AND state = 'booked'),
    spending AS (
        SELECT s.txid, sum(o.raw) * $3 AS spent FROM chain_spends s
        JOIN mined m ON m.txid = s.txid
        JOIN chain_outputs o ON o.chain = s.chain AND o.txid = s.prev_txid AND o.vout = s.prev_vout
        WHERE s.chain = $1 GROUP BY s.txid),
    received AS (
        SELECT o.txid, o.vout, o.raw * $3 AS amount, a.amount AS told, a.state, a.what
        FROM chain_outputs o
        JOIN mined m ON m.txid = o.txid
        LEFT JOIN arrivals a ON a.txid = o.txid AND a.vout = o.vout
        WHERE o.chain = $1),
    back AS (
        SELECT r.txid, sum(r.amount) AS amount FROM received r
        WHERE r.what IS NULL GROUP BY r.txid),
    settled AS (
        SELECT txid, sum(amount) AS amount FROM withdrawals
        WHERE coin_id = $2 AND state = 'settled' AND NOT internal AND txid IS NOT NULL
        GROUP BY txid),
    fees AS (
        SELECT x.txid, x.fee * $3 AS amount FROM payouts p
        JOIN payout_txs x ON x.id = p.confirmed_tx_id WHERE p.chain = $1),
    given_back AS (
        SELECT x.txid, sum(w.amount) AS amount FROM payout_txs x
        JOIN withdrawals w ON w.payout_id = x.payout_id AND w.state = 'void'
        WHERE x.chain = $1 GROUP BY x.txid),
    -- What a person took out past this instance, and said so.
    taken AS (
        SELECT txid, address IS NOT NULL AS is_by_account,
            CASE WHEN coin_id = $2 THEN amount ELSE 0 END
            + CASE WHEN $1 = 'ETH' THEN coalesce(gas, 0) ELSE 0 END AS booked,
            (CASE WHEN coin_id = $2 THEN raw_sent ELSE 0 END
             + CASE WHEN $1 = 'ETH' THEN raw_cost ELSE 0 END) * $3 AS gone,
            EXISTS (SELECT FROM chain_blocks k
                    WHERE k.chain = $1 AND k.hash = block_hash AND k.active) AS is_there
        FROM own_funds_out
        WHERE state = 'booked' AND (coin_id = $2 OR ($1 = 'ETH' AND address IS NOT NULL))),
    left_us AS (
        SELECT s.txid, coalesce(d.amount, 0) + coalesce(f.amount, 0) + coalesce(t.booked, 0)
                       - (s.spent - coalesce(b.amount, 0)) AS amount,
            coalesce(g.amount, 0) AS given_back,
            EXISTS (SELECT FROM ours u WHERE u.txid = s.txid) AS is_ours,
            -- A payout whose fee is booked is done; without a payout, a withdrawal that is settled.
            coalesce(f.txid, CASE WHEN NOT EXISTS (
                SELECT FROM payout_txs x WHERE x.chain = $1 AND x.txid = s.txid) THEN d.txid END)
                IS NOT NULL AS is_done
        FROM spending s
        LEFT JOIN back b ON b.txid = s.txid
        LEFT JOIN settled d ON d.txid = s.txid
        LEFT JOIN fees f ON f.txid = s.txid
        LEFT JOIN given_back g ON g.txid = s.txid
        LEFT JOIN taken t ON t.txid = s.txid AND NOT t.is_by_account),
    numbered AS (
        SELECT x.txid,
            CASE WHEN EXISTS (SELECT FROM mined m WHERE m.txid IN (x.txid, x.txid || ':failed'))
                 -- What moves between accounts of ours is gone for its gas alone.
                 THEN (CASE WHEN p.coin_id <> $2 THEN 0
                            WHEN p.purpose <> 'withdrawal' THEN coalesce(x.moved - x.arrived, 0)
                            WHEN x.succeeded THEN p.raw_amount ELSE coalesce(x.moved, 0) END
                       + CASE WHEN $1 = 'ETH' THEN x.cost ELSE 0 END) * $3
                 ELSE 0 END AS gone,
            CASE WHEN p.confirmed_tx_id = x.id
                 THEN CASE WHEN p.coin_id = $2 AND w.state = 'settled' AND w.txid = x.txid
                           THEN w.amount ELSE 0 END
                      + CASE WHEN $1 = 'ETH' THEN x.cost * $3 ELSE 0 END
                 ELSE 0 END AS booked
        FROM treasury_txs x
        JOIN treasury_payments p ON p.id = x.payment_id
        LEFT JOIN withdrawals w ON w.operation_id = p.operation_id
        WHERE x.cost IS NOT NULL),
    moved AS (
        SELECT x.txid, x.cost IS NOT NULL AS is_read FROM treasury_txs x
        JOIN treasury_payments p ON p.id = x.payment_id
        WHERE p.purpose IN ('sweep', 'gas') AND x.txid IS NOT NULL),
    items AS (
        SELECT CASE state WHEN 'final' THEN 'unknown' ELSE 'unconfirmed' END AS cause,
            amount - CASE state WHEN 'final' THEN told ELSE 0 END AS amount,
            what || ' in ' || txid || ':' || vout AS what
        FROM received WHERE what IS NOT NULL
        UNION ALL
        SELECT 'unknown', r.amount, 'nobody waits for ' || r.txid || ':' || r.vout
        FROM received r
        WHERE r.what IS NULL AND NOT EXISTS (SELECT FROM spending s WHERE s.txid = r.txid)
          AND NOT EXISTS (SELECT FROM moved m WHERE m.txid = r.txid)
          AND NOT EXISTS (SELECT FROM taken t WHERE t.txid = r.txid AND t.is_by_account AND t.is_there)
        UNION ALL
        -- It has arrived, and has not been seen to leave yet: both are one transaction.
        SELECT 'waiting_payout', r.amount, 'transaction ' || r.txid
        FROM received r JOIN moved m ON m.txid = r.txid AND NOT m.is_read
        WHERE r.what IS NULL
        UNION ALL
        SELECT CASE t.status WHEN 'mempool' THEN 'unconfirmed' WHEN 'confirmed' THEN 'unknown'
                    ELSE 'reversed' END, -a.amount,
            a.what || ' in ' || a.txid || ':' || a.vout
        FROM arrivals a
        LEFT JOIN chain_txs t ON t.chain = $1 AND t.txid = a.txid
        WHERE a.state = 'final'
          AND NOT EXISTS (SELECT FROM received r WHERE r.txid = a.txid AND r.vout = a.vout)
        UNION ALL
        SELECT CASE WHEN NOT is_ours THEN 'foreign_spend' WHEN NOT is_done THEN 'waiting_payout'
                    ELSE 'unknown' END,
            amount + CASE WHEN is_ours AND is_done THEN given_back ELSE 0 END, 'transaction ' || txid
        FROM left_us
        UNION ALL
        SELECT 'paid_twice', -given_back, 'transaction ' || txid FROM left_us
        WHERE is_ours AND is_done
        UNION ALL
        SELECT CASE WHEN m.txid IS NULL THEN 'reversed' WHEN $4 THEN 'paid_elsewhere'
                    ELSE 'unknown' END,
            d.amount, 'withdrawals by ' || d.txid
        FROM settled d
        LEFT JOIN mined m ON m.txid = d.txid
        WHERE NOT EXISTS (SELECT FROM spending s WHERE s.txid = d.txid)
          AND NOT EXISTS (SELECT FROM treasury_txs x WHERE x.txid = d.txid)
        UNION ALL
        SELECT CASE WHEN gone = 0 THEN 'reversed' WHEN booked = 0 THEN 'waiting_payout'
                    ELSE 'unknown' END, booked - gone, 'transaction ' || txid
        FROM numbered
        UNION ALL
        -- On chains of accounts it is in the tables only where it came to another account of ours.
        SELECT CASE WHEN t.is_there THEN 'unknown' ELSE 'reversed' END,
            t.booked - CASE WHEN t.is_there THEN t.gone - coalesce(b.amount, 0) ELSE 0 END,
            'own funds out in ' || t.txid
        FROM taken t
        LEFT JOIN back b ON b.txid = t.txid
        WHERE t.is_by_account
        UNION ALL
        SELECT CASE WHEN m.txid IS NULL THEN 'reversed' ELSE 'unknown' END, t.booked,
            'own funds out in ' || t.txid
        FROM taken t
        LEFT JOIN mined m ON m.txid = t.txid
        WHERE NOT t.is_by_account AND NOT EXISTS (SELECT FROM spending s WHERE s.txid = t.txid)
        UNION ALL
        SELECT CASE WHEN m.txid IS NULL THEN 'reversed' ELSE 'unknown' END, f.amount, 'fee of ' || f.txid
        FROM fees f
        LEFT JOIN mined m ON m.txid = f.txid
        WHERE NOT EXISTS (SELECT FROM spending s WHERE s.txid = f.txid))
    SELECT cause, sum(amount), count(*), (array_agg(what ORDER BY what))[1:5]
    FROM items WHERE amount <> 0 GROUP BY cause ORDER BY cause";

pub(super) async fn causes(conn: &mut PgConnection, asked: Asked) -> Result<Vec<Item>> {
    let rows: Vec<(String, Decimal, i64, Vec<String>)> = sqlx::query_as(CAUSES)
        .bind(asked.code)
        .bind(asked.coin.id)
        .bind(decimal(asked.factor))
        .bind(asked.is_simulated)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|(word, amount, count, examples)| {
            let cause = Cause::from_word(&word)
                .ok_or_else(|| Error::Internal(format!("a difference by {word:?}")))?;
            Ok(Item {
                cause,
                units: units(amount),
                count,
                examples,
            })
        })
        .collect()
}

/// Whoever is first compares; false while somebody else does.
pub(super) async fn begin_run(pool: &PgPool, chain: &str, now: OffsetDateTime) -> Result<bool> {
    let begun = sqlx::query(
        "INSERT INTO chain_audits AS a (chain, begun_at) VALUES ($1, $2)
         ON CONFLICT (chain) DO UPDATE SET begun_at = $2
         WHERE a.begun_at IS NULL OR a.begun_at < $3 OR a.begun_at > $2",
    )
    .bind(chain)
    .bind(now)
    .bind(now - RUN_MAX)
    .execute(pool)
    .await?;
    Ok(begun.rows_affected() > 0)
}

/// What was found; `None` when it could not be asked for, which leaves what was found before.
pub(super) async fn end_run(
    pool: &PgPool,
    chain: &str,
    found: Option<&ChainAuditView>,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO chain_audits AS a (chain, checked_at, found)
         VALUES ($1, CASE WHEN $2::jsonb IS NULL THEN NULL ELSE $3::timestamptz END, $2)
         ON CONFLICT (chain) DO UPDATE
         SET begun_at = NULL, found = coalesce(EXCLUDED.found, a.found),
             checked_at = coalesce(EXCLUDED.checked_at, a.checked_at)",
    )
    .bind(chain)
    .bind(found.map(Json))
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

/// What was found last, and whether somebody compares right now.
pub(super) async fn last(pool: &PgPool, chain: &str) -> Result<Option<ChainAuditPage>> {
    type Row = (
        Option<OffsetDateTime>,
        Option<OffsetDateTime>,
        Option<Json<ChainAuditView>>,
    );
    let row: Option<Row> =
        sqlx::query_as("SELECT begun_at, checked_at, found FROM chain_audits WHERE chain = $1")
            .bind(chain)
            .fetch_optional(pool)
            .await?;
    Ok(row.map(|(begun_at, checked_at, found)| ChainAuditPage {
        code: chain.to_owned(),
        begun_at,
        checked_at,
        found: found.map(|Json(found)| found),
        own_coins: Vec::new(),
        notice: None,
    }))
}
