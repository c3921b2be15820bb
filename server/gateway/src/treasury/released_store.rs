//! Numbers that are given back.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::{Error, Result};

const MEANWHILE: Error = Error::Conflict("the numbers of this account have changed meanwhile");

/// A payment that has its number.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Owner {
    pub(super) id: i64,
    /// `None` for what moves between accounts of ours, and for a number that somebody else has used.
    pub(super) operation_id: Option<i64>,
    pub(super) chain_id: i64,
    pub(super) address: String,
    pub(super) nonce: i64,
    /// Of its only transaction, if nobody can have a signature of it.
    pub(super) bare_tx: Option<i64>,
}

/// A payment, and all with later numbers of its account, the last one in front.
pub(super) async fn from(conn: &mut PgConnection, payment_id: i64) -> Result<Vec<Owner>> {
    Ok(sqlx::query_as(
        "SELECT q.id, q.operation_id, q.chain_id, q.address, q.nonce,
             (SELECT max(x.id) FILTER (WHERE x.state = 'drafted') FROM treasury_txs x
              WHERE x.payment_id = q.id AND q.outcome IS NULL
              HAVING bool_and(x.state IN ('drafted', 'dropped') AND x.raw IS NULL
                              AND x.downloaded_at IS NULL AND NOT x.unheard)
                 AND count(*) FILTER (WHERE x.state = 'drafted') = 1) AS bare_tx
         FROM treasury_payments p
         JOIN treasury_payments q ON q.chain_id = p.chain_id AND q.address = p.address
             AND q.nonce >= p.nonce AND q.outcome IS DISTINCT FROM 'released'
         WHERE p.id = $1 AND p.outcome IS NULL
         ORDER BY q.nonce DESC",
    )
    .bind(payment_id)
    .fetch_all(conn)
    .await?)
}

/// Takes the last number of an account back. Its transaction was dropped before.
pub(super) async fn release(conn: &mut PgConnection, owner: &Owner) -> Result<()> {
    sqlx::query("UPDATE treasury_payments SET outcome = 'released' WHERE id = $1")
        .bind(owner.id)
        .execute(&mut *conn)
        .await?;
    let taken = sqlx::query(
        "UPDATE treasuries SET next_nonce = $3
         WHERE chain_id = $1 AND address = $2 AND next_nonce = $3 + 1",
    )
    .bind(owner.chain_id)
    .bind(&owner.address)
    .bind(owner.nonce)
    .execute(conn)
    .await?;
    if taken.rows_affected() == 1 {
        Ok(())
    } else {
        Err(MEANWHILE)
    }
}

/// A withdrawal that lost its number for no fault of its own is planned again at once.
pub(super) async fn plan_again(
    conn: &mut PgConnection,
    operation_id: i64,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE withdrawals SET next_attempt_at = $2, locked_until = NULL
         WHERE operation_id = $1 AND state = 'queued'",
    )
    .bind(operation_id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether people were told that a move of the same kind and coin as `payment_id` was refused: since `since`, or
/// since one of them was signed.
pub(super) async fn is_told(
    conn: &mut PgConnection,
    payment_id: i64,
    since: OffsetDateTime,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM treasury_payments m
             JOIN treasury_payments p ON p.purpose = m.purpose AND p.coin_id = m.coin_id
                 AND p.outcome = 'released'
             JOIN treasury_txs x ON x.payment_id = p.id AND x.told
             WHERE m.id = $1
               AND (x.created_at >= $2 OR NOT EXISTS (
                   SELECT FROM treasury_payments q
                   JOIN treasury_txs y ON y.payment_id = q.id AND y.raw IS NOT NULL
                   WHERE q.purpose = m.purpose AND q.coin_id = m.coin_id AND q.id > p.id)))",
    )
    .bind(payment_id)
    .bind(since)
    .fetch_one(conn)
    .await?)
}
