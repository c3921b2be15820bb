//! The node as the follower knows it.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::broadcast::{Judgement, judge};
use super::error::NodeError;
use super::node::BitcoinCore;
use super::rpc::RpcError;
use crate::chain::backend::{BlockRef, ChainBackend, ChainBlock, ChainTx, Holdings};
use crate::{Error, Result};

/// While announcements are heard, a waiting call looks so much more seldom by itself.
const SELDOM: u32 = 10;
/// Pause after an announcement with nothing to tell: where the mempool is busy, they come faster than it
/// can be asked for.
const CALM: Duration = Duration::from_millis(200);

/// `getmempoolinfo`. Two equal ones may be of different mempools, which a caller then notices at
/// the end of its wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct MempoolInfo {
    pub size: u64,
    bytes: u64,
}

impl MempoolInfo {
    /// How long not to list it again: about twenty times what listing takes.
    const fn pause(self) -> Duration {
        Duration::from_millis(self.size / 20)
    }
}

#[async_trait]
impl ChainBackend for BitcoinCore {
    async fn tip(&self) -> Result<BlockRef> {
        let best = self.chain_info().await?.bestblockhash;
        Ok(self.header(&best).await?)
    }

    async fn block_at(&self, height: i64) -> Result<Option<BlockRef>> {
        match self.hash_at(height).await? {
            Some(hash) => Ok(Some(self.header(&hash).await?)),
            None => Ok(None),
        }
    }

    async fn block(&self, hash: &str) -> Result<ChainBlock> {
        Ok(self.read_chain_block(hash).await?)
    }

    async fn mempool(&self) -> Result<Vec<String>> {
        // Before the list: what comes between the two is then noticed by the next wait.
        let info = self.mempool_info().await?;
        let txids = self.call("getrawmempool", json!([])).await?;
        *self.listed.lock().await = Some(info);
        Ok(txids)
    }

    async fn tx(&self, txid: &str) -> Result<Option<ChainTx>> {
        match self.find_tx(txid).await? {
            Some(json) => Ok(self.read_tx(txid, json.get())?),
            None => Ok(None),
        }
    }

    async fn txs(&self, txids: &[String]) -> Result<Vec<ChainTx>> {
        Ok(BitcoinCore::txs(self, txids).await?)
    }

    /// Looks again and again, and at once when something is announced. The node's own
    /// `waitfornewblock` would keep one of its few threads busy, does not see the mempool, and on older
    /// nodes misses a block found before the call.
    async fn wait(&self, after: &BlockRef, max: Duration) -> Result<()> {
        let began = Instant::now();
        let listed = *self.listed.lock().await;
        let mut news = self.announcements.as_ref().map(|node| node.subscribe());
        let mut is_calm = true;
        loop {
            // What is announced from here on may be too new for the answers below.
            if let Some(news) = &mut news {
                news.mark_unchanged();
            }
            let best: String = self.call("getbestblockhash", json!([])).await?;
            if best != after.hash {
                return Ok(());
            }
            let info = self.mempool_info().await?;
            let waited = began.elapsed();
            if waited >= max || (listed != Some(info) && waited >= info.pause()) {
                return Ok(());
            }
            let pause = self.pause().min(max - waited);
            is_calm = match &mut news {
                Some(news) if is_calm => tokio::select! {
                    () = tokio::time::sleep(pause) => true,
                    _ = news.changed() => false,
                },
                _ => {
                    tokio::time::sleep(pause.min(CALM)).await;
                    true
                }
            };
        }
    }

    async fn broadcast(&self, raw: &[u8]) -> Result<()> {
        let sent: Result<String, NodeError> = self
            .call("sendrawtransaction", json!([hex::encode(raw)]))
            .await;
        let Err(error) = sent else {
            return Ok(());
        };
        let judgement = match &error {
            NodeError::Rpc(RpcError::Refused { code, message, .. }) => judge(*code, message),
            _ => Judgement::Other,
        };
        match judgement {
            Judgement::Known => Ok(()),
            Judgement::Spent if self.knows(raw).await? => Ok(()),
            Judgement::Spent => {
                tracing::warn!(chain = self.config.coin.code, %error, "a broadcast was refused");
                Err(Error::Conflict(
                    "the network refuses the transaction: what it spends is spent by another",
                ))
            }
            Judgement::Other => Err(error.into()),
        }
    }

    async fn holdings(&self, addresses: &[String]) -> Result<Holdings> {
        Ok(self.scan(addresses).await?)
    }

    fn drop_grace(&self) -> time::Duration {
        self.config.software.drop_grace
    }
}

impl BitcoinCore {
    /// Between two looks of a waiting call.
    fn pause(&self) -> Duration {
        let every = self.config.look_every;
        match &self.announcements {
            Some(node) if node.is_heard() => every * SELDOM,
            _ => every,
        }
    }

    pub(super) async fn mempool_info(&self) -> Result<MempoolInfo, NodeError> {
        self.call("getmempoolinfo", json!([])).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_mempool_is_listed_less_often() {
        let pause = |size| MempoolInfo { size, bytes: 0 }.pause();
        assert_eq!(pause(3), Duration::ZERO);
        assert_eq!(pause(4_000), Duration::from_millis(200));
        assert_eq!(pause(100_000), Duration::from_secs(5));
    }
}
