use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

use crate::Result;

/// Writes who did what to what, in the transaction of the deed.
pub(crate) async fn record(
    conn: &mut PgConnection,
    at: OffsetDateTime,
    actor: &str,
    action: &str,
    subject: &str,
    data: &Value,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_log (at, actor, action, subject, data) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(at)
    .bind(actor)
    .bind(action)
    .bind(subject)
    .bind(Json(data))
    .execute(conn)
    .await?;
    Ok(())
}
