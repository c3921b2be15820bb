//! Whose addresses a chain gives out: the instance's own account, or one of a wallet elsewhere.
//!
//! Invariant: what is here can name addresses and spend from none.

use signing::{Account, Branch, ScriptKind};

use super::address::{AccountKey, CoinFamily, CoinParams, output_address};
use super::settings::AccountSetting;
use crate::{Error, Result};

/// How many addresses are shown for comparison with what the wallet itself shows.
pub(super) const ADDRESSES_SHOWN: u32 = 3;

/// The public half of a chain's account.
#[derive(Clone)]
pub(super) enum AddressSource {
    Key(AccountKey),
    Scripts {
        account: Account,
        coin: &'static CoinParams,
    },
}

impl AddressSource {
    pub(super) fn of_setting(setting: &AccountSetting, coin: &'static CoinParams) -> Result<Self> {
        Ok(match setting {
            AccountSetting::Scripts(account) => Self::Scripts {
                account: account.clone(),
                coin,
            },
            AccountSetting::Key(key) => {
                Self::Key(AccountKey::from_xpub(*key, coin).map_err(Error::internal)?)
            }
        })
    }

    /// The one text that is the same for the same account: what the database keeps.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Key(key) => key.xpub(),
            Self::Scripts { account, .. } => account.descriptor(),
        }
    }

    /// The canonical address for payers with this index.
    pub(super) fn address(&self, index: u32) -> Result<String> {
        match self {
            Self::Key(key) => key.address(index).map_err(Error::internal),
            Self::Scripts { account, coin } => {
                let script = account
                    .script(Branch::Receiving, index)
                    .map_err(Error::internal)?;
                output_address(coin, script.as_bytes())
                    .ok_or_else(|| Error::Internal("the script has no address".to_owned()))
            }
        }
    }

    pub(super) fn first_addresses(&self) -> Result<Vec<String>> {
        (0..ADDRESSES_SHOWN)
            .map(|index| self.address(index))
            .collect()
    }

    /// The account as signers know it; `None` for chains whose transactions they do not sign.
    pub(super) fn signing_account(&self) -> Option<Account> {
        match self {
            Self::Scripts { account, .. } => Some(account.clone()),
            Self::Key(key) if key.coin().family() == CoinFamily::Bitcoin => {
                Some(Account::new(ScriptKind::P2wpkh, *key.account(), None))
            }
            Self::Key(_) => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chain::address::{Network, Seed, params_on};

    #[test]
    fn the_same_account_gives_the_same_addresses_however_it_came() {
        for (code, network) in [
            ("BTC", Network::Regtest),
            ("LTC", Network::Regtest),
            ("BTC", Network::Main),
        ] {
            let coin = params_on(code, network).unwrap();
            let key = AccountKey::from_seed(&Seed::new([7; 64]), coin).unwrap();
            let seeded = AddressSource::Key(key);
            let account = seeded.signing_account().unwrap();
            let told = AddressSource::of_setting(&AccountSetting::Scripts(account), coin).unwrap();
            assert_eq!(
                told.first_addresses().unwrap(),
                seeded.first_addresses().unwrap()
            );
            assert_ne!(told.identity(), seeded.identity());
        }
    }
}
