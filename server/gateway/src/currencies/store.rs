use domain::money::{Currency, CurrencyKind};
use sqlx::{PgPool, Row};

use super::CurrencyInfo;
use crate::{Error, Result};

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
                enabled: row.try_get("enabled")?,
            })
        })
        .collect()
}
