use std::collections::BTreeSet;

use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use super::receiving::SeenOutput;
use super::row::ReceiptRow;
use crate::Result;
use crate::chain::is_gone;
use crate::ledger::{decimal, units};

/// The charge an address belongs to.
pub(super) async fn charge_of(conn: &mut PgConnection, address_id: i64) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT charge_id FROM charge_methods WHERE address_id = $1")
            .bind(address_id)
            .fetch_optional(conn)
            .await?,
    )
}

/// The charge of an output that is known with another address or amount and was never booked: the
/// next [`upsert`] changes it.
pub(super) async fn told_otherwise(
    conn: &mut PgConnection,
    output: &SeenOutput,
) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT charge_id FROM receipts
         WHERE coin_id = $1 AND txid = $2 AND vout = $3 AND bookings = 0
           AND (address_id, amount) IS DISTINCT FROM ($4::bigint, $5::numeric)",
    )
    .bind(output.coin.id)
    .bind(&output.txid)
    .bind(output.vout)
    .bind(output.address_id)
    .bind(decimal(output.units))
    .fetch_optional(conn)
    .await?)
}

/// An output that is known already changes only while it was never booked, and when the chain tells
/// another address or amount; its state follows the chain later.
pub(super) async fn upsert(
    conn: &mut PgConnection,
    charge_id: i64,
    output: &SeenOutput,
    confirmations_required: u32,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO receipts (charge_id, coin_id, txid, vout, address_id, amount, state,
             confirmations_required, first_seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'seen', $7, $8)
         ON CONFLICT ON CONSTRAINT receipts_outpoint_key DO UPDATE
         SET charge_id = EXCLUDED.charge_id, address_id = EXCLUDED.address_id,
             amount = EXCLUDED.amount, value = NULL
         WHERE receipts.bookings = 0
           AND (receipts.address_id, receipts.amount)
               IS DISTINCT FROM (EXCLUDED.address_id, EXCLUDED.amount)",
    )
    .bind(charge_id)
    .bind(output.coin.id)
    .bind(&output.txid)
    .bind(output.vout)
    .bind(output.address_id)
    .bind(decimal(output.units))
    .bind(i32::try_from(confirmations_required)?)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The charge a refund claim is about.
pub(super) async fn charge_of_claim(conn: &mut PgConnection, claim_id: i64) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT charge_id FROM refund_claims WHERE id = $1")
            .bind(claim_id)
            .fetch_optional(conn)
            .await?,
    )
}

/// A receipt that no chain has to confirm, booked once.
pub(super) async fn insert_internal(
    conn: &mut PgConnection,
    charge_id: i64,
    output: &SeenOutput,
    now: OffsetDateTime,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO receipts (charge_id, coin_id, txid, vout, address_id, amount, state,
             confirmations_required, bookings, first_seen_at, final_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'final', 0, 1, $7, $7) RETURNING id",
    )
    .bind(charge_id)
    .bind(output.coin.id)
    .bind(&output.txid)
    .bind(output.vout)
    .bind(output.address_id)
    .bind(decimal(output.units))
    .bind(now)
    .fetch_one(conn)
    .await?)
}

/// Charges with a receipt that became deep enough (again) or whose transaction is gone.
pub(super) async fn with_changes(
    conn: &mut PgConnection,
    coin: Currency,
    tip_height: i64,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT r.charge_id FROM receipts r
         LEFT JOIN chain_txs t ON t.chain = $2 AND t.txid = r.txid
         WHERE r.coin_id = $1 AND r.state <> 'final'
           AND ((t.status = 'confirmed' AND $3 - t.height + 1 >= r.confirmations_required)
                OR (t.status = 'mempool' AND r.confirmations_required = 0)
                OR (r.state = 'seen' AND coalesce(t.status, 'dropped') IN ('replaced', 'dropped')))",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .bind(tip_height)
    .fetch_all(conn)
    .await?)
}

/// Public ids of charges that wait for confirmations of this coin.
pub(super) async fn waiting(conn: &mut PgConnection, coin: Currency) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT c.public_id FROM receipts r JOIN charges c ON c.id = r.charge_id
         WHERE r.coin_id = $1 AND r.state = 'seen'",
    )
    .bind(coin.id)
    .fetch_all(conn)
    .await?)
}

/// Charges with a final receipt whose transaction has left the chain.
pub(super) async fn lost_finals(conn: &mut PgConnection, coin: Currency) -> Result<BTreeSet<i64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT r.charge_id FROM chain_txs t
         JOIN receipts r ON r.coin_id = $1 AND r.txid = t.txid AND r.state = 'final'
         WHERE t.chain = $2 AND t.status <> 'confirmed'
           AND (r.confirmations_required > 0 OR t.status IN ('replaced', 'dropped'))",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().collect())
}

/// Payments of a coin that count although no block has them, of charges and deposits together.
pub(super) async fn announced(conn: &mut PgConnection, coin: Currency) -> Result<Money> {
    let total: Option<Decimal> = sqlx::query_scalar(
        "SELECT sum(p.amount) FROM (
             SELECT txid, amount FROM receipts
             WHERE coin_id = $1 AND confirmations_required = 0 AND state IN ('seen', 'final')
             UNION ALL
             SELECT txid, amount FROM deposits
             WHERE coin_id = $1 AND confirmations_required = 0 AND state IN ('seen', 'final')) p
         JOIN chain_txs t ON t.chain = $2 AND t.txid = p.txid AND t.status = 'mempool'",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .fetch_one(conn)
    .await?;
    Ok(Money::from_units(total.map_or(0, units), coin))
}

/// Where a receipt's transaction is now.
pub(super) struct ChainPosition {
    pub(super) confirmed: bool,
    /// Replaced or dropped.
    pub(super) gone: bool,
    pub(super) replaced_by: Option<String>,
}

pub(super) async fn chain_position(
    conn: &mut PgConnection,
    receipt: &ReceiptRow,
) -> Result<ChainPosition> {
    let row =
        sqlx::query("SELECT status, replaced_by FROM chain_txs WHERE chain = $1 AND txid = $2")
            .bind(receipt.coin.code.as_str())
            .bind(&receipt.txid)
            .fetch_optional(conn)
            .await?;
    let (status, replaced_by): (Option<String>, Option<String>) = match row {
        Some(row) => (row.try_get("status")?, row.try_get("replaced_by")?),
        None => (None, None),
    };
    Ok(ChainPosition {
        confirmed: status.as_deref() == Some("confirmed"),
        gone: is_gone(status.as_deref()),
        replaced_by,
    })
}

pub(super) async fn set_value(conn: &mut PgConnection, receipt: &ReceiptRow) -> Result<()> {
    sqlx::query("UPDATE receipts SET value = coalesce($2, 0) WHERE id = $1")
        .bind(receipt.id)
        .bind(receipt.value.map(decimal))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn set_state(conn: &mut PgConnection, receipt: &ReceiptRow) -> Result<()> {
    sqlx::query("UPDATE receipts SET state = $2, bookings = $3, final_at = $4 WHERE id = $1")
        .bind(receipt.id)
        .bind(receipt.state.word())
        .bind(receipt.bookings)
        .bind(receipt.final_at)
        .execute(conn)
        .await?;
    Ok(())
}
