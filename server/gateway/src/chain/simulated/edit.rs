use sqlx::{PgPool, Postgres, Transaction};

use super::ids::Ids;
use super::store::StoredTx;
use super::{broken, store, unknown};
use crate::chain::backend::{BlockRef, ChainOutput, ChainTx, OutPoint};
use crate::{Error, Result};

/// A control in progress.
pub(super) struct Edit {
    pub(super) tx: Transaction<'static, Postgres>,
    code: &'static str,
    pub(super) ids: Ids,
}

impl Edit {
    /// Locks the chain; `ids` are those of its counter 0.
    pub(super) async fn begin(pool: &PgPool, code: &'static str, ids: &Ids) -> Result<Self> {
        let mut tx = pool.begin().await?;
        let counter = store::lock_counter(&mut tx, code).await?;
        Ok(Self {
            tx,
            code,
            ids: ids.after(counter),
        })
    }

    /// Commits. An edit that is dropped instead changed nothing.
    pub(super) async fn finish(mut self) -> Result<()> {
        store::save_counter(&mut self.tx, self.code, self.ids.counter()).await?;
        Ok(self.tx.commit().await?)
    }

    pub(super) async fn tip(&mut self) -> Result<BlockRef> {
        store::tip(&mut *self.tx, self.code)
            .await?
            .ok_or_else(broken)
    }

    /// Puts a new transaction with one output into the mempool.
    pub(super) async fn broadcast(
        &mut self,
        inputs: Vec<OutPoint>,
        address: &str,
        raw: u128,
    ) -> Result<String> {
        let txid = self.ids.draw();
        let output = ChainOutput {
            vout: 0,
            address: address.to_owned(),
            raw,
        };
        let tx = ChainTx {
            txid: txid.clone(),
            inputs,
            outputs: vec![output],
        };
        // The counter just moved, so it also orders the mempool.
        store::insert_tx(&mut self.tx, self.code, self.ids.counter(), tx).await?;
        Ok(txid)
    }

    /// Place in the mempool of a transaction that brings its own id.
    pub(super) fn next_place(&mut self) -> i64 {
        // The id that is drawn with it is never used.
        self.ids.draw();
        self.ids.counter()
    }

    /// Puts `count` empty blocks on top of `parent`.
    pub(super) async fn extend(&mut self, parent: BlockRef, count: u32) -> Result<Vec<String>> {
        let mut blocks: Vec<BlockRef> = Vec::new();
        let mut last = parent;
        for _ in 0..count {
            let hash = self.ids.draw();
            last = BlockRef {
                hash,
                height: last.height + 1,
                prev_hash: last.hash,
            };
            blocks.push(last.clone());
        }
        store::insert_blocks(&mut self.tx, self.code, &blocks).await?;
        Ok(blocks.into_iter().map(|block| block.hash).collect())
    }

    /// A transaction that can still be replaced or dropped.
    pub(super) async fn unconfirmed(&mut self, txid: &str) -> Result<ChainTx> {
        let found = self.find("txid", txid).await?;
        if found.gone {
            return Err(Error::invalid(
                "txid",
                "must be in the mempool; this one was dropped",
            ));
        }
        if found.block_hash.is_some() {
            return Err(Error::invalid(
                "txid",
                "must be unconfirmed; this one is in a block",
            ));
        }
        Ok(found.tx)
    }

    /// Refuses to drop what stays on the chain; `replaced` are the blocks that do not.
    pub(super) async fn check_droppable(
        &mut self,
        txids: &[String],
        replaced: &[String],
    ) -> Result<()> {
        for txid in txids {
            let found = self.find("drop", txid).await?;
            if found
                .block_hash
                .is_some_and(|hash| !replaced.contains(&hash))
            {
                return Err(Error::invalid(
                    "drop",
                    "must name transactions of the replaced blocks or the mempool",
                ));
            }
        }
        Ok(())
    }

    async fn find(&mut self, field: &str, txid: &str) -> Result<StoredTx> {
        if !Ids::is_shaped(txid) {
            return Err(unknown(field));
        }
        let found = store::find_tx(&mut *self.tx, self.code, txid).await?;
        found.ok_or_else(|| unknown(field))
    }
}
