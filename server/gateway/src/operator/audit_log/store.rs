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
    record_numbered(conn, at, actor, action, subject, data).await?;
    Ok(())
}

/// The same; answers the number of the line.
pub(crate) async fn record_numbered(
    conn: &mut PgConnection,
    at: OffsetDateTime,
    actor: &str,
    action: &str,
    subject: &str,
    data: &Value,
) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "INSERT INTO audit_log (at, actor, action, subject, data) VALUES ($1, $2, $3, $4, $5)
         RETURNING id",
    )
    .bind(at)
    .bind(actor)
    .bind(action)
    .bind(subject)
    .bind(Json(data))
    .fetch_one(conn)
    .await?)
}
