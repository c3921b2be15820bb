//! What is still to be found out about payments, and what the chain tables say about it.
//!
//! Whatever is asked after every block begins with payments that are not decided: they are few.

use domain::money::Currency;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Result;
use crate::chain::evm::{Did, Mined};

/// A payment of which the chain may have news.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Open {
    pub(super) id: i64,
    pub(super) operation_id: Option<i64>,
    pub(super) chain_id: i64,
    pub(super) address: String,
    pub(super) nonce: i64,
    pub(super) confirmations_required: i32,
    pub(super) confirmed_tx_id: Option<i64>,
    pub(super) outcome: Option<String>,
    /// Where the transaction was found whose cost is booked.
    pub(super) confirmed_block: Option<String>,
    /// It was paid, and is in no block any more.
    pub(super) lost: bool,
}

/// Payments that are not decided, and those whose transaction has left the chain since. Only of what was
/// signed: a person who signs outside and brings nothing back uses the number, which is found out as well.
pub(super) async fn open(conn: &mut PgConnection, coin: Currency) -> Result<Vec<Open>> {
    Ok(sqlx::query_as(
        "SELECT p.id, p.operation_id, p.chain_id, p.address, p.nonce, p.confirmations_required,
             p.confirmed_tx_id, p.outcome, NULL::text AS confirmed_block, p.lost
         FROM treasury_payments p
         WHERE p.chain = $1 AND p.confirmed_tx_id IS NULL AND p.outcome IS DISTINCT FROM 'released'
         UNION
         -- What failed has a name of its own in the tables: one that paid and has it now is news as well.
         SELECT p.id, p.operation_id, p.chain_id, p.address, p.nonce, p.confirmations_required,
             p.confirmed_tx_id, p.outcome, x.block_hash, p.lost
         FROM treasury_payments p
         JOIN treasury_txs x ON x.id = p.confirmed_tx_id
         JOIN chain_txs t ON t.chain = p.chain AND t.txid IN (x.txid, x.txid || ':failed')
         WHERE p.chain = $1 AND t.status <> 'confirmed'
           AND NOT EXISTS (SELECT FROM chain_txs u WHERE u.chain = p.chain
                           AND u.txid IN (x.txid, x.txid || ':failed') AND u.status = 'confirmed'
                           AND (p.outcome <> 'paid' OR u.txid = x.txid))
         UNION
         -- What did not pay, and has another block in the place of its own; what was lost.
         SELECT p.id, p.operation_id, p.chain_id, p.address, p.nonce, p.confirmations_required,
             p.confirmed_tx_id, p.outcome, x.block_hash, p.lost
         FROM treasury_payments p
         JOIN treasury_txs x ON x.id = p.confirmed_tx_id
         JOIN chain_blocks b ON b.chain = p.chain AND b.height = x.height AND b.active
         WHERE p.chain = $1 AND p.outcome IN ('failed', 'unclear') AND b.hash <> x.block_hash
         UNION
         SELECT p.id, p.operation_id, p.chain_id, p.address, p.nonce, p.confirmations_required,
             p.confirmed_tx_id, p.outcome, x.block_hash, p.lost
         FROM treasury_payments p
         JOIN treasury_txs x ON x.id = p.confirmed_tx_id
         WHERE p.chain = $1 AND p.lost
         UNION
         -- What paid in a block that was taken off, wherever it is now: blocks taken off are few.
         SELECT p.id, p.operation_id, p.chain_id, p.address, p.nonce, p.confirmations_required,
             p.confirmed_tx_id, p.outcome, x.block_hash, p.lost
         FROM chain_blocks b
         JOIN treasury_txs x ON x.block_hash = b.hash
         JOIN treasury_payments p ON p.confirmed_tx_id = x.id
         WHERE b.chain = $1 AND NOT b.active AND p.chain = $1 AND p.outcome = 'paid'
         ORDER BY nonce",
    )
    .bind(coin.code.as_str())
    .fetch_all(conn)
    .await?)
}

/// Whether a block is one of ours.
pub(super) async fn is_active(
    conn: &mut PgConnection,
    chain: &str,
    hash: &str,
    height: i64,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM chain_blocks
                        WHERE chain = $1 AND hash = $2 AND height = $3 AND active)",
    )
    .bind(chain)
    .bind(hash)
    .bind(height)
    .fetch_one(conn)
    .await?)
}

