use std::collections::BTreeMap;

use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

use super::endpoint::Said;
use crate::Result;

/// An endpoint that was switched off just now.
pub(super) struct SwitchedOff {
    pub(super) merchant_id: i64,
    pub(super) url: String,
}

/// Since when they have done nothing but fail; a success forgets it. Rows that stay as they are, which
/// is nearly every success, are neither written nor locked.
pub(super) async fn set_failing(conn: &mut PgConnection, said: &BTreeMap<i64, Said>) -> Result<()> {
    let ids: Vec<i64> = said.keys().copied().collect();
    let delivered: Vec<bool> = said.values().map(|said| said.delivered).collect();
    let failing_from: Vec<Option<OffsetDateTime>> =
        said.values().map(|said| said.failing_from).collect();
    sqlx::query(
        "WITH said AS MATERIALIZED (
             SELECT e.id, t.delivered, t.failing_from
             FROM unnest($1::bigint[], $2::boolean[], $3::timestamptz[]) AS t (id, delivered, failing_from)
             JOIN webhook_endpoints e ON e.id = t.id
             WHERE t.failing_from IS NOT NULL OR e.failing_since IS NOT NULL
             ORDER BY e.id FOR NO KEY UPDATE OF e)
         UPDATE webhook_endpoints e
         SET failing_since = CASE WHEN said.delivered THEN said.failing_from
                                  ELSE coalesce(e.failing_since, said.failing_from) END
         FROM said WHERE e.id = said.id",
    )
    .bind(ids)
    .bind(delivered)
    .bind(failing_from)
    .execute(conn)
    .await?;
    Ok(())
}

/// Switches off those that have failed since `failing_since` or longer and are not off already.
pub(super) async fn switch_off_failing(
    conn: &mut PgConnection,
    endpoints: &[i64],
    failing_since: OffsetDateTime,
) -> Result<Vec<SwitchedOff>> {
    let rows = sqlx::query(
        "WITH failing AS MATERIALIZED (
             SELECT id FROM webhook_endpoints
             WHERE id = ANY($1) AND status = 'active' AND failing_since <= $2
             ORDER BY id FOR NO KEY UPDATE)
         UPDATE webhook_endpoints e SET status = 'disabled' FROM failing WHERE e.id = failing.id
         RETURNING e.merchant_id, e.url",
    )
    .bind(endpoints)
    .bind(failing_since)
    .fetch_all(conn)
    .await?;
    rows.iter().map(switched_off).collect()
}

/// Switches them off whatever they did before, unless they are off already.
pub(super) async fn switch_off(
    conn: &mut PgConnection,
    endpoints: &[i64],
) -> Result<Vec<SwitchedOff>> {
    let rows = sqlx::query(
        "WITH gone AS MATERIALIZED (
             SELECT id FROM webhook_endpoints WHERE id = ANY($1) AND status = 'active'
             ORDER BY id FOR NO KEY UPDATE)
         UPDATE webhook_endpoints e SET status = 'disabled' FROM gone WHERE e.id = gone.id
         RETURNING e.merchant_id, e.url",
    )
    .bind(endpoints)
    .fetch_all(conn)
    .await?;
    rows.iter().map(switched_off).collect()
}

fn switched_off(row: &sqlx::postgres::PgRow) -> Result<SwitchedOff> {
    Ok(SwitchedOff {
        merchant_id: row.try_get("merchant_id")?,
        url: row.try_get("url")?,
    })
}
