//! The chain of test mode: blocks and a mempool in tables, moved by hand.
//!
//! Invariants: nothing happens unless a control is called; each control is one SQL transaction that
//! holds the chain's row, so readers see all of it or nothing; hashes and ids follow from the
//! instance's seed and a counter and are never used twice.

mod edit;
mod ids;
mod payer;
mod store;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;

use self::edit::Edit;
use self::ids::Ids;
use super::address::CoinParams;
use super::backend::{BlockRef, ChainBackend, ChainBlock, ChainTx, Holdings, OutPoint};
use crate::{Error, Result};

/// Most blocks one call mines.
pub const MINE_BLOCKS_MAX: u32 = 1_000;
/// Most blocks one call replaces: fewer than the follower remembers.
pub const REORG_DEPTH_MAX: u32 = 1_000;
/// Where a double spend goes. Not an address, so never one of ours.
pub const ELSEWHERE: &str = "elsewhere";

/// One simulated chain. Other processes on the same database see the same one.
pub struct SimChain {
    pool: PgPool,
    code: &'static str,
    /// Draws ids from counter 0 on; each control continues where the last one stopped.
    ids: Ids,
}

impl SimChain {
    /// Makes the chain with its first block, at height 0, unless it exists.
    ///
    /// `secret` is 32 bytes of this instance and chain; equal ones give equal ids.
    pub async fn open(pool: PgPool, params: &'static CoinParams, secret: [u8; 32]) -> Result<Self> {
        let chain = Self {
            pool,
            code: params.code,
            ids: Ids::new(params.family(), secret),
        };
        store::insert_chain(&chain.pool, chain.code).await?;
        let mut edit = chain.begin().await?;
        if store::tip(&mut *edit.tx, chain.code).await?.is_none() {
            let hash = edit.ids.draw();
            let genesis = BlockRef {
                hash,
                height: 0,
                prev_hash: edit.ids.none(),
            };
            store::insert_blocks(&mut edit.tx, chain.code, &[genesis]).await?;
        }
        edit.finish().await?;
        Ok(chain)
    }

    /// Broadcasts a payment of `raw` base units; answers its id.
    pub async fn pay(&self, address: &str, raw: u128) -> Result<String> {
        let mut edit = self.begin().await?;
        let funds = OutPoint {
            txid: edit.ids.draw(),
            vout: 0,
        };
        let txid = edit.broadcast(vec![funds], address, raw).await?;
        edit.finish().await?;
        Ok(txid)
    }

    /// Announces a transaction again. The network knows it already, so nothing changes.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `txid` when there is no such transaction.
    pub async fn pay_again(&self, txid: &str) -> Result<String> {
        if self.knows(txid).await? {
            Ok(txid.to_owned())
        } else {
            Err(unknown("txid"))
        }
    }

    /// Mines `blocks`, 1 to [`MINE_BLOCKS_MAX`]; the whole mempool goes into the first.
    ///
    /// Answers their hashes, oldest first.
    pub async fn mine(&self, blocks: u32) -> Result<Vec<String>> {
        if !(1..=MINE_BLOCKS_MAX).contains(&blocks) {
            let range = format!("must be a whole number from 1 to {MINE_BLOCKS_MAX}");
            return Err(Error::invalid("blocks", range));
        }
        let mut edit = self.begin().await?;
        let tip = edit.tip().await?;
        let hashes = edit.extend(tip, blocks).await?;
        if let Some(first) = hashes.first() {
            store::confirm_mempool(&mut edit.tx, self.code, first).await?;
        }
        edit.finish().await?;
        Ok(hashes)
    }

    /// Replaces an unconfirmed transaction by one with the same inputs; answers the new id.
    ///
    /// Without an address the new one pays [`ELSEWHERE`]; without an amount, as much as the old
    /// one.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `txid` when it is unknown, in a block, or gone.
    pub async fn replace(
        &self,
        txid: &str,
        address: Option<&str>,
        raw: Option<u128>,
    ) -> Result<String> {
        let mut edit = self.begin().await?;
        let old = edit.unconfirmed(txid).await?;
        let paid: u128 = old.outputs.iter().map(|output| output.raw).sum();
        store::forget(&mut edit.tx, self.code, &[txid.to_owned()]).await?;
        let new = edit
            .broadcast(
                old.inputs,
                address.unwrap_or(ELSEWHERE),
                raw.unwrap_or(paid),
            )
            .await?;
        edit.finish().await?;
        Ok(new)
    }

