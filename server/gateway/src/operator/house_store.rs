//! The SQL behind the page of house accounts.

use domain::ledger::{AccountKind, HOUSE};
use domain::money::CurrencyId;
use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool};

use crate::Result;

/// A house account, in ledger units.
#[derive(Debug, FromRow)]
pub(super) struct HouseRecord {
    pub(super) currency_id: i16,
    pub(super) kind: String,
    pub(super) posted: Decimal,
    pub(super) held: Decimal,
    pub(super) floor: Option<Decimal>,
}

/// What all accounts of a currency add up to, in ledger units.
#[derive(Debug, FromRow)]
pub(super) struct SumRecord {
    pub(super) currency_id: i16,
    pub(super) house: Decimal,
    pub(super) wallets: Decimal,
    pub(super) others: Decimal,
}

/// The figures of one account.
#[derive(Debug, Clone, Copy, Default, FromRow)]
pub(super) struct Figures {
    pub(super) posted: Decimal,
    pub(super) held: Decimal,
    pub(super) floor: Option<Decimal>,
}

pub(super) async fn accounts(pool: &PgPool) -> Result<Vec<HouseRecord>> {
    Ok(sqlx::query_as(
        "SELECT currency_id, kind, posted, held, floor FROM accounts WHERE merchant_id = $1",
    )
    .bind(HOUSE)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn sums(pool: &PgPool) -> Result<Vec<SumRecord>> {
    Ok(sqlx::query_as(
        "SELECT currency_id,
             coalesce(sum(posted) FILTER (WHERE merchant_id = $1), 0) AS house,
             coalesce(sum(posted) FILTER (WHERE kind = $2), 0) AS wallets,
             coalesce(sum(posted) FILTER (WHERE merchant_id <> $1 AND kind <> $2), 0) AS others
         FROM accounts GROUP BY currency_id",
    )
    .bind(HOUSE)
    .bind(AccountKind::Wallet.word())
    .fetch_all(pool)
    .await?)
}

/// Our liquidity in a currency; `None` while nothing was ever exchanged.
pub(super) async fn liquidity(pool: &PgPool, currency: CurrencyId) -> Result<Option<Figures>> {
    Ok(sqlx::query_as(
        "SELECT posted, held, floor FROM accounts
         WHERE merchant_id = $1 AND kind = $2 AND currency_id = $3",
    )
    .bind(HOUSE)
    .bind(AccountKind::Liquidity.word())
    .bind(currency)
    .fetch_optional(pool)
    .await?)
}
