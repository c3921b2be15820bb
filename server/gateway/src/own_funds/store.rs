use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

use crate::ledger::decimal;
use crate::{Error, Result};

/// Outputs that a page lists.
const LATEST: i64 = 50;

/// Whether and how often an output was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Booking {
    pub(super) is_booked: bool,
    /// From 1.
    pub(super) count: i32,
}

/// An output to an account of ours that no payer is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) vout: i32,
    /// Base units.
    pub(super) raw: u128,
    pub(super) address: String,
    /// Of our chain on top of it, its own included; 0 while it is in none.
    pub(super) blocks: i64,
    /// Its transaction spends coins of ours, or is from an account of ours.
    pub(super) is_from_us: bool,
    pub(super) booking: Option<Booking>,
}

#[derive(FromRow)]
struct Row {
    txid: String,
    vout: i32,
    raw: Decimal,
    address: String,
    blocks: i64,
    is_from_us: bool,
    is_booked: Option<bool>,
    bookings: Option<i32>,
}

const ARRIVED: &str = "
    SELECT o.txid, o.vout, o.raw, a.address,
        CASE WHEN t.status = 'confirmed'
             THEN (SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active) - t.height + 1
             ELSE 0 END AS blocks,
        -- Whose coins a transaction spends; on chains of accounts, whose account it is from.
        EXISTS (SELECT FROM chain_spends s
                WHERE s.chain = o.chain AND s.txid = o.txid
                  AND (EXISTS (SELECT FROM chain_outputs p WHERE p.chain = s.chain
                               AND p.txid = s.prev_txid AND p.vout = s.prev_vout)
                       OR EXISTS (SELECT FROM chain_addresses k
                                  WHERE k.address = split_part(s.prev_txid, ':', 1)))) AS is_from_us,
        f.state = 'booked' AS is_booked, f.bookings
    FROM chain_outputs o
    JOIN chain_txs t ON t.chain = o.chain AND t.txid = o.txid
    JOIN chain_addresses a ON a.id = o.address_id AND a.branch = 1
    LEFT JOIN own_funds f ON f.chain = o.chain AND f.txid = o.txid AND f.vout = o.vout";

/// The accounts that a transaction's outputs came to. Whoever locks them first books it.
pub(super) async fn accounts(conn: &mut PgConnection, chain: &str, txid: &str) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT a.id FROM chain_addresses a
         WHERE a.branch = 1 AND a.id IN (SELECT o.address_id FROM chain_outputs o
                                         WHERE o.chain = $1 AND o.txid = $2)
         ORDER BY a.id",
    )
    .bind(chain)
    .bind(txid)
    .fetch_all(conn)
    .await?)
}

/// Locks accounts of ours until the unit ends.
pub(super) async fn lock(conn: &mut PgConnection, accounts: &[i64]) -> Result<()> {
    sqlx::query("SELECT id FROM chain_addresses WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
        .bind(accounts)
        .execute(conn)
        .await?;
    Ok(())
}

/// The outputs of a transaction to accounts of ours.
pub(super) async fn arrived(
    conn: &mut PgConnection,
    chain: &str,
    txid: &str,
) -> Result<Vec<Arrived>> {
    let query =
        format!("{ARRIVED} WHERE o.chain = $1 AND o.txid = $2 AND o.raw > 0 ORDER BY o.vout");
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(chain)
        .bind(txid)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| read(row).map(|(_, arrived)| arrived))
        .collect()
}

/// What came to accounts of ours last, with its transaction, apart from what we moved ourselves.
pub(super) async fn latest(conn: &mut PgConnection, chain: &str) -> Result<Vec<(String, Arrived)>> {
    let query = format!(
        "SELECT * FROM ({ARRIVED} WHERE o.chain = $1 AND o.raw > 0) found
         WHERE NOT is_from_us AND (blocks > 0 OR is_booked IS NOT NULL)
         ORDER BY blocks, txid, vout LIMIT $2"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(chain)
        .bind(LATEST)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<(String, Arrived)> {
    let raw = row.raw;
    let arrived = Arrived {
        vout: row.vout,
        raw: raw
            .to_u128()
            .ok_or_else(|| Error::Internal(format!("an output of {raw} base units")))?,
        address: row.address,
        blocks: row.blocks,
        is_from_us: row.is_from_us,
        booking: match (row.is_booked, row.bookings) {
            (Some(is_booked), Some(count)) => Some(Booking { is_booked, count }),
            _ => None,
        },
    };
    Ok((row.txid, arrived))
}

/// An output is booked as the house's own, for the first time or anew. `place`: chain, transaction, output.
pub(super) async fn booked(
    conn: &mut PgConnection,
    coin: Currency,
    place: (&str, &str, i32),
    amount: Money,
    booking: Booking,
    now: OffsetDateTime,
) -> Result<()> {
    let (chain, txid, vout) = place;
    sqlx::query(
        "INSERT INTO own_funds (chain, txid, vout, coin_id, amount, state, bookings, booked_at)
         VALUES ($1, $2, $3, $4, $5, 'booked', $6, $7)
         ON CONFLICT (chain, txid, vout) DO UPDATE
         SET state = 'booked', bookings = EXCLUDED.bookings, booked_at = EXCLUDED.booked_at",
    )
    .bind(chain)
    .bind(txid)
    .bind(vout)
    .bind(coin.id)
    .bind(decimal(amount.units()))
    .bind(booking.count)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// What was booked has left the chain.
pub(super) async fn taken_back(conn: &mut PgConnection, place: (&str, &str, i32)) -> Result<()> {
    let (chain, txid, vout) = place;
    sqlx::query(
        "UPDATE own_funds SET state = 'taken_back' WHERE chain = $1 AND txid = $2 AND vout = $3",
    )
    .bind(chain)
    .bind(txid)
    .bind(vout)
    .execute(conn)
    .await?;
    Ok(())
}
