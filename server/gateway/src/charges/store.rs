use std::collections::BTreeSet;

use domain::charge::{Flags, ReceiptState, Resolution, Status};
use domain::money::{CurrencyId, Money};
use futures::TryStreamExt as _;
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use super::receipt_store::ChainPosition;
use super::row::{ChargeRow, InvoiceRow, ReceiptRow, Terms};
use super::{Collection, Customer, Item};
use crate::chain::is_gone;
use crate::currencies::Currencies;
use crate::ledger::units;
use crate::{Error, Result};

// What a charge has one of is looked up one by one: asked for hundreds at once, Postgres would rather read
// whole tables, and a block would cost more the more was ever paid.
macro_rules! select_charge {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.public_id, c.merchant_id, c.origin, c.status, c.flags, c.resolution,
                 c.resolved_by, c.resolved_at, c.needs_attention, c.currency_id, c.amount, c.tolerance,
                 c.rate_minutes, c.fee_basis_points, c.wallet_user_id, c.customer, c.items, c.metadata,
                 c.redirect_url, c.webhook_url, c.refund_address, c.expires_at, c.covered_at, c.coin_id,
                 c.quote_id, c.coin_due, c.coin_consumed, c.credited, c.fee, c.paid_at, c.version,
                 c.created_at, c.timer, c.collection, c.failed_url, i.id AS invoice_id,
                 i.code AS invoice_code, i.title AS invoice_title,
                 i.description AS invoice_description, i.foreign_json, i.type AS invoice_type,
                 i.email AS invoice_email, i.details AS invoice_details, q.price, q.mid, q.spread_basis_points, q.sources, q.fixed_at, q.release_at,
                 a.address, p.late_policy, p.name AS merchant_name,
                 EXISTS (SELECT 1 FROM refund_claims r WHERE r.charge_id = c.id
                         AND r.operation_id IS NOT NULL AND r.state IN ('approved', 'sent')) AS refund_claimed,
                 ARRAY(SELECT r.coin_id FROM refund_claims r WHERE r.charge_id = c.id
                       AND r.state IN ('sent', 'confirmed') ORDER BY r.id) AS refunded_coins,
                 ARRAY(SELECT r.amount FROM refund_claims r WHERE r.charge_id = c.id
                       AND r.state IN ('sent', 'confirmed') ORDER BY r.id) AS refunded_amounts
             FROM charges c
             JOIN merchants p ON p.id = c.merchant_id
             LEFT JOIN LATERAL (
                 SELECT price, mid, spread_basis_points, sources, fixed_at, release_at FROM quotes
                 WHERE id = c.quote_id LIMIT 1
             ) q ON true
             LEFT JOIN invoices i ON i.charge_id = c.id
             LEFT JOIN LATERAL (
                 SELECT k.address FROM charge_methods m
                 JOIN chain_addresses k ON k.id = m.address_id
                 WHERE m.charge_id = c.id AND m.coin_id = c.coin_id LIMIT 1
             ) a ON true ",
            $rest
        )
    };
}

pub(super) use select_charge;

fn parsed<T>(word: &str, parse: fn(&str) -> Option<T>) -> Result<T> {
    parse(word).ok_or_else(|| Error::Internal(format!("unknown word {word} in a row")))
}

