//! Transactions of a node's mempool, by their ids.

use bitcoin::Transaction;
use bitcoin::consensus::encode::deserialize;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::NodeError;
use super::node::BitcoinCore;
use super::reading::ReadError;
use super::software::BlockForm;
use super::{raw, verbose};
use crate::chain::backend::ChainTx;

/// No such transaction.
const NOT_FOUND: i64 = -5;
/// Transactions asked for in one exchange: one call of the node's queue, with an answer of bounded
/// size.
const BATCH: usize = 100;

#[derive(Deserialize)]
struct RawTxJson {
    hex: String,
    /// Only when the node has an index of all transactions and this one is in a block.
    blockhash: Option<String>,
}

impl BitcoinCore {
    /// Several transactions of the mempool at once; those that left it are missing.
    ///
    /// # Errors
    /// Why the node cannot be asked, or a transaction not be read.
    pub async fn txs(&self, txids: &[String]) -> Result<Vec<ChainTx>, NodeError> {
        let method = "getrawtransaction";
        self.ensure_checked().await?;
        let mut found = Vec::with_capacity(txids.len());
        for batch in txids.chunks(BATCH) {
            let params: Vec<Value> = batch.iter().map(|txid| json!([txid, true])).collect();
            let answers = self.rpc.call_each::<Box<RawValue>>(method, &params).await;
            for (txid, answer) in batch.iter().zip(self.noticing(answers)?) {
                match answer {
                    Ok(json) => found.extend(self.read_tx(txid, json.get())?),
                    Err(refusal) if refusal.code == NOT_FOUND => {}
                    Err(refusal) => return Err(refusal.of(method).into()),
                }
            }
        }
        Ok(found)
    }

    /// Reads an answer to `getrawtransaction`; `None` for one that is in a block.
    pub(super) fn read_tx(&self, txid: &str, json: &str) -> Result<Option<ChainTx>, NodeError> {
        let wrong = |error: ReadError| NodeError::unreadable(format!("transaction {txid}"), &error);
        let coin = self.config.coin;
        let (in_block, read) = match self.config.software.block_form {
            BlockForm::Raw => {
                let tx: RawTxJson = serde_json::from_str(json)
                    .map_err(ReadError::new)
                    .map_err(wrong)?;
                (tx.blockhash, raw::transaction(coin, txid, &tx.hex))
            }
            BlockForm::Verbose => {
                let tx: verbose::TxJson = serde_json::from_str(json)
                    .map_err(ReadError::new)
                    .map_err(wrong)?;
                let read = tx.read(coin).and_then(|read| {
                    if read.txid == txid {
                        Ok(read)
                    } else {
                        Err(ReadError::new("it is another transaction"))
                    }
                });
                (tx.blockhash, read)
            }
        };
        Ok(match in_block {
            Some(_) => None,
            None => Some(read.map_err(wrong)?),
        })
    }

    pub(super) async fn find_tx(&self, txid: &str) -> Result<Option<Box<RawValue>>, NodeError> {
        match self.call("getrawtransaction", json!([txid, true])).await {
            Ok(json) => Ok(Some(json)),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the node has this very transaction, in its mempool or, where it keeps an index of
    /// all transactions, in a block.
    pub(super) async fn knows(&self, raw: &[u8]) -> Result<bool, NodeError> {
        let Ok(tx) = deserialize::<Transaction>(raw) else {
            return Ok(false);
        };
        let found = self.find_tx(&tx.compute_txid().to_string()).await?;
        Ok(found.is_some())
    }
}
