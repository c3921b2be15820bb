use domain::ledger::template::{Held, Holds};
use domain::money::Money;
use domain::withdrawal::WithdrawalState;
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgPool, Row};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::WithdrawalRow;
use crate::currencies::Currencies;
use crate::ledger::{decimal, units};
use crate::{Error, Result};

/// Wakes the worker that sends.
pub(crate) const WITHDRAWAL_CHANNEL: &str = "exchequer_withdrawal";

/// A withdrawal to be written.
pub(super) struct NewRow<'a> {
    pub(super) operation_id: i64,
    pub(super) sent: Money,
    pub(super) address: &'a str,
    pub(super) state: WithdrawalState,
    pub(super) holds: &'a Holds,
    pub(super) requested_by: &'a str,
    pub(super) requested_user_id: Option<i64>,
    pub(super) claim_id: Option<i64>,
    pub(super) internal: bool,
    pub(super) confirmations_required: u32,
}

/// Wakes the worker, too, once it is committed.
pub(super) async fn insert(
    conn: &mut PgConnection,
    new: &NewRow<'_>,
    now: OffsetDateTime,
) -> Result<()> {
    let liquidity = new.holds.liquidity;
    sqlx::query(
        "WITH added AS (
             INSERT INTO withdrawals (operation_id, coin_id, address, amount, state, hold_id, held,
                 liquidity_hold_id, liquidity_held, requested_by, requested_user_id, claim_id, internal,
                 confirmations_required, next_attempt_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15))
         SELECT pg_notify($16, '')",
    )
    .bind(new.operation_id)
    .bind(new.sent.currency().id)
    .bind(new.address)
    .bind(decimal(new.sent.units()))
    .bind(new.state.word())
    .bind(new.holds.payer.id)
    .bind(decimal(new.holds.payer.amount.units()))
    .bind(liquidity.map(|held| held.id))
    .bind(liquidity.map(|held| decimal(held.amount.units())))
    .bind(new.requested_by)
    .bind(new.requested_user_id)
    .bind(new.claim_id)
    .bind(new.internal)
    .bind(i32::try_from(new.confirmations_required)?)
    .bind(now)
    .bind(WITHDRAWAL_CHANNEL)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    operation_id: i64,
) -> Result<WithdrawalRow> {
    let row = sqlx::query(
        "SELECT w.operation_id, w.coin_id, w.amount, w.address, w.state, w.hold_id,
             w.liquidity_hold_id, w.liquidity_held, w.requested_user_id, w.claim_id, w.internal,
             w.payout_id, w.txid, w.raw, w.refusals > 0 AS is_refused,
             e.currency_id AS exchange_fee_currency, e.amount AS exchange_fee,
             f.currency_id AS withdrawal_fee_currency, f.amount AS withdrawal_fee
         FROM withdrawals w
         LEFT JOIN operation_fees e ON e.operation_id = w.operation_id AND e.kind = 'exchange'
         LEFT JOIN operation_fees f ON f.operation_id = w.operation_id AND f.kind = 'withdrawal'
         WHERE w.operation_id = $1",
    )
    .bind(operation_id)
    .fetch_one(conn)
    .await?;
    let coin = currencies.known(row.try_get("coin_id")?)?;
    let state: String = row.try_get("state")?;
    let liquidity: (Option<Uuid>, Option<Decimal>) = (
        row.try_get("liquidity_hold_id")?,
        row.try_get("liquidity_held")?,
    );
    let fee = |currency: &str, amount: &str| -> Result<Option<Money>> {
        let currency: Option<i16> = row.try_get(currency)?;
        let amount: Option<Decimal> = row.try_get(amount)?;
        let Some((currency, amount)) = currency.zip(amount) else {
            return Ok(None);
        };
        Ok(Some(Money::from_units(
            units(amount),
            currencies.known(currency)?,
        )))
    };
    let amount: Decimal = row.try_get("amount")?;
    Ok(WithdrawalRow {
        operation_id: row.try_get("operation_id")?,
        sent: Money::from_units(units(amount), coin),
        address: row.try_get("address")?,
        state: WithdrawalState::from_word(&state)
            .ok_or_else(|| Error::Internal(format!("withdrawal state {state}")))?,
        payer_hold: row.try_get("hold_id")?,
        liquidity_hold: liquidity.0.zip(liquidity.1).map(|(id, held)| Held {
            id,
            amount: Money::from_units(units(held), coin),
        }),
        requested_user_id: row.try_get("requested_user_id")?,
        claim_id: row.try_get("claim_id")?,
        internal: row.try_get("internal")?,
        payout_id: row.try_get("payout_id")?,
        txid: row.try_get("txid")?,
        raw: row.try_get("raw")?,
        is_refused: row.try_get("is_refused")?,
        exchange_fee: fee("exchange_fee_currency", "exchange_fee")?,
        withdrawal_fee: fee("withdrawal_fee_currency", "withdrawal_fee")?,
    })
}

