//! What the chain tables say about our own transactions.

use domain::money::Currency;
use sqlx::{PgConnection, Row};

use super::follow::Fate;
use crate::Result;

/// A withdrawal whose transaction has a new fate.
pub(super) struct OnChain {
    pub(super) operation_id: i64,
    pub(super) fate: Fate,
    pub(super) claim_id: Option<i64>,
}

pub(super) async fn changed_on_chain(
    conn: &mut PgConnection,
    coin: Currency,
    tip_height: i64,
) -> Result<Vec<OnChain>> {
    let rows = sqlx::query(
        "SELECT w.operation_id, t.status, w.claim_id FROM withdrawals w
         LEFT JOIN chain_txs t ON t.chain = $2 AND t.txid = w.txid
         JOIN operations o ON o.id = w.operation_id
         WHERE w.coin_id = $1 AND w.state IN ('built', 'broadcast')
           -- Payouts are followed by themselves: any of their transactions may pay.
           AND w.payout_id IS NULL
           AND NOT EXISTS (SELECT FROM treasury_payments p WHERE p.operation_id = w.operation_id
                           AND p.outcome IS DISTINCT FROM 'released')
           AND ((t.status = 'confirmed' AND $3 - t.height + 1 >= w.confirmations_required)
                -- Vanished, perhaps before it was ever seen: the same bytes again do no harm.
                OR (coalesce(t.status, 'dropped') = 'dropped' AND w.state = 'broadcast')
                OR (t.status = 'replaced' AND NOT o.needs_attention))
         UNION ALL
         -- Settled, and the chain has taken it back; or given it again.
         SELECT w.operation_id, CASE t.status WHEN 'confirmed' THEN 'back' ELSE 'lost' END, w.claim_id
         FROM chain_txs t
         JOIN withdrawals w ON w.coin_id = $1 AND w.txid = t.txid AND w.state = 'settled'
         JOIN operations o ON o.id = w.operation_id
         WHERE t.chain = $2 AND w.ended_by IS NULL
           AND ((t.status IN ('dropped', 'replaced') AND NOT o.needs_attention)
                OR (t.status = 'confirmed' AND o.needs_attention
                    AND $3 - t.height + 1 >= w.confirmations_required))
         UNION ALL
         -- Ended because another transaction had taken its coins, and in the chain after all.
         SELECT w.operation_id, 'twice', w.claim_id
         FROM chain_txs t
         JOIN withdrawals w ON w.coin_id = $1 AND w.ended_txid = t.txid
         JOIN operations o ON o.id = w.operation_id
         WHERE t.chain = $2 AND t.status = 'confirmed' AND NOT o.needs_attention
           -- Whoever ended it knew what this one did.
           AND NOT EXISTS (SELECT FROM treasury_payments p WHERE p.operation_id = w.operation_id
                           AND p.outcome = 'unclear')
         ORDER BY 1",
    )
    .bind(coin.id)
    .bind(coin.code.as_str())
    .bind(tip_height)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let status: Option<String> = row.try_get("status")?;
            Ok(OnChain {
                operation_id: row.try_get("operation_id")?,
                fate: match status.as_deref() {
                    Some("confirmed") => Fate::Deep,
                    Some("dropped") | None => Fate::Dropped,
                    Some("lost") => Fate::Lost,
                    Some("back") => Fate::Back,
                    Some("twice") => Fate::Twice,
                    Some(_) => Fate::Replaced,
                },
                claim_id: row.try_get("claim_id")?,
            })
        })
        .collect()
}

/// Those of the transactions that are withdrawals of ours.
pub(crate) async fn ours(
    conn: &mut PgConnection,
    coin: Currency,
    txids: &[&str],
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        // One look into the index for each, however many withdrawals there were.
        "SELECT t.txid FROM unnest($2::text[]) AS t (txid)
         CROSS JOIN LATERAL (
             SELECT 1 FROM withdrawals WHERE coin_id = $1 AND txid = t.txid LIMIT 1
         ) w
         UNION SELECT t.txid FROM unnest($2::text[]) AS t (txid)
         CROSS JOIN LATERAL (
             SELECT 1 FROM payout_txs WHERE chain = $3 AND txid = t.txid LIMIT 1
         ) p
         UNION SELECT t.txid FROM unnest($2::text[]) AS t (txid)
         CROSS JOIN LATERAL (
             SELECT 1 FROM payout_other_ids WHERE chain = $3 AND txid = t.txid LIMIT 1
         ) o
         -- Whatever coin it pays with: each chain of the network sees it. One that failed is told of under a
         -- name of its own, which begins with its id.
         UNION SELECT t.txid FROM unnest($2::text[]) AS t (txid)
         CROSS JOIN LATERAL (
             SELECT 1 FROM treasury_txs WHERE txid = split_part(t.txid, ':', 1) LIMIT 1
         ) n",
    )
    .bind(coin.id)
    .bind(txids)
    .bind(coin.code.as_str())
    .fetch_all(conn)
    .await?)
}

