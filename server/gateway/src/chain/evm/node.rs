use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::account::Account;
use super::config::Network;
use super::endpoint::NodeUrl;
use super::pool::{Snapshot, View};
use super::quantity::Quantity;
use super::rpc::{Call, Limits, Rpc, RpcError};
use super::wire::{BLOCK_BY_HASH, Header, Tx};
use super::{broadcast, identity, native, token};
use crate::chain::backend::{BlockRef, ChainBackend, ChainBlock, ChainTx, Holdings};
use crate::{Error, Result};

const BLOCK_BY_NUMBER: &str = "eth_getBlockByNumber";
const SYNCING: &str = "eth_syncing";

/// How often the tip is asked for while somebody waits.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// Of a node's version, in characters: clients write their system and compiler behind it.
const VERSION_CHARS_MAX: usize = 80;

/// What is paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asset {
    /// Ether; base unit wei.
    Native,
    /// The token of one contract.
    Token {
        contract: Account,
        /// What the contract's `decimals()` has to be.
        digits: u32,
    },
}

/// One node and what to follow on it.
#[derive(Debug, Clone)]
pub struct EvmConfig {
    pub url: NodeUrl,
    pub network: Network,
    pub asset: Asset,
    pub limits: Limits,
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeStatus {
    pub height: i64,
    /// It says itself that it is not up to date.
    pub syncing: bool,
    /// Blocks it knows of and does not have yet.
    pub behind: i64,
    /// When its best block was made.
    pub tip_at: OffsetDateTime,
}

/// A chain of accounts behind a node.
pub struct Evm {
    pub(super) rpc: Rpc,
    pub(super) network: Network,
    pub(super) asset: Asset,
    /// `None` until the node was found to be the right one, and after every loss of contact: then
    /// it may be another one.
    view: Mutex<Option<View>>,
    waiting: Snapshot,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Syncing {
    Answer(bool),
    #[serde(rename_all = "camelCase")]
    Progress {
        highest_block: Option<Quantity>,
    },
}

impl Evm {
    /// Asks the node nothing yet; the first call of the chain does, so a node that is down at
    /// start is found when it is back.
    ///
    /// # Errors
    /// [`Error::Internal`] when this machine cannot make HTTP requests at all.
    pub fn new(config: EvmConfig) -> Result<Self> {
        Ok(Self {
            rpc: Rpc::new(config.url, config.limits)?,
            network: config.network,
            asset: config.asset,
            view: Mutex::default(),
            waiting: Snapshot::default(),
        })
    }

    /// Like [`Self::new`] with a node that answers and is the right one.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be reached, follows another chain, or has another token.
    pub async fn open(config: EvmConfig) -> Result<Self> {
        let evm = Self::new(config)?;
        evm.checked_view().await?;
        Ok(evm)
    }

    /// How the node is right now.
    ///
    /// # Errors
    /// Like every call: the node is away, another one, or makes no sense.
    pub async fn status(&self) -> Result<NodeStatus> {
        let calls = [
            Call::new(SYNCING, json!([])),
            Call::new(BLOCK_BY_NUMBER, json!(["latest", false])),
        ];
        let [syncing, latest] = self.ask(self.rpc.batch(calls)).await?;
        let latest: Header = latest.read()?;
        let tip_at = latest
            .timestamp
            .count()
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .ok_or_else(|| self.rpc.unreadable(BLOCK_BY_NUMBER, "a time out of range"))?;
        let height = self.reference(&latest, BLOCK_BY_NUMBER)?.height;
        let (syncing, highest) = match syncing.read::<Syncing>()? {
            Syncing::Answer(syncing) => (syncing, None),
            Syncing::Progress { highest_block } => (true, highest_block),
        };
        let highest = highest.and_then(|highest| highest.count().ok());
        Ok(NodeStatus {
            height,
            syncing,
            behind: highest.map_or(0, |highest| (highest - height).max(0)),
            tip_at,
        })
    }

    /// The software and its version, in the node's own words.
    ///
    /// # Errors
    /// As every call of the node.
    pub async fn version(&self) -> Result<String> {
        let text: String = self
            .ask(self.rpc.call("web3_clientVersion", json!([])))
            .await?;
        Ok(text
            .chars()
            .filter(|c| !c.is_control())
            .take(VERSION_CHARS_MAX)
            .collect())
    }

    pub const fn network(&self) -> Network {
        self.network
    }

