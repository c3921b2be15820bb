use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

use super::found::Taken;
use crate::ledger::{decimal, units};
use crate::{Error, Result};

/// How a transaction was booked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Booking {
    pub(super) is_booked: bool,
    /// How often it was, from 1.
    pub(super) count: i32,
    /// Ledger units of the chain's coin, and of the one that gas is paid with.
    pub(super) amount: i128,
    pub(super) gas: Option<i128>,
    /// It is in the block it was read in; where coins are outputs, in any.
    pub(super) is_there: bool,
}

/// What the chain tables say that a transaction spends of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent {
    /// Of our chain, its own included; 0 while it is in none.
    pub(super) blocks: i64,
    /// Base units.
    pub(super) spent: u128,
    /// Of that, what came back and was credited to nobody.
    pub(super) back: u128,
    /// It took the coins of a withdrawal that nobody has ended yet.
    pub(super) is_awaited: bool,
}

/// Whose number a transaction has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    pub(super) chain_id: i64,
    pub(super) address: &'a str,
    pub(super) nonce: i64,
}

/// The accounts that a transaction takes from. Whoever locks them first books it.
pub(super) async fn accounts(
    conn: &mut PgConnection,
    chain: &str,
    txid: &str,
    from: Option<&str>,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT a.id FROM chain_addresses a
         WHERE a.id IN (
             SELECT o.address_id FROM chain_spends s
             JOIN chain_outputs o ON o.chain = s.chain AND o.txid = s.prev_txid AND o.vout = s.prev_vout
             WHERE s.chain = $1 AND s.txid = $2
             UNION SELECT k.id FROM chain_addresses k WHERE k.address = $3
             UNION SELECT k.id FROM own_funds_out f JOIN chain_addresses k ON k.address = f.address
             WHERE f.chain = $1 AND f.txid = $2)
         ORDER BY a.id",
    )
    .bind(chain)
    .bind(txid)
    .bind(from)
    .fetch_all(conn)
    .await?)
}

/// How a transaction was booked, if ever.
pub(super) async fn booking(
    conn: &mut PgConnection,
    chain: &str,
    txid: &str,
) -> Result<Option<Booking>> {
    let row: Option<(bool, i32, Decimal, Option<Decimal>, bool)> = sqlx::query_as(
        "SELECT f.state = 'booked', f.bookings, f.amount, f.gas,
             CASE WHEN f.address IS NULL
                  THEN EXISTS (SELECT FROM chain_txs t WHERE t.chain = f.chain AND t.txid = f.txid
                               AND t.status = 'confirmed')
                  ELSE EXISTS (SELECT FROM chain_blocks b WHERE b.chain = f.chain AND b.hash = f.block_hash
                               AND b.active) END
         FROM own_funds_out f WHERE f.chain = $1 AND f.txid = $2",
    )
    .bind(chain)
    .bind(txid)
    .fetch_optional(conn)
    .await?;
    Ok(
        row.map(|(is_booked, count, amount, gas, is_there)| Booking {
            is_booked,
            count,
            amount: units(amount),
            gas: gas.map(units),
            is_there,
        }),
    )
}

#[derive(FromRow)]
struct SpentRow {
    blocks: i64,
    spent: Decimal,
    back: Decimal,
    is_awaited: bool,
}

/// What a transaction spends of ours; `None` for one the tables do not have.
pub(super) async fn spent(
    conn: &mut PgConnection,
    coin: Currency,
    txid: &str,
) -> Result<Option<Spent>> {
    let row: Option<SpentRow> = sqlx::query_as(
        "SELECT CASE WHEN t.status = 'confirmed'
                     THEN (SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active) - t.height + 1
                     ELSE 0 END AS blocks,
             (SELECT coalesce(sum(o.raw), 0) FROM chain_spends s
              JOIN chain_outputs o ON o.chain = s.chain AND o.txid = s.prev_txid AND o.vout = s.prev_vout
              WHERE s.chain = t.chain AND s.txid = t.txid) AS spent,
             -- As the comparison of books and chain counts it.
             (SELECT coalesce(sum(o.raw), 0) FROM chain_outputs o
              WHERE o.chain = t.chain AND o.txid = t.txid
                AND NOT EXISTS (SELECT FROM receipts r
                                WHERE r.coin_id = $3 AND r.txid = o.txid AND r.vout = o.vout)
                AND NOT EXISTS (SELECT FROM deposits d
                                WHERE d.coin_id = $3 AND d.internal_from IS NULL
                                  AND d.txid = o.txid AND d.vout = o.vout)) AS back,
             EXISTS (SELECT FROM chain_txs l
                     JOIN withdrawals w ON w.coin_id = $3 AND w.txid = l.txid
                         AND w.state IN ('built', 'broadcast')
                     WHERE l.chain = t.chain AND l.status <> 'confirmed' AND l.replaced_by = t.txid)
             -- Its payout's own transaction may never have been seen.
             OR EXISTS (SELECT FROM chain_spends s
                        JOIN payout_coins l ON l.chain = s.chain AND l.prev_txid = s.prev_txid
                            AND l.prev_vout = s.prev_vout
                        JOIN withdrawals w ON w.payout_id = l.payout_id AND w.state NOT IN ('settled', 'void')
                        WHERE s.chain = t.chain AND s.txid = t.txid)
                 AS is_awaited
         FROM chain_txs t WHERE t.chain = $1 AND t.txid = $2",
    )
    .bind(coin.code.as_str())
    .bind(txid)
    .bind(coin.id)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let raw = |raw: Decimal| {
            raw.to_u128()
                .ok_or_else(|| Error::Internal(format!("coins of {raw} base units")))
        };
        Ok(Spent {
            blocks: row.blocks,
            spent: raw(row.spent)?,
            back: raw(row.back)?,
            is_awaited: row.is_awaited,
        })
    })
    .transpose()
}

