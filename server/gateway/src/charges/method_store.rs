use domain::money::Currency;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use super::row::Terms;
use crate::Result;
use crate::ledger::decimal;

/// Address and due of a coin the payer picked before.
pub(super) struct KnownMethod {
    pub(super) address_id: i64,
    pub(super) address: String,
    pub(super) release_at: OffsetDateTime,
}

pub(super) async fn find_method(
    conn: &mut PgConnection,
    charge_id: i64,
    coin: Currency,
) -> Result<Option<KnownMethod>> {
    let row = sqlx::query(
        "SELECT m.address_id, a.address, q.release_at FROM charge_methods m
         JOIN chain_addresses a ON a.id = m.address_id JOIN quotes q ON q.id = m.quote_id
         WHERE m.charge_id = $1 AND m.coin_id = $2",
    )
    .bind(charge_id)
    .bind(coin.id)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(KnownMethod {
            address_id: row.try_get("address_id")?,
            address: row.try_get("address")?,
            release_at: row.try_get("release_at")?,
        })
    })
    .transpose()
}

pub(super) async fn upsert_method(
    conn: &mut PgConnection,
    charge_id: i64,
    address_id: i64,
    terms: &Terms,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO charge_methods (charge_id, coin_id, address_id, quote_id, coin_due, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (charge_id, coin_id) DO UPDATE
         SET quote_id = excluded.quote_id, coin_due = excluded.coin_due",
    )
    .bind(charge_id)
    .bind(terms.coin.id)
    .bind(address_id)
    .bind(terms.quote_id)
    .bind(decimal(terms.due))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes an earlier pick of another coin the current one again.
pub(super) async fn restore_method(
    conn: &mut PgConnection,
    charge_id: i64,
    coin: Currency,
) -> Result<()> {
    sqlx::query(
        "UPDATE charges c SET coin_id = m.coin_id, quote_id = m.quote_id, coin_due = m.coin_due
         FROM charge_methods m WHERE c.id = $1 AND m.charge_id = c.id AND m.coin_id = $2",
    )
    .bind(charge_id)
    .bind(coin.id)
    .execute(conn)
    .await?;
    Ok(())
}