pub(super) async fn update_state(conn: &mut PgConnection, row: &WithdrawalRow) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET state = $2, next_attempt_at = NULL, locked_until = NULL
         WHERE operation_id = $1",
    )
    .bind(row.operation_id)
    .bind(row.state.word())
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn decided(
    conn: &mut PgConnection,
    row: &WithdrawalRow,
    by: &str,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET state = $2, decided_by = $3, decided_at = $4, next_attempt_at = $4
         WHERE operation_id = $1",
    )
    .bind(row.operation_id)
    .bind(row.state.word())
    .bind(by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Other holds, and another amount for the receiver.
pub(super) async fn set_holds(
    conn: &mut PgConnection,
    operation_id: i64,
    sent: Money,
    holds: &Holds,
) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET amount = $2, hold_id = $3, held = $4, liquidity_hold_id = $5,
             liquidity_held = $6
         WHERE operation_id = $1",
    )
    .bind(operation_id)
    .bind(decimal(sent.units()))
    .bind(holds.payer.id)
    .bind(decimal(holds.payer.amount.units()))
    .bind(holds.liquidity.map(|held| held.id))
    .bind(holds.liquidity.map(|held| decimal(held.amount.units())))
    .execute(conn)
    .await?;
    Ok(())
}

/// The lease stays: whoever built goes on to broadcast.
pub(super) async fn built(conn: &mut PgConnection, row: &WithdrawalRow) -> Result<()> {
    sqlx::query("UPDATE withdrawals SET state = $2, txid = $3, raw = $4 WHERE operation_id = $1")
        .bind(row.operation_id)
        .bind(row.state.word())
        .bind(&row.txid)
        .bind(&row.raw)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn broadcast(conn: &mut PgConnection, row: &WithdrawalRow) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET state = $2, attempts = 0, next_attempt_at = NULL,
             locked_until = NULL, last_error = NULL
         WHERE operation_id = $1",
    )
    .bind(row.operation_id)
    .bind(row.state.word())
    .execute(conn)
    .await?;
    Ok(())
}

/// Has the stored bytes sent again; false when there are none or it has ended.
pub(super) async fn queue_again(
    conn: &mut PgConnection,
    operation_id: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE withdrawals SET state = 'built', next_attempt_at = $2, locked_until = NULL
         WHERE operation_id = $1 AND state IN ('built', 'broadcast') AND raw IS NOT NULL",
    )
    .bind(operation_id)
    .bind(now)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(updated == 1)
}

/// Has one that a signer refused planned again at once; false when it is not one of those, or rides.
pub(super) async fn try_again(
    conn: &mut PgConnection,
    operation_id: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE withdrawals SET next_attempt_at = $2, locked_until = NULL
         WHERE operation_id = $1 AND state = 'queued' AND payout_id IS NULL AND refusals > 0",
    )
    .bind(operation_id)
    .bind(now)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(updated == 1)
}

/// Writes the end of one that a person decided; what was its own transaction is remembered.
pub(super) async fn ended(conn: &mut PgConnection, row: &WithdrawalRow, by: &str) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET state = $2, ended_txid = txid, txid = $3, ended_by = $4,
             next_attempt_at = NULL, locked_until = NULL, last_error = NULL
         WHERE operation_id = $1",
    )
    .bind(row.operation_id)
    .bind(row.state.word())
    .bind(&row.txid)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// The payout it rides in, if any.
