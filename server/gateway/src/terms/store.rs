use domain::money::{CurrencyId, Money};
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row};

use super::Terms;
use crate::Result;
use crate::currencies::Currencies;
use crate::ledger::units;

const COLUMNS: &str = "t.currency_id, c.name, c.network, c.enabled, t.minimum_deposit,
    t.minimum_deposit_exchange, t.minimum_exchange, t.minimum_withdrawal,
    t.deposit_fee_basis_points, t.exchange_fee_basis_points, t.withdrawal_fee_basis_points,
    t.withdrawal_fee_fixed, t.confirmations, t.confirmations_large, t.large_from_euros, t.version";
const TABLES: &str = "currency_terms t JOIN currencies c ON c.id = t.currency_id";

fn terms(row: &PgRow, currencies: &Currencies) -> Result<Terms> {
    let currency = currencies.known(row.try_get("currency_id")?)?;
    let money = |column: &str| -> Result<Money> {
        let amount: Decimal = row.try_get(column)?;
        Ok(Money::from_units(units(amount), currency))
    };
    let count = |column: &str| -> Result<u32> {
        let count: i32 = row.try_get(column)?;
        Ok(u32::try_from(count)?)
    };
    Ok(Terms {
        currency,
        name: row.try_get("name")?,
        network: row.try_get("network")?,
        enabled: row.try_get("enabled")?,
        minimum_deposit: money("minimum_deposit")?,
        minimum_deposit_exchange: money("minimum_deposit_exchange")?,
        minimum_exchange: money("minimum_exchange")?,
        minimum_withdrawal: money("minimum_withdrawal")?,
        deposit_fee_basis_points: count("deposit_fee_basis_points")?,
        exchange_fee_basis_points: count("exchange_fee_basis_points")?,
        withdrawal_fee_basis_points: count("withdrawal_fee_basis_points")?,
        withdrawal_fee_fixed: money("withdrawal_fee_fixed")?,
        confirmations: count("confirmations")?,
        confirmations_large: count("confirmations_large")?,
        large_from_euros: row.try_get("large_from_euros")?,
        version: row.try_get("version")?,
    })
}

pub(super) async fn list(pool: &PgPool, currencies: &Currencies) -> Result<Vec<Terms>> {
    let query = format!(
        "SELECT {COLUMNS} FROM {TABLES} ORDER BY (c.kind <> 'crypto'), c.kind, \
         CASE WHEN c.kind = 'crypto' THEN c.id END, c.code"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| terms(row, currencies)).collect()
}

/// Those of two currencies, which may be the same one.
pub(super) async fn find_both(
    conn: &mut PgConnection,
    currencies: &Currencies,
    pair: [CurrencyId; 2],
) -> Result<[Option<Terms>; 2]> {
    let query = format!("SELECT {COLUMNS} FROM {TABLES} WHERE t.currency_id = ANY($1)");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(pair.to_vec())
        .fetch_all(conn)
        .await?;
    let found = rows
        .iter()
        .map(|row| terms(row, currencies))
        .collect::<Result<Vec<_>>>()?;
    let of = |id: CurrencyId| found.iter().find(|terms| terms.currency.id == id).cloned();
    Ok(pair.map(of))
}

pub(super) async fn find(
    conn: &mut PgConnection,
    currencies: &Currencies,
    currency_id: CurrencyId,
) -> Result<Option<Terms>> {
    let query = format!("SELECT {COLUMNS} FROM {TABLES} WHERE t.currency_id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(currency_id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| terms(&row, currencies)).transpose()
}
