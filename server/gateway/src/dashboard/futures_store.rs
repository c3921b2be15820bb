//! The SQL behind the pages about futures: reads only, the merchant always first.

use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use time::OffsetDateTime;

use super::delivery_list::Place;
use crate::Result;

/// A promise with the address it is for.
#[derive(Debug, Clone, FromRow)]
pub(super) struct FuturesRecord {
    pub(super) id: i64,
    pub(super) state: String,
    pub(super) void_reason: Option<String>,
    pub(super) operation_id: Option<i64>,
    pub(super) sender_currency_id: i16,
    pub(super) sender_amount: Decimal,
    pub(super) receiver_currency_id: i16,
    pub(super) receiver_amount: Decimal,
    /// In the currency that is received.
    pub(super) fee_amount: Decimal,
    pub(super) price: Decimal,
    pub(super) fixed_at: OffsetDateTime,
    pub(super) release_at: OffsetDateTime,
    pub(super) ended_at: Option<OffsetDateTime>,
    pub(super) deposit_address_id: i64,
    pub(super) address: String,
    /// Of the address.
    pub(super) foreign_id: String,
}

const FUTURES: &str = "SELECT f.id, f.state, f.void_reason, f.operation_id, f.sender_currency_id,
        f.sender_amount, f.receiver_currency_id, f.receiver_amount, f.fee_amount, f.price,
        f.fixed_at, f.release_at, f.ended_at, f.deposit_address_id, k.address, a.foreign_id
    FROM futures f JOIN deposit_addresses a ON a.id = f.deposit_address_id
         JOIN chain_addresses k ON k.id = a.address_id
    WHERE f.merchant_id = ";

/// Promises of the merchant at the place, newest first; up to `limit`, which the caller sets one
/// above the page to learn whether there is another. An empty state takes all.
pub(super) async fn list(
    pool: &PgPool,
    merchant_id: i64,
    state: &str,
    place: Place,
    limit: i64,
) -> Result<Vec<FuturesRecord>> {
    let mut query = QueryBuilder::<Postgres>::new(FUTURES);
    query.push_bind(merchant_id);
    if !state.is_empty() {
        query.push(" AND f.state = ").push_bind(state.to_owned());
    }
    let newest_first = match place {
        Place::Newest => true,
        Place::Before(id) => {
            query.push(" AND f.id < ").push_bind(id);
            true
        }
        Place::After(id) => {
            query.push(" AND f.id > ").push_bind(id);
            false
        }
    };
    query.push(if newest_first {
        " ORDER BY f.id DESC"
    } else {
        " ORDER BY f.id"
    });
    query.push(" LIMIT ").push_bind(limit);
    let mut rows: Vec<FuturesRecord> = query.build_query_as().fetch_all(pool).await?;
    if !newest_first {
        rows.reverse();
    }
    Ok(rows)
}

/// One promise of the merchant.
pub(super) async fn find(
    pool: &PgPool,
    merchant_id: i64,
    id: i64,
) -> Result<Option<FuturesRecord>> {
    let mut query = QueryBuilder::<Postgres>::new(FUTURES);
    query.push_bind(merchant_id);
    query.push(" AND f.id = ").push_bind(id);
    Ok(query.build_query_as().fetch_optional(pool).await?)
}

/// An address that exchanges what it receives.
#[derive(Debug, Clone, FromRow)]
pub(super) struct ConvertingAddress {
    pub(super) id: i64,
    pub(super) coin_id: i16,
    pub(super) convert_to_id: i16,
    pub(super) address: String,
    pub(super) foreign_id: String,
}

/// The merchant's newest ones.
pub(super) async fn converting(
    pool: &PgPool,
    merchant_id: i64,
    limit: i64,
) -> Result<Vec<ConvertingAddress>> {
    Ok(sqlx::query_as(
        "SELECT a.id, a.coin_id, a.convert_to_id, k.address, a.foreign_id
         FROM deposit_addresses a JOIN chain_addresses k ON k.id = a.address_id
         WHERE a.merchant_id = $1 AND a.convert_to_id IS NOT NULL
         ORDER BY a.id DESC LIMIT $2",
    )
    .bind(merchant_id)
    .bind(limit)
    .fetch_all(pool)
    .await?)
}
