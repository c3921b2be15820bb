//! How a node is doing, for pages and health checks.

use serde::Deserialize;

use super::error::NodeError;
use super::software::NetworkIdentity;

/// A node at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// Of its best block.
    pub height: i64,
    /// Of the best header it has heard of: more than `height` while it catches up.
    pub headers: i64,
    /// Headers without their block.
    pub lag: i64,
    /// It has not caught up since it started, or its best block is more than a day old.
    pub is_syncing: bool,
    /// Other nodes it is connected to.
    pub peers: i64,
    /// As the node numbers it: 300100 is 30.1, of Litecoin 210401 is 0.21.4.1.
    pub version: i64,
    /// Blocks below this height were deleted.
    pub pruned_below: Option<i64>,
    /// Transactions in its mempool.
    pub mempool: u64,
    /// The node's own words.
    pub warnings: Vec<String>,
}

impl NodeStatus {
    /// The version as people write it: `30.1.0`, of Litecoin `0.21.4.1`.
    pub fn version_text(&self) -> String {
        let part = |unit: i64| self.version / unit % 100;
        // Four parts since 22.0 are three: there is no leading zero any more.
        if self.version >= FIRST_WITHOUT_ZERO {
            format!("{}.{}.{}", self.version / 10_000, part(100), part(1))
        } else {
            format!("0.{}.{}.{}", self.version / 10_000, part(100), part(1))
        }
    }
}

/// Bitcoin Core 22.0; Litecoin Core has not come so far.
const FIRST_WITHOUT_ZERO: i64 = 220_000;

/// `getblockchaininfo`, as far as it is read.
#[derive(Debug, Deserialize)]
pub(super) struct ChainInfo {
    pub chain: String,
    pub blocks: i64,
    pub headers: i64,
    pub bestblockhash: String,
    #[serde(default)]
    pub initialblockdownload: bool,
    pub pruneheight: Option<i64>,
    #[serde(default)]
    pub warnings: Warnings,
}

/// `getnetworkinfo`, as far as it is read.
#[derive(Debug, Deserialize)]
pub(super) struct NetworkInfo {
    pub version: i64,
    #[serde(default)]
    pub connections: i64,
}

/// One text until 27.0, several since.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Warnings {
    One(String),
    Several(Vec<String>),
}

impl Default for Warnings {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl ChainInfo {
    pub fn check_network(&self, identity: &NetworkIdentity) -> Result<(), NodeError> {
        if self.chain == identity.chain {
            return Ok(());
        }
        Err(NodeError::WrongNetwork {
            expected: identity.chain,
            found: self.chain.clone(),
        })
    }

    pub fn pruned_below(&self) -> Option<i64> {
        self.pruneheight.filter(|height| *height > 0)
    }

    pub fn status(self, network: &NetworkInfo, mempool: u64) -> NodeStatus {
        let pruned_below = self.pruned_below();
        let warnings = match self.warnings {
            Warnings::One(text) => vec![text],
            Warnings::Several(texts) => texts,
        };
        NodeStatus {
            height: self.blocks,
            headers: self.headers,
            lag: (self.headers - self.blocks).max(0),
            is_syncing: self.initialblockdownload,
            peers: network.connections,
            version: network.version,
            pruned_below,
            mempool,
            warnings: warnings
                .into_iter()
                .filter(|text| !text.trim().is_empty())
                .collect(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn status(changes: Value) -> NodeStatus {
        let mut info = json!({
            "chain": "regtest", "blocks": 90, "headers": 100, "bestblockhash": "b",
            "initialblockdownload": true, "difficulty": 4.6e-10,
        });
        for (name, value) in changes.as_object().unwrap() {
            info[name] = value.clone();
        }
        let info: ChainInfo = serde_json::from_value(info).unwrap();
        let network = NetworkInfo {
            version: 309_900,
            connections: 8,
        };
        info.status(&network, 3)
    }

    #[test]
    fn versions_are_written_as_their_software_does() {
        for (version, text) in [
            (309_900, "30.99.0"),
            (250_001, "25.0.1"),
            (210_401, "0.21.4.1"),
            (210_200, "0.21.2.0"),
        ] {
            let status = NodeStatus {
                version,
                ..status(json!({}))
            };
            assert_eq!(status.version_text(), text);
        }
    }

    #[test]
    fn warnings_of_every_version_are_read() {
        assert_eq!(status(json!({"warnings": ""})).warnings, [""; 0]);
        assert_eq!(status(json!({"warnings": "disk"})).warnings, ["disk"]);
        let several = status(json!({"warnings": ["disk", "fork"]}));
        assert_eq!(several.warnings, ["disk", "fork"]);
        assert_eq!(status(json!({})).warnings, [""; 0]);
    }

    #[test]
    fn a_node_that_catches_up_lags() {
        let found = status(json!({"pruneheight": 40, "pruned": true}));
        assert_eq!((found.height, found.headers, found.lag), (90, 100, 10));
        assert_eq!(found.pruned_below, Some(40));
        assert!(found.is_syncing);
        assert_eq!(status(json!({"headers": 80})).lag, 0);
        assert_eq!(status(json!({"pruneheight": 0})).pruned_below, None);
    }
}
