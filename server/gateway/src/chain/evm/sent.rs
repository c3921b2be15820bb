//! A transaction that an account sent past this instance, as the node has it.

use serde::Deserialize;
use serde_json::json;

use super::account::Account;
use super::erc20::is_transfer;
use super::node::{Asset, Evm};
use super::paying::{Receipt, transfer};
use super::quantity::{Hash, Quantity};
use super::rpc::Call;
use super::wire::Tx;
use crate::Result;

const TRANSACTION: &str = "eth_getTransactionByHash";
const RECEIPT: &str = "eth_getTransactionReceipt";

/// The last kind of transactions whose whole cost is gas, and which change nothing but balances (EIP-1559).
const PLAIN_KIND_MAX: u128 = 2;

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) from: Account,
    /// Its number.
    pub(crate) nonce: i64,
    pub(crate) block_hash: String,
    pub(crate) height: i64,
    /// Wei paid for gas.
    pub(crate) cost: u128,
    pub(crate) moved: Moved,
}

/// What a transaction moved of its sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It failed: gas alone was paid.
    Nothing,
    /// Base units of the asset, and nothing else.
    Plainly { to: Account, raw: u128 },
    /// It called something: what that did is not known.
    Otherwise,
}

/// A transaction with its kind (EIP-2718); none is the first kind there was.
#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(flatten)]
    tx: Tx,
    #[serde(rename = "type")]
    kind: Option<Quantity>,
}

impl Evm {
    /// A transaction in a block, whoever sent it; `None` for one that is in none the node knows, and for what is
    /// no id.
    ///
    /// # Errors
    /// As every call of the node.
    pub(crate) async fn sent(&self, txid: &str) -> Result<Option<Sent>> {
        let Ok(Hash(txid)) = Hash::try_from(txid.to_owned()) else {
            return Ok(None);
        };
        let calls = [
            Call::new(TRANSACTION, json!([txid])),
            Call::new(RECEIPT, json!([txid])),
        ];
        let [tx, receipt] = self.ask(self.rpc.batch(calls)).await?;
        let (tx, receipt) = (
            tx.read::<Option<Typed>>()?,
            receipt.read::<Option<Receipt>>()?,
        );
        let (Some(Typed { tx, kind }), Some(receipt)) = (tx, receipt) else {
            return Ok(None);
        };
        let is_one = tx.hash.0 == txid
            && receipt.transaction_hash.0 == txid
            && tx.block_hash.as_ref() == Some(&receipt.block_hash);
        if !is_one {
            let problem = format!("transaction and receipt of {txid} do not belong together");
            return Err(self.rpc.unreadable(RECEIPT, problem).into());
        }
        let cost = receipt
            .gas_used
            .0
            .checked_mul(receipt.effective_gas_price.0)
            .ok_or_else(|| self.rpc.unreadable(RECEIPT, "more gas than there is"))?;
        let count = |number: Quantity| {
            number
                .count()
                .map_err(|error| self.rpc.unreadable(RECEIPT, error))
        };
        let is_plain = kind.is_none_or(|kind| kind.0 <= PLAIN_KIND_MAX);
        Ok(Some(Sent {
            from: tx.from,
            nonce: count(tx.nonce)?,
            height: count(receipt.block_number)?,
            cost,
            moved: if is_plain {
                moved(self.asset(), &tx, &receipt)
            } else {
                Moved::Otherwise
            },
            block_hash: receipt.block_hash.0,
        }))
    }
}

