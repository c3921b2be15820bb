//! Which coins have a node, and whose addresses they give out: the settings of all chains, judged.
//!
//! Invariants: every wrong setting is named, none is guessed; money of the main networks is taken in
//! live mode only and money without value in test mode only; in live mode the addresses are those of
//! an account whose private key is somewhere else.

mod judging;

use std::fmt;
use std::sync::Arc;

use bitcoin::bip32::Xpub;
use signing::Account;

use self::judging::{Judge, variable};
use super::address::CoinParams;
use super::backend::{ChainBackend, CoinNode};
use super::bitcoin_core::NodeConfig;
use super::evm::EvmConfig;
use super::evm::config as evm;
use crate::payouts::PayoutSettings;
use crate::treasury::TreasurySettings;

/// The coins that can have a node of the Bitcoin family.
const BITCOIN_FAMILY: [&str; 2] = ["BTC", "LTC"];
/// Every suffix of `EXCHEQUER_CHAIN_BTC`; those of Litecoin are the same.
const NODE_SUFFIXES: [&str; 7] = [
    "",
    "_URL",
    "_COOKIE",
    "_USER",
    "_PASSWORD",
    "_NETWORK",
    "_ZMQ",
];

/// Key of the account that ether comes to.
const ETH_ACCOUNT: &str = "EXCHEQUER_CHAIN_ETH_ACCOUNT";
/// Key of the account that tokens come to. Not the same one: an address tells which coin it is for.
const USDT_ACCOUNT: &str = "EXCHEQUER_CHAIN_ETH_ACCOUNT_USDT";
const ETH_BIRTHDAY: &str = "EXCHEQUER_CHAIN_ETH_BIRTHDAY";

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct ChainSettingError {
    pub variable: String,
    /// Continues the sentence that the variable's name begins.
    pub problem: String,
}

/// The chains with a node; all others are simulated in test mode, and not there in live mode.
#[derive(Debug, Clone, Default)]
pub struct ChainSettings(Vec<ChainSetting>);

/// One chain with a node.
#[derive(Debug, Clone)]
pub(super) struct ChainSetting {
    /// The coin as it is on the node's network.
    pub(super) coin: &'static CoinParams,
    pub(super) node: ConfiguredNode,
    /// `None`: the account of the instance's own seed.
    pub(super) account: Option<AccountSetting>,
    /// Height the follower begins at; `None`: near the tip when it first asks.
    pub(super) birthday: Option<i64>,
    /// How its withdrawals are paid; `None` for chains whose payments do not share transactions.
    pub(super) payouts: Option<PayoutSettings>,
    /// The same on chains of accounts.
    pub(super) treasury: Option<TreasurySettings>,
}

#[derive(Debug, Clone)]
pub(super) enum ConfiguredNode {
    BitcoinCore(NodeConfig),
    Evm(EvmConfig),
    /// Made by the caller.
    Given(GivenNode),
}

/// A chain of the Bitcoin family that is in this process: real transactions, and nobody else's.
#[derive(Clone)]
pub struct GivenNode {
    pub backend: Arc<dyn ChainBackend>,
    pub coins: Arc<dyn CoinNode>,
}

impl fmt::Debug for GivenNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenNode(..)")
    }
}

/// The public half of an account that somebody else has the key of.
#[derive(Debug, Clone)]
pub(super) enum AccountSetting {
    /// Locks outputs.
    Scripts(Account),
    /// Names accounts of an EVM chain.
    Key(Xpub),
}

impl ChainSettings {
    /// The names of all variables, for those who read them.
    pub fn variables() -> Vec<String> {
        let family = BITCOIN_FAMILY.iter().flat_map(|code| {
            NODE_SUFFIXES
                .iter()
                .chain(&["_ACCOUNT", "_BIRTHDAY"])
                .map(move |suffix| variable(code, suffix))
                .chain(PayoutSettings::variables(code))
        });
        let evm = [
            evm::CHAIN,
            evm::URL,
            evm::NETWORK,
            evm::TOKEN_USDT,
            ETH_ACCOUNT,
            USDT_ACCOUNT,
            ETH_BIRTHDAY,
        ];
        let treasury = TreasurySettings::VARIABLES;
        family
            .chain(evm.map(str::to_owned))
            .chain(treasury.map(str::to_owned))
            .collect()
    }

    /// Judges the settings `lookup` finds by their names; blank ones count as absent.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn read(
        lookup: impl Fn(&str) -> Option<String>,
        test_mode: bool,
    ) -> Result<Self, Vec<ChainSettingError>> {
        let mut judge = Judge::new(&lookup, test_mode);
        let mut chains = Vec::new();
        for code in BITCOIN_FAMILY {
            chains.extend(judge.bitcoin_family(code));
        }
        chains.extend(judge.evm());
        judge.unless_any(chains)
    }

    /// The same with a coin whose node is given, in place of whatever stood there. The coin is one of
    /// the instance's own account, followed from block 0 on.
    #[must_use]
    pub fn with_given(
        mut self,
        coin: &'static CoinParams,
        node: GivenNode,
        payouts: PayoutSettings,
    ) -> Self {
        self.0.retain(|setting| setting.coin.code != coin.code);
        self.0.push(ChainSetting {
            coin,
            node: ConfiguredNode::Given(node),
            account: None,
            birthday: Some(0),
            payouts: Some(payouts),
            treasury: None,
        });
        self
    }

    /// The same with the addresses of an account of a wallet elsewhere, for a chain that is set already.
    #[must_use]
    pub fn with_account(mut self, code: &str, account: &Account) -> Self {
        for setting in &mut self.0 {
            if setting.coin.code == code {
                setting.account = Some(AccountSetting::Scripts(account.clone()));
            }
        }
        self
    }

    pub(super) fn of(&self, code: &str) -> Option<&ChainSetting> {
        self.0.iter().find(|setting| setting.coin.code == code)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "settings_tests.rs"]
mod tests;
