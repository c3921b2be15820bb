use std::collections::BTreeSet;

use domain::charge::ReceiptState;
use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use super::expected::Expected;
use super::{DepositRow, Disposition};
use crate::chain::is_gone;
use crate::charges::receiving::SeenOutput;
use crate::currencies::Currencies;
use crate::ledger::{decimal, units};
use crate::{Error, Result};

/// The operation of an output that is known already.
pub(super) async fn find_by_output(
    conn: &mut PgConnection,
    output: &SeenOutput,
) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT operation_id FROM deposits WHERE coin_id = $1 AND txid = $2 AND vout = $3",
    )
    .bind(output.coin.id)
    .bind(&output.txid)
    .bind(output.vout)
    .fetch_optional(conn)
    .await?)
}

/// A deposit to be written.
pub(super) struct NewDeposit<'a> {
    pub(super) operation_id: i64,
    pub(super) deposit_address_id: i64,
    pub(super) amount: Money,
    pub(super) expected: Option<Expected>,
    pub(super) txid: &'a str,
    pub(super) vout: i32,
    pub(super) confirmations_required: u32,
    pub(super) internal_from: Option<i64>,
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    new: &NewDeposit<'_>,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO deposits (operation_id, deposit_address_id, coin_id, txid, vout, amount, state,
             confirmations_required, internal_from, first_seen_at, expected_amount, expected_net)
         VALUES ($1, $2, $3, $4, $5, $6, 'seen', $7, $8, $9, $10, $11)",
    )
    .bind(new.operation_id)
    .bind(new.deposit_address_id)
    .bind(new.amount.currency().id)
    .bind(new.txid)
    .bind(new.vout)
    .bind(decimal(new.amount.units()))
    .bind(i32::try_from(new.confirmations_required)?)
    .bind(new.internal_from)
    .bind(now)
    .bind(new.expected.map(|expected| decimal(expected.gross.units())))
    .bind(new.expected.map(|expected| decimal(expected.net.units())))
    .execute(conn)
    .await?;
    Ok(())
}

/// Operations with a deposit that became deep enough (again), came back, or is gone: its transaction, or only
/// the output, which another block does not have or pays to somebody else.
pub(super) async fn with_changes(
    conn: &mut PgConnection,
    coin: Currency,
    tip_height: i64,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT d.operation_id FROM deposits d
         LEFT JOIN chain_txs t ON t.chain = $2 AND t.txid = d.txid
         LEFT JOIN LATERAL (
             SELECT k.vout FROM deposit_addresses a
             JOIN chain_outputs k ON k.chain = $2 AND k.txid = d.txid AND k.vout = d.vout
                 AND k.address_id = a.address_id
             WHERE a.id = d.deposit_address_id AND t.status = 'confirmed' LIMIT 1
         ) o ON true
         WHERE d.coin_id = $1 AND d.state <> 'final'
           AND ((t.status = 'confirmed' AND $3 - t.height + 1 >= d.confirmations_required
                 AND o.vout IS NOT NULL)
                OR (t.status = 'mempool' AND d.confirmations_required = 0)
                OR (d.state = 'seen' AND coalesce(t.status, 'dropped') IN ('replaced', 'dropped'))
                OR (d.state = 'seen' AND t.status = 'confirmed' AND o.vout IS NULL)
                OR (d.state = 'dropped' AND t.status = 'mempool')
                OR (d.state = 'dropped' AND t.status = 'confirmed' AND o.vout IS NOT NULL))",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .bind(tip_height)
    .fetch_all(conn)
    .await?)
}

/// Deposit addresses of these operations' deposits, in id order.
pub(super) async fn addresses_of(conn: &mut PgConnection, operations: &[i64]) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT deposit_address_id FROM deposits WHERE operation_id = ANY($1)
         ORDER BY deposit_address_id",
    )
    .bind(operations)
    .fetch_all(conn)
    .await?)
}

/// Deposits of an address that may still be credited: operation, amount, first sight; oldest first.
pub(super) async fn open_at(
    conn: &mut PgConnection,
    currencies: &Currencies,
    deposit_address_id: i64,
) -> Result<Vec<(i64, Money, OffsetDateTime)>> {
    let rows: Vec<(i64, i16, Decimal, OffsetDateTime)> = sqlx::query_as(
        "SELECT operation_id, coin_id, amount, first_seen_at FROM deposits
         WHERE deposit_address_id = $1 AND disposition = 'open' AND state IN ('seen', 'final')
         ORDER BY operation_id",
    )
    .bind(deposit_address_id)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(id, coin, amount, at)| {
            let coin = currencies.known(coin)?;
            Ok((id, Money::from_units(units(amount), coin), at))
        })
        .collect()
}

/// Addresses with a deposit of this coin that waits for confirmations.
pub(super) async fn waiting(conn: &mut PgConnection, coin: Currency) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT deposit_address_id FROM deposits WHERE coin_id = $1 AND state = 'seen'",
    )
    .bind(coin.id)
    .fetch_all(conn)
    .await?)
}