pub(crate) fn read_charge(row: &PgRow, currencies: &Currencies) -> Result<ChargeRow> {
    let currency = currencies.known(row.try_get("currency_id")?)?;
    let status: String = row.try_get("status")?;
    let resolution: String = row.try_get("resolution")?;
    let flags: Vec<String> = row.try_get("flags")?;
    let optional_units = |column| -> Result<Option<i128>> {
        let stored: Option<Decimal> = row.try_get(column)?;
        Ok(stored.map(units))
    };
    let fee_points: i32 = row.try_get("fee_basis_points")?;
    let late_policy: String = row.try_get("late_policy")?;
    let collection: String = row.try_get("collection")?;
    let Json(customer): Json<Customer> = row.try_get("customer")?;
    let Json(items): Json<Vec<Item>> = row.try_get("items")?;
    let Json(metadata): Json<serde_json::Map<String, Value>> = row.try_get("metadata")?;
    Ok(ChargeRow {
        id: row.try_get("id")?,
        public_id: row.try_get("public_id")?,
        merchant_id: row.try_get("merchant_id")?,
        merchant_name: row.try_get("merchant_name")?,
        origin: row.try_get("origin")?,
        status: parsed(&status, Status::from_word)?,
        flags: Flags::from_words(&flags),
        resolution: parsed(&resolution, Resolution::from_word)?,
        resolved_by: row.try_get("resolved_by")?,
        resolved_at: row.try_get("resolved_at")?,
        needs_attention: row.try_get("needs_attention")?,
        amount: Money::from_units(units(row.try_get("amount")?), currency),
        tolerance: units(row.try_get("tolerance")?),
        rate_minutes: row.try_get("rate_minutes")?,
        fee_basis_points: u32::try_from(fee_points)?,
        late_policy_accepts: late_policy == "accept",
        wallet_user_id: row.try_get("wallet_user_id")?,
        customer,
        items,
        metadata,
        redirect_url: row.try_get("redirect_url")?,
        webhook_url: row.try_get("webhook_url")?,
        refund_address: row.try_get("refund_address")?,
        refund_claimed: row.try_get("refund_claimed")?,
        refunded: read_refunded(row)?,
        expires_at: row.try_get("expires_at")?,
        covered_at: row.try_get("covered_at")?,
        terms: read_terms(row, currencies)?,
        coin_consumed: optional_units("coin_consumed")?,
        credited: optional_units("credited")?,
        fee: optional_units("fee")?,
        paid_at: row.try_get("paid_at")?,
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        timer: row.try_get("timer")?,
        collection: parsed(&collection, Collection::from_word)?,
        failed_url: row.try_get("failed_url")?,
        invoice: read_invoice(row)?,
    })
}

fn read_invoice(row: &PgRow) -> Result<Option<InvoiceRow>> {
    let Some(id) = row.try_get("invoice_id")? else {
        return Ok(None);
    };
    let Json(foreign_json): Json<Value> = row.try_get("foreign_json")?;
    let kind: i16 = row.try_get("invoice_type")?;
    let details: Option<Json<Value>> = row.try_get("invoice_details")?;
    Ok(Some(InvoiceRow {
        id,
        code: row.try_get("invoice_code")?,
        title: row.try_get("invoice_title")?,
        description: row.try_get("invoice_description")?,
        foreign_json,
        kind: u8::try_from(kind)?,
        email: row.try_get("invoice_email")?,
        details: details.map(|Json(details)| details),
    }))
}

fn read_refunded(row: &PgRow) -> Result<Vec<(CurrencyId, i128)>> {
    let coins: Vec<CurrencyId> = row.try_get("refunded_coins")?;
    let amounts: Vec<Decimal> = row.try_get("refunded_amounts")?;
    Ok(coins
        .into_iter()
        .zip(amounts.into_iter().map(units))
        .collect())
}

fn read_terms(row: &PgRow, currencies: &Currencies) -> Result<Option<Terms>> {
    let Some(coin_id) = row.try_get::<Option<i16>, _>("coin_id")? else {
        return Ok(None);
    };
    let spread: i32 = row.try_get("spread_basis_points")?;
    Ok(Some(Terms {
        quote_id: row.try_get("quote_id")?,
        coin: currencies.known(coin_id)?,
        due: units(row.try_get("coin_due")?),
        address: row.try_get("address")?,
        price: row.try_get("price")?,
        mid: row.try_get("mid")?,
        spread_basis_points: u32::try_from(spread)?,
        sources: row.try_get("sources")?,
        fixed_at: row.try_get("fixed_at")?,
        release_at: row.try_get("release_at")?,
    }))
}

