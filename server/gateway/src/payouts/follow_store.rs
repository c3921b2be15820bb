//! What the chain tables say about the transactions of payouts.
//!
//! Whatever is asked after every block begins with payouts that are under way, or with transactions
//! that are not in the chain: both are few, however many there were.

use domain::money::Currency;
use sqlx::PgConnection;

use crate::Result;

/// Transactions of payouts that are deep enough in the chain, and are not those whose fee is booked.
pub(super) async fn deep(
    conn: &mut PgConnection,
    coin: Currency,
    tip_height: i64,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "WITH open AS (
             SELECT id FROM payouts WHERE chain = $1 AND confirmed_tx_id IS NULL
             UNION
             -- The one that was deep has left the chain: another may have taken its place.
             SELECT p.id FROM chain_txs t
             JOIN payout_txs x ON x.chain = t.chain AND x.txid = t.txid
             JOIN payouts p ON p.id = x.payout_id AND p.confirmed_tx_id = x.id
             WHERE t.chain = $1 AND t.status <> 'confirmed')
         SELECT x.id FROM open JOIN payouts p ON p.id = open.id
         JOIN payout_txs x ON x.payout_id = p.id
         JOIN chain_txs t ON t.chain = x.chain AND t.txid = x.txid AND t.status = 'confirmed'
         WHERE $2 - t.height + 1 >= p.confirmations_required
           AND p.confirmed_tx_id IS DISTINCT FROM x.id
         ORDER BY x.id",
    )
    .bind(coin.code.as_str())
    .bind(tip_height)
    .fetch_all(conn)
    .await?)
}

/// Payouts that the network has forgotten: none of their transactions is anywhere.
pub(super) async fn forgotten(conn: &mut PgConnection, coin: Currency) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT p.id FROM payouts p
         JOIN payout_txs x ON x.payout_id = p.id AND x.state = 'broadcast'
         LEFT JOIN chain_txs t ON t.chain = x.chain AND t.txid = x.txid
         WHERE p.chain = $1 AND p.confirmed_tx_id IS NULL AND p.ended_at IS NULL
           AND (coalesce(t.status, 'dropped') = 'dropped'
                OR (t.status = 'replaced'
                    AND t.replaced_by IN (SELECT y.txid FROM payout_txs y WHERE y.payout_id = p.id)))
           AND NOT EXISTS (SELECT FROM payout_txs y
                           JOIN chain_txs u ON u.chain = y.chain AND u.txid = y.txid
                           WHERE y.payout_id = p.id AND u.status IN ('mempool', 'confirmed'))
           AND NOT EXISTS (SELECT FROM withdrawals w WHERE w.payout_id = p.id
                           AND (w.state = 'void' OR w.ended_by IS NOT NULL))
         ORDER BY p.id",
    )
    .bind(coin.code.as_str())
    .fetch_all(conn)
    .await?)
}

/// Withdrawals whose payout lost its coins to a transaction that is not the payout's, and of which
/// nobody was told.
pub(super) async fn taken(conn: &mut PgConnection, coin: Currency) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT w.operation_id FROM payouts p
         JOIN withdrawals w ON w.payout_id = p.id AND w.state IN ('queued', 'built', 'broadcast')
         JOIN operations o ON o.id = w.operation_id AND NOT o.needs_attention
         WHERE p.chain = $1 AND p.confirmed_tx_id IS NULL AND p.ended_at IS NULL
           AND EXISTS (SELECT FROM payout_txs x
                       JOIN chain_txs t ON t.chain = x.chain AND t.txid = x.txid
                       WHERE x.payout_id = p.id AND t.status = 'replaced'
                         AND t.replaced_by NOT IN (SELECT y.txid FROM payout_txs y
                                                   WHERE y.payout_id = p.id))
           AND NOT EXISTS (SELECT FROM payout_txs y
                           JOIN chain_txs u ON u.chain = y.chain AND u.txid = y.txid
                           WHERE y.payout_id = p.id AND u.status IN ('mempool', 'confirmed'))
         ORDER BY w.operation_id",
    )
    .bind(coin.code.as_str())
    .fetch_all(conn)
    .await?)
}

