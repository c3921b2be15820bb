use sqlx::{PgConnection, PgPool};

use super::list::{TreasuryLine, TreasuryMove};
use crate::Result;

type LineRecord = (
    i64,
    String,
    Option<i64>,
    String,
    Option<String>,
    Option<String>,
);

pub(super) async fn lines(pool: &PgPool, coins: &[i16]) -> Result<Vec<TreasuryLine>> {
    let records: Vec<LineRecord> = sqlx::query_as(
        "SELECT w.operation_id, c.code, p.nonce, coalesce(p.outcome, x.state, w.state), x.txid,
             coalesce(x.last_error, w.last_error, o.error)
         FROM withdrawals w
         JOIN operations o ON o.id = w.operation_id
         JOIN currencies c ON c.id = w.coin_id
         LEFT JOIN treasury_payments p ON p.operation_id = w.operation_id
             AND p.outcome IS DISTINCT FROM 'released'
         LEFT JOIN LATERAL (SELECT state, txid, last_error FROM treasury_txs WHERE payment_id = p.id
                            ORDER BY id DESC LIMIT 1) x ON true
         WHERE w.coin_id = ANY($1) AND w.state IN ('queued', 'built', 'broadcast') AND NOT w.internal
         ORDER BY w.operation_id LIMIT 200",
    )
    .bind(coins)
    .fetch_all(pool)
    .await?;
    Ok(records
        .into_iter()
        .map(
            |(operation_id, code, nonce, state, txid, problem)| TreasuryLine {
                operation_id,
                code,
                nonce,
                state,
                txid,
                problem,
            },
        )
        .collect())
}

pub(super) async fn moves(pool: &PgPool) -> Result<Vec<TreasuryMove>> {
    Ok(sqlx::query_as(
        "SELECT p.id, p.purpose, c.code, p.address AS from_address, p.to_address, p.nonce,
             coalesce(p.outcome, x.state) AS state, x.txid, x.last_error AS problem
         FROM treasury_payments p
         JOIN currencies c ON c.id = p.coin_id
         CROSS JOIN LATERAL (SELECT state, txid, last_error FROM treasury_txs WHERE payment_id = p.id
                             ORDER BY id DESC LIMIT 1) x
         WHERE p.purpose IN ('sweep', 'gas') AND (p.outcome IS NULL OR p.outcome = 'taken')
         ORDER BY p.id LIMIT 200",
    )
    .fetch_all(pool)
    .await?)
}

/// The account's next number, and why it pays nothing new.
pub(super) async fn account(
    conn: &mut PgConnection,
    address: &str,
    chain_id: i64,
) -> Result<(Option<i64>, Option<String>)> {
    let found: Option<(i64, Option<String>)> = sqlx::query_as(
        "SELECT next_nonce, paused_why FROM treasuries WHERE address = $1 AND chain_id = $2",
    )
    .bind(address)
    .bind(chain_id)
    .fetch_optional(conn)
    .await?;
    Ok(found.map_or((None, None), |(next, why)| (Some(next), why)))
}
