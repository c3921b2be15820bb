//! From settings to what payouts are made with.

use std::sync::Arc;
use std::time::Duration;

#[cfg(unix)]
use signing::SignerClient;
use signing::key::SigningKey;
use signing::{Account, ChainParams, ScriptKind};

use super::rules::{PayoutSettings, SignerSetting};
use super::wallet::{Signer, Wallet};
use crate::chain::address::CoinParams;
use crate::chain::backend::CoinNode;
use crate::{Error, Result};

/// How long a signer may take: it writes to a disk and derives a key per input.
#[cfg(unix)]
const SIGNER_LIMIT: Duration = Duration::from_secs(30);

/// What payouts of a coin are made with. `seed` is the instance's own, for accounts of test mode.
///
/// # Errors
/// [`Error::Internal`] with a sentence for whoever starts the server.
pub(crate) fn open(
    coin: &CoinParams,
    chain: &'static ChainParams,
    account: Account,
    settings: &PayoutSettings,
    node: Arc<dyn CoinNode>,
    seed: Option<&[u8; 64]>,
) -> Result<Wallet> {
    let (account, signer) = match &settings.signer {
        SignerSetting::ByHand => (account, Signer::ByHand),
        #[cfg(unix)]
        SignerSetting::Socket(path) => {
            let client = SignerClient::new(path.clone(), SIGNER_LIMIT);
            (account, Signer::Process(client))
        }
        #[cfg(not(unix))]
        SignerSetting::Socket(_) => {
            return Err(Error::Internal("signers need Unix sockets".to_owned()));
        }
        SignerSetting::InProcess => {
            let seed = seed.ok_or_else(|| {
                let code = coin.code;
                Error::Internal(format!(
                    "a key in this process signs in test mode only, and only for the instance's own \
                     account: set EXCHEQUER_PAYOUT_{code}_SIGNER to something else"
                ))
            })?;
            let text = hex::encode(seed);
            // The instance's own account is one of native segwit.
            let key = SigningKey::parse(&text, chain, ScriptKind::P2wpkh, coin.account)
                .map_err(Error::internal)?;
            // The same key; this one also says where it is below its master key.
            let account = if key.account().key() == account.key() {
                key.account().clone()
            } else {
                account
            };
            (account, Signer::InProcess(Box::new(key)))
        }
    };
    let test_mode = seed.is_some();
    Wallet::new(account, chain, signer, node, settings.rules, test_mode)
        .map_err(|error| Error::Internal(format!("payouts of {}: {error}", coin.code)))
}