    /// What the node shows of its pool, after it was found to be the right node.
    async fn checked_view(&self) -> Result<View> {
        if let Some(view) = self.known_view() {
            return Ok(view);
        }
        identity::check(&self.rpc, self.network, self.asset).await?;
        let view = View::find(&self.rpc).await?;
        self.know_view(Some(view));
        Ok(view)
    }

    /// Waits for a call, made when the node is known to be the right one.
    pub(super) async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, RpcError>>,
    ) -> Result<T> {
        self.checked_view().await?;
        let answer = call.await;
        if answer.as_ref().is_err_and(RpcError::is_lost_contact) {
            self.know_view(None);
        }
        Ok(answer?)
    }

    fn known_view(&self) -> Option<View> {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn know_view(&self, view: Option<View>) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }

    fn reference(&self, header: &Header, method: &'static str) -> Result<BlockRef> {
        let reference = header
            .reference()
            .map_err(|problem| self.rpc.unreadable(method, problem))?;
        Ok(reference)
    }

    fn pending(&self, tx: &Tx) -> ChainTx {
        match self.asset {
            Asset::Native => native::pending(tx),
            Asset::Token { .. } => token::pending(tx),
        }
    }
}

#[async_trait]
impl ChainBackend for Evm {
    async fn tip(&self) -> Result<BlockRef> {
        let call = self.rpc.call(BLOCK_BY_NUMBER, json!(["latest", false]));
        let latest: Header = self.ask(call).await?;
        self.reference(&latest, BLOCK_BY_NUMBER)
    }

    async fn block_at(&self, height: i64) -> Result<Option<BlockRef>> {
        let Ok(number) = u64::try_from(height) else {
            return Ok(None);
        };
        let params = json!([Quantity::write(number), false]);
        let found: Option<Header> = self.ask(self.rpc.call(BLOCK_BY_NUMBER, params)).await?;
        let Some(header) = found else {
            return Ok(None);
        };
        let reference = self.reference(&header, BLOCK_BY_NUMBER)?;
        if reference.height != height {
            let problem = format!("block {} instead of {height}", reference.height);
            return Err(self.rpc.unreadable(BLOCK_BY_NUMBER, problem).into());
        }
        Ok(Some(reference))
    }

    async fn block(&self, hash: &str) -> Result<ChainBlock> {
        let (block, txs) = match self.asset {
            Asset::Native => self.ask(native::block(&self.rpc, hash)).await?,
            Asset::Token { contract, .. } => {
                self.ask(token::block(&self.rpc, contract, hash)).await?
            }
        };
        let reference = self.reference(&block.header, BLOCK_BY_HASH)?;
        Ok(ChainBlock { reference, txs })
    }

    /// Empty when the node shows nothing of its pool. Transactions known before are then missing
    /// for [`Self::drop_grace`], and found again in their block.
    async fn mempool(&self) -> Result<Vec<String>> {
        let view = self.checked_view().await?;
        let txs = self.ask(view.read(&self.rpc)).await?;
        Ok(self.waiting.replace(txs.iter().map(|tx| self.pending(tx))))
    }

    /// First out of the snapshot that [`Self::mempool`] took.
    async fn tx(&self, txid: &str) -> Result<Option<ChainTx>> {
        if let Some(tx) = self.waiting.take(txid) {
            return Ok(Some(tx));
        }
        let call = self.rpc.call("eth_getTransactionByHash", json!([txid]));
        let found: Option<Tx> = self.ask(call).await?;
        Ok(found
            .filter(|tx| tx.block_hash.is_none())
            .map(|tx| self.pending(&tx)))
    }

    async fn wait(&self, after: &BlockRef, max: Duration) -> Result<()> {
        let moved = async {
            while self.tip().await?.hash == after.hash {
                tokio::time::sleep(POLL_EVERY).await;
            }
            Ok::<(), Error>(())
        };
        tokio::time::timeout(max, moved).await.unwrap_or(Ok(()))
    }

    async fn broadcast(&self, raw: &[u8]) -> Result<()> {
        self.checked_view().await?;
        broadcast::send(&self.rpc, raw).await
    }

    async fn holdings(&self, addresses: &[String]) -> Result<Holdings> {
        self.balances(addresses).await
    }

    fn drop_grace(&self) -> time::Duration {
        self.known_view().unwrap_or(View::Nothing).drop_grace()
    }
}
