//! From settings to an account that pays.

use std::sync::Arc;
#[cfg(unix)]
use std::time::Duration;

use bitcoin::bip32::{ChildNumber, Xpub};
use bitcoin::secp256k1::Secp256k1;
#[cfg(unix)]
use signing::SignerClient;
use signing::evm::{Account, Keys, TREASURY};
use sqlx::PgPool;

use super::settings::TreasurySettings;
use super::store;
use super::wallet::{Signer, Treasury};
use crate::chain::address::{CoinParams, params};
use crate::chain::evm::Evm;
use crate::payouts::SignerSetting;
use crate::{Error, Result};

/// The coin whose account has the address that pays; gas is paid with it.
const ETHER: &str = "ETH";

/// How long a signer may take: it writes to a disk.
#[cfg(unix)]
const SIGNER_LIMIT: Duration = Duration::from_secs(30);

/// The account that pays, below the key of ether's account.
///
/// # Errors
/// [`Error::Internal`] in one case of 2^127.
pub(crate) fn address(account: &Xpub) -> Result<Account> {
    let (branch, index) = TREASURY;
    let level = |number| ChildNumber::from_normal_idx(number).map_err(Error::internal);
    let path = [level(branch.number())?, level(index)?];
    let key = account
        .derive_pub(&Secp256k1::verification_only(), &path)
        .map_err(Error::internal)?;
    Ok(Account::of_key(&key.public_key))
}

/// What a coin is paid with. `seed` is the instance's own, for accounts of test mode.
///
/// # Errors
/// [`Error::Internal`] with a sentence for whoever starts the server.
pub(crate) fn open(
    coin: &CoinParams,
    node: Arc<Evm>,
    account: Account,
    settings: &TreasurySettings,
    seed: Option<&[u8; 64]>,
) -> Result<Treasury> {
    let signer = match &settings.signer {
        SignerSetting::ByHand => Signer::ByHand,
        #[cfg(unix)]
        SignerSetting::Socket(path) => {
            Signer::Process(SignerClient::new(path.clone(), SIGNER_LIMIT))
        }
        #[cfg(not(unix))]
        SignerSetting::Socket(_) => {
            return Err(Error::Internal("signers need Unix sockets".to_owned()));
        }
        SignerSetting::InProcess => {
            let seed = seed.ok_or_else(|| {
                Error::Internal(
                    "a key in this process signs in test mode only, and only for the instance's own \
                     account: set EXCHEQUER_PAYOUT_ETH_SIGNER to something else"
                        .to_owned(),
                )
            })?;
            let number = params(ETHER).map_or(0, |ether| ether.account);
            let text = hex::encode(seed);
            let keys = Keys::parse(&text, number).map_err(Error::internal)?;
            Signer::InProcess(Box::new(keys))
        }
    };
    Treasury::new(node, account, signer, settings.rules, seed.is_some())
        .map_err(|error| Error::Internal(format!("payments of {}: {error}", coin.code)))
}

/// Has the address that pays watched, as one of ours that no payer is given.
///
/// # Errors
/// The database's.
pub(crate) async fn watch(pool: &PgPool, account: Account) -> Result<()> {
    store::watch(pool, ETHER, &account.to_string()).await
}
