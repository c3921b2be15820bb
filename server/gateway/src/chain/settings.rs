//! Which coins have a node, and whose addresses they give out: the settings of all chains, judged.
//!
//! Invariants: every wrong setting is named, none is guessed; money of the main networks is taken in
//! live mode only and money without value in test mode only; in live mode the addresses are those of
//! an account whose private key is somewhere else.

use std::fmt;
use std::sync::Arc;

use bitcoin::bip32::Xpub;
use signing::{Account, ScriptKind};

use super::address::{CoinParams, Network, params};
use super::backend::{ChainBackend, CoinNode};
use super::bitcoin_core::{NodeConfig, NodeSettings};
use super::evm::EvmConfig;
use super::evm::config::{self as evm, EvmSettings};
use super::node::signing_chain;
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
        let mut wrong = Wrong {
            lookup: &lookup,
            test_mode,
            found: Vec::new(),
        };
        let mut chains = Vec::new();
        for code in BITCOIN_FAMILY {
            chains.extend(wrong.bitcoin_family(code));
        }
        chains.extend(wrong.evm());
        if wrong.found.is_empty() {
            Ok(Self(chains))
        } else {
            Err(wrong.found)
        }
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

/// Collects what is wrong.
struct Wrong<'a, F> {
    lookup: &'a F,
    test_mode: bool,
    found: Vec<ChainSettingError>,
}

