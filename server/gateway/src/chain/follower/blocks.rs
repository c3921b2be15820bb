mod store;

use domain::money::Currency;

use super::{Memory, Progress, looked_up, recording};
use crate::chain::backend::{BlockRef, ChainBlock};
use crate::chain::{Chain, store as accounts};
use crate::charges::receiving;
use crate::ledger::{Book, Unit};
use crate::{Error, Gateway, Result, deposits};

/// Blocks kept per chain: how deep a reorganisation may be.
const BLOCKS_KEPT: i64 = 2_000;
/// How far below the tip a chain begins that was never followed: a reorganisation of the very first
/// block we know could not be followed.
const BLOCKS_BEFORE_BIRTHDAY: i64 = 10;
/// Blocks below the next one that a node may be asked for.
const BLOCKS_READ_BELOW: i64 = 100;
/// Blocks to spare below which a pruned node is warned of: about a day of Bitcoin's.
const BLOCKS_OF_WARNING: i64 = 144;
/// Old blocks are deleted at every so many heights.
const PRUNE_EVERY: i64 = 100;

/// Leaves the blocks the node has left and connects those it has; answers the common tip.
///
/// `None` when the node changed its mind meanwhile, or there is more to read than one pass takes: call
/// again.
pub(super) async fn follow(
    gateway: &Gateway,
    chain: &Chain,
    memory: &mut Memory,
    progress: &mut Progress,
) -> Result<Option<BlockRef>> {
    let theirs = chain.backend.tip().await?;
    refuse_behind(gateway, chain, &theirs).await?;
    let mut ours = leave_stale(gateway, chain, memory, progress).await?;
    let begin = match &ours {
        Some(tip) => tip.height + 1,
        None => birthday(gateway, chain, &theirs).await?,
    };
    chain
        .health
        .saw(ours.as_ref().map(|tip| tip.height), &theirs);
    refuse_pruned(chain, begin, &theirs).await?;
    loop {
        // Others wait for the chain's lock.
        if progress.connected >= chain.node.blocks_per_pass() {
            return Ok(None);
        }
        let height = ours.as_ref().map_or(begin, |tip| tip.height + 1);
        let Some(next) = chain.backend.block_at(height).await? else {
            return Ok(ours);
        };
        if ours.as_ref().is_some_and(|tip| tip.hash != next.prev_hash) {
            return Ok(None);
        }
        // Also for a process that disconnected some and is gone.
        memory.reconciled = false;
        let book = gateway.book().for_blocks(memory.cuts);
        connect(gateway, &book, chain, &next).await?;
        progress.connected += 1;
        chain.health.saw(Some(next.height), &theirs);
        ours = Some(next);
    }
}

/// A node whose chain is the beginning of ours knows less than we do: it restarted from an old state
/// or reads its blocks again. Nothing was reorganised, so nothing is undone.
async fn refuse_behind(gateway: &Gateway, chain: &Chain, theirs: &BlockRef) -> Result<()> {
    let code = chain.params.code;
    let Some(ours) = looked_up(gateway, store::tip(gateway.pool(), code)).await? else {
        return Ok(());
    };
    if theirs.height >= ours.height {
        return Ok(());
    }
    let known = looked_up(gateway, store::hash_at(gateway.pool(), code, theirs.height)).await?;
    // `None`: it is below everything we keep.
    if known.is_some_and(|hash| hash != theirs.hash) {
        return Ok(());
    }
    chain.health.saw(Some(ours.height), theirs);
    Err(Error::Internal(format!(
        "the {code} node is behind: its best block has height {}, ours {}",
        theirs.height, ours.height
    )))
}

/// Where a chain begins that was never followed; decided once and stored.
async fn birthday(gateway: &Gateway, chain: &Chain, theirs: &BlockRef) -> Result<i64> {
    let first = (theirs.height - BLOCKS_BEFORE_BIRTHDAY).max(0);
    let code = chain.params.code;
    let begin = looked_up(gateway, accounts::birthday(gateway.pool(), code, first)).await?;
    if begin > theirs.height {
        return Err(Error::Internal(format!(
            "the {code} node's best block has height {}, but the chain's birthday is block {begin}",
            theirs.height
        )));
    }
    Ok(begin)
}

/// Says what is missing before a node without it is asked for it, and warns while there is time.
async fn refuse_pruned(chain: &Chain, begin: i64, theirs: &BlockRef) -> Result<()> {
    // At the tip nothing old is read, and most passes are there.
    if begin > theirs.height {
        return Ok(());
    }
    let Some(kept) = chain.node.oldest_kept().await? else {
        chain.health.warn(None);
        return Ok(());
    };
    let code = chain.params.code;
    if kept > begin {
        return Err(Error::Internal(format!(
            "the {code} node has deleted the blocks below {kept} (it is pruned), and block {begin} \
             is the next to read: connect a node that kept it"
        )));
    }
    // Rewards are looked up in the blocks below.
    let room = begin - BLOCKS_READ_BELOW - kept;
    let warning = (room < BLOCKS_OF_WARNING).then(|| {
        format!(
            "the node deletes old blocks (it is pruned) and has none below {kept}; {begin} is the \
             next to read"
        )
    });
    if let Some(warning) = &warning {
        tracing::warn!(chain = code, "{warning}");
    }
    chain.health.warn(warning);
    Ok(())
}

/// Walks back to the last block the node and we agree on.
async fn leave_stale(
    gateway: &Gateway,
    chain: &Chain,
    memory: &mut Memory,
    progress: &mut Progress,
) -> Result<Option<BlockRef>> {
    let code = chain.params.code;
    while let Some(tip) = looked_up(gateway, store::tip(gateway.pool(), code)).await? {
        let theirs = chain.backend.block_at(tip.height).await?;
        if theirs.is_some_and(|block| block.hash == tip.hash) {
            return Ok(Some(tip));
        }
        // Receipts below the oldest block we know could not be put right.
        let below = store::has_block_at(gateway.pool(), code, tip.height - 1);
        if !looked_up(gateway, below).await? {
            return Err(Error::Internal(format!(
                "the {code} node disagrees with every block we know, down to height {}",
                tip.height
            )));
        }
        memory.reconciled = false;
        // As much may hang on it as on connecting it.
        let limit = gateway.book().for_blocks(memory.cuts).patience().work;
        store::disconnect(gateway.pool(), code, &tip, limit).await?;
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

async fn connect(gateway: &Gateway, book: &Book, chain: &Chain, next: &BlockRef) -> Result<()> {
    let block = chain.backend.block(&next.hash).await?;
    let (owner, coin) = (gateway.clone(), chain.coin);
    book.commit(move |unit| {
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
    super::store::plan_for_any_number(unit.conn()).await?;
    store::insert_block(unit.conn(), code, &block.reference).await?;
    let outputs = recording::record(unit, chain, &block.txs, Some(&block.reference)).await?;
    // After the block's own transactions: what spends the same and is in no block, has lost.
    let replaced = store::conflicts(unit.conn(), code, &block.txs).await?;
    super::store::mark_replaced_in(unit.conn(), code, &replaced, height).await?;
    let receipts = receiving::record_outputs(gateway, unit, &outputs, true).await?;
    let arrived = deposits::record_outputs(gateway, unit, &outputs).await?;
    receiving::settle(gateway, unit, coin, height, receipts).await?;
    deposits::settle(gateway, unit, coin, height, arrived).await?;
    if height % PRUNE_EVERY == 0 {
        store::prune_below(unit.conn(), code, height - BLOCKS_KEPT).await?;
    }
    Ok(())
}
