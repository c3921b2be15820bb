//! What an account has, for those who pay from it and those who compare it with the books.

use serde_json::json;

use super::account::Account;
use super::erc20;
use super::node::{Asset, Evm};
use super::quantity::{Hash, Quantity, word_number, write_bytes};
use crate::Result;

const NONCE: &str = "eth_getTransactionCount";
const CALL: &str = "eth_call";

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
        let wei: Quantity = self.ask(self.rpc.call("eth_getBalance", params)).await?;
        Ok(wei.0)
    }
}