/// Whether an address is an account of ours, whatever coin it was given out for.
pub(super) async fn is_ours(conn: &mut PgConnection, address: &str) -> Result<bool> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM chain_addresses WHERE address = $1)")
            .bind(address)
            .fetch_one(conn)
            .await?,
    )
}

/// Whether a transaction of an account is booked as another coin.
pub(super) async fn is_booked_elsewhere(
    conn: &mut PgConnection,
    chain: &str,
    txid: &str,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM own_funds_out
                        WHERE txid = $2 AND chain <> $1 AND address IS NOT NULL AND state = 'booked')",
    )
    .bind(chain)
    .bind(txid)
    .fetch_one(conn)
    .await?)
}

/// The payment that has a number: whether it lost it to another transaction, and whether it was to pay `paid`
/// (chain, receiver, base units). `None` when it has none, which also is so of numbers that a person left out.
pub(super) async fn payment(
    conn: &mut PgConnection,
    number: Number<'_>,
    paid: Option<(&str, &str, u128)>,
) -> Result<Option<(bool, bool)>> {
    let (chain, to, raw) = paid.map_or((None, None, None), |(chain, to, raw)| {
        (Some(chain), Some(to), Some(raw.to_string()))
    });
    Ok(sqlx::query_as(
        "SELECT outcome IS NOT DISTINCT FROM 'taken',
             coalesce(chain = $4 AND to_address = $5 AND raw_amount = $6::text::numeric, false)
         FROM treasury_payments
         WHERE chain_id = $1 AND address = $2 AND nonce = $3 AND outcome IS DISTINCT FROM 'released'",
    )
    .bind(number.chain_id)
    .bind(number.address)
    .bind(number.nonce)
    .bind(chain)
    .bind(to)
    .bind(raw)
    .fetch_optional(conn)
    .await?)
}

/// Blocks of our chain from one of them on, itself included; 0 when it is none of ours.
pub(super) async fn blocks(conn: &mut PgConnection, chain: &str, hash: &str) -> Result<i64> {
    let blocks: Option<i64> = sqlx::query_scalar(
        "SELECT (SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active) - height + 1
         FROM chain_blocks WHERE chain = $1 AND hash = $2 AND active",
    )
    .bind(chain)
    .bind(hash)
    .fetch_optional(conn)
    .await?;
    Ok(blocks.unwrap_or(0))
}

/// What the house has of a coin on its chain beyond what it owes others: its accounts but the holdings, less what is
/// held for others on them, as the rows show it. Below 0 when the chain has less than others have in their wallets.
pub(super) async fn house_has(conn: &mut PgConnection, coin: Currency) -> Result<Money> {
    let sum: Decimal = sqlx::query_scalar(
        "SELECT coalesce(sum(posted - held), 0) FROM accounts
         WHERE merchant_id = 0 AND kind <> 'chain_holdings' AND currency_id = $1",
    )
    .bind(coin.id)
    .fetch_one(conn)
    .await?;
    Ok(Money::from_units(units(sum), coin))
}

/// A transaction is booked as taken out, for the first time or anew. `place`: chain and transaction.
pub(super) async fn booked(
    conn: &mut PgConnection,
    place: (&str, &str),
    taken: &Taken,
    bookings: i32,
    now: OffsetDateTime,
) -> Result<()> {
    let from = taken.from.as_ref();
    sqlx::query(
        "INSERT INTO own_funds_out (chain, txid, coin_id, amount, gas, address, raw_sent, raw_cost, block_hash,
             state, bookings, booked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::numeric, $8::text::numeric, $9, 'booked', $10, $11)
         ON CONFLICT (chain, txid) DO UPDATE
         SET amount = EXCLUDED.amount, gas = EXCLUDED.gas, address = EXCLUDED.address,
             raw_sent = EXCLUDED.raw_sent, raw_cost = EXCLUDED.raw_cost, block_hash = EXCLUDED.block_hash,
             state = EXCLUDED.state, bookings = EXCLUDED.bookings, booked_at = EXCLUDED.booked_at",
    )
    .bind(place.0)
    .bind(place.1)
    .bind(taken.amount.currency().id)
    .bind(decimal(taken.amount.units()))
    .bind(from.map(|from| decimal(from.gas.units())))
    .bind(from.map(|from| from.address.as_str()))
    .bind(from.map(|from| from.raw_sent.to_string()))
    .bind(from.map(|from| from.raw_cost.to_string()))
    .bind(from.map(|from| from.block_hash.as_str()))
    .bind(bookings)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// What was booked is not in the chain any more, or is a payment after all.
pub(super) async fn taken_back(conn: &mut PgConnection, chain: &str, txid: &str) -> Result<()> {
    sqlx::query("UPDATE own_funds_out SET state = 'taken_back' WHERE chain = $1 AND txid = $2")
        .bind(chain)
        .bind(txid)
        .execute(conn)
        .await?;
    Ok(())
}