/// Hash of our block at a height.
pub(super) async fn block_at(
    conn: &mut PgConnection,
    chain: &str,
    height: i64,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT hash FROM chain_blocks WHERE chain = $1 AND height = $2 AND active",
    )
    .bind(chain)
    .bind(height)
    .fetch_optional(conn)
    .await?)
}

/// Hash of our block that has `depth` blocks up to the tip, itself included.
pub(super) async fn deep_block(
    conn: &mut PgConnection,
    chain: &str,
    depth: i64,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT hash FROM chain_blocks WHERE chain = $1 AND active
           AND height = (SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active) - $2 + 1",
    )
    .bind(chain)
    .bind(depth)
    .fetch_optional(conn)
    .await?)
}

/// Account and number that a withdrawal has now. What it had and gave back is somebody else's.
pub(super) async fn number_of(
    conn: &mut PgConnection,
    operation_id: i64,
) -> Result<Option<(String, i64)>> {
    Ok(sqlx::query_as(
        "SELECT address, nonce FROM treasury_payments
         WHERE operation_id = $1 AND outcome IS DISTINCT FROM 'released'",
    )
    .bind(operation_id)
    .fetch_optional(conn)
    .await?)
}

/// Whether a payment failed, or moved something else, in a block that has given its place to another.
pub(super) async fn is_undone(conn: &mut PgConnection, payment_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM treasury_payments p
             JOIN treasury_txs x ON x.id = p.confirmed_tx_id
             JOIN chain_blocks b ON b.chain = p.chain AND b.height = x.height AND b.active
             WHERE p.id = $1 AND p.outcome IN ('failed', 'unclear') AND b.hash <> x.block_hash)",
    )
    .bind(payment_id)
    .fetch_one(conn)
    .await?)
}

/// Notes what a transaction's block says.
pub(super) async fn mined(conn: &mut PgConnection, id: i64, mined: &Mined) -> Result<()> {
    let otherwise = match mined.did {
        Did::Otherwise { moved, arrived } => Some((moved, arrived)),
        Did::Paid | Did::Nothing => None,
    };
    sqlx::query(
        "UPDATE treasury_txs SET block_hash = $2, height = $3, succeeded = $4,
             cost = $5::text::numeric, moved = $6::text::numeric, arrived = $7::text::numeric
         WHERE id = $1 AND (block_hash IS DISTINCT FROM $2 OR succeeded IS DISTINCT FROM $4)",
    )
    .bind(id)
    .bind(&mined.block_hash)
    .bind(mined.height)
    .bind(mined.did == Did::Paid)
    .bind(mined.cost.to_string())
    .bind(otherwise.map(|(moved, _)| moved.to_string()))
    .bind(otherwise.map(|(_, arrived)| arrived.to_string()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Where a transaction was found; `None` while it is in no block.
pub(super) async fn block_of(conn: &mut PgConnection, id: i64) -> Result<Option<String>> {
    let hash: Option<Option<String>> =
        sqlx::query_scalar("SELECT block_hash FROM treasury_txs WHERE id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?;
    Ok(hash.flatten())
}

/// Whether the tables have a transaction of the payment in a block that counts.
pub(super) async fn is_in_our_chain(conn: &mut PgConnection, payment_id: i64) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM treasury_txs x
             JOIN treasury_payments p ON p.id = x.payment_id
             JOIN chain_txs t ON t.chain = p.chain AND t.txid IN (x.txid, x.txid || ':failed')
             WHERE x.payment_id = $1 AND t.status = 'confirmed')",
    )
    .bind(payment_id)
    .fetch_one(conn)
    .await?)
}

