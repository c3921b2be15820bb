//! The SQL behind the form that edits terms.

use domain::money::CurrencyId;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::Result;
use crate::ledger::decimal;
use crate::terms::Terms;

/// Who changed the terms last, and when.
pub(super) async fn last_change(
    pool: &PgPool,
    currency: CurrencyId,
) -> Result<Option<(String, OffsetDateTime)>> {
    Ok(sqlx::query_as(
        "SELECT updated_by, updated_at FROM currency_terms
         WHERE currency_id = $1 AND updated_by IS NOT NULL AND updated_at IS NOT NULL",
    )
    .bind(currency)
    .fetch_optional(pool)
    .await?)
}

/// Holds the terms of a currency for this transaction.
pub(super) async fn lock(conn: &mut PgConnection, currency: CurrencyId) -> Result<()> {
    sqlx::query("SELECT 1 FROM currency_terms WHERE currency_id = $1 FOR NO KEY UPDATE")
        .bind(currency)
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Writes the terms where they still have the version they were read with; false when not.
pub(super) async fn update(
    conn: &mut PgConnection,
    terms: &Terms,
    by: &str,
    now: OffsetDateTime,
) -> Result<bool> {
    let updated = sqlx::query(
        "UPDATE currency_terms SET minimum_deposit = $3, minimum_deposit_exchange = $4,
             minimum_exchange = $5, minimum_withdrawal = $6, deposit_fee_basis_points = $7,
             exchange_fee_basis_points = $8, withdrawal_fee_basis_points = $9,
             withdrawal_fee_fixed = $10, confirmations = $11, confirmations_large = $12,
             large_from_euros = $13, version = version + 1, updated_by = $14, updated_at = $15
         WHERE currency_id = $1 AND version = $2",
    )
    .bind(terms.currency.id)
    .bind(terms.version)
    .bind(decimal(terms.minimum_deposit.units()))
    .bind(decimal(terms.minimum_deposit_exchange.units()))
    .bind(decimal(terms.minimum_exchange.units()))
    .bind(decimal(terms.minimum_withdrawal.units()))
    .bind(i32::try_from(terms.deposit_fee_basis_points)?)
    .bind(i32::try_from(terms.exchange_fee_basis_points)?)
    .bind(i32::try_from(terms.withdrawal_fee_basis_points)?)
    .bind(decimal(terms.withdrawal_fee_fixed.units()))
    .bind(i32::try_from(terms.confirmations)?)
    .bind(i32::try_from(terms.confirmations_large)?)
    .bind(terms.large_from_euros)
    .bind(by)
    .bind(now)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(updated == 1)
}
