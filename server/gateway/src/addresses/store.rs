use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use super::{DepositAddressView, NewAddress};
use crate::currencies::Currencies;
use crate::{Error, Result};

const COLUMNS: &str = "a.id, a.merchant_id, a.coin_id, a.convert_to_id, a.foreign_id, a.label,
    a.created_at, a.address_id, k.address";
const TABLES: &str = "deposit_addresses a JOIN chain_addresses k ON k.id = a.address_id";

fn view(row: &PgRow, currencies: &Currencies) -> Result<DepositAddressView> {
    let convert_to: Option<i16> = row.try_get("convert_to_id")?;
    Ok(DepositAddressView {
        id: row.try_get("id")?,
        merchant_id: row.try_get("merchant_id")?,
        coin: currencies.known(row.try_get("coin_id")?)?,
        convert_to: convert_to.map(|id| currencies.known(id)).transpose()?,
        address: row.try_get("address")?,
        foreign_id: row.try_get("foreign_id")?,
        label: row.try_get("label")?,
        created_at: row.try_get("created_at")?,
        chain_address_id: row.try_get("address_id")?,
    })
}

/// Makes takes of one merchant follow each other.
pub(super) async fn lock_merchant(conn: &mut PgConnection, merchant_id: i64) -> Result<()> {
    sqlx::query("SELECT id FROM merchants WHERE id = $1 FOR NO KEY UPDATE")
        .bind(merchant_id)
        .fetch_optional(conn)
        .await?
        .ok_or(Error::NotFound)?;
    Ok(())
}

pub(crate) async fn find_by_key(
    conn: &mut PgConnection,
    currencies: &Currencies,
    key: &NewAddress,
) -> Result<Option<DepositAddressView>> {
    let query = format!(
        "SELECT {COLUMNS} FROM {TABLES}
         WHERE a.merchant_id = $1 AND a.coin_id = $2 AND a.foreign_id = $3
           AND coalesce(a.convert_to_id, 0) = $4"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(key.merchant_id)
        .bind(key.coin.id)
        .bind(&key.foreign_id)
        .bind(key.convert_to.map_or(0, |currency| currency.id))
        .fetch_optional(conn)
        .await?;
    row.map(|row| view(&row, currencies)).transpose()
}

pub(super) async fn find_by_text(
    conn: &mut PgConnection,
    currencies: &Currencies,
    merchant_id: i64,
    spellings: &[String],
) -> Result<Option<DepositAddressView>> {
    let query = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE a.merchant_id = $1 AND k.address = ANY($2)
         ORDER BY a.id LIMIT 1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(merchant_id)
        .bind(spellings)
        .fetch_optional(conn)
        .await?;
    row.map(|row| view(&row, currencies)).transpose()
}

/// The deposit address a watched address is, whosever it is.
pub(crate) async fn find_by_chain_address(
    conn: &mut PgConnection,
    currencies: &Currencies,
    chain_address_id: i64,
) -> Result<Option<DepositAddressView>> {
    let query = format!("SELECT {COLUMNS} FROM {TABLES} WHERE a.address_id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(chain_address_id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| view(&row, currencies)).transpose()
}

/// The same of many, by the watched addresses; those that are nobody's deposit address are left out. One
/// look into the index for each: a block names thousands.
pub(crate) async fn find_by_chain_addresses(
    conn: &mut PgConnection,
    currencies: &Currencies,
    chain_address_ids: &[i64],
) -> Result<HashMap<i64, DepositAddressView>> {
    let query = format!(
        "SELECT f.* FROM unnest($1::bigint[]) AS t (chain_address_id)
             CROSS JOIN LATERAL (
                 SELECT {COLUMNS} FROM {TABLES} WHERE a.address_id = t.chain_address_id LIMIT 1
             ) f"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(chain_address_ids)
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            let found = view(row, currencies)?;
            Ok((found.chain_address_id, found))
        })
        .collect()
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    id: i64,
) -> Result<DepositAddressView> {
    let query = format!("SELECT {COLUMNS} FROM {TABLES} WHERE a.id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(id)
        .fetch_one(conn)
        .await?;
    view(&row, currencies)
}

/// An address of ours, whosever it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched {
    /// Row of `chain_addresses`.
    pub(crate) id: i64,
    /// Change of our own transactions goes to it.
    pub(crate) is_change: bool,
}

/// The address with this canonical text, if it is one of ours.
pub(crate) async fn watched_address(
    conn: &mut PgConnection,
    canonical: &str,
) -> Result<Option<Watched>> {
    let found: Option<(i64, bool)> =
        sqlx::query_as("SELECT id, branch = 1 FROM chain_addresses WHERE address = $1")
            .bind(canonical)
            .fetch_optional(conn)
            .await?;
    Ok(found.map(|(id, is_change)| Watched { id, is_change }))
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    new: &NewAddress,
    chain_address_id: i64,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO deposit_addresses (merchant_id, coin_id, foreign_id, convert_to_id, address_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(new.merchant_id)
    .bind(new.coin.id)
    .bind(&new.foreign_id)
    .bind(new.convert_to.map(|currency| currency.id))
    .bind(chain_address_id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_label(
    pool: &PgPool,
    merchant_id: i64,
    id: i64,
    label: &str,
) -> Result<bool> {
    let updated =
        sqlx::query("UPDATE deposit_addresses SET label = $3 WHERE merchant_id = $1 AND id = $2")
            .bind(merchant_id)
            .bind(id)
            .bind(label)
            .execute(pool)
            .await?
            .rows_affected();
    Ok(updated == 1)
}
