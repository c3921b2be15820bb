//! How the settings of chains are judged, one chain after the other.
//!
//! Invariant: no text that may be a private key or hold a password is repeated.

use bitcoin::bip32::Xpub;
use signing::{Account, ScriptKind};

use super::{
    AccountSetting, ChainSetting, ChainSettingError, ChainSettings, ConfiguredNode, ETH_ACCOUNT,
    ETH_BIRTHDAY, USDT_ACCOUNT,
};
use crate::chain::address::{Network, params};
use crate::chain::bitcoin_core::NodeSettings;
use crate::chain::evm::config::{self as evm, EvmSettings};
use crate::chain::node::signing_chain;
use crate::payouts::PayoutSettings;
use crate::treasury::TreasurySettings;

/// Reads the settings by their names and collects what is wrong with them.
pub(super) struct Judge<'a, F> {
    lookup: &'a F,
    test_mode: bool,
    found: Vec<ChainSettingError>,
}

impl<'a, F: Fn(&str) -> Option<String>> Judge<'a, F> {
    /// Blank settings count as absent.
    pub(super) fn new(lookup: &'a F, test_mode: bool) -> Self {
        Self {
            lookup,
            test_mode,
            found: Vec::new(),
        }
    }

    /// `chains`, unless anything was wrong.
    pub(super) fn unless_any(
        self,
        chains: Vec<ChainSetting>,
    ) -> Result<ChainSettings, Vec<ChainSettingError>> {
        if self.found.is_empty() {
            Ok(ChainSettings(chains))
        } else {
            Err(self.found)
        }
    }

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

    /// A coin with a node of the Bitcoin family; `None` where none is asked for, or it cannot be used.
    pub(super) fn bitcoin_family(&mut self, code: &str) -> Option<ChainSetting> {
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

    /// Ether and its tokens, all of one node.
    pub(super) fn evm(&mut self) -> Vec<ChainSetting> {
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

pub(super) fn variable(code: &str, suffix: &str) -> String {
    format!("EXCHEQUER_CHAIN_{code}{suffix}")
}
