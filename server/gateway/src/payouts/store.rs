use domain::money::Currency;
use signing::Plan;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row};
use time::{Duration, OffsetDateTime};

use super::row::{TxRow, TxState};
use crate::currencies::Currencies;
use crate::{Error, Result};

const COLUMNS: &str =
    "x.id, x.payout_id, p.coin_id, x.state, x.plan, x.psbt, x.txid, x.raw, x.vsize,
     x.downloaded_at IS NOT NULL AS is_downloaded";

/// A transaction to be written.
pub(super) struct NewTx<'a> {
    pub(super) payout_id: i64,
    pub(super) chain: &'a str,
    pub(super) replaces: Option<i64>,
    pub(super) plan: &'a Plan,
    pub(super) psbt: Vec<u8>,
    pub(super) txid: String,
    pub(super) made_by: &'a str,
}

pub(super) async fn insert_payout(
    conn: &mut PgConnection,
    coin: Currency,
    confirmations_required: u32,
    now: OffsetDateTime,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO payouts (coin_id, chain, confirmations_required, created_at)
         VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .bind(i32::try_from(confirmations_required.max(1))?)
    .bind(now)
    .fetch_one(conn)
    .await?)
}

pub(super) async fn insert_tx(
    conn: &mut PgConnection,
    new: NewTx<'_>,
    now: OffsetDateTime,
) -> Result<i64> {
    // The same plan again, after nobody signed it: the id means this one from now on.
    sqlx::query(
        "UPDATE payout_txs SET txid = txid || '/' || id
         WHERE chain = $1 AND txid = $2 AND state = 'dropped' AND raw IS NULL",
    )
    .bind(new.chain)
    .bind(&new.txid)
    .execute(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar(
        "INSERT INTO payout_txs (payout_id, chain, state, replaces, plan, psbt, txid, fee, made_by,
             created_at, next_attempt_at)
         VALUES ($1, $2, 'drafted', $3, $4, $5, $6, $7, $8, $9, $9) RETURNING id",
    )
    .bind(new.payout_id)
    .bind(new.chain)
    .bind(new.replaces)
    .bind(Json(new.plan))
    .bind(new.psbt)
    .bind(new.txid)
    .bind(i64::try_from(new.plan.fee)?)
    .bind(new.made_by)
    .bind(now)
    .fetch_one(conn)
    .await?)
}

/// Whether a payout of the coin is on its way and not in the chain yet.
pub(super) async fn any_running(conn: &mut PgConnection, coin: Currency) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM payouts WHERE chain = $1 AND confirmed_tx_id IS NULL
                        AND ended_at IS NULL)",
    )
    .bind(coin.code.as_str())
    .fetch_one(conn)
    .await?)
}

/// Nobody else changes the payout until the transaction ends. Answers the transaction whose fee is
/// booked, and how often one was.
pub(super) async fn lock_payout(
    conn: &mut PgConnection,
    payout_id: i64,
) -> Result<(Option<i64>, i32)> {
    Ok(sqlx::query_as(
        "SELECT confirmed_tx_id, bookings FROM payouts WHERE id = $1 FOR NO KEY UPDATE",
    )
    .bind(payout_id)
    .fetch_one(conn)
    .await?)
}

pub(super) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    id: i64,
) -> Result<TxRow> {
    let query = format!(
        "SELECT {COLUMNS} FROM payout_txs x JOIN payouts p ON p.id = x.payout_id WHERE x.id = $1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(id)
        .fetch_one(conn)
        .await?;
    tx(&row, currencies)
}

/// All transactions of a payout, in the order they were made.
pub(super) async fn all(
    conn: &mut PgConnection,
    currencies: &Currencies,
    payout_id: i64,
) -> Result<Vec<TxRow>> {
    let query = format!(
        "SELECT {COLUMNS} FROM payout_txs x JOIN payouts p ON p.id = x.payout_id
         WHERE x.payout_id = $1 ORDER BY x.id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(payout_id)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| tx(row, currencies)).collect()
}

fn tx(row: &PgRow, currencies: &Currencies) -> Result<TxRow> {
    let state: String = row.try_get("state")?;
    let Json(plan): Json<Plan> = row.try_get("plan")?;
    let vsize: Option<i64> = row.try_get("vsize")?;
    Ok(TxRow {
        id: row.try_get("id")?,
        payout_id: row.try_get("payout_id")?,
        coin: currencies.known(row.try_get("coin_id")?)?,
        state: TxState::from_word(&state)?,
        plan,
        psbt: row.try_get("psbt")?,
        txid: row.try_get("txid")?,
        raw: row.try_get("raw")?,
        vsize: vsize.map(u64::try_from).transpose()?,
        is_downloaded: row.try_get("is_downloaded")?,
    })
}

/// Bytes that pay, of a transaction that had none; from here on only these are sent for it. Its id is what
/// the signatures made it.
pub(super) async fn signed(
    conn: &mut PgConnection,
    id: i64,
    txid: &str,
    raw: &[u8],
    vsize: u64,
    by: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE payout_txs SET state = 'signed', raw = $2, vsize = $3, signed_by = $4,
             signed_at = $5, next_attempt_at = $5, locked_until = NULL, attempts = 0,
             last_error = NULL, told = false, txid = $6
         WHERE id = $1 AND state = 'drafted' AND raw IS NULL",
    )
    .bind(id)
    .bind(raw)
    .bind(i64::try_from(vsize)?)
    .bind(by)
    .bind(now)
    .bind(txid)
    .execute(conn)
    .await?;
    Ok(())
}

