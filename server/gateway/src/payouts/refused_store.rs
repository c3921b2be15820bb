//! Withdrawals that a signer's rules do not let out, or not today.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Result;

/// Which of the withdrawals were refused before.
pub(super) async fn among(conn: &mut PgConnection, operation_ids: &[i64]) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT operation_id FROM withdrawals WHERE operation_id = ANY($1) AND refusals > 0",
    )
    .bind(operation_ids)
    .fetch_all(conn)
    .await?)
}

/// How often a withdrawal was refused.
pub(super) async fn count(conn: &mut PgConnection, operation_id: i64) -> Result<i32> {
    Ok(
        sqlx::query_scalar("SELECT refusals FROM withdrawals WHERE operation_id = $1")
            .bind(operation_id)
            .fetch_one(conn)
            .await?,
    )
}

/// The rules do not let a withdrawal out that rides in no payout; it is tried again at `next`.
pub(super) async fn refuse(
    conn: &mut PgConnection,
    operation_id: i64,
    why: &str,
    next: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET refusals = refusals + 1, last_error = left($2, 500),
             next_attempt_at = $3
         WHERE operation_id = $1 AND state = 'queued' AND payout_id IS NULL",
    )
    .bind(operation_id)
    .bind(why)
    .bind(next)
    .execute(conn)
    .await?;
    Ok(())
}

/// It waits until `next`, and everybody sees why.
pub(crate) async fn wait(
    conn: &mut PgConnection,
    operation_id: i64,
    why: &str,
    next: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET last_error = left($2, 500), next_attempt_at = $3
         WHERE operation_id = $1 AND state = 'queued' AND payout_id IS NULL",
    )
    .bind(operation_id)
    .bind(why)
    .bind(next)
    .execute(conn)
    .await?;
    Ok(())
}