/// Operations with a final deposit whose transaction has left the chain.
pub(super) async fn lost_finals(conn: &mut PgConnection, coin: Currency) -> Result<BTreeSet<i64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT d.operation_id FROM chain_txs t
         JOIN deposits d ON d.coin_id = $1 AND d.txid = t.txid AND d.state = 'final'
         WHERE t.chain = $2 AND t.status <> 'confirmed'
           AND (d.confirmations_required > 0 OR t.status IN ('replaced', 'dropped'))",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().collect())
}

pub(super) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    operation_id: i64,
) -> Result<DepositRow> {
    let row = sqlx::query(
        "SELECT d.operation_id, d.deposit_address_id, d.coin_id, d.amount, d.txid, d.state,
             d.confirmations_required, d.bookings, d.disposition, d.internal_from,
             d.first_seen_at, d.final_at,
             CASE WHEN t.status = 'confirmed' AND o.vout IS NULL THEN 'dropped'
                  ELSE t.status END AS tx_status,
             CASE WHEN t.status = 'confirmed' THEN
                 (SELECT max(height) FROM chain_blocks WHERE chain = t.chain AND active) - t.height + 1
             END AS confirmations
         FROM deposits d
         JOIN currencies c ON c.id = d.coin_id
         LEFT JOIN chain_txs t ON t.chain = c.code AND t.txid = d.txid
         JOIN deposit_addresses a ON a.id = d.deposit_address_id
         LEFT JOIN chain_outputs o ON o.chain = t.chain AND o.txid = t.txid AND o.vout = d.vout
             AND o.address_id = a.address_id
         WHERE d.operation_id = $1",
    )
    .bind(operation_id)
    .fetch_one(conn)
    .await?;
    let (state, disposition): (String, String) =
        (row.try_get("state")?, row.try_get("disposition")?);
    let unknown = |word: &str| Error::Internal(format!("deposit word {word}"));
    let coin = currencies.known(row.try_get("coin_id")?)?;
    let amount: Decimal = row.try_get("amount")?;
    let required: i32 = row.try_get("confirmations_required")?;
    let confirmations: Option<i64> = row.try_get("confirmations")?;
    let status: Option<String> = row.try_get("tx_status")?;
    Ok(DepositRow {
        operation_id: row.try_get("operation_id")?,
        deposit_address_id: row.try_get("deposit_address_id")?,
        amount: Money::from_units(units(amount), coin),
        txid: row.try_get("txid")?,
        state: ReceiptState::from_word(&state).ok_or_else(|| unknown(&state))?,
        confirmations_required: u32::try_from(required)?,
        confirmations: u32::try_from(confirmations.unwrap_or(0).max(0))?,
        bookings: row.try_get("bookings")?,
        disposition: Disposition::from_word(&disposition).ok_or_else(|| unknown(&disposition))?,
        internal_from: row.try_get("internal_from")?,
        first_seen_at: row.try_get("first_seen_at")?,
        final_at: row.try_get("final_at")?,
        confirmed: status.as_deref() == Some("confirmed"),
        gone: is_gone(status.as_deref()),
    })
}

/// Another address or amount than was told before, and how deep that has to be; for deposits that were never
/// booked.
///
/// # Errors
/// [`Error::Internal`] when it is not there, or was booked: then the chain and the books tell two amounts.
pub(super) async fn tell_again(
    conn: &mut PgConnection,
    operation_id: i64,
    deposit_address_id: i64,
    amount: Money,
    confirmations_required: u32,
) -> Result<()> {
    let updated = sqlx::query(
        "UPDATE deposits SET deposit_address_id = $2, amount = $3, confirmations_required = $4
         WHERE operation_id = $1 AND bookings = 0",
    )
    .bind(operation_id)
    .bind(deposit_address_id)
    .bind(decimal(amount.units()))
    .bind(i32::try_from(confirmations_required)?)
    .execute(conn)
    .await?
    .rows_affected();
    one_row(updated)
}

/// Writes what a deposit is now; its operation is locked.
///
/// # Errors
/// [`Error::Internal`] when it is not there: what its state means is staged to be booked, and would be
/// booked again with the next block.
pub(super) async fn update(conn: &mut PgConnection, row: &DepositRow) -> Result<()> {
    let updated = sqlx::query(
        "UPDATE deposits SET state = $2, bookings = $3, disposition = $4, final_at = $5
         WHERE operation_id = $1",
    )
    .bind(row.operation_id)
    .bind(row.state.word())
    .bind(row.bookings)
    .bind(row.disposition.word())
    .bind(row.final_at)
    .execute(conn)
    .await?
    .rows_affected();
    one_row(updated)
}

/// A deposit that was not written must not be booked.
fn one_row(updated: u64) -> Result<()> {
    if updated == 1 {
        Ok(())
    } else {
        Err(Error::Internal("deposit changed under its lock".into()))
    }
}