/// Another transaction of the payout is sent instead of these.
pub(super) async fn replaced(conn: &mut PgConnection, payout_id: i64, by: i64) -> Result<()> {
    sqlx::query(
        "UPDATE payout_txs SET state = 'replaced', next_attempt_at = NULL, locked_until = NULL
         WHERE payout_id = $1 AND id <> $2 AND state NOT IN ('replaced', 'dropped')",
    )
    .bind(payout_id)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// What waits for its block is sent instead, or had been sent before: all but drafts.
pub(super) async fn replace_sent(conn: &mut PgConnection, payout_id: i64, by: i64) -> Result<()> {
    sqlx::query(
        "UPDATE payout_txs SET state = 'replaced', next_attempt_at = NULL, locked_until = NULL
         WHERE payout_id = $1 AND id <> $2 AND state IN ('signed', 'broadcast')",
    )
    .bind(payout_id)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// The network has it.
pub(super) async fn broadcast(
    conn: &mut PgConnection,
    id: i64,
    chain: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE payout_txs SET state = 'broadcast', attempts = 0, next_attempt_at = NULL,
             locked_until = NULL, last_error = NULL, told = false,
             broadcast_at = coalesce(broadcast_at, $3),
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
    payout_id: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE payout_txs SET state = 'signed', next_attempt_at = $2, locked_until = NULL
         WHERE payout_id = $1 AND state IN ('signed', 'broadcast')",
    )
    .bind(payout_id)
    .bind(now)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(updated == 1)
}

/// It is deep enough in the chain, and its fee is booked.
pub(super) async fn confirmed(
    conn: &mut PgConnection,
    payout_id: i64,
    id: i64,
    bookings: i32,
) -> Result<()> {
    sqlx::query(
        "UPDATE payout_txs SET state = 'confirmed', next_attempt_at = NULL, locked_until = NULL,
             last_error = NULL
         WHERE id = $1",
    )
    .bind(id)
    .execute(&mut *conn)
    .await?;
    // What had ended has not, after all: a reorganisation deeper than anybody reckoned with.
    sqlx::query(
        "UPDATE payouts SET confirmed_tx_id = $2, bookings = $3, ended_at = NULL WHERE id = $1",
    )
    .bind(payout_id)
    .bind(id)
    .bind(bookings)
    .execute(conn)
    .await?;
    Ok(())
}

/// Nobody signs this draft any more.
pub(super) async fn dropped(conn: &mut PgConnection, id: i64, why: &str) -> Result<()> {
    sqlx::query(
        "UPDATE payout_txs SET state = 'dropped', next_attempt_at = NULL, locked_until = NULL,
             last_error = left($2, 500)
         WHERE id = $1 AND state = 'drafted' AND raw IS NULL",
    )
    .bind(id)
    .bind(why)
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing of a payout is sent any more.
pub(super) async fn drop_all(conn: &mut PgConnection, payout_id: i64) -> Result<()> {
    sqlx::query(
        "UPDATE payout_txs SET state = 'dropped', next_attempt_at = NULL, locked_until = NULL
         WHERE payout_id = $1",
    )
    .bind(payout_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing of a payout can be mined any more.
pub(super) async fn ended(
    conn: &mut PgConnection,
    payout_id: i64,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query("UPDATE payouts SET ended_at = $2 WHERE id = $1 AND confirmed_tx_id IS NULL")
        .bind(payout_id)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Who took it to sign it.
pub(super) async fn downloaded(
    conn: &mut PgConnection,
    id: i64,
    by: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query("UPDATE payout_txs SET downloaded_by = $2, downloaded_at = $3 WHERE id = $1")
        .bind(id)
        .bind(by)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes what is due under a lease: signed ones, and drafts of the chains in `signing`.
pub(super) async fn claim(
    pool: &PgPool,
    signing: &[&str],
    now: OffsetDateTime,
    lease_seconds: i32,
    limit: i64,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "WITH due AS (
             SELECT id FROM payout_txs
             WHERE next_attempt_at <= $1
               AND (state = 'signed' OR (state = 'drafted' AND chain = ANY($2)))
               AND (locked_until IS NULL OR locked_until < clock_timestamp())
             ORDER BY next_attempt_at, id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE payout_txs x SET locked_until = clock_timestamp() + $3 * interval '1 second'
         FROM due WHERE x.id = due.id RETURNING x.id",
    )
    .bind(now)
    .bind(signing)
    .bind(lease_seconds)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn any_due(pool: &PgPool, signing: &[&str], now: OffsetDateTime) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM payout_txs WHERE next_attempt_at <= $1
             AND (state = 'signed' OR (state = 'drafted' AND chain = ANY($2))))",
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
        sqlx::query_as("SELECT attempts, told FROM payout_txs WHERE id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await?;
    let (attempts, told) = before.ok_or(Error::NotFound)?;
    sqlx::query(
        "UPDATE payout_txs SET attempts = attempts + 1, last_error = left($2, 500),
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
    sqlx::query("UPDATE payout_txs SET told = true WHERE id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}
