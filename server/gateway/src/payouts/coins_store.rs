use std::collections::BTreeMap;

use bitcoin::{OutPoint, ScriptBuf, Transaction, Txid};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use signing::{Branch, ChangeScript, Coin, Plan};
use sqlx::{PgConnection, PgPool};

use super::previous::without_witnesses;
use super::wallet::Wallet;
use crate::chain::Chain;
use crate::{Error, Result};

/// Coins looked at for one transaction, the largest first: more than its weight allows as inputs.
const COINS_MAX: i64 = 2_000;

type CoinRecord = (String, i32, Decimal, i16, i64, i64);

/// Our outputs that a new transaction may spend: in the chain, with the confirmations that make a
/// deposit final (one is enough for our own change), spent by nothing that is in a block or waits
/// for one, and planned with by nobody else.
pub(super) async fn available(
    pool: &PgPool,
    chain: &Chain,
    wallet: &Wallet,
    confirmations: u32,
) -> Result<Vec<Coin>> {
    let records: Vec<CoinRecord> = sqlx::query_as(
        "WITH tip AS (SELECT max(height) AS height FROM chain_blocks WHERE chain = $1 AND active)
         SELECT o.txid, o.vout, o.raw, a.branch, a.idx, tip.height - t.height + 1
         FROM tip, chain_outputs o
         JOIN chain_txs t ON t.chain = o.chain AND t.txid = o.txid AND t.status = 'confirmed'
         JOIN chain_addresses a ON a.id = o.address_id AND a.chain = o.chain
         WHERE o.chain = $1 AND o.raw > 0
           -- Change addresses are public: what others send there waits like any payment.
           AND tip.height - t.height + 1 >= CASE WHEN a.branch = 1 AND EXISTS (
                   SELECT FROM payout_txs m WHERE m.chain = o.chain AND m.txid = o.txid)
               THEN 1 ELSE $2 END
           AND NOT EXISTS (SELECT FROM payout_coins p WHERE p.chain = o.chain
                           AND p.prev_txid = o.txid AND p.prev_vout = o.vout)
           AND NOT EXISTS (SELECT FROM chain_spends s
                           JOIN chain_txs b ON b.chain = s.chain AND b.txid = s.txid
                           WHERE s.chain = o.chain AND s.prev_txid = o.txid AND s.prev_vout = o.vout
                             AND b.status IN ('mempool', 'confirmed'))
         ORDER BY o.raw DESC, o.txid, o.vout LIMIT $3",
    )
    .bind(chain.params.code)
    .bind(i64::from(confirmations.max(1)))
    .bind(COINS_MAX)
    .fetch_all(pool)
    .await?;
    records
        .into_iter()
        .map(|record| coin(record, wallet))
        .collect()
}

fn coin(record: CoinRecord, wallet: &Wallet) -> Result<Coin> {
    let (txid, vout, raw, branch, index, confirmations) = record;
    let branch = Branch::of(u32::try_from(branch)?)
        .ok_or_else(|| Error::Internal(format!("branch {branch}")))?;
    let index = u32::try_from(index)?;
    let txid: Txid = txid.parse().map_err(Error::internal)?;
    Ok(Coin {
        outpoint: OutPoint::new(txid, u32::try_from(vout)?),
        satoshi: raw
            .to_u64()
            .ok_or_else(|| Error::Internal(format!("an output of {raw} satoshi")))?,
        branch,
        index,
        script: wallet
            .account
            .script(branch, index)
            .map_err(Error::internal)?,
        confirmations: u32::try_from(confirmations)?,
    })
}

/// Where the next change goes. It is taken when a plan that uses it is stored, and not before: plans
/// that come to nothing leave no gaps.
pub(super) async fn next_change(
    pool: &PgPool,
    chain: &Chain,
    wallet: &Wallet,
) -> Result<ChangeScript> {
    let index: i64 = sqlx::query_scalar(
        "SELECT coalesce((SELECT min(idx) FROM payout_free_change WHERE chain = $1), next_change)
         FROM chain_accounts WHERE chain = $1",
    )
    .bind(chain.params.code)
    .fetch_one(pool)
    .await?;
    let index = u32::try_from(index)?;
    let script: ScriptBuf = wallet
        .account
        .script(Branch::Change, index)
        .map_err(Error::internal)?;
    Ok(ChangeScript { index, script })
}

/// Takes that place for good and has its address watched; false when somebody else was faster.
pub(super) async fn take_change(
    conn: &mut PgConnection,
    chain: &str,
    index: u32,
    address: &str,
    now: time::OffsetDateTime,
) -> Result<bool> {
    // Its address is watched already.
    let freed = sqlx::query("DELETE FROM payout_free_change WHERE chain = $1 AND idx = $2")
        .bind(chain)
        .bind(i64::from(index))
        .execute(&mut *conn)
        .await?
        .rows_affected();
    if freed > 0 {
        return Ok(true);
    }
    let taken = sqlx::query(
        "UPDATE chain_accounts SET next_change = next_change + 1
         WHERE chain = $1 AND next_change = $2",
    )
    .bind(chain)
    .bind(i64::from(index))
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if taken == 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO chain_addresses (chain, branch, idx, address, merchant_id, created_at)
         VALUES ($1, 1, $2, $3, NULL, $4)",
    )
    .bind(chain)
    .bind(i64::from(index))
    .bind(address)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(true)
}

/// A place for change that was taken by a plan which came to nothing is used before new ones.
pub(super) async fn free_change(conn: &mut PgConnection, chain: &str, index: u32) -> Result<()> {
    sqlx::query(
        "INSERT INTO payout_free_change (chain, idx) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(chain)
    .bind(i64::from(index))
    .execute(conn)
    .await?;
    Ok(())
}

/// Coins of a plan whose amounts a signer would have to believe, and does not: their transactions are not
/// among `previous`. A signature of segwit binds the amount of its own input, so a single one may be told.
pub(super) fn unproven(
    plan: &Plan,
    previous: &BTreeMap<Txid, Transaction>,
    wallet: &Wallet,
) -> Vec<OutPoint> {
    if plan.inputs.len() == 1 && wallet.account.kind().is_segwit() {
        return Vec::new();
    }
    let coins = plan.inputs.iter().map(|coin| coin.outpoint);
    coins
        .filter(|outpoint| !previous.contains_key(&outpoint.txid))
        .collect()
}

/// The transactions that made the coins of a plan, as far as the node has them.
pub(super) async fn previous(
    pool: &PgPool,
    chain: &Chain,
    wallet: &Wallet,
    plan: &Plan,
) -> Result<BTreeMap<Txid, Transaction>> {
    let mut found = BTreeMap::new();
    for coin in &plan.inputs {
        let txid = coin.outpoint.txid;
        if found.contains_key(&txid) {
            continue;
        }
        let name = txid.to_string();
        let block: Option<String> = sqlx::query_scalar(
            "SELECT block_hash FROM chain_txs WHERE chain = $1 AND txid = $2 AND status = 'confirmed'",
        )
        .bind(chain.params.code)
        .bind(&name)
        .fetch_optional(pool)
        .await?
        .flatten();
        let Some(block) = block else { continue };
        let raw = wallet.node.transaction(&name, &block).await?;
        let read = raw.as_deref().and_then(without_witnesses);
        found.extend(
            read.filter(|tx| tx.compute_txid() == txid)
                .map(|tx| (txid, tx)),
        );
    }
    Ok(found)
}