/// What was paid is in no block any more.
pub(super) async fn lost(conn: &mut PgConnection, payment_id: i64) -> Result<()> {
    sqlx::query("UPDATE treasury_payments SET lost = true WHERE id = $1 AND outcome = 'paid'")
        .bind(payment_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// It is in the block again in which it was.
pub(super) async fn found_again(conn: &mut PgConnection, payment_id: i64) -> Result<()> {
    sqlx::query("UPDATE treasury_payments SET lost = false WHERE id = $1")
        .bind(payment_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Wei that a transaction was found to cost, as the books have it.
pub(super) async fn cost(conn: &mut PgConnection, id: i64) -> Result<Option<u128>> {
    let text: Option<Option<String>> =
        sqlx::query_scalar("SELECT cost::text FROM treasury_txs WHERE id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?;
    text.flatten()
        .map(|text| text.parse().map_err(crate::Error::internal))
        .transpose()
}

/// Whether the network has forgotten what was sent for a payment: it waits nowhere, and is in no block.
/// Not asked again before `sent_before`: a node that shows nothing of its pool would be sent it all the time.
pub(super) async fn is_forgotten(
    conn: &mut PgConnection,
    payment_id: i64,
    sent_before: OffsetDateTime,
) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (
             SELECT FROM treasury_txs x
             JOIN treasury_payments p ON p.id = x.payment_id
             LEFT JOIN withdrawals w ON w.operation_id = p.operation_id
             LEFT JOIN chain_txs t ON t.chain = p.chain AND t.txid = x.txid
             WHERE p.id = $1 AND x.state = 'broadcast' AND p.outcome IS NULL
               AND w.state IS DISTINCT FROM 'void' AND w.ended_by IS NULL AND x.broadcast_at < $2
               AND coalesce(t.status, 'dropped') IN ('dropped', 'replaced')
               AND NOT EXISTS (SELECT FROM treasury_txs y
                               JOIN chain_txs u ON u.chain = p.chain
                                   AND u.txid IN (y.txid, y.txid || ':failed')
                               WHERE y.payment_id = p.id AND u.status IN ('mempool', 'confirmed')))",
    )
    .bind(payment_id)
    .bind(sent_before)
    .fetch_one(conn)
    .await?)
}

/// Payments whose transaction has waited for `blocks` blocks, for which no other is being made, and before
/// which no other of the account waits.
pub(super) async fn overdue(conn: &mut PgConnection, chain: &str, blocks: u32) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(
        "SELECT p.id FROM treasury_payments p
         JOIN treasury_txs x ON x.payment_id = p.id AND x.state = 'broadcast'
         WHERE p.chain = $1 AND p.confirmed_tx_id IS NULL AND p.outcome IS NULL
           AND x.broadcast_height + $2
               <= (SELECT max(height) FROM chain_blocks WHERE chain = $1 AND active)
           AND NOT EXISTS (SELECT FROM treasury_txs d WHERE d.payment_id = p.id
                           AND (d.state = 'drafted' OR d.height IS NOT NULL))
           AND NOT EXISTS (SELECT FROM treasury_payments q
                           WHERE q.chain_id = p.chain_id AND q.address = p.address
                             AND q.nonce < p.nonce AND q.outcome IS NULL
                             AND NOT EXISTS (SELECT FROM treasury_txs m WHERE m.payment_id = q.id
                                             AND m.height IS NOT NULL))
         ORDER BY p.nonce",
    )
    .bind(chain)
    .bind(i64::from(blocks))
    .fetch_all(conn)
    .await?)
}

/// It is not looked at for as many blocks again.
pub(super) async fn wait_again(conn: &mut PgConnection, payment_id: i64) -> Result<()> {
    sqlx::query(
        "UPDATE treasury_txs x SET broadcast_height =
             (SELECT max(b.height) FROM chain_blocks b
              JOIN treasury_payments p ON p.id = $1 AND b.chain = p.chain WHERE b.active)
         WHERE x.payment_id = $1 AND x.state = 'broadcast'",
    )
    .bind(payment_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Its block is not in the chain any more: it waits again.
pub(super) async fn unmined(
    conn: &mut PgConnection,
    payment_id: i64,
    now: OffsetDateTime,
) -> Result<()> {
    sqlx::query(
        "UPDATE treasury_txs SET block_hash = NULL, height = NULL, succeeded = NULL, cost = NULL,
             moved = NULL, arrived = NULL,
             next_attempt_at = CASE state WHEN 'signed' THEN $2 ELSE next_attempt_at END
         WHERE payment_id = $1 AND height IS NOT NULL AND state <> 'confirmed'",
    )
    .bind(payment_id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}
