use std::time::Duration;

use sqlx::{PgConnection, PgPool};

use crate::Result;
use crate::chain::backend::{BlockRef, ChainTx, OutPoint};
use crate::ledger::within;

pub(super) async fn tip(pool: &PgPool, chain: &str) -> Result<Option<BlockRef>> {
    let row: Option<(String, i64, String)> = sqlx::query_as(
        "SELECT hash, height, prev_hash FROM chain_blocks WHERE chain = $1 AND active
         ORDER BY height DESC LIMIT 1",
    )
    .bind(chain)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(hash, height, prev_hash)| BlockRef {
        hash,
        height,
        prev_hash,
    }))
}

pub(super) async fn hash_at(pool: &PgPool, chain: &str, height: i64) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT hash FROM chain_blocks WHERE chain = $1 AND active AND height = $2",
    )
    .bind(chain)
    .bind(height)
    .fetch_optional(pool)
    .await?)
}

pub(super) async fn has_block_at(pool: &PgPool, chain: &str, height: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM chain_blocks WHERE chain = $1 AND active AND height = $2)",
    )
    .bind(chain)
    .bind(height)
    .fetch_one(pool)
    .await?)
}

/// A block is connected; it may have been before.
pub(super) async fn insert_block(
    conn: &mut PgConnection,
    chain: &str,
    block: &BlockRef,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO chain_blocks (chain, hash, height, prev_hash, active)
         VALUES ($1, $2, $3, $4, true)
         ON CONFLICT (chain, hash) DO UPDATE SET active = true",
    )
    .bind(chain)
    .bind(&block.hash)
    .bind(block.height)
    .bind(&block.prev_hash)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a block off; its transactions wait again. May be done again when nobody answered.
///
/// # Errors
/// The database's; that of a lost connection when it takes longer than `limit`.
pub(super) async fn disconnect(
    pool: &PgPool,
    chain: &str,
    block: &BlockRef,
    limit: Duration,
) -> Result<()> {
    within(limit, take_off(pool, chain, block)).await
}

async fn take_off(pool: &PgPool, chain: &str, block: &BlockRef) -> Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE chain_blocks SET active = false WHERE chain = $1 AND hash = $2")
        .bind(chain)
        .bind(&block.hash)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "UPDATE chain_txs SET status = 'mempool', block_hash = NULL, height = NULL
         WHERE chain = $1 AND height = $2 AND status = 'confirmed'",
    )
    .bind(chain)
    .bind(block.height)
    .execute(&mut *tx)
    .await?;
    // What was lost to it is lost to no block for now.
    sqlx::query(
        "UPDATE chain_txs SET replaced_height = NULL WHERE chain = $1 AND replaced_height = $2",
    )
    .bind(chain)
    .bind(block.height)
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}

pub(super) async fn prune_below(conn: &mut PgConnection, chain: &str, height: i64) -> Result<()> {
    sqlx::query("DELETE FROM chain_blocks WHERE chain = $1 AND height < $2")
        .bind(chain)
        .bind(height)
        .execute(conn)
        .await?;
    Ok(())
}

/// Transactions of ours outside the chain that spend what one of `txs` spends: `(ours, theirs)`.
///
/// `OFFSET 0` keeps Postgres from reading all that was ever spent instead of what each input names: a
/// block must not cost more the longer the chain was followed.
pub(super) async fn conflicts(
    conn: &mut PgConnection,
    chain: &str,
    txs: &[ChainTx],
) -> Result<Vec<(String, String)>> {
    let spends: Vec<(&ChainTx, &OutPoint)> = txs
        .iter()
        .flat_map(|tx| tx.inputs.iter().map(move |input| (tx, input)))
        .collect();
    if spends.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_as(
        "SELECT DISTINCT ON (o.txid) o.txid, i.spender
         FROM unnest($2::text[], $3::int[], $4::text[]) AS i (prev_txid, prev_vout, spender)
         CROSS JOIN LATERAL (
             SELECT s.txid FROM chain_spends s
             JOIN chain_txs t ON t.chain = s.chain AND t.txid = s.txid AND t.status <> 'confirmed'
             WHERE s.chain = $1 AND s.prev_txid = i.prev_txid AND s.prev_vout = i.prev_vout
               AND s.txid <> i.spender
             OFFSET 0
         ) o
         ORDER BY o.txid, i.spender",
    )
    .bind(chain)
    .bind(
        spends
            .iter()
            .map(|(_, input)| input.txid.as_str())
            .collect::<Vec<&str>>(),
    )
    .bind(
        spends
            .iter()
            .map(|(_, input)| input.vout)
            .collect::<Vec<i32>>(),
    )
    .bind(
        spends
            .iter()
            .map(|(tx, _)| tx.txid.as_str())
            .collect::<Vec<&str>>(),
    )
    .fetch_all(conn)
    .await?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::ledger::is_silence;

    /// Somebody else's lock on the row stands for a database that says nothing.
    #[sqlx::test(migrations = "../../migrations")]
    async fn a_block_that_cannot_be_taken_off_does_not_hold_the_chain(pool: PgPool) {
        let block = BlockRef {
            hash: "01".repeat(32),
            height: 7,
            prev_hash: "00".repeat(32),
        };
        let mut other = pool.begin().await.unwrap();
        insert_block(&mut other, "BTC", &block).await.unwrap();
        other.commit().await.unwrap();
        let mut other = pool.begin().await.unwrap();
        sqlx::query("SELECT FROM chain_blocks WHERE chain = 'BTC' AND height = 7 FOR UPDATE")
            .execute(&mut *other)
            .await
            .unwrap();
        let asked = disconnect(&pool, "BTC", &block, Duration::from_millis(200));
        let refused = timeout(Duration::from_secs(60), asked).await.unwrap();
        assert!(is_silence(&refused.unwrap_err()));
        assert_eq!(tip(&pool, "BTC").await.unwrap(), Some(block.clone()));
        other.rollback().await.unwrap();
        let limit = Duration::from_secs(60);
        disconnect(&pool, "BTC", &block, limit).await.unwrap();
        assert_eq!(tip(&pool, "BTC").await.unwrap(), None);
    }
}