fn moved(asset: Asset, tx: &Tx, receipt: &Receipt) -> Moved {
    match (receipt.status.0, asset, tx.to) {
        (0, _, _) => Moved::Nothing,
        (1, Asset::Native, Some(to)) if tx.input.is_empty() || tx.input == "0x" => Moved::Plainly {
            to,
            raw: tx.value.0,
        },
        (1, Asset::Token { contract, .. }, Some(to))
            if to == contract && is_transfer(&tx.input) && tx.value.0 == 0 =>
        {
            let mut transfers = receipt
                .logs
                .iter()
                .filter_map(|log| transfer(log, contract));
            match (transfers.next(), transfers.next()) {
                // What arrived, as the token says: one that keeps a part tells of it in another transfer.
                (Some((from, to, raw)), None) if from == tx.from => Moved::Plainly { to, raw },
                _ => Moved::Otherwise,
            }
        }
        _ => Moved::Otherwise,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chain::evm::erc20::TRANSFER_TOPIC;

    const FROM: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
    const TO: &str = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
    const CONTRACT: &str = "0xdac17f958d2ee523a2206206994597c13d831ec7";
    const TRANSFER: &str = "0xa9059cbb";

    fn account(text: &str) -> Account {
        Account::try_from(text.to_owned()).unwrap()
    }

    fn token() -> Asset {
        Asset::Token {
            contract: account(CONTRACT),
            digits: 6,
        }
    }

    fn hash(digit: &str) -> String {
        format!("0x{}", digit.repeat(64))
    }

    fn word(account: &str) -> String {
        format!("0x{}{}", "0".repeat(24), &account[2..])
    }

    fn log(from: &str, units: u128) -> Value {
        json!({
            "address": CONTRACT, "topics": [TRANSFER_TOPIC, word(from), word(TO)],
            "data": format!("0x{units:064x}"), "blockHash": hash("b"), "transactionHash": hash("1"),
            "logIndex": "0x0",
        })
    }

    fn read(
        asset: Asset,
        status: &str,
        to: &Value,
        value: &str,
        input: &str,
        logs: &[Value],
    ) -> Moved {
        let tx: Tx = serde_json::from_value(json!({
            "hash": hash("1"), "from": FROM, "to": to, "nonce": "0x5", "value": value, "input": input,
            "blockHash": hash("b"),
        }))
        .unwrap();
        let receipt: Receipt = serde_json::from_value(json!({
            "transactionHash": hash("1"), "blockHash": hash("b"), "blockNumber": "0x7", "status": status,
            "gasUsed": "0x5208", "effectiveGasPrice": "0x1", "logs": logs,
        }))
        .unwrap();
        moved(asset, &tx, &receipt)
    }

    #[test]
    fn ether_moves_plainly_or_it_is_not_known_how() {
        let to = json!(TO);
        let plainly = Moved::Plainly {
            to: account(TO),
            raw: 16,
        };
        let native = Asset::Native;
        assert_eq!(read(native, "0x1", &to, "0x10", "0x", &[]), plainly);
        assert_eq!(read(native, "0x1", &to, "0x10", "", &[]), plainly);
        assert_eq!(
            read(native, "0x1", &to, "0x10", "0x01", &[]),
            Moved::Otherwise
        );
        let none = Value::Null;
        assert_eq!(
            read(native, "0x1", &none, "0x10", "0x", &[]),
            Moved::Otherwise
        );
        assert_eq!(
            read(native, "0x2", &to, "0x10", "0x", &[]),
            Moved::Otherwise
        );
        // Whatever it called.
        assert_eq!(
            read(native, "0x0", &to, "0x10", "0x01", &[]),
            Moved::Nothing
        );
    }

    #[test]
    fn a_token_moves_as_its_one_transfer_says() {
        let contract = json!(CONTRACT);
        let one = |logs: &[Value]| read(token(), "0x1", &contract, "0x0", TRANSFER, logs);
        let plainly = Moved::Plainly {
            to: account(TO),
            raw: 7,
        };
        assert_eq!(one(&[log(FROM, 7)]), plainly);
        assert_eq!(one(&[]), Moved::Otherwise);
        assert_eq!(one(&[log(TO, 7)]), Moved::Otherwise);
        assert_eq!(one(&[log(FROM, 6), log(FROM, 1)]), Moved::Otherwise);
        let logs = [log(FROM, 7)];
        let other = json!(TO);
        assert_eq!(
            read(token(), "0x1", &other, "0x0", TRANSFER, &logs),
            Moved::Otherwise
        );
        assert_eq!(
            read(token(), "0x1", &contract, "0x1", TRANSFER, &logs),
            Moved::Otherwise
        );
        assert_eq!(
            read(token(), "0x1", &contract, "0x0", "0x095ea7b3", &logs),
            Moved::Otherwise
        );
    }
}
