use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use crate::Result;

/// An endpoint that was switched off just now.
pub(super) struct SwitchedOff {
    pub(super) merchant_id: i64,
    pub(super) url: String,
}

/// Since when it has done nothing but fail; a success forgets it.
pub(super) async fn set_failing(
    conn: &mut PgConnection,
    endpoint_id: i64,
    delivered: bool,
    at: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE webhook_endpoints
         SET failing_since = CASE WHEN $2 THEN NULL ELSE coalesce(failing_since, $3) END
         WHERE id = $1",
    )
    .bind(endpoint_id)
    .bind(delivered)
    .bind(at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Switches it off when it has failed since `failing_since` or longer; `None` when it has not, or is
/// off already.
pub(super) async fn switch_off_failing(
    conn: &mut PgConnection,
    endpoint_id: i64,
    failing_since: OffsetDateTime,
) -> Result<Option<SwitchedOff>> {
    let row = sqlx::query(
        "UPDATE webhook_endpoints SET status = 'disabled'
         WHERE id = $1 AND status = 'active' AND failing_since <= $2
         RETURNING merchant_id, url",
    )
    .bind(endpoint_id)
    .bind(failing_since)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(switched_off).transpose()
}

/// Switches it off whatever it did before; `None` when it is off already.
pub(super) async fn switch_off(
    conn: &mut PgConnection,
    endpoint_id: i64,
) -> Result<Option<SwitchedOff>> {
    let row = sqlx::query(
        "UPDATE webhook_endpoints SET status = 'disabled'
         WHERE id = $1 AND status = 'active' RETURNING merchant_id, url",
    )
    .bind(endpoint_id)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(switched_off).transpose()
}

fn switched_off(row: &sqlx::postgres::PgRow) -> Result<SwitchedOff> {
    Ok(SwitchedOff {
        merchant_id: row.try_get("merchant_id")?,
        url: row.try_get("url")?,
    })
}
