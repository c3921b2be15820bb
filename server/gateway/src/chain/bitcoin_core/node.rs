//! One node behind the interface of every chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::announcements::Announcements;
use super::backend::MempoolInfo;
use super::config::NodeConfig;
use super::error::NodeError;
use super::maturity;
use super::rpc::{Rpc, RpcError};
use super::software::NetworkIdentity;
use super::status::{ChainInfo, NetworkInfo, NodeStatus};

/// A Bitcoin Core or Litecoin Core node.
pub struct BitcoinCore {
    pub(super) config: NodeConfig,
    identity: &'static NetworkIdentity,
    pub(super) rpc: Rpc,
    /// The node was compared with the settings, and did not go away since.
    is_checked: AtomicBool,
    pub(super) held: Mutex<maturity::Memory>,
    /// What the mempool looked like just before it was last listed.
    pub(super) listed: Mutex<Option<MempoolInfo>>,
    pub(super) announcements: Option<Arc<Announcements>>,
}

impl BitcoinCore {
    /// Asks the node nothing yet, so that a server starts without it.
    ///
    /// # Errors
    /// [`NodeError::Rpc`] when this system cannot make HTTP calls.
    pub fn new(config: NodeConfig) -> Result<Self, NodeError> {
        let rpc = Rpc::new(
            config.url.clone(),
            config.credentials.clone(),
            config.call_limit,
        )?;
        let identity =
            config
                .software
                .identity(config.network)
                .ok_or_else(|| NodeError::WrongNetwork {
                    expected: config.network.name(),
                    found: "no network of this coin".to_owned(),
                })?;
        let announcements = config.zmq.clone().map(Announcements::new);
        Ok(Self {
            config,
            identity,
            rpc,
            is_checked: AtomicBool::new(false),
            held: Mutex::default(),
            listed: Mutex::default(),
            announcements: announcements.map(Arc::new),
        })
    }

    /// Connects to the node and compares it with the settings.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Self::check`].
    pub async fn open(config: NodeConfig) -> Result<Self, NodeError> {
        let node = Self::new(config)?;
        node.check().await?;
        Ok(node)
    }

    /// Compares network, first block and version with what the settings need. Every other call
    /// does so first when the node was away.
    ///
    /// # Errors
    /// [`NodeError::WrongNetwork`], [`NodeError::WrongGenesis`], [`NodeError::TooOld`], or why the
    /// node cannot be asked.
    pub async fn check(&self) -> Result<(), NodeError> {
        self.is_checked.store(false, Ordering::Relaxed);
        let chain: ChainInfo = self.rpc.call("getblockchaininfo", json!([])).await?;
        chain.check_network(self.identity)?;
        let genesis: String = self.rpc.call("getblockhash", json!([0])).await?;
        if genesis != self.identity.genesis {
            return Err(NodeError::WrongGenesis { found: genesis });
        }
        let network: NetworkInfo = self.rpc.call("getnetworkinfo", json!([])).await?;
        let needed = self.config.software.version_min;
        if network.version < needed {
            let found = network.version;
            return Err(NodeError::TooOld { needed, found });
        }
        self.is_checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// How the node is doing.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn status(&self) -> Result<NodeStatus, NodeError> {
        let chain = self.chain_info().await?;
        let network: NetworkInfo = self.call("getnetworkinfo", json!([])).await?;
        let mempool = self.mempool_info().await?.size;
        Ok(chain.status(&network, mempool))
    }

    /// Height below which the node has deleted its blocks; `None` for one that keeps all.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub async fn pruned_below(&self) -> Result<Option<i64>, NodeError> {
        Ok(self.chain_info().await?.pruned_below())
    }

    /// What it says unasked; `None` where the settings do not say where.
    pub const fn announcements(&self) -> Option<&Arc<Announcements>> {
        self.announcements.as_ref()
    }

    pub const fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Calls a node that is the right one.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, NodeError> {
        self.ensure_checked().await?;
        let answer = self.rpc.call(method, params).await;
        Ok(self.noticing(answer)?)
    }

    pub(super) async fn ensure_checked(&self) -> Result<(), NodeError> {
        if self.is_checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.check().await
    }

    /// A node that was away may come back as another.
    pub(super) fn noticing<T>(&self, answer: Result<T, RpcError>) -> Result<T, RpcError> {
        if answer.as_ref().is_err_and(RpcError::is_absence) {
            self.is_checked.store(false, Ordering::Relaxed);
        }
        answer
    }

    pub(super) async fn chain_info(&self) -> Result<ChainInfo, NodeError> {
        let info: ChainInfo = self.call("getblockchaininfo", json!([])).await?;
        // It can be exchanged for another between two calls, without a failure in between.
        info.check_network(self.identity).inspect_err(|_| {
            self.is_checked.store(false, Ordering::Relaxed);
        })?;
        Ok(info)
    }
}
