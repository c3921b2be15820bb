mod store;

use domain::money::Currency;

use super::{Memory, Progress, recording};
use crate::chain::Chain;
use crate::chain::backend::{BlockRef, ChainBlock};
use crate::charges::receiving;
use crate::ledger::Unit;
use crate::{Error, Gateway, Result, deposits};

/// Blocks kept per chain: how deep a reorganisation may be.
const BLOCKS_KEPT: i64 = 2_000;
/// Old blocks are deleted at every so many heights.
const PRUNE_EVERY: i64 = 100;

/// Leaves the blocks the node has left and connects those it has; answers the common tip.
///
/// `None` when the node changed its mind meanwhile: call again.
pub(super) async fn follow(
    gateway: &Gateway,
    chain: &Chain,
    memory: &mut Memory,
    progress: &mut Progress,
) -> Result<Option<BlockRef>> {
    let mut ours = leave_stale(gateway, chain, memory, progress).await?;
    loop {
        let height = ours.as_ref().map_or(0, |tip| tip.height + 1);
        let Some(next) = chain.backend.block_at(height).await? else {
            return Ok(ours);
        };
        if ours.as_ref().is_some_and(|tip| tip.hash != next.prev_hash) {
            return Ok(None);
        }
        connect(gateway, chain, &next).await?;
        progress.connected += 1;
        ours = Some(next);
    }
}

/// Walks back to the last block the node and we agree on.
async fn leave_stale(
    gateway: &Gateway,
    chain: &Chain,
    memory: &mut Memory,
    progress: &mut Progress,
) -> Result<Option<BlockRef>> {
    let code = chain.params.code;
    while let Some(tip) = store::tip(gateway.pool(), code).await? {
        let theirs = chain.backend.block_at(tip.height).await?;
        if theirs.is_some_and(|block| block.hash == tip.hash) {
            return Ok(Some(tip));
        }
        // Receipts below the oldest block we know could not be put right.
        if !store::has_block_at(gateway.pool(), code, tip.height - 1).await? {
            return Err(Error::Internal(format!(
                "the {code} node disagrees with every block we know, down to height {}",
                tip.height
            )));
        }
        memory.reconciled = false;
        store::disconnect(gateway.pool(), code, &tip).await?;
        progress.disconnected += 1;
        tracing::warn!(
            chain = code,
            height = tip.height,
            hash = tip.hash,
            "block disconnected"
        );
    }
    Ok(None)
}

async fn connect(gateway: &Gateway, chain: &Chain, next: &BlockRef) -> Result<()> {
    let block = chain.backend.block(&next.hash).await?;
    let (owner, coin) = (gateway.clone(), chain.coin);
    gateway
        .book()
        .commit(move |unit| {
            Box::pin(async move { connect_block(&owner, unit, coin, &block).await })
        })
        .await
}

async fn connect_block(
    gateway: &Gateway,
    unit: &mut Unit,
    coin: Currency,
    block: &ChainBlock,
) -> Result<()> {
    let chain = gateway.chains().of(coin)?;
    let code = chain.params.code;
    let height = block.reference.height;
    store::insert_block(unit.conn(), code, &block.reference).await?;
    let outputs = recording::record(unit, chain, &block.txs, Some(&block.reference)).await?;
    // After the block's own transactions: what still waits and spends the same, has lost.
    let replaced = store::conflicts(unit.conn(), code, &block.txs).await?;
    super::store::mark_replaced(unit.conn(), code, &replaced).await?;
    let receipts = receiving::record_outputs(gateway, unit, &outputs).await?;
    let arrived = deposits::record_outputs(gateway, unit, &outputs).await?;
    receiving::settle(gateway, unit, coin, height, receipts).await?;
    deposits::settle(gateway, unit, coin, height, arrived).await?;
    if height % PRUNE_EVERY == 0 {
        store::prune_below(unit.conn(), code, height - BLOCKS_KEPT).await?;
    }
    Ok(())
}
