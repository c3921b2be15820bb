//! The SQL behind the operator's pages of merchants.

use rust_decimal::Decimal;
use sqlx::{FromRow, PgConnection, PgPool};

use crate::Result;

/// What the operator agreed with a merchant.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct MerchantRecord {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) fee_basis_points: i32,
    /// Whole units of a withdrawal's currency.
    pub(super) withdrawal_limit: Option<Decimal>,
    /// Whole euros.
    pub(super) withdrawal_daily_limit: Option<Decimal>,
}

const COLUMNS: &str = "id, name, fee_basis_points, withdrawal_limit, withdrawal_daily_limit";
/// `$1` is part of a name, in lower case, or a number; empty asks for all.
const MATCHES: &str = "($1 = '' OR strpos(lower(name), $1) > 0 OR id::text = $1)";

pub(super) async fn count(pool: &PgPool, q: &str) -> Result<i64> {
    let query = format!("SELECT count(*) FROM merchants WHERE {MATCHES}");
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .bind(q)
        .fetch_one(pool)
        .await?)
}

/// Some of them in the order of their numbers.
pub(super) async fn list(
    pool: &PgPool,
    q: &str,
    limit: i64,
    offset: i64,
) -> Result<Vec<MerchantRecord>> {
    let rows =
        format!("SELECT {COLUMNS} FROM merchants WHERE {MATCHES} ORDER BY id LIMIT $2 OFFSET $3");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(rows))
        .bind(q)
        .bind(limit)
        .bind(offset)
        .fetch_all(pool)
        .await?)
}

pub(super) async fn find(conn: &mut PgConnection, id: i64) -> Result<Option<MerchantRecord>> {
    let query = format!("SELECT {COLUMNS} FROM merchants WHERE id = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(id)
        .fetch_optional(conn)
        .await?)
}

/// The same, held for this transaction.
pub(super) async fn lock(conn: &mut PgConnection, id: i64) -> Result<Option<MerchantRecord>> {
    let query = format!("SELECT {COLUMNS} FROM merchants WHERE id = $1 FOR NO KEY UPDATE");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(id)
        .fetch_optional(conn)
        .await?)
}

pub(super) async fn update(conn: &mut PgConnection, merchant: &MerchantRecord) -> Result<()> {
    sqlx::query(
        "UPDATE merchants SET fee_basis_points = $2, withdrawal_limit = $3,
             withdrawal_daily_limit = $4
         WHERE id = $1",
    )
    .bind(merchant.id)
    .bind(merchant.fee_basis_points)
    .bind(merchant.withdrawal_limit)
    .bind(merchant.withdrawal_daily_limit)
    .execute(conn)
    .await?;
    Ok(())
}
