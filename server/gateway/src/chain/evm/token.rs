//! Tokens that one ERC-20 contract moves, as its logs report it: also those moved by another
//! contract, and several times in one transaction.
//!
//! Invariant: `vout` counts the contract's transfers within the transaction. The log index a node
//! gives counts within the block, so the same transaction would have another one after a
//! reorganisation and be paid twice.

use std::collections::BTreeMap;

use serde_json::json;

use super::account::Account;
use super::erc20::{TRANSFER_TOPIC, is_transfer};
use super::quantity::{Hash, word_number};
use super::rpc::{Call, Rpc, RpcError};
use super::wire::{Block, Log, Tx};
use crate::chain::backend::{ChainOutput, ChainTx};

const LOGS: &str = "eth_getLogs";

/// A block and what the transactions in it did with the contract's tokens.
pub(super) async fn block(
    rpc: &Rpc,
    contract: Account,
    hash: &str,
) -> Result<(Block, Vec<ChainTx>), RpcError> {
    let filter = json!([{
        "blockHash": hash, "address": contract.to_string(), "topics": [TRANSFER_TOPIC],
    }]);
    let [block, logs] = rpc
        .batch([Block::call(hash), Call::new(LOGS, filter)])
        .await?;
    let block = Block::check(block.read()?, rpc, hash)?;
    let logs: Vec<Log> = logs.read()?;
    let txs = txs(&block, &logs, contract).map_err(|problem| rpc.unreadable(LOGS, problem))?;
    Ok((block, txs))
}

/// A transaction that waits to get into a block. It pays nobody yet: what a contract does is known
/// when it has run.
pub(super) fn pending(tx: &Tx) -> ChainTx {
    tx.paying(Vec::new())
}

fn txs(block: &Block, logs: &[Log], contract: Account) -> Result<Vec<ChainTx>, String> {
    let mut transfers: BTreeMap<&Hash, Vec<(&Log, Transfer)>> = BTreeMap::new();
    for log in logs {
        let Some(transfer) = Transfer::read(log, contract) else {
            continue;
        };
        if log.block_hash != block.header.hash {
            return Err("a log is of another block".to_owned());
        }
        transfers
            .entry(&log.transaction_hash)
            .or_default()
            .push((log, transfer));
    }
    let mut txs = Vec::new();
    for tx in &block.transactions {
        let moved = transfers.remove(&tx.hash).unwrap_or_default();
        let asked = tx.to == Some(contract) && is_transfer(&tx.input);
        txs.push(if moved.is_empty() && asked {
            tx.failed()
        } else {
            tx.paying(outputs(moved)?)
        });
    }
    match transfers.keys().next() {
        Some(stray) => Err(format!("transaction {} is not in the block", stray.0)),
        None => Ok(txs),
    }
}

/// What a transaction's transfers pay, in the order they happened.
fn outputs(mut transfers: Vec<(&Log, Transfer)>) -> Result<Vec<ChainOutput>, String> {
    transfers.sort_by_key(|(log, _)| log.log_index);
    if transfers
        .windows(2)
        .any(|pair| pair[0].0.log_index == pair[1].0.log_index)
    {
        return Err("two logs have one index".to_owned());
    }
    let mut outputs = Vec::new();
    for (place, (_, transfer)) in transfers.into_iter().enumerate() {
        let vout = i32::try_from(place).map_err(|error| error.to_string())?;
        // Tokens sent to what is no account are lost to everybody.
        if let Some(to) = transfer.to {
            outputs.push(ChainOutput {
                vout,
                address: to.to_string(),
                raw: transfer.units,
            });
        }
    }
    Ok(outputs)
}

struct Transfer {
    to: Option<Account>,
    /// Token units.
    units: u128,
}

impl Transfer {
    /// `None` for logs of other contracts and other events, and for those that were taken back.
    /// Tokens that are not fungible report under the same topic with one more.
    fn read(log: &Log, contract: Account) -> Option<Self> {
        if log.removed || log.address != contract {
            return None;
        }
        let [topic, _, to] = log.topics.as_slice() else {
            return None;
        };
        if topic.0 != TRANSFER_TOPIC {
            return None;
        }
        let units = <[u8; 32]>::try_from(log.data.0.as_slice()).ok()?;
        Some(Self {
            to: to.bytes().and_then(|word| Account::from_word(&word)),
            units: word_number(&units),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
