use signing::evm::{DepositKey, Transaction};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row};
use time::{Duration, OffsetDateTime};

use super::row::{Purpose, TxRow};
use crate::chain::address::params;
use crate::currencies::Currencies;
use crate::payouts::TxState;
use crate::{Error, Result};

const COLUMNS: &str =
    "x.id, x.payment_id, p.operation_id, w.claim_id, p.coin_id, x.state, x.plan, x.txid, x.raw,
     p.purpose, p.address AS from_address, d.chain AS deposit_chain, d.idx AS deposit_index,
     x.downloaded_at IS NOT NULL OR x.unheard AS may_be_signed";
const FROM: &str = "treasury_txs x JOIN treasury_payments p ON p.id = x.payment_id
     LEFT JOIN withdrawals w ON w.operation_id = p.operation_id
     LEFT JOIN chain_addresses d ON d.branch = 0
         AND d.address = CASE p.purpose WHEN 'sweep' THEN p.address WHEN 'gas' THEN p.to_address END";

pub(super) async fn insert(
    conn: &mut PgConnection,
    payment_id: i64,
    replaces: Option<i64>,
    plan: &Transaction,
    made_by: &str,
    now: OffsetDateTime,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO treasury_txs (payment_id, state, replaces, plan, made_by, created_at,
             next_attempt_at)
         VALUES ($1, 'drafted', $2, $3, $4, $5, $5) RETURNING id",
    )
    .bind(payment_id)
    .bind(replaces)
    .bind(Json(plan))
    .bind(made_by)
    .bind(now)
    .fetch_one(conn)
    .await?)
}