/// Whether it was settled and its transaction has left the chain since.
pub(super) async fn is_lost(conn: &mut PgConnection, operation_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM withdrawals w JOIN operations o ON o.id = w.operation_id
                        WHERE w.operation_id = $1 AND w.state = 'settled' AND w.ended_by IS NULL
                          AND (w.raw IS NOT NULL OR w.payout_id IS NOT NULL)
                          AND o.needs_attention)",
    )
    .bind(operation_id)
    .fetch_one(conn)
    .await?)
}

/// Where the transaction of a withdrawal stands.
pub(super) struct Standing {
    /// It waits for a block, or is in one.
    pub(super) alive: bool,
    /// The transaction that took its coins, where it is known.
    pub(super) replaced_by: Option<String>,
    /// Blocks from that of the other transaction to the tip, both counted; 0 while it is in none.
    pub(super) depth: i64,
    /// Some transaction that pays it can still be mined: signed, or with somebody who may sign it, and
    /// neither its coins nor its number are gone for good.
    pub(super) may_be_mined: bool,
    /// What its payment with a number came to, deep in the chain: `failed`, `unclear` or `taken`.
    pub(super) outcome: Option<String>,
    /// Of an unclear one, base units in digits: what left the account, and what the receiver got.
    pub(super) moved: Option<(String, String)>,
}

/// `deep` is how many blocks make an end final.
pub(super) async fn standing(
    conn: &mut PgConnection,
    operation_id: i64,
    deep: i64,
) -> Result<Standing> {
    let row = sqlx::query(
        "SELECT t.status, coalesce(f.txid, t.replaced_by) AS replaced_by,
             coalesce(tip.height - coalesce(f.height, t.replaced_height) + 1, 0) AS depth,
             EXISTS (SELECT FROM payout_txs x
                     JOIN chain_txs u ON u.chain = x.chain AND u.txid = x.txid
                     WHERE x.payout_id = w.payout_id AND u.status IN ('mempool', 'confirmed'))
                 AS other_alive,
             EXISTS (SELECT FROM payout_txs x
                     WHERE x.payout_id = w.payout_id
                       AND (x.raw IS NOT NULL OR x.downloaded_at IS NOT NULL)
                       AND NOT payout_tx_is_dead(x.id, tip.height, $2))
                 OR (p.id IS NOT NULL AND (p.outcome IS NULL OR n.is_open)) AS may_be_mined,
             CASE WHEN NOT n.is_open THEN p.outcome END AS outcome,
             m.moved::text AS moved, m.arrived::text AS arrived
         FROM withdrawals w
         JOIN currencies c ON c.id = w.coin_id
         LEFT JOIN treasury_payments p ON p.operation_id = w.operation_id
             AND p.outcome IS DISTINCT FROM 'released'
         CROSS JOIN LATERAL (SELECT coalesce(max(height), 0) AS height FROM chain_blocks
                             WHERE chain = c.code AND active) tip
         -- What failed is over once its block is as deep as any end has to be, and still in the chain.
         LEFT JOIN treasury_txs m ON m.id = p.confirmed_tx_id
         LEFT JOIN chain_blocks b ON b.chain = p.chain AND b.height = m.height AND b.active
         CROSS JOIN LATERAL (SELECT coalesce(p.outcome IN ('failed', 'unclear') AND (
             m.height + $2 - 1 > tip.height OR b.hash <> m.block_hash), false) AS is_open) n
         LEFT JOIN chain_txs t ON t.chain = c.code AND t.txid = w.txid
         -- What took a coin of its payout, in the oldest block: the payout's own may never have been seen.
         LEFT JOIN LATERAL (
             SELECT s.txid, u.height FROM payout_coins l
             JOIN chain_spends s ON s.chain = l.chain AND s.prev_txid = l.prev_txid
                                AND s.prev_vout = l.prev_vout
             JOIN chain_txs u ON u.chain = s.chain AND u.txid = s.txid AND u.status = 'confirmed'
             WHERE l.payout_id = w.payout_id
               AND NOT EXISTS (SELECT FROM payout_txs x
                               WHERE x.payout_id = w.payout_id AND x.txid = s.txid)
             ORDER BY u.height, s.txid LIMIT 1) f ON true
         WHERE w.operation_id = $1",
    )
    .bind(operation_id)
    .bind(deep)
    .fetch_one(conn)
    .await?;
    let status: Option<String> = row.try_get("status")?;
    Ok(Standing {
        alive: matches!(status.as_deref(), Some("mempool" | "confirmed"))
            || row.try_get("other_alive")?,
        replaced_by: row.try_get("replaced_by")?,
        depth: row.try_get("depth")?,
        may_be_mined: row.try_get("may_be_mined")?,
        outcome: row.try_get("outcome")?,
        moved: row
            .try_get::<Option<String>, _>("moved")?
            .zip(row.try_get("arrived")?),
    })
}