pub(super) async fn payout_of(conn: &mut PgConnection, operation_id: i64) -> Result<Option<i64>> {
    let payout: Option<Option<i64>> =
        sqlx::query_scalar("SELECT payout_id FROM withdrawals WHERE operation_id = $1")
            .bind(operation_id)
            .fetch_optional(conn)
            .await?;
    Ok(payout.flatten())
}

/// The refund it pays, if any.
pub(super) async fn claim_of(conn: &mut PgConnection, operation_id: i64) -> Result<Option<i64>> {
    let claim: Option<Option<i64>> =
        sqlx::query_scalar("SELECT claim_id FROM withdrawals WHERE operation_id = $1")
            .bind(operation_id)
            .fetch_optional(conn)
            .await?;
    Ok(claim.flatten())
}

/// Takes what is due under a lease; not of the coins in `shared`, whose withdrawals share transactions.
pub(super) async fn claim(
    pool: &PgPool,
    now: OffsetDateTime,
    lease_seconds: i32,
    limit: i64,
    shared: &[i16],
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "WITH due AS (
             SELECT operation_id FROM withdrawals
             WHERE state IN ('queued', 'built') AND NOT internal AND next_attempt_at <= $1
               AND payout_id IS NULL AND NOT coin_id = ANY($4)
               AND (locked_until IS NULL OR locked_until < clock_timestamp())
             ORDER BY next_attempt_at, operation_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE withdrawals w SET locked_until = clock_timestamp() + $2 * interval '1 second'
         FROM due WHERE w.operation_id = due.operation_id RETURNING w.operation_id",
    )
    .bind(now)
    .bind(lease_seconds)
    .bind(limit)
    .bind(shared)
    .fetch_all(pool)
    .await?)
}

/// Takes those of one coin that wait to share a transaction, under a lease, those asked for first: those
/// that a signer has refused before, or the others.
pub(crate) async fn claim_of_coin(
    pool: &PgPool,
    coin_id: i16,
    now: OffsetDateTime,
    lease_seconds: i32,
    limit: i64,
    is_refused: bool,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "WITH due AS (
             SELECT operation_id FROM withdrawals
             WHERE state = 'queued' AND (refusals > 0) = $5 AND coin_id = $1 AND NOT internal AND payout_id IS NULL
               AND next_attempt_at <= $2
               AND (locked_until IS NULL OR locked_until < clock_timestamp())
             ORDER BY operation_id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE withdrawals w SET locked_until = clock_timestamp() + $3 * interval '1 second'
         FROM due WHERE w.operation_id = due.operation_id RETURNING w.operation_id",
    )
    .bind(coin_id)
    .bind(now)
    .bind(lease_seconds)
    .bind(limit)
    .bind(is_refused)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn any_due(pool: &PgPool, now: OffsetDateTime) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM withdrawals WHERE state IN ('queued', 'built')
                        AND NOT internal AND payout_id IS NULL AND next_attempt_at <= $1)",
    )
    .bind(now)
    .fetch_one(pool)
    .await?)
}

/// Notes a failed attempt and when to try again; false when it waits for none any more.
///
/// Whoever planned longer than its lease may come after another process has given it a payout or a number: that
/// one has no next attempt of its own.
pub(crate) async fn failed(
    pool: &PgPool,
    operation_id: i64,
    error: &str,
    now: OffsetDateTime,
    pause_after: fn(i32) -> Duration,
) -> Result<bool> {
    let attempts: Option<i32> =
        sqlx::query_scalar("SELECT attempts FROM withdrawals WHERE operation_id = $1")
            .bind(operation_id)
            .fetch_optional(pool)
            .await?;
    let attempts = attempts.unwrap_or(0);
    let noted = sqlx::query(
        "UPDATE withdrawals SET attempts = attempts + 1, last_error = left($2, 500),
             next_attempt_at = $3, locked_until = NULL
         WHERE operation_id = $1 AND state IN ('queued', 'built') AND next_attempt_at IS NOT NULL",
    )
    .bind(operation_id)
    .bind(error)
    .bind(now + pause_after(attempts))
    .execute(pool)
    .await?
    .rows_affected();
    Ok(noted == 1)
}

pub(crate) async fn notify_worker(conn: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT pg_notify($1, '')")
        .bind(WITHDRAWAL_CHANNEL)
        .execute(conn)
        .await?;
    Ok(())
}
