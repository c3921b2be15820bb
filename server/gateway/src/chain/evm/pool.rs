//! Transactions that wait to get into a block, as far as a node shows them.
//!
//! Invariant: what is answered as waiting was waiting in the node's last snapshot. A node shows its
//! own pool, one block's worth of it, or nothing; what it does not show may wait all the same, so
//! the less it shows, the longer a transaction may be missing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::quantity::Quantity;
use super::rpc::{Call, Rpc, RpcError};
use super::wire::{Header, Tx};
use crate::chain::backend::ChainTx;

const CONTENT: &str = "txpool_content";
const BLOCK_BY_NUMBER: &str = "eth_getBlockByNumber";

/// A node that was started again has lost its pool; wallets send again what they miss.
const GRACE_OF_POOL: time::Duration = time::Duration::minutes(30);
/// As long as nodes keep what cannot get into a block.
const GRACE_OF_LESS: time::Duration = time::Duration::hours(3);

/// How much of its pool a node shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// All of it: a node of one's own, with the methods of `txpool`.
    Pool,
    /// What it would put into the next block.
    NextBlock,
    Nothing,
}

#[derive(Deserialize)]
struct Content {
    /// By sender and nonce. Those with a gap before their nonce, which wait for others, are apart.
    pending: HashMap<String, HashMap<String, Tx>>,
}

#[derive(Deserialize)]
struct NextBlock {
    number: Option<Quantity>,
    transactions: Vec<Tx>,
}

impl View {
    /// The most the node is willing to show.
    pub(super) async fn find(rpc: &Rpc) -> Result<Self, RpcError> {
        match rpc.call::<IgnoredAny>("txpool_status", json!([])).await {
            Ok(_) => return Ok(Self::Pool),
            // Services block methods with a status, too.
            Err(RpcError::Refused { .. } | RpcError::Status { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(match next_block(rpc).await? {
            Some(_) => Self::NextBlock,
            None => Self::Nothing,
        })
    }

    pub(super) async fn read(self, rpc: &Rpc) -> Result<Vec<Tx>, RpcError> {
        match self {
            Self::Pool => match rpc.call::<Content>(CONTENT, json!([])).await {
                Ok(content) => Ok(content
                    .pending
                    .into_values()
                    .flat_map(HashMap::into_values)
                    .collect()),
                // The next block's worth of a crowded pool is what matters most.
                Err(RpcError::TooLarge { .. }) => Ok(next_block(rpc).await?.unwrap_or_default()),
                Err(error) => Err(error),
            },
            Self::NextBlock => Ok(next_block(rpc).await?.unwrap_or_default()),
            Self::Nothing => Ok(Vec::new()),
        }
    }

    pub(super) const fn drop_grace(self) -> time::Duration {
        match self {
            Self::Pool => GRACE_OF_POOL,
            Self::NextBlock | Self::Nothing => GRACE_OF_LESS,
        }
    }
}

/// `None` when the node has no such block, or answers with the last one instead.
async fn next_block(rpc: &Rpc) -> Result<Option<Vec<Tx>>, RpcError> {
    let latest = Call::new(BLOCK_BY_NUMBER, json!(["latest", false]));
    let pending = Call::new(BLOCK_BY_NUMBER, json!(["pending", true]));
    let [latest, pending] = rpc.batch([latest, pending]).await?;
    let latest: Header = latest.read()?;
    let pending = match pending.read::<Option<NextBlock>>() {
        Ok(pending) => pending,
        Err(RpcError::Refused { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(pending
        .filter(|block| block.number.is_none_or(|number| number > latest.number))
        .map(|block| block.transactions))
}

/// The last snapshot, so that each of its transactions needs no call of its own.
#[derive(Default)]
pub(super) struct Snapshot(Mutex<HashMap<String, ChainTx>>);

impl Snapshot {
    /// Answers the ids, sorted.
    pub(super) fn replace(&self, txs: impl Iterator<Item = ChainTx>) -> Vec<String> {
        let txs: HashMap<String, ChainTx> = txs.map(|tx| (tx.txid.clone(), tx)).collect();
        let mut ids: Vec<String> = txs.keys().cloned().collect();
        ids.sort_unstable();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = txs;
        ids
    }

    /// Each is answered once: whoever asks again wants to know what became of it.
    pub(super) fn take(&self, txid: &str) -> Option<ChainTx> {
        let mut txs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        txs.remove(txid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tx(txid: &str) -> ChainTx {
        ChainTx {
            txid: txid.to_owned(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    #[test]
    fn a_snapshot_answers_each_of_its_transactions_once() {
        let snapshot = Snapshot::default();
        let ids = snapshot.replace(["b", "a"].into_iter().map(tx));
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(snapshot.take("a"), Some(tx("a")));
        assert_eq!(snapshot.take("a"), None);
        snapshot.replace(std::iter::once(tx("c")));
        assert_eq!(snapshot.take("b"), None);
    }

    #[test]
    fn the_less_a_node_shows_the_longer_a_transaction_may_be_missing() {
        assert!(View::Pool.drop_grace() < View::NextBlock.drop_grace());
        assert_eq!(View::NextBlock.drop_grace(), View::Nothing.drop_grace());
    }
}
