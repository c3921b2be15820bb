//! What a node is asked when an account pays.

use serde::Deserialize;
use serde_json::json;

use super::account::Account;
use super::erc20::{self, TRANSFER_TOPIC};
use super::node::{Asset, Evm};
use super::quantity::{Bytes, Hash, Quantity, word_number, write_bytes};
use super::rpc::{Call, RpcError};
use super::wire::Log;
use crate::Result;
use crate::chain::backend::ChainBackend as _;

const NONCE: &str = "eth_getTransactionCount";
const BALANCE: &str = "eth_getBalance";
const CALL: &str = "eth_call";
const ESTIMATE: &str = "eth_estimateGas";
const RECEIPT: &str = "eth_getTransactionReceipt";
const BLOCK_BY_NUMBER: &str = "eth_getBlockByNumber";
const TIP: &str = "eth_maxPriorityFeePerGas";

/// What an account has and has sent, all at the same block but `waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Funds {
    /// Base units of the asset.
    pub(crate) asset: u128,
    /// Wei.
    pub(crate) ether: u128,
    /// Transactions of it in the chain.
    pub(crate) mined: u64,
    /// The same with those that wait in the node's pool.
    pub(crate) waiting: u64,
}

/// What gas costs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeeMarket {
    /// Wei that every unit of gas costs in the next block, nearly.
    pub(crate) base: u128,
    /// Wei on top that the node suggests; `None` when it does not say.
    pub(crate) tip: Option<u128>,
}

/// A payment of ours in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mined {
    pub(crate) block_hash: String,
    pub(crate) height: i64,
    pub(crate) did: Did,
    /// Wei paid for gas.
    pub(crate) cost: u128,
}

/// What a transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Did {
    /// The receiver got exactly what was planned.
    Paid,
    /// Nothing moved.
    Nothing,
    /// Something moved, and not exactly this: a token may keep a part of what is sent. Base units, as it says.
    Otherwise {
        /// Gone from the account.
        moved: u128,
        /// With the receiver.
        arrived: u128,
    },
}

