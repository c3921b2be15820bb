//! The settings of the EVM chain, judged: every wrong one is named, none is guessed, and no message
//! repeats a value that may hold a key.

use std::fmt;

use thiserror::Error as ThisError;

use super::account::Account;
use super::endpoint::NodeUrl;
use super::node::{Asset, EvmConfig};
use super::rpc::Limits;
use crate::chain::address::{CoinFamily, CoinParams};
use crate::chain::base_units;

/// What stands behind ether: `evm`, or `simulated`, which is also the default.
pub const CHAIN: &str = "EXCHEQUER_CHAIN_ETH";
/// The node's URL, with whatever key it needs.
pub const URL: &str = "EXCHEQUER_CHAIN_ETH_URL";
/// `mainnet`, `sepolia`, or the chain id of a network of one's own.
pub const NETWORK: &str = "EXCHEQUER_CHAIN_ETH_NETWORK";
/// The contract of USDT; without one, there is no USDT on this chain.
pub const TOKEN_USDT: &str = "EXCHEQUER_CHAIN_ETH_TOKEN_USDT";

/// The coin of [`TOKEN_USDT`].
const USDT: &str = "USDT";

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{variable} {problem}")]
pub struct SettingError {
    pub variable: &'static str,
    /// Continues the sentence that the variable's name begins.
    pub problem: String,
}

/// A network of the EVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Mainnet,
    Sepolia,
    /// One that nobody else knows: its first block may be any.
    Local {
        chain_id: u64,
    },
}

impl Network {
    pub const fn chain_id(self) -> u64 {
        match self {
            Self::Mainnet => 1,
            Self::Sepolia => 11_155_111,
            Self::Local { chain_id } => chain_id,
        }
    }

    /// Whether others use it, too.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Mainnet | Self::Sepolia)
    }

    /// As it is written in [`NETWORK`].
    pub fn setting(self) -> String {
        match self {
            Self::Mainnet => "mainnet".to_owned(),
            Self::Sepolia => "sepolia".to_owned(),
            Self::Local { chain_id } => chain_id.to_string(),
        }
    }

    /// Hash of block 0, where it is known.
    pub(super) const fn first_block(self) -> Option<&'static str> {
        match self {
            Self::Mainnet => {
                Some("0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")
            }
            Self::Sepolia => {
                Some("0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9")
            }
            Self::Local { .. } => None,
        }
    }

    /// Reads a name or a chain id. The id of a known network is that network.
    pub fn read(text: &str) -> Option<Self> {
        let known = [Self::Mainnet, Self::Sepolia];
        match text {
            "mainnet" => Some(Self::Mainnet),
            "sepolia" => Some(Self::Sepolia),
            _ => {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let chain_id = text.parse::<u64>().ok().filter(|id| digits && *id > 0)?;
                known
                    .into_iter()
                    .find(|network| network.chain_id() == chain_id)
                    .or(Some(Self::Local { chain_id }))
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mainnet => f.write_str("mainnet (chain 1)"),
            Self::Sepolia => f.write_str("sepolia (chain 11155111)"),
            Self::Local { chain_id } => write!(f, "chain {chain_id}"),
        }
    }
}

/// The node of the EVM chain, and the token followed on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvmSettings {
    pub url: NodeUrl,
    pub network: Network,
    pub usdt: Option<Account>,
}

impl EvmSettings {
    /// Judges the settings `lookup` finds by their names; blank ones count as absent. `None` when
    /// the chain is simulated.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn read(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Vec<SettingError>> {
        let given = |variable: &str| {
            lookup(variable)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        match given(CHAIN).as_deref() {
            Some("evm") => {}
            None | Some("simulated") => return nothing_else(given).map(|()| None),
            Some(_) => return Err(vec![wrong(CHAIN, "must be evm or simulated")]),
        }
        let url = required(
            URL,
            given(URL),
            NodeUrl::parse,
            "must be a URL of http or https",
        );
        let network = required(
            NETWORK,
            given(NETWORK),
            Network::read,
            "must be mainnet, sepolia or the number of a chain",
        );
        let usdt = match given(TOKEN_USDT) {
            None => Ok(None),
            Some(text) => text
                .parse::<Account>()
                .map(Some)
                .map_err(|error| wrong(TOKEN_USDT, &format!("must be a contract: {error}"))),
        };
        match (url, network, usdt) {
            (Ok(url), Ok(network), Ok(usdt)) => Ok(Some(Self { url, network, usdt })),
            (url, network, usdt) => Err([url.err(), network.err(), usdt.err()]
                .into_iter()
                .flatten()
                .collect()),
        }
    }

    /// How the coin is followed here; `None` when it is of another chain, or has no contract.
    pub fn of_coin(&self, coin: &CoinParams) -> Option<EvmConfig> {
        if coin.family() != CoinFamily::Evm {
            return None;
        }
        let asset = if coin.code == USDT {
            Asset::Token {
                contract: self.usdt?,
                digits: base_units::digits(coin),
            }
        } else {
            Asset::Native
        };
        Some(EvmConfig {
            url: self.url.clone(),
            network: self.network,
            asset,
            limits: Limits::default(),
        })
    }
}

/// A node that is named and not used is a mistake.
fn nothing_else(given: impl Fn(&str) -> Option<String>) -> Result<(), Vec<SettingError>> {
    let useless: Vec<SettingError> = [URL, NETWORK, TOKEN_USDT]
        .into_iter()
        .filter(|&variable| given(variable).is_some())
        .map(|variable| wrong(variable, &format!("has no effect without {CHAIN}=evm")))
        .collect();
    if useless.is_empty() {
        Ok(())
    } else {
        Err(useless)
    }
}

fn required<T>(
    variable: &'static str,
    given: Option<String>,
    read: impl Fn(&str) -> Option<T>,
    problem: &str,
) -> Result<T, SettingError> {
    let text = given.ok_or_else(|| wrong(variable, &format!("is missing: {CHAIN} is evm")))?;
    read(&text).ok_or_else(|| wrong(variable, problem))
}

fn wrong(variable: &'static str, problem: &str) -> SettingError {
    SettingError {
        variable,
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
