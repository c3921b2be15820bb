//! What stands behind a chain, and what it says about itself.
//!
//! Invariant: only this file and the opening of the chains know which kinds of node there are.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::address::{Network, params_on};
use super::backend::ChainBackend;
use super::bitcoin_core::{Announcements, BitcoinCore, signing_name};
use super::evm::Evm;
use super::simulated::SimChain;
use crate::{Error, Result};

/// Blocks one pass reads before others may have their turn; full ones take some tenths of a second each.
const BLOCKS_PER_PASS: u32 = 50;
/// How long a page waits for a node's answer.
const STATUS_LIMIT: Duration = Duration::from_secs(3);
/// A best block older than this makes a node doubtful, whatever it says itself.
const TIP_AGE_MAX: time::Duration = time::Duration::hours(1);

/// The node of a chain.
#[derive(Clone)]
pub(super) enum Node {
    Simulated(Arc<SimChain>),
    BitcoinCore(Arc<BitcoinCore>),
    Evm(Arc<Evm>),
    /// Made by whoever opened the instance.
    Given(Arc<dyn ChainBackend>),
}

/// A node at one moment, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeReport {
    /// Of its best block.
    pub height: i64,
    /// Blocks it knows of and does not have.
    pub behind: i64,
    /// Software and version.
    pub version: String,
    /// Other nodes it is connected to, where it says so.
    pub peers: Option<i64>,
    /// Transactions in its mempool, where that is cheap to ask.
    pub mempool: Option<u64>,
    /// What somebody should look at, one sentence each.
    pub warnings: Vec<String>,
}

impl Node {
    pub(super) fn backend(&self) -> Arc<dyn ChainBackend> {
        match self {
            Self::Simulated(node) => node.clone(),
            Self::BitcoinCore(node) => node.clone(),
            Self::Evm(node) => node.clone(),
            Self::Given(node) => node.clone(),
        }
    }

    pub(super) fn simulated(&self) -> Option<&SimChain> {
        match self {
            Self::Simulated(node) => Some(node),
            Self::BitcoinCore(_) | Self::Evm(_) | Self::Given(_) => None,
        }
    }

    /// As in settings.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Simulated(_) => "simulated",
            Self::BitcoinCore(_) => "bitcoin-core",
            Self::Evm(_) => "evm",
            Self::Given(_) => "given",
        }
    }

    /// The network's name: as in settings, or the number of a chain nobody else knows.
    pub(super) fn network(&self) -> String {
        match self {
            Self::Simulated(_) => "simulated".to_owned(),
            Self::BitcoinCore(node) => node.config().network.to_string(),
            Self::Evm(node) => node.network().setting(),
            Self::Given(_) => "given".to_owned(),
        }
    }

    /// Controls of the simulated chain promise their whole effect, however many blocks they make.
    pub(super) const fn blocks_per_pass(&self) -> u32 {
        match self {
            Self::Simulated(_) | Self::Given(_) => u32::MAX,
            Self::BitcoinCore(_) | Self::Evm(_) => BLOCKS_PER_PASS,
        }
    }

    /// Height of the oldest block the node still has; `None` when it has all, or does not say.
    pub(super) async fn oldest_kept(&self) -> Result<Option<i64>> {
        match self {
            Self::BitcoinCore(node) => Ok(node.pruned_below().await?),
            Self::Simulated(_) | Self::Evm(_) | Self::Given(_) => Ok(None),
        }
    }

    /// What the node says unasked; `None` where nobody listens to that.
    pub(super) fn announcements(&self) -> Option<&Arc<Announcements>> {
        match self {
            Self::BitcoinCore(node) => node.announcements(),
            Self::Simulated(_) | Self::Evm(_) | Self::Given(_) => None,
        }
    }

    /// What the node says of itself, within three seconds.
    ///
    /// # Errors
    /// The sentence that says why it cannot be asked.
    pub(super) async fn report(&self, now: OffsetDateTime) -> Result<NodeReport> {
        tokio::time::timeout(STATUS_LIMIT, self.ask(now))
            .await
            .unwrap_or_else(|_| {
                let seconds = STATUS_LIMIT.as_secs();
                Err(Error::Internal(format!(
                    "the node has not answered in {seconds} seconds"
                )))
            })
    }

    async fn ask(&self, now: OffsetDateTime) -> Result<NodeReport> {
        match self {
            Self::Simulated(node) => Ok(NodeReport {
                height: node.tip().await?.height,
                version: format!("exchequer {}", env!("CARGO_PKG_VERSION")),
                mempool: u64::try_from(node.mempool().await?.len()).ok(),
                ..NodeReport::default()
            }),
            Self::Given(node) => Ok(NodeReport {
                height: node.tip().await?.height,
                ..NodeReport::default()
            }),
            Self::BitcoinCore(node) => {
                let status = node.status().await?;
                let mut warnings = status.warnings.clone();
                if status.is_syncing {
                    warnings.push("the node has not caught up with its network".to_owned());
                }
                if status.peers == 0 && node.config().network != Network::Regtest {
                    warnings.push("the node is connected to no other".to_owned());
                }
                if let Some(height) = status.pruned_below {
                    warnings.push(format!(
                        "the node deletes old blocks (it is pruned): none below {height}"
                    ));
                }
                Ok(NodeReport {
                    height: status.height,
                    behind: status.lag,
                    version: status.version_text(),
                    peers: Some(status.peers),
                    mempool: Some(status.mempool),
                    warnings,
                })
            }
            Self::Evm(node) => {
                let status = node.status().await?;
                let mut warnings = Vec::new();
                if status.syncing {
                    warnings.push("the node has not caught up with its network".to_owned());
                }
                // Blocks of a network of one's own come when somebody makes them.
                if node.network().is_public() && now - status.tip_at > TIP_AGE_MAX {
                    warnings.push("the node's best block is more than an hour old".to_owned());
                }
                Ok(NodeReport {
                    height: status.height,
                    behind: status.behind,
                    version: node.version().await?,
                    peers: None,
                    mempool: None,
                    warnings,
                })
            }
        }
    }
}

/// The name the crate `signing` knows the chain of a coin by; `None` where it signs nothing.
pub fn signing_chain(code: &str, network: Network) -> Option<&'static signing::ChainParams> {
    params_on(code, network)?;
    let coin = signing_name(code)?;
    match network {
        Network::Main => signing::chain(coin),
        other => signing::chain(&format!("{coin}-{other}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chain::address::AddressForm;

    #[test]
    fn what_signs_writes_the_addresses_of_what_watches() {
        for (code, network) in [
            ("BTC", Network::Main),
            ("BTC", Network::Testnet4),
            ("BTC", Network::Signet),
            ("BTC", Network::Regtest),
            ("LTC", Network::Main),
            ("LTC", Network::Test),
            ("LTC", Network::Regtest),
        ] {
            let coin = params_on(code, network).unwrap();
            let chain = signing_chain(code, network).unwrap();
            assert_eq!(chain.coin_type, coin.coin_type, "{code} {network}");
            assert_eq!(chain.keys, coin.network);
            assert!(matches!(coin.form, AddressForm::Segwit { hrp, .. } if hrp == chain.hrp));
        }
        assert_eq!(signing_chain("ETH", Network::Main), None);
        assert_eq!(signing_chain("LTC", Network::Signet), None);
    }
}
