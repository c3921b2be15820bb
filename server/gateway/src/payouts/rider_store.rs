//! Withdrawals that ride in payouts.

use domain::withdrawal::WithdrawalState;
use sqlx::PgConnection;

use super::row::Rider;
use crate::Result;

/// Withdrawals ride from now on; false when one of them does not wait any more.
pub(super) async fn ride(
    conn: &mut PgConnection,
    payout_id: i64,
    operation_ids: &[i64],
) -> Result<bool> {
    let riding = sqlx::query(
        "UPDATE withdrawals SET payout_id = $1, next_attempt_at = NULL, locked_until = NULL,
             attempts = 0, last_error = NULL
         WHERE operation_id = ANY($2) AND state = 'queued' AND payout_id IS NULL AND NOT internal",
    )
    .bind(payout_id)
    .bind(operation_ids)
    .execute(conn)
    .await?
    .rows_affected();
    Ok(usize::try_from(riding)? == operation_ids.len())
}

/// Those that wait leave a payout of which nothing was signed, and are due since they were asked for; the
/// database refuses it for any other.
pub(super) async fn leave(conn: &mut PgConnection, payout_id: i64) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals w SET payout_id = NULL, locked_until = NULL,
             next_attempt_at = coalesce(w.decided_at, o.created_at)
         FROM operations o
         WHERE w.payout_id = $1 AND w.state = 'queued' AND o.id = w.operation_id",
    )
    .bind(payout_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Those that ride in a payout, in id order.
pub(super) async fn riders(conn: &mut PgConnection, payout_id: i64) -> Result<Vec<Rider>> {
    let rows: Vec<(i64, Option<i64>)> = sqlx::query_as(
        "SELECT operation_id, claim_id FROM withdrawals WHERE payout_id = $1 ORDER BY operation_id",
    )
    .bind(payout_id)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(operation_id, claim_id)| Rider {
            operation_id,
            claim_id,
        })
        .collect())
}

/// Whether a person ended some rider: its payout must not be sent any more.
pub(super) async fn is_given_up(conn: &mut PgConnection, payout_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM withdrawals
                        WHERE payout_id = $1 AND (state = 'void' OR ended_by IS NOT NULL))",
    )
    .bind(payout_id)
    .fetch_one(conn)
    .await?)
}

/// A rider's new state and the transaction that pays it by now.
pub(super) async fn set_rider(
    conn: &mut PgConnection,
    operation_id: i64,
    state: WithdrawalState,
    txid: &str,
) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET state = $2, txid = $3, next_attempt_at = NULL, locked_until = NULL
         WHERE operation_id = $1",
    )
    .bind(operation_id)
    .bind(state.word())
    .bind(txid)
    .execute(conn)
    .await?;
    Ok(())
}
