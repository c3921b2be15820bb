use sqlx::{PgConnection, PgPool};

use crate::Result;
use crate::chain::backend::OutPoint;

pub(super) async fn mark_dropped(
    conn: &mut PgConnection,
    chain: &str,
    txids: &[String],
) -> Result<()> {
    if txids.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE chain_txs SET status = 'dropped'
         WHERE chain = $1 AND txid = ANY($2) AND status = 'mempool'",
    )
    .bind(chain)
    .bind(txids)
    .execute(conn)
    .await?;
    Ok(())
}

/// Transactions of ours that wait to get into a block.
pub(super) async fn unconfirmed(pool: &PgPool, chain: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT txid FROM chain_txs
         WHERE chain = $1 AND height IS NULL AND status = 'mempool' ORDER BY txid",
    )
    .bind(chain)
    .fetch_all(pool)
    .await?)
}

/// What the transactions spend: `(txid, input)`.
pub(super) async fn spends(
    pool: &PgPool,
    chain: &str,
    txids: &[String],
) -> Result<Vec<(String, OutPoint)>> {
    let rows: Vec<(String, String, i32)> = sqlx::query_as(
        "SELECT txid, prev_txid, prev_vout FROM chain_spends
         WHERE chain = $1 AND txid = ANY($2)",
    )
    .bind(chain)
    .bind(txids)
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(txid, prev, vout)| (txid, OutPoint { txid: prev, vout }))
        .collect())
}