impl<F: Fn(&str) -> Option<String>> Wrong<'_, F> {
    fn add(&mut self, variable: impl Into<String>, problem: impl Into<String>) {
        self.found.push(ChainSettingError {
            variable: variable.into(),
            problem: problem.into(),
        });
    }

    fn given(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    fn bitcoin_family(&mut self, code: &str) -> Option<ChainSetting> {
        let judged = NodeSettings::from_variables(code, |name| self.given(name)).judge(code);
        let (account, birthday) = (variable(code, "_ACCOUNT"), variable(code, "_BIRTHDAY"));
        let config = match judged {
            Ok(Some(config)) => config,
            Ok(None) => {
                let rule = format!("has no effect without {}=bitcoin-core", variable(code, ""));
                self.name_useless(&[&account, &birthday], &rule);
                for variable in PayoutSettings::variables(code) {
                    self.name_useless(&[&variable], &rule);
                }
                return None;
            }
            Err(errors) => {
                for error in errors {
                    self.add(error.variable, error.problem);
                }
                return None;
            }
        };
        let network = variable(code, "_NETWORK");
        self.judge_network(&network, config.network == Network::Main);
        let text = self.account_text(&account);
        let scripts = text.and_then(|text| {
            let chain = signing_chain(code, config.network)?;
            self.account(&account, &text, chain)
        });
        Some(ChainSetting {
            coin: config.coin,
            node: ConfiguredNode::BitcoinCore(config),
            account: scripts.map(AccountSetting::Scripts),
            birthday: self.birthday(&birthday),
            payouts: self.payouts(code),
            treasury: None,
        })
    }

    fn payouts(&mut self, code: &str) -> Option<PayoutSettings> {
        let read = PayoutSettings::from_variables(code, |name| self.given(name));
        match read {
            Ok(settings) => Some(settings),
            Err(errors) => {
                for error in errors {
                    self.add(error.variable, error.problem);
                }
                None
            }
        }
    }

    fn evm(&mut self) -> Vec<ChainSetting> {
        let settings = match EvmSettings::read(|name| self.given(name)) {
            Ok(Some(settings)) => settings,
            Ok(None) => {
                let rule = format!("has no effect without {}=evm", evm::CHAIN);
                self.name_useless(&[ETH_ACCOUNT, USDT_ACCOUNT, ETH_BIRTHDAY], &rule);
                self.name_useless(&TreasurySettings::VARIABLES, &rule);
                return Vec::new();
            }
            Err(errors) => {
                for error in errors {
                    self.add(error.variable, error.problem);
                }
                return Vec::new();
            }
        };
        self.judge_network(evm::NETWORK, settings.network == evm::Network::Mainnet);
        if settings.usdt.is_none() {
            let rule = format!("has no effect without {}", evm::TOKEN_USDT);
            self.name_useless(&[USDT_ACCOUNT], &rule);
        }
        let birthday = self.birthday(ETH_BIRTHDAY);
        let treasury = self.treasury();
        let mut chains = Vec::new();
        let mut keys: Vec<Xpub> = Vec::new();
        for (code, account) in [("ETH", ETH_ACCOUNT), ("USDT", USDT_ACCOUNT)] {
            let Some(coin) = params(code) else { continue };
            let Some(config) = settings.of_coin(coin) else {
                continue;
            };
            let key = self
                .account_text(account)
                .and_then(|text| self.evm_account(account, &text));
            if key.is_some_and(|key| keys.contains(&key)) {
                let rule = format!("is the key of {ETH_ACCOUNT}, but each coin needs its own");
                self.add(account, rule);
            }
            keys.extend(key);
            chains.push(ChainSetting {
                coin,
                node: ConfiguredNode::Evm(config),
                account: key.map(AccountSetting::Key),
                birthday,
                payouts: None,
                treasury: treasury.clone(),
            });
        }
        chains
    }

    fn treasury(&mut self) -> Option<TreasurySettings> {
        let read = TreasurySettings::from_variables(|name| self.given(name));
        match read {
            Ok(settings) => Some(settings),
            Err(wrong) => {
                for (variable, problem) in wrong {
                    self.add(variable, problem);
                }
                None
            }
        }
    }

    fn name_useless(&mut self, variables: &[&str], rule: &str) {
        for variable in variables {
            if self.given(variable).is_some() {
                self.add(*variable, rule);
            }
        }
    }

    /// Demo accounts and a clock that can be moved do not go with money, nor money without value with
    /// real customers.
    fn judge_network(&mut self, variable: &str, is_main: bool) {
        if is_main && self.test_mode {
            self.add(variable, "is mainnet, which needs EXCHEQUER_MODE=live");
        } else if !is_main && !self.test_mode {
            self.add(variable, "must be mainnet in live mode");
        }
    }

    fn account_text(&mut self, variable: &str) -> Option<String> {
        let text = self.given(variable);
        if text.is_none() && !self.test_mode {
            self.add(
                variable,
                "is needed in live mode: the extended public key or descriptor of the account that \
                 payments come to",
            );
        }
        text
    }

    /// The text is never repeated: it may be a private key.
    fn account(
        &mut self,
        variable: &str,
        text: &str,
        chain: &signing::ChainParams,
    ) -> Option<Account> {
        match Account::parse(text, chain, ScriptKind::P2wpkh) {
            Ok(account) => Some(account),
            Err(error) => {
                self.add(variable, format!("cannot be used: {error}"));
                None
            }
        }
    }

    /// Wallets of EVM chains write their accounts as `xpub…`, whatever the network.
    fn evm_account(&mut self, variable: &str, text: &str) -> Option<Xpub> {
        let chain = signing::chain("bitcoin")?;
        match Account::parse(text, chain, ScriptKind::P2pkh) {
            Ok(account) if account.kind() == ScriptKind::P2pkh && !text.contains('(') => {
                Some(*account.key())
            }
            Ok(_) => {
                self.add(variable, "must be an xpub: this key is for Bitcoin");
                None
            }
            Err(error) => {
                self.add(variable, format!("cannot be used: {error}"));
                None
            }
        }
    }

    fn birthday(&mut self, variable: &str) -> Option<i64> {
        let text = self.given(variable)?;
        // Block heights of every chain are below this for centuries to come.
        let height = text.parse::<u32>().ok().map(i64::from);
        if height.is_none() {
            self.add(
                variable,
                format!("is {text:?}, but must be the height of a block"),
            );
        }
        height
    }
}

fn variable(code: &str, suffix: &str) -> String {
    format!("EXCHEQUER_CHAIN_{code}{suffix}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "settings_tests.rs"]
mod tests;
