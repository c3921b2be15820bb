//! What only withdrawals ask a node: fees.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::amount::satoshi;
use super::error::NodeError;
use super::node::BitcoinCore;
use super::reading::ReadError;

/// What a transaction pays for its size, in satoshi per 1 000 virtual bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate(pub u128);

#[derive(Deserialize)]
struct FeeJson {
    feerate: Option<Box<RawValue>>,
}

impl BitcoinCore {
    /// The rate with which a transaction is likely mined within `blocks`, 1 to 1008; `None` while
    /// the node has seen too little to say.
    ///
    /// # Errors
    /// [`NodeError::Rpc`] when the node cannot be asked, [`NodeError::Unreadable`] when it answers
    /// with no amount.
    pub async fn estimate_fee(&self, blocks: u16) -> Result<Option<FeeRate>, NodeError> {
        let fee: FeeJson = self.call("estimatesmartfee", json!([blocks])).await?;
        let Some(rate) = fee.feerate else {
            return Ok(None);
        };
        satoshi(rate.get())
            .map(|rate| Some(FeeRate(rate)))
            .ok_or_else(|| {
                NodeError::unreadable("a fee", &ReadError::new(format!("it is {}", rate.get())))
            })
    }
}
