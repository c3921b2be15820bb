//! Ether that a transaction moves to an account.
//!
//! Ether that contracts move on while they run ("internal transfers") is not in the transactions of
//! a block and is not seen.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::quantity::Hash;
use super::rpc::{Call, Rpc, RpcError};
use super::wire::{Block, Receipt, Tx};
use crate::chain::backend::{ChainOutput, ChainTx};

const RECEIPTS: &str = "eth_getBlockReceipts";
const RECEIPT: &str = "eth_getTransactionReceipt";
/// Calls in a batch: services refuse large ones.
const RECEIPTS_PER_BATCH: usize = 50;

/// A block and what the transactions in it did.
pub(super) async fn block(rpc: &Rpc, hash: &str) -> Result<(Block, Vec<ChainTx>), RpcError> {
    let receipts = Call::new(RECEIPTS, json!([hash]));
    let [block, receipts] = rpc.batch([Block::call(hash), receipts]).await?;
    let block = Block::check(block.read()?, rpc, hash)?;
    let receipts = match receipts.read::<Option<Vec<Receipt>>>() {
        Ok(Some(receipts)) => receipts,
        // The method is younger than most of the chain.
        Ok(None) | Err(RpcError::Refused { .. }) => one_by_one(rpc, &block).await?,
        Err(error) => return Err(error),
    };
    let txs = txs(&block, &receipts).map_err(|problem| rpc.unreadable(RECEIPTS, problem))?;
    Ok((block, txs))
}

/// A transaction that waits to get into a block.
pub(super) fn pending(tx: &Tx) -> ChainTx {
    tx.paying(payment(tx).into_iter().collect())
}

/// Asks for the receipts of those transactions that have something to pay.
async fn one_by_one(rpc: &Rpc, block: &Block) -> Result<Vec<Receipt>, RpcError> {
    let paying: Vec<Call> = block
        .transactions
        .iter()
        .filter(|tx| payment(tx).is_some())
        .map(|tx| Call::new(RECEIPT, json!([tx.hash.0])))
        .collect();
    let mut receipts = Vec::new();
    for calls in paying.chunks(RECEIPTS_PER_BATCH) {
        for answer in rpc.batch_of(calls).await? {
            // One that is missing is missed by whoever wants to know what its transaction did.
            receipts.extend(answer.read::<Option<Receipt>>()?);
        }
    }
    Ok(receipts)
}

fn txs(block: &Block, receipts: &[Receipt]) -> Result<Vec<ChainTx>, String> {
    if receipts
        .iter()
        .any(|receipt| receipt.block_hash != block.header.hash)
    {
        return Err("a receipt is of another block".to_owned());
    }
    let statuses: HashMap<&Hash, u128> = receipts
        .iter()
        .map(|receipt| (&receipt.transaction_hash, receipt.status.0))
        .collect();
    let mut seen = HashSet::new();
    let mut txs = Vec::new();
    for tx in &block.transactions {
        if !seen.insert(&tx.hash) {
            return Err(format!("transaction {} is in the block twice", tx.hash.0));
        }
        txs.push(match (payment(tx), statuses.get(&tx.hash).copied()) {
            (None, _) => tx.paying(Vec::new()),
            (Some(output), Some(1)) => tx.paying(vec![output]),
            (Some(_), Some(0)) => tx.failed(),
            (Some(_), Some(status)) => return Err(format!("there is no status {status}")),
            (Some(_), None) => return Err(format!("transaction {} has no receipt", tx.hash.0)),
        });
    }
    Ok(txs)
}

fn payment(tx: &Tx) -> Option<ChainOutput> {
    let to = tx.to.filter(|_| tx.value.0 > 0)?;
    Some(ChainOutput {
        vout: 0,
        address: to.to_string(),
        raw: tx.value.0,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SENDER: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
    const RECEIVER: &str = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

    fn hash(digit: &str) -> String {
        format!("0x{}", digit.repeat(64))
    }

    fn tx(digit: &str, nonce: &str, to: &Value, value: &str) -> Value {
        json!({
            "hash": hash(digit), "from": SENDER, "to": to, "nonce": nonce, "value": value,
            "input": "0x", "blockHash": hash("b"), "gas": "0x5208",
        })
    }

    fn receipt(digit: &str, status: &str) -> Value {
        json!({ "transactionHash": hash(digit), "blockHash": hash("b"), "status": status })
    }

    fn read(transactions: &[Value], receipts: &[Value]) -> Result<Vec<ChainTx>, String> {
        let block = json!({
            "hash": hash("b"), "number": "0x7", "parentHash": hash("a"), "timestamp": "0x1",
            "transactions": transactions, "logsBloom": "0x00",
        });
        let block: Block = serde_json::from_value(block).unwrap();
        let receipts: Vec<Receipt> = serde_json::from_value(json!(receipts)).unwrap();
        txs(&block, &receipts)
    }

    #[test]
    fn a_successful_transaction_pays_its_receiver() {
        let txs = read(
            &[tx("1", "0x5", &json!(RECEIVER), "0xde0b6b3a7640000")],
            &[receipt("1", "0x1")],
        )
        .unwrap();
        assert_eq!(txs[0].txid, hash("1"));
        assert_eq!(
            txs[0].inputs[0].txid,
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266:5"
        );
        let [output] = txs[0].outputs.as_slice() else {
            panic!("one output expected: {txs:?}")
        };
        assert_eq!(output.address, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
        assert_eq!((output.vout, output.raw), (0, 1_000_000_000_000_000_000));
    }

    #[test]
    fn a_failed_one_pays_nothing_and_uses_its_nonce_under_another_id() {
        let sent = [tx("1", "0x5", &json!(RECEIVER), "0x1")];
        let paid = read(&sent, &[receipt("1", "0x1")]).unwrap();
        let failed = read(&sent, &[receipt("1", "0x0")]).unwrap();
        assert_eq!(failed[0].inputs, paid[0].inputs);
        assert_ne!(failed[0].txid, paid[0].txid);
        assert!(failed[0].outputs.is_empty());
    }

    #[test]
    fn calls_without_value_and_new_contracts_pay_nobody() {
        let sent = [
            tx("1", "0x5", &json!(RECEIVER), "0x0"),
            tx("2", "0x6", &Value::Null, "0x9"),
        ];
        let txs = read(&sent, &[]).unwrap();
        assert_eq!(txs.len(), 2);
        assert!(txs.iter().all(|tx| tx.outputs.is_empty()));
    }

    #[test]
    fn more_than_the_type_holds_is_its_maximum() {
        let value = format!("0x{}", "f".repeat(64));
        let sent = [tx("1", "0x5", &json!(RECEIVER), &value)];
        let txs = read(&sent, &[receipt("1", "0x1")]).unwrap();
        assert_eq!(txs[0].outputs[0].raw, u128::MAX);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let sent = [tx("1", "0x5", &json!(RECEIVER), "0x1")];
        assert!(read(&sent, &[]).is_err());
        assert!(read(&sent, &[receipt("2", "0x1")]).is_err());
        assert!(read(&sent, &[receipt("1", "0x2")]).is_err());
        let twice = [sent[0].clone(), sent[0].clone()];
        assert!(read(&twice, &[receipt("1", "0x1")]).is_err());
        let mut elsewhere = receipt("1", "0x1");
        elsewhere["blockHash"] = json!(hash("c"));
        assert!(read(&sent, &[elsewhere]).is_err());
    }
}
