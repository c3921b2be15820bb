//! Other ids of transactions of payouts.

use signing::Plan;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::row::TxRow;
use crate::Result;
use crate::chain::backend::ChainTx;

/// A transaction that spends a coin of a payout, and one that the payout planned.
pub(super) struct Candidate {
    pub(super) spender: String,
    pub(super) tx_id: i64,
    pub(super) plan: Plan,
}

/// What spends coins of payouts and is not known by its id.
pub(super) async fn candidates(
    conn: &mut PgConnection,
    chain: &str,
    txs: &[ChainTx],
) -> Result<Vec<Candidate>> {
    let (mut spenders, mut txids, mut vouts) = (Vec::new(), Vec::new(), Vec::new());
    for tx in txs {
        for input in &tx.inputs {
            spenders.push(tx.txid.as_str());
            txids.push(input.txid.as_str());
            vouts.push(input.vout);
        }
    }
    let rows: Vec<(String, i64, Json<Plan>)> = sqlx::query_as(
        "SELECT k.spender, x.id, x.plan FROM (
             SELECT DISTINCT i.spender, l.payout_id
             FROM unnest($2::text[], $3::text[], $4::int[]) AS i (spender, prev_txid, prev_vout)
             JOIN payout_coins l ON l.chain = $1 AND l.prev_txid = i.prev_txid
                                AND l.prev_vout = i.prev_vout) k
         JOIN payout_txs x ON x.payout_id = k.payout_id
         WHERE NOT EXISTS (SELECT FROM payout_txs y WHERE y.chain = $1 AND y.txid = k.spender)
         ORDER BY k.spender, x.id",
    )
    .bind(chain)
    .bind(spenders)
    .bind(txids)
    .bind(vouts)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(spender, tx_id, Json(plan))| Candidate {
            spender,
            tx_id,
            plan,
        })
        .collect())
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    chain: &str,
    txid: &str,
    tx_id: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO payout_other_ids (chain, txid, payout_tx_id) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(chain)
    .bind(txid)
    .bind(tx_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Transactions that the chain has under another id than they are called by: which, and that id.
pub(super) async fn changed(conn: &mut PgConnection, chain: &str) -> Result<Vec<(i64, String)>> {
    Ok(sqlx::query_as(
        "SELECT x.id, o.txid FROM payout_other_ids o
         JOIN chain_txs t ON t.chain = o.chain AND t.txid = o.txid
                         AND t.status IN ('mempool', 'confirmed')
         JOIN payout_txs x ON x.id = o.payout_tx_id AND x.txid <> o.txid
         LEFT JOIN chain_txs u ON u.chain = x.chain AND u.txid = x.txid
         WHERE o.chain = $1 AND coalesce(u.status, 'dropped') NOT IN ('mempool', 'confirmed')
         ORDER BY x.id, o.txid",
    )
    .bind(chain)
    .fetch_all(conn)
    .await?)
}

/// Calls a transaction, and the withdrawals it pays, by another id.
pub(super) async fn rename(conn: &mut PgConnection, tx: &TxRow, txid: &str) -> Result<()> {
    sqlx::query("UPDATE payout_txs SET txid = $2 WHERE id = $1")
        .bind(tx.id)
        .bind(txid)
        .execute(&mut *conn)
        .await?;
    sqlx::query("UPDATE withdrawals SET txid = $3 WHERE payout_id = $1 AND txid = $2")
        .bind(tx.payout_id)
        .bind(&tx.txid)
        .bind(txid)
        .execute(conn)
        .await?;
    Ok(())
}