/// Locks the row for the rest of the transaction.
pub(crate) async fn lock_by_public_id(
    conn: &mut PgConnection,
    currencies: &Currencies,
    public_id: &str,
) -> Result<ChargeRow> {
    // The lock comes first and alone: after a wait, a statement that also joins would pair the new
    // row with quotes and addresses as they were before it.
    sqlx::query("SELECT 1 FROM charges WHERE public_id = $1 FOR NO KEY UPDATE")
        .bind(public_id)
        .fetch_optional(&mut *conn)
        .await?
        .ok_or(Error::NotFound)?;
    find(conn, currencies, public_id).await
}

/// Locks rows in id order.
pub(super) async fn lock_by_ids(
    conn: &mut PgConnection,
    currencies: &Currencies,
    ids: &BTreeSet<i64>,
) -> Result<Vec<ChargeRow>> {
    let ids: Vec<i64> = ids.iter().copied().collect();
    lock_ids(conn, &ids).await?;
    find_by_ids(conn, currencies, &ids).await
}

/// Locks rows in id order and reads nothing: as in [`lock_by_public_id`] the lock comes first.
pub(super) async fn lock_ids(conn: &mut PgConnection, ids: &[i64]) -> Result<()> {
    sqlx::query("SELECT id FROM charges WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
        .bind(ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// In id order; the caller holds their locks when it decides on them. Rows are read while Postgres looks for
/// those after them.
pub(super) async fn find_by_ids(
    conn: &mut PgConnection,
    currencies: &Currencies,
    ids: &[i64],
) -> Result<Vec<ChargeRow>> {
    let mut rows = sqlx::query(select_charge!("WHERE c.id = ANY($1) ORDER BY c.id"))
        .bind(ids)
        .fetch(conn);
    let mut found = Vec::with_capacity(ids.len());
    while let Some(row) = rows.try_next().await? {
        found.push(read_charge(&row, currencies)?);
    }
    Ok(found)
}

/// Locks up to `limit` charges whose clock has ended and that nobody else is working on.
pub(super) async fn lock_due(
    conn: &mut PgConnection,
    now: OffsetDateTime,
    limit: i64,
    skipped: &[i64],
) -> Result<BTreeSet<i64>> {
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM charges WHERE clock_ends_at <= $1 AND id <> ALL($3)
         ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
    )
    .bind(now)
    .bind(limit)
    .bind(skipped)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().collect())
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    public_id: &str,
) -> Result<ChargeRow> {
    let row = sqlx::query(select_charge!("WHERE c.public_id = $1"))
        .bind(public_id)
        .fetch_optional(conn)
        .await?
        .ok_or(Error::NotFound)?;
    read_charge(&row, currencies)
}

/// Answers the number of the line.
pub(crate) async fn append_timeline(
    conn: &mut PgConnection,
    charge_id: i64,
    at: OffsetDateTime,
    kind: &str,
    data: &Value,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO charge_timeline (charge_id, at, kind, data) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(charge_id)
    .bind(at)
    .bind(kind)
    .bind(Json(data))
    .fetch_one(conn)
    .await?)
}

// Columns and joins beside those that `read_receipt` reads, and which receipts.
macro_rules! select_receipt {
    ($columns:literal, $joins:literal, $rest:literal) => {
        concat!(
            "SELECT r.id, r.charge_id, r.coin_id, r.txid, r.vout, a.address, r.amount, r.state,
                 r.confirmations_required, r.value, r.bookings, r.first_seen_at, r.final_at,
                 CASE WHEN t.status = 'confirmed' THEN
                     (SELECT max(b.height) FROM chain_blocks b WHERE b.chain = t.chain AND b.active)
                     - t.height + 1 ELSE 0 END AS confirmations ",
            $columns,
            " FROM receipts r
             JOIN currencies k ON k.id = r.coin_id
             CROSS JOIN LATERAL (
                 SELECT address FROM chain_addresses WHERE id = r.address_id LIMIT 1
             ) a
             LEFT JOIN LATERAL (
                 SELECT chain, height, status, replaced_by FROM chain_txs
                 WHERE chain = k.code AND txid = r.txid LIMIT 1
             ) t ON true ",
            $joins,
            $rest
        )
    };
}

