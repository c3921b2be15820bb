use std::collections::BTreeSet;

use domain::charge::ReceiptState;
use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use super::receiving::SeenOutput;
use super::row::ReceiptRow;
use crate::ledger::{decimal, units};
use crate::{Error, Result};

/// The charge an address belongs to.
pub(super) async fn charge_of(conn: &mut PgConnection, address_id: i64) -> Result<Option<i64>> {
    Ok(
        sqlx::query_scalar("SELECT charge_id FROM charge_methods WHERE address_id = $1")
            .bind(address_id)
            .fetch_optional(conn)
            .await?,
    )
}

/// An output to the address of a charge, and what is known of it.
pub(super) struct Payment<'a> {
    pub(super) output: &'a SeenOutput,
    pub(super) charge_id: i64,
    pub(super) known: Option<KnownReceipt>,
    /// Its transaction waits for a block.
    pub(super) waits: bool,
}

/// A receipt as the chain told it before.
pub(super) struct KnownReceipt {
    pub(super) charge_id: i64,
    pub(super) address_id: i64,
    pub(super) amount: i128,
    pub(super) state: ReceiptState,
    pub(super) confirmations_required: u32,
    pub(super) bookings: i32,
}

/// Those of the outputs that pay charges, in the order given. One look into the index for each; whether
/// their transactions wait is looked up unless it is known of all that they are `in_block`.
pub(super) async fn payments<'a>(
    conn: &mut PgConnection,
    outputs: &'a [SeenOutput],
    in_block: bool,
) -> Result<Vec<Payment<'a>>> {
    let coins: Vec<i16> = outputs.iter().map(|output| output.coin.id).collect();
    let chains: Vec<&str> = outputs.iter().map(|o| o.coin.code.as_str()).collect();
    let txids: Vec<&str> = outputs.iter().map(|o| o.txid.as_str()).collect();
    let vouts: Vec<i32> = outputs.iter().map(|output| output.vout).collect();
    let addresses: Vec<i64> = outputs.iter().map(|output| output.address_id).collect();
    let rows = sqlx::query(
        "SELECT t.n, m.charge_id, r.charge_id AS known_charge, r.address_id, r.amount, r.state,
             r.confirmations_required, r.bookings, coalesce(x.status = 'mempool', false) AS waits
         FROM unnest($1::smallint[], $2::text[], $3::text[], $4::int[], $5::bigint[])
              WITH ORDINALITY AS t (coin_id, chain, txid, vout, address_id, n)
         CROSS JOIN LATERAL (
             SELECT charge_id FROM charge_methods WHERE address_id = t.address_id LIMIT 1
         ) m
         LEFT JOIN LATERAL (
             SELECT charge_id, address_id, amount, state, confirmations_required, bookings
             FROM receipts WHERE coin_id = t.coin_id AND txid = t.txid AND vout = t.vout LIMIT 1
         ) r ON true
         LEFT JOIN LATERAL (
             SELECT status FROM chain_txs
             WHERE NOT $6 AND chain = t.chain AND txid = t.txid LIMIT 1
         ) x ON true
         ORDER BY t.n",
    )
    .bind(coins)
    .bind(chains)
    .bind(txids)
    .bind(vouts)
    .bind(addresses)
    .bind(in_block)
    .fetch_all(conn)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let number: i64 = row.try_get("n")?;
        let place = usize::try_from(number - 1)?;
        if let Some(output) = outputs.get(place) {
            found.push(Payment {
                output,
                charge_id: row.try_get("charge_id")?,
                known: known(row)?,
                waits: row.try_get("waits")?,
            });
        }
    }
    Ok(found)
}

fn known(row: &PgRow) -> Result<Option<KnownReceipt>> {
    let Some(charge_id) = row.try_get("known_charge")? else {
        return Ok(None);
    };
    let word: String = row.try_get("state")?;
    let required: i32 = row.try_get("confirmations_required")?;
    Ok(Some(KnownReceipt {
        charge_id,
        address_id: row.try_get("address_id")?,
        amount: units(row.try_get("amount")?),
        state: ReceiptState::from_word(&word)
            .ok_or_else(|| Error::Internal(format!("receipt state {word}")))?,
        confirmations_required: u32::try_from(required)?,
        bookings: row.try_get("bookings")?,
    }))
}

/// A receipt to be written.
pub(super) struct NewReceipt<'a> {
    pub(super) output: &'a SeenOutput,
    pub(super) charge_id: i64,
    pub(super) confirmations_required: u32,
}

