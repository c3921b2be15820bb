//! The answers of an EVM node as far as they are read.

use serde::Deserialize;
use serde_json::json;

use super::account::Account;
use super::quantity::{Bytes, FormatError, Hash, Quantity};
use super::rpc::{Call, Rpc, RpcError};
use crate::chain::backend::{BlockRef, ChainOutput, ChainTx, OutPoint};

pub(super) const BLOCK_BY_HASH: &str = "eth_getBlockByHash";

/// Ends the id under which a failed transaction is reported.
const FAILED: &str = ":failed";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    pub hash: Hash,
    pub number: Quantity,
    pub parent_hash: Hash,
    /// Unix time in seconds.
    pub timestamp: Quantity,
}

impl Header {
    pub(super) fn reference(&self) -> Result<BlockRef, FormatError> {
        Ok(BlockRef {
            hash: self.hash.0.clone(),
            height: self.number.count()?,
            prev_hash: self.parent_hash.0.clone(),
        })
    }
}

/// A block with whole transactions.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Block {
    #[serde(flatten)]
    pub header: Header,
    pub transactions: Vec<Tx>,
}

impl Block {
    pub(super) fn call(hash: &str) -> Call {
        Call::new(BLOCK_BY_HASH, json!([hash, true]))
    }

    /// What was answered to [`Self::call`], compared with what was asked for.
    pub(super) fn check(found: Option<Self>, rpc: &Rpc, hash: &str) -> Result<Self, RpcError> {
        match found {
            None => Err(rpc.unreadable(BLOCK_BY_HASH, format!("there is no block {hash}"))),
            Some(block) if block.header.hash.0 != hash => {
                let other = block.header.hash.0;
                Err(rpc.unreadable(BLOCK_BY_HASH, format!("block {other} instead of {hash}")))
            }
            Some(block) => Ok(block),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tx {
    pub hash: Hash,
    pub from: Account,
    /// `None` creates a contract.
    pub to: Option<Account>,
    pub nonce: Quantity,
    /// Wei.
    pub value: Quantity,
    #[serde(default)]
    pub input: String,
    /// `None` while it waits.
    pub block_hash: Option<Hash>,
}

impl Tx {
    /// The transaction with what it pays. Its one input stands for sender and nonce.
    pub(super) fn paying(&self, outputs: Vec<ChainOutput>) -> ChainTx {
        ChainTx {
            txid: self.hash.0.clone(),
            inputs: vec![OutPoint {
                // A nonce is larger than an output's number can be.
                txid: format!("{}:{}", self.from, self.nonce.0),
                vout: 0,
            }],
            outputs,
        }
    }

    /// A transaction that is in a block and had no effect but that its nonce is used.
    ///
    /// It is another transaction than the one that was to pay, so that whoever waits for that one
    /// learns that it has lost its nonce, and nobody takes it for a payment that was made.
    pub(super) fn failed(&self) -> ChainTx {
        let mut tx = self.paying(Vec::new());
        tx.txid.push_str(FAILED);
        tx
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub transaction_hash: Hash,
    pub block_hash: Hash,
    /// 1 for success, 0 for failure.
    pub status: Quantity,
}

/// What a contract reported while it ran.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    pub address: Account,
    pub topics: Vec<Hash>,
    pub data: Bytes,
    pub block_hash: Hash,
    pub transaction_hash: Hash,
    /// Position in the block.
    pub log_index: Quantity,
    /// It was in a block that is not in the chain any more.
    #[serde(default)]
    pub removed: bool,
}