/// Receipts of several charges, each in the order they came.
pub(crate) async fn receipts(
    conn: &mut PgConnection,
    currencies: &Currencies,
    charge_ids: &[i64],
) -> Result<Vec<(i64, ReceiptRow)>> {
    let rows = sqlx::query(select_receipt!(
        "",
        "",
        "WHERE r.charge_id = ANY($1) ORDER BY r.charge_id, r.id"
    ))
    .bind(charge_ids)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("charge_id")?, read_receipt(row, currencies)?)))
        .collect()
}

/// The same, each with where its transaction is, for what follows the chain: nothing is looked up twice.
pub(super) async fn receipts_on_chain(
    conn: &mut PgConnection,
    currencies: &Currencies,
    charge_ids: &[i64],
) -> Result<Vec<(i64, ReceiptRow, ChainPosition)>> {
    let rows = sqlx::query(select_receipt!(
        ", t.replaced_by, CASE WHEN t.status = 'confirmed' AND o.vout IS NULL THEN 'dropped'
             ELSE t.status END AS place",
        // One look into the index for each, however much was paid.
        "LEFT JOIN LATERAL (
             SELECT vout FROM chain_outputs
             WHERE chain = t.chain AND txid = r.txid AND vout = r.vout
               AND address_id = r.address_id LIMIT 1
         ) o ON true ",
        "WHERE r.charge_id = ANY($1) ORDER BY r.charge_id, r.id"
    ))
    .bind(charge_ids)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let place: Option<String> = row.try_get("place")?;
            let position = ChainPosition {
                confirmed: place.as_deref() == Some("confirmed"),
                gone: is_gone(place.as_deref()),
                replaced_by: row.try_get("replaced_by")?,
            };
            let receipt = read_receipt(row, currencies)?;
            Ok((row.try_get("charge_id")?, receipt, position))
        })
        .collect()
}

fn read_receipt(row: &PgRow, currencies: &Currencies) -> Result<ReceiptRow> {
    let state: String = row.try_get("state")?;
    let required: i32 = row.try_get("confirmations_required")?;
    let confirmations: Option<i64> = row.try_get("confirmations")?;
    let value: Option<Decimal> = row.try_get("value")?;
    Ok(ReceiptRow {
        id: row.try_get("id")?,
        coin: currencies.known(row.try_get("coin_id")?)?,
        txid: row.try_get("txid")?,
        vout: row.try_get("vout")?,
        address: row.try_get("address")?,
        amount: units(row.try_get("amount")?),
        state: parsed(&state, ReceiptState::from_word)?,
        confirmations_required: u32::try_from(required)?,
        confirmations: u32::try_from(confirmations.unwrap_or(0).max(0))?,
        value: value.map(units),
        bookings: row.try_get("bookings")?,
        first_seen_at: row.try_get("first_seen_at")?,
        final_at: row.try_get("final_at")?,
    })
}

pub(crate) async fn receipts_of(
    conn: &mut PgConnection,
    currencies: &Currencies,
    charge_id: i64,
) -> Result<Vec<ReceiptRow>> {
    let rows = receipts(conn, currencies, &[charge_id]).await?;
    Ok(rows.into_iter().map(|(_, receipt)| receipt).collect())
}

/// Whether some charge's clock has ended without anybody having told it.
pub(super) async fn any_due(pool: &PgPool, now: OffsetDateTime) -> Result<bool> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM charges WHERE clock_ends_at <= $1)")
            .bind(now)
            .fetch_one(pool)
            .await?,
    )
}
