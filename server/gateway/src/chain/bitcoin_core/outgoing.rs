//! What only withdrawals ask a node: fees, a trial, and who else spends the same.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::amount::satoshi;
use super::error::NodeError;
use super::node::BitcoinCore;
use super::reading::ReadError;
use super::rpc::RpcError;
use crate::chain::backend::OutPoint;

/// What a transaction pays for its size, in satoshi per 1 000 virtual bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate(pub u128);

/// Whether the node would take a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    Accepted,
    /// With the node's reason.
    Refused(String),
}

#[derive(Deserialize)]
struct FeeJson {
    feerate: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct TrialJson {
    allowed: Option<bool>,
    #[serde(rename = "reject-reason")]
    reject_reason: Option<String>,
}

#[derive(Deserialize)]
struct SpendJson {
    spendingtxid: Option<String>,
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

    /// Asks whether the node would take the transaction, without giving it away.
    ///
    /// # Errors
    /// [`NodeError::Rpc`] when the node cannot be asked, or the bytes are no transaction.
    pub async fn test_accept(&self, raw: &[u8]) -> Result<Acceptance, NodeError> {
        let trials: Vec<TrialJson> = self
            .call("testmempoolaccept", json!([[hex::encode(raw)]]))
            .await?;
        let Some(trial) = trials.into_iter().next() else {
            return Err(RpcError::unreadable("testmempoolaccept", &"it is empty").into());
        };
        Ok(if trial.allowed == Some(true) {
            Acceptance::Accepted
        } else {
            Acceptance::Refused(trial.reject_reason.unwrap_or_default())
        })
    }

    /// Which transaction of the mempool spends each of `outputs`, in their order.
    ///
    /// # Errors
    /// [`NodeError::Rpc`] with code -32601 on nodes that do not know the question: Bitcoin Core
    /// does since 24.0, Litecoin Core does not.
    pub async fn spenders(&self, outputs: &[OutPoint]) -> Result<Vec<Option<String>>, NodeError> {
        let asked: Vec<_> = outputs
            .iter()
            .map(|output| json!({ "txid": output.txid, "vout": output.vout }))
            .collect();
        let spends: Vec<SpendJson> = self.call("gettxspendingprevout", json!([asked])).await?;
        if spends.len() != outputs.len() {
            return Err(
                RpcError::unreadable("gettxspendingprevout", &"answers are missing").into(),
            );
        }
        Ok(spends.into_iter().map(|spend| spend.spendingtxid).collect())
    }
}
