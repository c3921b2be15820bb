//! The node as payouts know it.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::amount::satoshi;
use super::error::NodeError;
use super::node::BitcoinCore;
use super::reading::ReadError;
use crate::Result;
use crate::chain::backend::CoinNode;

/// No such transaction there.
const NOT_FOUND: i64 = -5;
/// The block was deleted (`RPC_MISC_ERROR`).
const NOT_KEPT: i64 = -1;

/// `getnetworkinfo`, as far as it is read here.
#[derive(Deserialize)]
struct RelayJson {
    incrementalfee: Box<RawValue>,
}

#[async_trait]
impl CoinNode for BitcoinCore {
    async fn fee_rate(&self, blocks: u16) -> Result<Option<u64>> {
        let rate = self.estimate_fee(blocks).await?;
        Ok(rate.map(|rate| u64::try_from(rate.0)).transpose()?)
    }

    async fn incremental_rate(&self) -> Result<u64> {
        let relay: RelayJson = self.call("getnetworkinfo", json!([])).await?;
        let text = relay.incrementalfee.get();
        let rate = satoshi(text).ok_or_else(|| {
            NodeError::unreadable("a fee", &ReadError::new(format!("it is {text}")))
        })?;
        Ok(u64::try_from(rate)?)
    }

    /// A coinbase is not found: its outputs are reported in a later block than its own.
    async fn transaction(&self, txid: &str, block_hash: &str) -> Result<Option<Vec<u8>>> {
        let params = json!([txid, false, block_hash]);
        let answer: Result<String, NodeError> = self.call("getrawtransaction", params).await;
        let digits = match answer {
            Err(error) if matches!(error.code(), Some(NOT_FOUND | NOT_KEPT)) => return Ok(None),
            answer => answer?,
        };
        let bytes = hex::decode(digits).map_err(|error| {
            NodeError::unreadable(format!("transaction {txid}"), &ReadError::new(error))
        })?;
        Ok(Some(bytes))
    }
}