/// Why a node cannot say what a transaction needs.
#[derive(Debug)]
pub(crate) enum Estimate {
    /// Units of gas.
    Gas(u64),
    /// It would fail, in the node's words.
    WouldFail(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FeeBlock {
    base_fee_per_gas: Option<Quantity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub(super) transaction_hash: Hash,
    pub(super) block_hash: Hash,
    pub(super) block_number: Quantity,
    pub(super) status: Quantity,
    pub(super) gas_used: Quantity,
    pub(super) effective_gas_price: Quantity,
    #[serde(default)]
    pub(super) logs: Vec<Log>,
}

impl Evm {
    pub(crate) const fn asset(&self) -> Asset {
        self.asset
    }

    /// What the account can pay with.
    ///
    /// # Errors
    /// As every call of the node.
    pub(crate) async fn funds(&self, account: Account) -> Result<Funds> {
        let tip = self.tip().await?;
        let block = json!({ "blockHash": tip.hash });
        let name = account.to_string();
        let mut calls = vec![
            Call::new(BALANCE, json!([name, block])),
            Call::new(NONCE, json!([name, block])),
            Call::new(NONCE, json!([name, "pending"])),
        ];
        if let Asset::Token { contract, .. } = self.asset {
            let data = write_bytes(&erc20::balance_of(account));
            let call = json!({ "to": contract.to_string(), "data": data });
            calls.push(Call::new(CALL, json!([call, block])));
        }
        let mut answers = self.ask(self.rpc.batch_of(&calls)).await?.into_iter();
        let mut next = || {
            answers
                .next()
                .ok_or_else(|| self.rpc.unreadable(BALANCE, "the answer is missing"))
        };
        let ether = next()?.read::<Quantity>()?.0;
        let mined = next()?.read::<Quantity>()?;
        let waiting = next()?.read::<Quantity>()?;
        let asset = match self.asset {
            Asset::Native => ether,
            Asset::Token { .. } => {
                let word: Hash = next()?.read()?;
                word.bytes().map_or(0, |word| word_number(&word))
            }
        };
        Ok(Funds {
            asset,
            ether,
            mined: self.count(NONCE, mined)?,
            waiting: self.count(NONCE, waiting)?,
        })
    }

    /// Transactions of the account in the chain that ends with the block.
    ///
    /// # Errors
    /// As every call of the node; also where it has deleted the state of that block.
    pub(crate) async fn mined_nonce(&self, account: Account, block_hash: &str) -> Result<u64> {
        let params = json!([account.to_string(), { "blockHash": block_hash }]);
        let nonce: Quantity = self.ask(self.rpc.call(NONCE, params)).await?;
        Ok(self.count(NONCE, nonce)?)
    }

    /// What gas costs now.
    ///
    /// # Errors
    /// As every call of the node; also where blocks have no base fee (EIP-1559).
    pub(crate) async fn fee_market(&self) -> Result<FeeMarket> {
        let calls = [
            Call::new(BLOCK_BY_NUMBER, json!(["latest", false])),
            Call::new(TIP, json!([])),
        ];
        let [block, tip] = self.ask(self.rpc.batch(calls)).await?;
        let block: FeeBlock = block.read()?;
        let base = block.base_fee_per_gas.ok_or_else(|| {
            self.rpc
                .unreadable(BLOCK_BY_NUMBER, "a block without a base fee")
        })?;
        // Not every node suggests something.
        let tip = tip.read::<Quantity>().ok().map(|tip| tip.0);
        Ok(FeeMarket { base: base.0, tip })
    }

    /// What a transaction with this call needs.
    ///
    /// # Errors
    /// As every call of the node, but a refusal.
    pub(crate) async fn estimate(
        &self,
        from: Account,
        to: Account,
        value: u128,
        data: &[u8],
    ) -> Result<Estimate> {
        let call = json!({
            "from": from.to_string(), "to": to.to_string(), "value": format!("{value:#x}"),
            "data": write_bytes(data),
        });
        let calls = [Call::new(ESTIMATE, json!([call]))];
        let [answer] = self.ask(self.rpc.batch(calls)).await?;
        match answer.read::<Quantity>() {
            Ok(gas) => Ok(Estimate::Gas(self.count(ESTIMATE, gas)?)),
            Err(RpcError::Refused { message, .. }) => Ok(Estimate::WouldFail(message)),
            Err(error) => Err(error.into()),
        }
    }

    /// Where a transaction of `from` is, and whether it paid `units` to `to`; `None` while it is in no
    /// block the node knows.
    ///
    /// # Errors
    /// As every call of the node.
    pub(crate) async fn mined(
        &self,
        txid: &str,
        from: Account,
        to: Account,
        units: u128,
    ) -> Result<Option<Mined>> {
        let found: Option<Receipt> = self.ask(self.rpc.call(RECEIPT, json!([txid]))).await?;
        let Some(receipt) = found else {
            return Ok(None);
        };
        if receipt.transaction_hash.0 != txid {
            let other = receipt.transaction_hash.0;
            let problem = format!("transaction {other} instead of {txid}");
            return Err(self.rpc.unreadable(RECEIPT, problem).into());
        }
        let cost = receipt
            .gas_used
            .0
            .checked_mul(receipt.effective_gas_price.0)
            .ok_or_else(|| self.rpc.unreadable(RECEIPT, "more gas than there is"))?;
        let height = receipt.block_number.count();
        let height = height.map_err(|error| self.rpc.unreadable(RECEIPT, error))?;
        let did = match self.asset {
            // Nothing that failed moves anything, whatever it says.
            _ if receipt.status.0 != 1 => Did::Nothing,
            Asset::Native => Did::Paid,
            Asset::Token { contract, .. } => did(&receipt.logs, contract, from, to, units),
        };
        Ok(Some(Mined {
            did,
            block_hash: receipt.block_hash.0,
            height,
            cost,
        }))
    }

    fn count(&self, method: &'static str, number: Quantity) -> Result<u64, RpcError> {
        u64::try_from(number.0).map_err(|error| self.rpc.unreadable(method, error))
    }
}

/// What a contract says that it moved. A token may keep a part of what is sent, or say nothing and do nothing.
fn did(logs: &[Log], contract: Account, from: Account, to: Account, units: u128) -> Did {
    let (mut moved, mut arrived) = (0_u128, 0_u128);
    for (sender, receiver, amount) in logs.iter().filter_map(|log| transfer(log, contract)) {
        if (sender, receiver, amount) == (from, to, units) {
            return Did::Paid;
        }
        if sender == receiver {
            continue;
        }
        if sender == from {
            moved = moved.saturating_add(amount);
        }
        if receiver == to {
            arrived = arrived.saturating_add(amount);
        }
    }
    if moved == 0 && arrived == 0 {
        Did::Nothing
    } else {
        Did::Otherwise { moved, arrived }
    }
}

/// Sender, receiver and base units of a transfer of the token.
pub(super) fn transfer(log: &Log, contract: Account) -> Option<(Account, Account, u128)> {
    let [topic, sender, receiver] = log.topics.as_slice() else {
        return None;
    };
    if log.removed || log.address != contract || topic.0 != TRANSFER_TOPIC {
        return None;
    }
    let account = |topic: &Hash| Account::from_word(&topic.bytes()?);
    let Bytes(data) = &log.data;
    let word = <[u8; 32]>::try_from(data.as_slice()).ok()?;
    Some((account(sender)?, account(receiver)?, word_number(&word)))
}
