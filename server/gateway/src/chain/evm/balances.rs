//! What an account has, for those who pay from it and those who compare it with the books.

use serde_json::json;

use super::account::Account;
use super::erc20;
use super::node::{Asset, Evm};
use super::quantity::{Hash, Quantity, word_number, write_bytes};
use super::rpc::Call;
use crate::chain::backend::{ChainBackend as _, Held, Holdings};
use crate::{Error, Result};

const NONCE: &str = "eth_getTransactionCount";
const CALL: &str = "eth_call";
const BALANCE: &str = "eth_getBalance";

/// Accounts asked for in one exchange.
const BATCH: usize = 100;

impl Evm {
    /// The nonce of the account's next transaction, after those that wait in the node's pool.
    ///
    /// # Errors
    /// As every call of the node.
    pub async fn next_nonce(&self, account: Account) -> Result<u64> {
        let params = json!([account.to_string(), "pending"]);
        let nonce: Quantity = self.ask(self.rpc.call(NONCE, params)).await?;
        let nonce = u64::try_from(nonce.0).map_err(|error| self.rpc.unreadable(NONCE, error))?;
        Ok(nonce)
    }

    /// Base units of the asset on the account at the best block.
    ///
    /// # Errors
    /// As every call of the node.
    pub async fn balance(&self, account: Account) -> Result<u128> {
        match self.asset {
            Asset::Native => self.ether(account).await,
            Asset::Token { contract, .. } => {
                let data = write_bytes(&erc20::balance_of(account));
                let params = json!([{ "to": contract.to_string(), "data": data }, "latest"]);
                let word: Hash = self.ask(self.rpc.call(CALL, params)).await?;
                Ok(word.bytes().map_or(0, |word| word_number(&word)))
            }
        }
    }

    /// Wei on the account at the best block: what gas is paid with, whatever the asset.
    ///
    /// # Errors
    /// As every call of the node.
    pub async fn ether(&self, account: Account) -> Result<u128> {
        let params = json!([account.to_string(), "latest"]);
        let wei: Quantity = self.ask(self.rpc.call(BALANCE, params)).await?;
        Ok(wei.0)
    }

    /// Base units on each of the accounts at one block, the best there is when they are asked for.
    pub(super) async fn balances(&self, addresses: &[String]) -> Result<Holdings> {
        let tip = self.tip().await?;
        // By hash: a node that changes its mind meanwhile answers with an error, not with a mixture.
        let block = json!({ "blockHash": tip.hash });
        let mut held = Vec::new();
        for chunk in addresses.chunks(BATCH) {
            let mut calls = Vec::with_capacity(chunk.len());
            for address in chunk {
                let account: Account = address.parse().map_err(Error::internal)?;
                calls.push(match self.asset {
                    Asset::Native => Call::new(BALANCE, json!([account.to_string(), block])),
                    Asset::Token { contract, .. } => {
                        let data = write_bytes(&erc20::balance_of(account));
                        let to = contract.to_string();
                        Call::new(CALL, json!([{ "to": to, "data": data }, block]))
                    }
                });
            }
            let answers = self.ask(self.rpc.batch_of(&calls)).await?;
            for (address, answer) in chunk.iter().zip(answers) {
                let raw = match self.asset {
                    Asset::Native => answer.read::<Quantity>()?.0,
                    Asset::Token { .. } => {
                        let word: Hash = answer.read()?;
                        word.bytes().map_or(0, |word| word_number(&word))
                    }
                };
                if raw > 0 {
                    held.push(Held {
                        address: address.clone(),
                        place: None,
                        raw,
                        may_be_immature: false,
                    });
                }
            }
        }
        Ok(Holdings {
            hash: tip.hash,
            height: tip.height,
            held,
        })
    }
}