/// Drafts that nobody can have signed, and of which a coin is gone: payout and transaction. Of those that
/// a person has downloaded, the coin has to be gone for good.
pub(super) async fn dead_drafts(
    conn: &mut PgConnection,
    coin: Currency,
    tip_height: i64,
    deep: i64,
) -> Result<Vec<(i64, i64)>> {
    Ok(sqlx::query_as(
        "SELECT x.payout_id, x.id FROM payout_txs x JOIN payouts p ON p.id = x.payout_id
         WHERE x.chain = $1 AND x.state = 'drafted' AND p.confirmed_tx_id IS NULL
           AND payout_tx_is_dead(x.id, $2, CASE WHEN x.downloaded_at IS NULL THEN 1
                                                ELSE greatest($3, p.confirmations_required) END)
         ORDER BY x.id",
    )
    .bind(coin.code.as_str())
    .bind(tip_height)
    .bind(deep)
    .fetch_all(conn)
    .await?)
}

/// Payouts whose withdrawals have all ended, and of which nothing that was signed, or may have been, can be
/// mined any more.
pub(super) async fn finished(
    conn: &mut PgConnection,
    coin: Currency,
    tip_height: i64,
    deep: i64,
) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT p.id FROM payouts p
         WHERE p.chain = $1 AND p.confirmed_tx_id IS NULL AND p.ended_at IS NULL
           AND NOT EXISTS (SELECT FROM withdrawals w WHERE w.payout_id = p.id
                           AND w.state IN ('pending', 'queued', 'built', 'broadcast'))
           AND NOT EXISTS (SELECT FROM payout_txs x WHERE x.payout_id = p.id
                           AND (x.raw IS NOT NULL OR x.downloaded_at IS NOT NULL)
                           AND NOT payout_tx_is_dead(x.id, $2, greatest($3, p.confirmations_required)))
         ORDER BY p.id",
    )
    .bind(coin.code.as_str())
    .bind(tip_height)
    .bind(deep)
    .fetch_all(conn)
    .await?)
}

/// Where a payout is on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// One of its transactions is in a block.
    InBlock,
    /// One of them waits for a block.
    Waiting,
    Nowhere,
}

pub(super) async fn standing(conn: &mut PgConnection, payout_id: i64) -> Result<Standing> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT t.status FROM payout_txs x
         JOIN chain_txs t ON t.chain = x.chain AND t.txid = x.txid WHERE x.payout_id = $1",
    )
    .bind(payout_id)
    .fetch_all(conn)
    .await?;
    let is = |word: &str| found.iter().any(|status| status == word);
    Ok(if is("confirmed") {
        Standing::InBlock
    } else if is("mempool") {
        Standing::Waiting
    } else {
        Standing::Nowhere
    })
}

/// The bytes of the transaction that was deep.
pub(super) async fn settled_bytes(
    conn: &mut PgConnection,
    payout_id: i64,
) -> Result<Option<Vec<u8>>> {
    let raw: Option<Option<Vec<u8>>> = sqlx::query_scalar(
        "SELECT x.raw FROM payouts p JOIN payout_txs x ON x.id = p.confirmed_tx_id WHERE p.id = $1",
    )
    .bind(payout_id)
    .fetch_optional(conn)
    .await?;
    Ok(raw.flatten())
}

/// Payouts whose transaction has waited for `blocks` blocks, and for which no other is being made.
pub(super) async fn overdue(conn: &mut PgConnection, chain: &str, blocks: u32) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT p.id FROM payouts p
         JOIN payout_txs x ON x.payout_id = p.id AND x.state = 'broadcast'
         JOIN chain_txs t ON t.chain = x.chain AND t.txid = x.txid AND t.status = 'mempool'
         WHERE p.chain = $1 AND p.confirmed_tx_id IS NULL AND p.ended_at IS NULL
           AND x.broadcast_height + $2
               <= (SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active)
           AND NOT EXISTS (SELECT FROM payout_txs d WHERE d.payout_id = p.id AND d.state = 'drafted')
         ORDER BY p.id",
    )
    .bind(chain)
    .bind(i64::from(blocks))
    .fetch_all(conn)
    .await?)
}

/// It is not looked at for as many blocks again.
pub(super) async fn wait_again(conn: &mut PgConnection, payout_id: i64) -> Result<()> {
    sqlx::query(
        "UPDATE payout_txs SET broadcast_height =
             (SELECT max(b.height) FROM chain_blocks b WHERE b.chain = payout_txs.chain AND b.active)
         WHERE payout_id = $1 AND state = 'broadcast'",
    )
    .bind(payout_id)
    .execute(conn)
    .await?;
    Ok(())
}
