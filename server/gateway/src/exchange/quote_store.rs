use domain::money::{Currency, Money};
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ExchangeQuote, Priced, Purpose};
use crate::Result;
use crate::currencies::Currencies;
use crate::ledger::{decimal, units};

pub(crate) async fn insert(
    conn: &mut PgConnection,
    merchant_id: i64,
    purpose: Purpose,
    priced: &Priced,
    fixed_at: OffsetDateTime,
    release_at: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO quotes (id, merchant_id, coin_id, coin_amount, currency_id, amount, mid,
             spread_basis_points, price, sources, fixed_at, release_at, purpose, fee_currency_id,
             fee_amount)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(priced.id)
    .bind(merchant_id)
    .bind(priced.deal.sender.currency().id)
    .bind(decimal(priced.deal.sender.units()))
    .bind(priced.deal.gross.currency().id)
    .bind(decimal(priced.deal.gross.units()))
    .bind(priced.mid)
    .bind(i32::try_from(priced.spread_basis_points)?)
    .bind(priced.price)
    .bind(&priced.sources)
    .bind(fixed_at)
    .bind(release_at)
    .bind(purpose.word())
    .bind(priced.deal.fee.currency().id)
    .bind(decimal(priced.deal.fee.units()))
    .execute(conn)
    .await?;
    Ok(())
}

const COLUMNS: &str = "q.id, q.coin_id, q.coin_amount, q.currency_id, q.amount, q.mid, q.price,
    q.fixed_at, q.release_at, q.fee_currency_id, q.fee_amount";

fn quote(row: &PgRow, currencies: &Currencies) -> Result<ExchangeQuote> {
    let money = |currency: &str, amount: &str| -> Result<Money> {
        let currency = currencies.known(row.try_get(currency)?)?;
        let amount: Decimal = row.try_get(amount)?;
        Ok(Money::from_units(units(amount), currency))
    };
    Ok(ExchangeQuote {
        id: row.try_get("id")?,
        sender_amount: money("coin_id", "coin_amount")?,
        receiver_amount: money("currency_id", "amount")?,
        fee: money("fee_currency_id", "fee_amount")?,
        price: row.try_get("price")?,
        mid: row.try_get("mid")?,
        fixed_at: row.try_get("fixed_at")?,
        release_at: row.try_get("release_at")?,
    })
}

pub(super) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    merchant_id: i64,
    id: Uuid,
) -> Result<Option<ExchangeQuote>> {
    let query = format!(
        "SELECT {COLUMNS} FROM quotes q
         WHERE q.merchant_id = $1 AND q.id = $2 AND q.purpose = 'exchange'"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(merchant_id)
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| quote(&row, currencies)).transpose()
}

/// The oldest offer to the merchant of exactly this that still stands and was not used.
///
/// The price is compared as a number (`80`, Processing).
pub(super) async fn find_standing(
    conn: &mut PgConnection,
    currencies: &Currencies,
    merchant_id: i64,
    sender_amount: Money,
    receiver: Currency,
    price: Decimal,
    now: OffsetDateTime,
) -> Result<Option<ExchangeQuote>> {
    let query = format!(
        "SELECT {COLUMNS} FROM quotes q
         WHERE q.merchant_id = $1 AND q.purpose = 'exchange' AND q.coin_id = $2
           AND q.coin_amount = $3 AND q.currency_id = $4 AND q.price = $5
           AND q.fixed_at <= $6 AND q.release_at >= $6
           AND NOT EXISTS (SELECT 1 FROM quote_uses u WHERE u.quote_id = q.id)
         ORDER BY q.release_at, q.id LIMIT 1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(merchant_id)
        .bind(sender_amount.currency().id)
        .bind(decimal(sender_amount.units()))
        .bind(receiver.id)
        .bind(price)
        .bind(now)
        .fetch_optional(conn)
        .await?;
    row.map(|row| quote(&row, currencies)).transpose()
}