    /// Replaces the last `depth` blocks by `depth + 1` new ones; answers the new height.
    ///
    /// Transactions of the replaced blocks go into the first new one, except those in `drop`: they
    /// never come back. `drop` may also name transactions of the mempool.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `depth` when there are not so many blocks, on `drop` when it names a
    /// transaction that is unknown or deeper.
    pub async fn reorg(&self, depth: u32, drop: &[String]) -> Result<i64> {
        let mut edit = self.begin().await?;
        let tip = edit.tip().await?;
        let deepest = tip.height.min(i64::from(REORG_DEPTH_MAX));
        if !(1..=deepest).contains(&i64::from(depth)) {
            return Err(Error::invalid(
                "depth",
                match deepest {
                    0 => "must be the number of blocks to replace, and there are none".to_owned(),
                    deepest => format!("must be a whole number from 1 to {deepest}"),
                },
            ));
        }
        let fork = store::block_at(&mut *edit.tx, self.code, tip.height - i64::from(depth))
            .await?
            .ok_or_else(broken)?;
        let replaced = store::deactivate_above(&mut edit.tx, self.code, fork.height).await?;
        edit.check_droppable(drop, &replaced).await?;
        store::forget(&mut edit.tx, self.code, drop).await?;
        let height = fork.height + i64::from(depth) + 1;
        let hashes = edit.extend(fork, depth + 1).await?;
        if let Some(first) = hashes.first() {
            store::move_txs(&mut edit.tx, self.code, &replaced, first).await?;
        }
        edit.finish().await?;
        Ok(height)
    }

    /// Lets an unconfirmed transaction vanish for ever.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `txid` when it is unknown, in a block, or gone.
    pub async fn drop_tx(&self, txid: &str) -> Result<()> {
        let mut edit = self.begin().await?;
        edit.unconfirmed(txid).await?;
        store::forget(&mut edit.tx, self.code, &[txid.to_owned()]).await?;
        edit.finish().await
    }

    /// Whether there ever was such a transaction.
    pub async fn knows(&self, txid: &str) -> Result<bool> {
        Ok(Ids::is_shaped(txid) && store::find_tx(&self.pool, self.code, txid).await?.is_some())
    }

    /// The mempool with its contents, oldest first.
    pub async fn mempool_txs(&self) -> Result<Vec<ChainTx>> {
        store::mempool(&self.pool, self.code, None).await
    }

    async fn begin(&self) -> Result<Edit> {
        Edit::begin(&self.pool, self.code, &self.ids).await
    }
}

#[async_trait]
impl ChainBackend for SimChain {
    async fn tip(&self) -> Result<BlockRef> {
        store::tip(&self.pool, self.code).await?.ok_or_else(broken)
    }

    async fn block_at(&self, height: i64) -> Result<Option<BlockRef>> {
        store::block_at(&self.pool, self.code, height).await
    }

    async fn block(&self, hash: &str) -> Result<ChainBlock> {
        let reference = store::block(&self.pool, self.code, hash)
            .await?
            .ok_or_else(broken)?;
        let txs = store::txs_of_block(&self.pool, self.code, hash).await?;
        Ok(ChainBlock { reference, txs })
    }

    async fn mempool(&self) -> Result<Vec<String>> {
        store::mempool_ids(&self.pool, self.code).await
    }

    async fn tx(&self, txid: &str) -> Result<Option<ChainTx>> {
        let found = store::find_tx(&self.pool, self.code, txid).await?;
        Ok(found
            .filter(|found| !found.gone && found.block_hash.is_none())
            .map(|found| found.tx))
    }

    async fn txs(&self, txids: &[String]) -> Result<Vec<ChainTx>> {
        store::mempool(&self.pool, self.code, Some(txids)).await
    }

    /// Controls call the follower themselves; this pause is for those of other processes.
    async fn wait(&self, _after: &BlockRef, max: Duration) -> Result<()> {
        tokio::time::sleep(max).await;
        Ok(())
    }

    async fn broadcast(&self, raw: &[u8]) -> Result<()> {
        self.accept(raw).await
    }

    async fn holdings(&self, addresses: &[String]) -> Result<Holdings> {
        // A reader sees all of a control or nothing.
        let mut tx = store::snapshot(&self.pool).await?;
        let tip = store::tip(&mut *tx, self.code).await?.ok_or_else(broken)?;
        let held = store::held(&mut tx, self.code, addresses).await?;
        tx.rollback().await?;
        Ok(Holdings {
            hash: tip.hash,
            height: tip.height,
            held,
        })
    }

    /// None: this mempool forgets nothing by accident.
    fn drop_grace(&self) -> time::Duration {
        time::Duration::ZERO
    }
}

fn unknown(field: &str) -> Error {
    Error::invalid(field, "must name a known transaction")
}

fn broken() -> Error {
    Error::Internal("the simulated chain has lost a block".to_owned())
}