pub(super) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    id: i64,
) -> Result<TxRow> {
    let query = format!("SELECT {COLUMNS} FROM {FROM} WHERE x.id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(id)
        .fetch_optional(conn)
        .await?
        .ok_or(Error::NotFound)?;
    tx(&row, currencies)
}

/// All transactions of a payment, in the order they were made.
pub(super) async fn all(
    conn: &mut PgConnection,
    currencies: &Currencies,
    payment_id: i64,
) -> Result<Vec<TxRow>> {
    let query = format!("SELECT {COLUMNS} FROM {FROM} WHERE x.payment_id = $1 ORDER BY x.id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(payment_id)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| tx(row, currencies)).collect()
}

fn tx(row: &PgRow, currencies: &Currencies) -> Result<TxRow> {
    let state: String = row.try_get("state")?;
    let Json(plan): Json<Transaction> = row.try_get("plan")?;
    let purpose: String = row.try_get("purpose")?;
    let from: String = row.try_get("from_address")?;
    let chain: Option<String> = row.try_get("deposit_chain")?;
    let index: Option<i64> = row.try_get("deposit_index")?;
    let deposit = match (chain.as_deref().and_then(params), index) {
        (Some(coin), Some(index)) => Some(DepositKey {
            account: coin.account,
            index: u32::try_from(index)?,
        }),
        _ => None,
    };
    Ok(TxRow {
        id: row.try_get("id")?,
        payment_id: row.try_get("payment_id")?,
        operation_id: row.try_get("operation_id")?,
        claim_id: row.try_get("claim_id")?,
        purpose: Purpose::from_word(&purpose)?,
        from: from.parse().map_err(Error::internal)?,
        deposit,
        coin: currencies.known(row.try_get("coin_id")?)?,
        state: TxState::from_word(&state)?,
        plan,
        txid: row.try_get("txid")?,
        raw: row.try_get("raw")?,
        may_be_signed: row.try_get("may_be_signed")?,
    })
}

/// Bytes that pay, of a transaction that had none; what was sent before gives way to it.
pub(super) async fn signed(
    conn: &mut PgConnection,
    tx: &TxRow,
    raw: &[u8],
    txid: &str,
    by: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE treasury_txs SET state = 'replaced', next_attempt_at = NULL, locked_until = NULL
         WHERE payment_id = $1 AND id <> $2 AND state IN ('signed', 'broadcast')",
    )
    .bind(tx.payment_id)
    .bind(tx.id)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "UPDATE treasury_txs SET state = 'signed', raw = $2, txid = $3, signed_by = $4,
             signed_at = $5, next_attempt_at = $5, locked_until = NULL, attempts = 0,
             last_error = NULL, told = false
         WHERE id = $1 AND state = 'drafted' AND raw IS NULL",
    )
    .bind(tx.id)
    .bind(raw)
    .bind(txid)
    .bind(by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The network has it, since when is the last time it was told.
pub(super) async fn broadcast(
    conn: &mut PgConnection,
    id: i64,
    chain: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE treasury_txs SET state = 'broadcast', attempts = 0, next_attempt_at = NULL,
             locked_until = NULL, last_error = NULL, told = false,
             broadcast_at = $3,
             broadcast_height = coalesce(broadcast_height,
                 (SELECT max(height) FROM chain_blocks WHERE chain = $2 AND active))
         WHERE id = $1 AND state = 'signed'",
    )
    .bind(id)
    .bind(chain)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Has the stored bytes sent again; false when there are none, or they are sent no more.
pub(crate) async fn queue_again(
    conn: &mut PgConnection,
    payment_id: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE treasury_txs SET state = 'signed', next_attempt_at = $2, locked_until = NULL
         WHERE payment_id = $1 AND state IN ('signed', 'broadcast')",
    )
    .bind(payment_id)
    .bind(now)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(updated == 1)
}

/// It is deep in the chain; all others of its payment are not.
pub(super) async fn confirmed(conn: &mut PgConnection, payment_id: i64, id: i64) -> Result<()> {
    sqlx::query(
        "UPDATE treasury_txs SET state = CASE WHEN id = $2 THEN 'confirmed'
                                           WHEN state = 'dropped' THEN 'dropped' ELSE 'replaced' END,
             next_attempt_at = NULL, locked_until = NULL, last_error = NULL
         WHERE payment_id = $1",
    )
    .bind(payment_id)
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// It is in no block any more, and is sent again.
pub(super) async fn undone(conn: &mut PgConnection, id: i64, now: OffsetDateTime) -> Result<()> {
    sqlx::query(
        "UPDATE treasury_txs SET state = 'signed', block_hash = NULL, height = NULL, succeeded = NULL,
             cost = NULL, moved = NULL, arrived = NULL, next_attempt_at = $2, locked_until = NULL,
             attempts = 0
         WHERE id = $1 AND state = 'confirmed'",
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Who took it to sign it; false when it does not wait for a signature any more.
pub(super) async fn downloaded(
    conn: &mut PgConnection,
    id: i64,
    by: &str,
    now: OffsetDateTime,
) -> Result<bool> {
    let taken = sqlx::query(
        "UPDATE treasury_txs SET downloaded_by = $2, downloaded_at = $3
         WHERE id = $1 AND state = 'drafted'",
    )
    .bind(id)
    .bind(by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() > 0)
}

/// A signer was asked for it, and nobody knows what it answered.
pub(super) async fn unheard(pool: &PgPool, id: i64) -> Result<()> {
    sqlx::query("UPDATE treasury_txs SET unheard = true WHERE id = $1 AND state = 'drafted'")
        .bind(id)
        .execute(pool)
        .await?;
    Ok(())
}

/// It is never signed; false when somebody may have done so.
pub(super) async fn dropped(conn: &mut PgConnection, id: i64, why: &str) -> Result<bool> {
    let dropped = sqlx::query(
        "UPDATE treasury_txs SET state = 'dropped', next_attempt_at = NULL, locked_until = NULL,
             last_error = left($2, 500)
         WHERE id = $1 AND state = 'drafted' AND raw IS NULL AND downloaded_at IS NULL AND NOT unheard",
    )
    .bind(id)
    .bind(why)
    .execute(conn)
    .await?;
    Ok(dropped.rows_affected() > 0)
}

/// Takes what is due under a lease, the lowest number first: something signed, or a draft of the chains in
/// `signing`.
pub(super) async fn claim(
    pool: &PgPool,
    signing: &[&str],
    now: OffsetDateTime,
    lease_seconds: i32,
) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(
        "WITH due AS (
             SELECT x.id FROM treasury_txs x JOIN treasury_payments p ON p.id = x.payment_id
             WHERE x.next_attempt_at <= $1
               AND (x.state = 'signed' OR (x.state = 'drafted' AND p.chain = ANY($2)))
               AND (x.locked_until IS NULL OR x.locked_until < clock_timestamp())
             ORDER BY p.nonce, x.id LIMIT 1 FOR NO KEY UPDATE OF x SKIP LOCKED)
         UPDATE treasury_txs x SET locked_until = clock_timestamp() + $3 * interval '1 second'
         FROM due WHERE x.id = due.id RETURNING x.id",
    )
    .bind(now)
    .bind(signing)
    .bind(lease_seconds)
    .fetch_optional(pool)
    .await?)
}

/// The same for one of them, due or not; false when somebody else has it.
pub(super) async fn lease(pool: &PgPool, id: i64, lease_seconds: i32) -> Result<bool> {
    let taken = sqlx::query(
        "UPDATE treasury_txs SET locked_until = clock_timestamp() + $2 * interval '1 second'
         WHERE id = $1 AND state IN ('drafted', 'signed')
           AND (locked_until IS NULL OR locked_until < clock_timestamp())",
    )
    .bind(id)
    .bind(lease_seconds)
    .execute(pool)
    .await?;
    Ok(taken.rows_affected() > 0)
}

pub(super) async fn any_due(pool: &PgPool, signing: &[&str], now: OffsetDateTime) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM treasury_txs x JOIN treasury_payments p ON p.id = x.payment_id
             WHERE x.next_attempt_at <= $1
               AND (x.state = 'signed' OR (x.state = 'drafted' AND p.chain = ANY($2))))",
    )
    .bind(now)
    .bind(signing)
    .fetch_one(pool)
    .await?)
}

/// Notes a failed attempt and when to try again; answers whether the operators were told before.
pub(super) async fn failed(
    pool: &PgPool,
    id: i64,
    error: &str,
    now: OffsetDateTime,
    pause_after: fn(i32) -> Duration,
) -> Result<bool> {
    let before: Option<(i32, bool)> =
        sqlx::query_as("SELECT attempts, told FROM treasury_txs WHERE id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await?;
    let (attempts, told) = before.ok_or(Error::NotFound)?;
    sqlx::query(
        "UPDATE treasury_txs SET attempts = attempts + 1, last_error = left($2, 500),
             next_attempt_at = $3, locked_until = NULL
         WHERE id = $1 AND state IN ('drafted', 'signed')",
    )
    .bind(id)
    .bind(error)
    .bind(now + pause_after(attempts))
    .execute(pool)
    .await?;
    Ok(told)
}

pub(super) async fn told(conn: &mut PgConnection, id: i64) -> Result<()> {
    sqlx::query("UPDATE treasury_txs SET told = true WHERE id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}