/// Receipts, numbered in the order given. An output that is known already changes only while it was never
/// booked, and when the chain tells another address or amount; its state follows the chain later.
pub(super) async fn upsert_each(
    conn: &mut PgConnection,
    new: &[NewReceipt<'_>],
    now: OffsetDateTime,
) -> Result<()> {
    let required = new
        .iter()
        .map(|new| Ok(i32::try_from(new.confirmations_required)?))
        .collect::<Result<Vec<i32>>>()?;
    let amounts: Vec<Decimal> = new.iter().map(|new| decimal(new.output.units)).collect();
    let txids: Vec<&str> = new.iter().map(|new| new.output.txid.as_str()).collect();
    sqlx::query(
        "INSERT INTO receipts (charge_id, coin_id, txid, vout, address_id, amount, state,
             confirmations_required, first_seen_at)
         SELECT t.charge_id, t.coin_id, t.txid, t.vout, t.address_id, t.amount, 'seen',
             t.required, $1
         FROM unnest($2::bigint[], $3::smallint[], $4::text[], $5::int[], $6::bigint[],
                  $7::numeric[], $8::int[]) WITH ORDINALITY
              AS t (charge_id, coin_id, txid, vout, address_id, amount, required, n)
         ORDER BY t.n
         ON CONFLICT ON CONSTRAINT receipts_outpoint_key DO UPDATE
         SET charge_id = EXCLUDED.charge_id, address_id = EXCLUDED.address_id,
             amount = EXCLUDED.amount, value = NULL,
             confirmations_required = EXCLUDED.confirmations_required
         WHERE receipts.bookings = 0
           AND (receipts.address_id, receipts.amount)
               IS DISTINCT FROM (EXCLUDED.address_id, EXCLUDED.amount)",
    )
    .bind(now)
    .bind(new.iter().map(|new| new.charge_id).collect::<Vec<i64>>())
    .bind(
        new.iter()
            .map(|new| new.output.coin.id)
            .collect::<Vec<i16>>(),
    )
    .bind(txids)
    .bind(new.iter().map(|new| new.output.vout).collect::<Vec<i32>>())
    .bind(
        new.iter()
            .map(|new| new.output.address_id)
            .collect::<Vec<i64>>(),
    )
    .bind(amounts)
    .bind(required)
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

/// Charges with a receipt that became deep enough (again), or that is gone: its transaction, or only the
/// output, which another block does not have or pays to somebody else. Those that are `known` to be looked at
/// anyway are left out before anything is looked up about them.
pub(super) async fn with_changes(
    conn: &mut PgConnection,
    coin: Currency,
    tip_height: i64,
    known: &BTreeSet<i64>,
) -> Result<Vec<i64>> {
    let known: Vec<i64> = known.iter().copied().collect();
    Ok(sqlx::query_scalar(
        "WITH others AS MATERIALIZED (
             SELECT charge_id, txid, vout, address_id, state, confirmations_required FROM receipts
             WHERE coin_id = $1 AND state <> 'final'
               AND NOT EXISTS (SELECT FROM unnest($4::bigint[]) AS k (id)
                               WHERE k.id = receipts.charge_id))
         SELECT DISTINCT r.charge_id FROM others r
         LEFT JOIN chain_txs t ON t.chain = $2 AND t.txid = r.txid
         LEFT JOIN LATERAL (
             SELECT vout FROM chain_outputs
             WHERE chain = $2 AND txid = r.txid AND vout = r.vout AND address_id = r.address_id
               AND t.status = 'confirmed' LIMIT 1
         ) o ON true
         WHERE (t.status = 'confirmed' AND $3 - t.height + 1 >= r.confirmations_required
                AND o.vout IS NOT NULL)
            OR (t.status = 'mempool' AND r.confirmations_required = 0)
            OR (r.state = 'seen' AND t.status = 'confirmed' AND o.vout IS NULL)
            OR (r.state = 'seen' AND coalesce(t.status, 'dropped') IN ('replaced', 'dropped'))",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .bind(tip_height)
    .bind(known)
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
#[derive(Debug, Clone)]
pub(super) struct ChainPosition {
    pub(super) confirmed: bool,
    /// Replaced or dropped, or in a block in which the transaction does not make this payment.
    pub(super) gone: bool,
    pub(super) replaced_by: Option<String>,
}

pub(super) async fn set_value(conn: &mut PgConnection, receipt: &ReceiptRow) -> Result<()> {
    sqlx::query("UPDATE receipts SET value = coalesce($2, 0) WHERE id = $1")
        .bind(receipt.id)
        .bind(receipt.value.map(decimal))
        .execute(conn)
        .await?;
    Ok(())
}
