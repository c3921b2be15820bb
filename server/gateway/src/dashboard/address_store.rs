//! The SQL behind the pages about deposit addresses.

use sqlx::{FromRow, PgPool};
use time::OffsetDateTime;

use crate::Result;

/// An address with how often it was paid.
#[derive(Debug, FromRow)]
pub(super) struct AddressRecord {
    pub(super) id: i64,
    pub(super) coin_id: i16,
    pub(super) convert_to_id: Option<i16>,
    pub(super) address: String,
    pub(super) foreign_id: String,
    pub(super) label: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) deposits: i64,
}

/// Those older than `before` whose address, reference or label contains `q`.
pub(super) async fn list(
    pool: &PgPool,
    merchant_id: i64,
    q: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<AddressRecord>> {
    Ok(sqlx::query_as(
        "SELECT a.id, a.coin_id, a.convert_to_id, k.address, a.foreign_id, a.label, a.created_at,
             (SELECT count(*) FROM deposits d WHERE d.deposit_address_id = a.id) AS deposits
         FROM deposit_addresses a JOIN chain_addresses k ON k.id = a.address_id
         WHERE a.merchant_id = $1 AND a.id < $3
           AND ($2 = '' OR k.address = $2 OR strpos(lower(a.foreign_id), lower($2)) > 0
                OR strpos(lower(a.label), lower($2)) > 0)
         ORDER BY a.id DESC LIMIT $4",
    )
    .bind(merchant_id)
    .bind(q)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn find(
    pool: &PgPool,
    merchant_id: i64,
    id: i64,
) -> Result<Option<AddressRecord>> {
    Ok(sqlx::query_as(
        "SELECT a.id, a.coin_id, a.convert_to_id, k.address, a.foreign_id, a.label, a.created_at,
             (SELECT count(*) FROM deposits d WHERE d.deposit_address_id = a.id) AS deposits
         FROM deposit_addresses a JOIN chain_addresses k ON k.id = a.address_id
         WHERE a.merchant_id = $1 AND a.id = $2",
    )
    .bind(merchant_id)
    .bind(id)
    .fetch_optional(pool)
    .await?)
}
