//! Blocks of a node, by hash and by height.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::error::NodeError;
use super::maturity::{self, Held, waited_since};
use super::node::BitcoinCore;
use super::reading::{NO_HASH, ReadBlock, ReadError, TxKind};
use super::rpc::RpcError;
use super::software::BlockForm;
use super::{raw, verbose};
use crate::chain::backend::{BlockRef, ChainBlock};

/// No such height.
const OUT_OF_RANGE: i64 = -8;

#[derive(Deserialize)]
struct HeaderJson {
    height: i64,
    previousblockhash: Option<String>,
}

impl BitcoinCore {
    pub(super) async fn header(&self, hash: &str) -> Result<BlockRef, NodeError> {
        let header: HeaderJson = self.call("getblockheader", json!([hash])).await?;
        Ok(BlockRef {
            hash: hash.to_owned(),
            height: header.height,
            prev_hash: header
                .previousblockhash
                .unwrap_or_else(|| NO_HASH.to_owned()),
        })
    }

    /// The hash of the best chain at `height`; `None` where it has none.
    pub(super) async fn hash_at(&self, height: i64) -> Result<Option<String>, NodeError> {
        match self.call("getblockhash", json!([height])).await {
            Ok(hash) => Ok(Some(hash)),
            Err(error) if error.code() == Some(OUT_OF_RANGE) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a block whole. Large ones take long enough to be read on a thread of their own.
    async fn read_block(&self, reference: &BlockRef) -> Result<ReadBlock, NodeError> {
        let (coin, hash) = (self.config.coin, reference.hash.clone());
        let explained = |error| explain_missing(error, reference.height);
        let reading = match self.config.software.block_form {
            BlockForm::Raw => {
                let hex: String = self
                    .call("getblock", json!([hash, 0]))
                    .await
                    .map_err(explained)?;
                tokio::task::spawn_blocking(move || raw::block(coin, &hash, &hex))
            }
            BlockForm::Verbose => {
                let json: Box<RawValue> = self
                    .call("getblock", json!([hash, 2]))
                    .await
                    .map_err(explained)?;
                tokio::task::spawn_blocking(move || verbose::block(coin, &hash, json.get()))
            }
        };
        reading
            .await
            .unwrap_or_else(|error| Err(ReadError::new(error)))
            .map_err(|error| NodeError::unreadable(format!("block {}", reference.hash), &error))
    }

    pub(super) async fn read_chain_block(&self, hash: &str) -> Result<ChainBlock, NodeError> {
        let reference = self.header(hash).await?;
        let read = self.read_block(&reference).await?;
        if read.prev_hash != reference.prev_hash {
            let error = ReadError::new("its parent is not that of its header");
            return Err(NodeError::unreadable(format!("block {hash}"), &error));
        }
        let (mut txs, held) = maturity::split(read.txs);
        self.held.lock().await.insert(hash.to_owned(), held);
        for kind in [TxKind::Coinbase, TxKind::PegOut] {
            let has_kind =
                self.config.software.block_form == BlockForm::Verbose || kind == TxKind::Coinbase;
            let Some(height) = waited_since(kind, reference.height).filter(|_| has_kind) else {
                continue;
            };
            let due = self.held_at(height).await?;
            txs.extend(
                due.iter()
                    .filter(|read| read.kind == kind)
                    .map(|read| read.tx.clone()),
            );
        }
        Ok(ChainBlock { reference, txs })
    }

    /// What the block of the best chain at `height` held back.
    async fn held_at(&self, height: i64) -> Result<Held, NodeError> {
        let Some(hash) = self.hash_at(height).await? else {
            return Ok(Held::default());
        };
        if let Some(held) = self.held.lock().await.get(&hash) {
            return Ok(held);
        }
        let reference = self.header(&hash).await?;
        let read = self.read_block(&reference).await?;
        let (_, held) = maturity::split(read.txs);
        self.held.lock().await.insert(hash, held.clone());
        Ok(held)
    }
}

/// A block that is not there: deleted for good, or for another reason that may pass.
fn explain_missing(error: NodeError, height: i64) -> NodeError {
    match error {
        NodeError::Rpc(RpcError::Refused { message, .. }) if message.contains("pruned") => {
            NodeError::Pruned { height }
        }
        other => other,
    }
}
