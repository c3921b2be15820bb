use domain::money::{Currency, CurrencyId, CurrencyKind};
use sqlx::{PgConnection, PgPool, Row};

use super::CurrencyInfo;
use crate::{Error, Result};

/// On which a change of the switches is announced to every process.
pub(crate) const CURRENCY_CHANNEL: &str = "exchequer_currency";

pub(super) async fn list(pool: &PgPool) -> Result<Vec<CurrencyInfo>> {
    let rows = sqlx::query(
        "SELECT id, code, name, kind, precision, ledger_scale, network, enabled FROM currencies",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let code: String = row.try_get("code")?;
            let kind: String = row.try_get("kind")?;
            let precision: i16 = row.try_get("precision")?;
            let scale: i16 = row.try_get("ledger_scale")?;
            Ok(CurrencyInfo {
                currency: Currency {
                    id: row.try_get("id")?,
                    code: code.parse().map_err(Error::internal)?,
                    kind: if kind == "fiat" {
                        CurrencyKind::Fiat
                    } else {
                        CurrencyKind::Crypto
                    },
                    precision: u8::try_from(precision).map_err(Error::internal)?,
                    scale: u8::try_from(scale).map_err(Error::internal)?,
                },
                name: row.try_get("name")?,
                network: row.try_get("network")?,
                enabled: row.try_get::<bool, _>("enabled")?.into(),
            })
        })
        .collect()
}

/// Which currencies are on.
pub(super) async fn switches(pool: &PgPool) -> Result<Vec<(CurrencyId, bool)>> {
    Ok(sqlx::query_as("SELECT id, enabled FROM currencies")
        .fetch_all(pool)
        .await?)
}

/// Switches a currency on or off; every process hears of it when the transaction commits.
pub(crate) async fn switch(
    conn: &mut PgConnection,
    currency: CurrencyId,
    enabled: bool,
) -> Result<()> {
    sqlx::query("UPDATE currencies SET enabled = $2 WHERE id = $1")
        .bind(currency)
        .bind(enabled)
        .execute(&mut *conn)
        .await?;
    sqlx::query("SELECT pg_notify($1, '')")
        .bind(CURRENCY_CHANNEL)
        .execute(conn)
        .await?;
    Ok(())
}
