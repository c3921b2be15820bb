//! The chains of this instance: their keys, their nodes, and the addresses given to payers.
//!
//! Invariant: an address belongs to one merchant for ever and is watched for ever; its index is
//! never given out again. Which node stands behind a chain is known here and nowhere else.

mod account;
pub mod address;
pub mod backend;
pub(crate) mod base_units;
pub mod bitcoin_core;
mod controls;
pub mod evm;
pub mod follower;
pub mod generated;
mod health;
mod node;
mod payer;
mod settings;
pub mod simulated;
mod status;
mod store;

use std::sync::Arc;

use domain::money::Currency;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio::sync::Mutex;

pub use controls::{ChainState, MempoolTx, Mined};
pub use health::{Following, Trouble};
pub use node::{NodeReport, signing_chain};
pub use settings::{ChainSettingError, ChainSettings, GivenNode};
pub use status::{CHAIN_COLUMNS, ChainStatus};

use self::account::AddressSource;
use self::address::{AccountKey, AddressForm, COINS, CoinParams, Seed};
use self::backend::{ChainBackend, CoinNode, Payer};
use self::bitcoin_core::{Announcements, BitcoinCore};
use self::evm::Evm;
use self::health::Health;
use self::node::Node;
use self::payer::NoPayer;
use self::settings::{AccountSetting, ChainSetting, ConfiguredNode};
use self::simulated::SimChain;
use self::store::StoredAccount;
use crate::currencies::Currencies;
use crate::{Error, Instance, Result, payouts, treasury};

/// Stays simulated on a live instance: no value, same code path (`70-sandbox.md`).
const TEST_COIN: &str = "tBTC";
/// Gas is paid with it.
const ETHER: &str = "ETH";

/// Whether a transaction pays nobody as things stand, by the status stored for it: replaced, dropped, or
/// forgotten altogether (`None`). The one rule for payments of charges and for deposits: what is nowhere
/// is not money on its way. When it comes back it is seen again.
pub(crate) fn is_gone(status: Option<&str>) -> bool {
    !matches!(status, Some("mempool" | "confirmed"))
}

/// One coin's chain.
pub struct Chain {
    pub coin: Currency,
    pub params: &'static CoinParams,
    pub backend: Arc<dyn ChainBackend>,
    /// Makes the transactions of withdrawals.
    pub(crate) payer: Arc<dyn Payer>,
    account: AddressSource,
    /// The same as `backend`, for those who have to know what it is.
    node: Node,
    health: Health,
    /// Held while this process follows the chain.
    memory: Mutex<follower::Memory>,
}

impl Chain {
    /// The account its addresses come from, as signers know it; `None` for chains whose transactions
    /// they do not sign.
    pub fn signing_account(&self) -> Option<signing::Account> {
        self.account.signing_account()
    }

    /// What its node says unasked; somebody has to listen. `None` where nothing is announced to us.
    pub fn announcements(&self) -> Option<&Arc<Announcements>> {
        self.node.announcements()
    }

    /// Whether it is moved by hand: its payments spend nothing that was received.
    pub(crate) fn is_simulated(&self) -> bool {
        self.node.simulated().is_some()
    }
}

/// An address that nobody had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenAddress {
    /// Row id, what receipts refer to.
    pub id: i64,
    /// Canonical text.
    pub address: String,
}

/// Every chain this instance runs, in the order of [`COINS`].
pub struct Chains(Vec<Chain>);

impl Chains {
    /// Takes each coin's account and connects its backend. Without a node of its own, a coin is
    /// simulated in test mode and not there in live mode.
    ///
    /// No node is asked anything: one that is down is the follower's business. `of_simulated` are the connections
    /// of simulated chains, which nobody else waits for.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database was used with another account, seed or network:
    /// payments to addresses of that one could never be spent, or would be looked for elsewhere.
    pub(crate) async fn open(
        pool: &PgPool,
        of_simulated: &PgPool,
        instance: &Instance,
        currencies: &Currencies,
        settings: &ChainSettings,
        test_mode: bool,
    ) -> Result<Self> {
        let secret = instance.address_seed();
        let seed = Seed::new(secret);
        let payer = treasury_account(settings, &seed)?;
        let mut chains = Vec::new();
        for params in &COINS {
            let Some(coin) = currencies.by_code(params.code) else {
                continue;
            };
            let setting = settings.of(params.code);
            if setting.is_none() && !test_mode && params.code != TEST_COIN {
                continue;
            }
            let params = setting.map_or(params, |setting| setting.coin);
            let account = match setting.and_then(|setting| setting.account.as_ref()) {
                Some(account) => AddressSource::of_setting(account, params)?,
                None if setting.is_some() && !test_mode => {
                    // The settings were judged; this keeps the promise whoever made them.
                    return Err(Error::Internal(format!(
                        "the account of {} is needed in live mode",
                        params.code
                    )));
                }
                None => AddressSource::Key(
                    AccountKey::from_seed(&seed, params).map_err(Error::internal)?,
                ),
            };
            let (node, payer) = match setting {
                Some(setting) => connect(setting, &account, payer, test_mode.then_some(&secret))?,
                None => simulate(of_simulated, instance, params).await?,
            };
            claim_account(pool, params.code, &account, &node, setting).await?;
            if setting.is_some() {
                let first_addresses = account.first_addresses()?.join(" ");
                tracing::info!(
                    chain = params.code,
                    kind = node.kind(),
                    network = %node.network(),
                    first_addresses,
                    "the first addresses must be those the wallet itself shows"
                );
            }
            chains.push(Chain {
                coin,
                params,
                backend: node.backend(),
                payer,
                account,
                node,
                health: Health::default(),
                memory: Mutex::default(),
            });
        }
        // When the accounts were found to be those of this database.
        if let Some(account) = payer {
            treasury::watch(pool, account).await?;
        }
        Ok(Self(chains))
    }

    /// The chain of a coin by its exact code.
    pub fn get(&self, code: &str) -> Option<&Chain> {
        self.0.iter().find(|chain| chain.params.code == code)
    }

    /// The coin as it is on the network it is followed on; `None` when it is not connected.
    pub fn params(&self, code: &str) -> Option<&'static CoinParams> {
        self.get(code).map(|chain| chain.params)
    }

    pub fn codes(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|chain| chain.params.code)
    }

    pub fn all(&self) -> &[Chain] {
        &self.0
    }

    /// Like [`Self::get`] for a coin that was offered, and therefore has a chain.
    pub(crate) fn of(&self, coin: Currency) -> Result<&Chain> {
        self.get(coin.code.as_str())
            .ok_or_else(|| Error::Internal(format!("no chain is connected for {}", coin.code)))
    }

    /// Gives the merchant the coin's next address, in the caller's transaction.
    ///
    /// Holds the coin's account row until that transaction ends: take addresses late in it.
    ///
    /// # Errors
    /// [`Error::Internal`] when the coin has no chain; [`Error::Database`] when all 2^31 − 1
    /// indices are used up.
    pub async fn take_address(
        &self,
        conn: &mut PgConnection,
        coin: Currency,
        merchant_id: i64,
        now: OffsetDateTime,
    ) -> Result<TakenAddress> {
        let chain = self.of(coin)?;
        let code = chain.params.code;
        let index = store::take_index(conn, code).await?;
        let address = chain.account.address(u32::try_from(index)?)?;
        let id = store::insert_address(conn, code, index, &address, merchant_id, now).await?;
        Ok(TakenAddress { id, address })
    }
}

/// A node that was asked for. Its coins are paid by a signer; without one, payments wait. `seed` is the
/// instance's own, in test mode only.
fn connect(
    setting: &ChainSetting,
    account: &AddressSource,
    payer: Option<signing::evm::Account>,
    seed: Option<&[u8; 64]>,
) -> Result<(Node, Arc<dyn Payer>)> {
    let (node, coins): (Node, Option<Arc<dyn CoinNode>>) = match &setting.node {
        ConfiguredNode::BitcoinCore(config) => {
            let node = Arc::new(BitcoinCore::new(config.clone())?);
            (Node::BitcoinCore(node.clone()), Some(node))
        }
        ConfiguredNode::Evm(config) => {
            let node = Arc::new(Evm::new(config.clone())?);
            if let (Some(payer), Some(settings)) = (payer, &setting.treasury) {
                // A key here signs for the instance's own account alone.
                let seed = seed.filter(|_| setting.account.is_none());
                let paying = treasury::open(setting.coin, node.clone(), payer, settings, seed)?;
                return Ok((Node::Evm(node), Arc::new(paying)));
            }
            (Node::Evm(node), None)
        }
        ConfiguredNode::Given(given) => {
            let coins = Some(given.coins.clone());
            (Node::Given(given.backend.clone()), coins)
        }
    };
    let coin = setting.coin;
    let (Some(coins), Some(payouts), Some(chain), Some(account)) = (
        coins,
        &setting.payouts,
        signed_chain(setting),
        account.signing_account(),
    ) else {
        return Ok((node, Arc::new(NoPayer { code: coin.code })));
    };
    // A key here signs for the instance's own account alone.
    let seed = seed.filter(|_| setting.account.is_none());
    let wallet = payouts::open(coin, chain, account, payouts, coins, seed)?;
    Ok((node, Arc::new(wallet)))
}

/// The account that pays on the EVM chain, whatever coin: one place below ether's own account. `None`
/// without a node.
fn treasury_account(
    settings: &ChainSettings,
    seed: &Seed,
) -> Result<Option<signing::evm::Account>> {
    let Some(setting) = settings.of(ETHER) else {
        return Ok(None);
    };
    let account = match &setting.account {
        Some(AccountSetting::Key(key)) => *key,
        Some(AccountSetting::Scripts(_)) => return Ok(None),
        None => *AccountKey::from_seed(seed, setting.coin)
            .map_err(Error::internal)?
            .account(),
    };
    treasury::address(&account).map(Some)
}

/// The chain of a setting as signers know it.
fn signed_chain(setting: &ChainSetting) -> Option<&'static signing::ChainParams> {
    match &setting.node {
        ConfiguredNode::BitcoinCore(config) => signing_chain(setting.coin.code, config.network),
        // By its addresses; where several networks write the same, any of them will do.
        ConfiguredNode::Given(_) => signing::chain::CHAINS.iter().find(|chain| {
            matches!(setting.coin.form, AddressForm::Segwit { hrp, .. } if hrp == chain.hrp)
        }),
        ConfiguredNode::Evm(_) => None,
    }
}

async fn simulate(
    pool: &PgPool,
    instance: &Instance,
    params: &'static CoinParams,
) -> Result<(Node, Arc<dyn Payer>)> {
    let secret = instance.derive(&format!("simulated chain {}", params.code));
    let simulated = Arc::new(SimChain::open(pool.clone(), params, secret).await?);
    Ok((Node::Simulated(simulated.clone()), simulated))
}

async fn claim_account(
    pool: &PgPool,
    code: &str,
    account: &AddressSource,
    node: &Node,
    setting: Option<&ChainSetting>,
) -> Result<()> {
    let new = StoredAccount {
        xpub: account.identity(),
        network: node.network(),
        // A simulated chain is as old as its database.
        birthday: setting.map_or(Some(0), |setting| setting.birthday),
    };
    let stored = store::find_or_insert_account(pool, code, &new).await?;
    if stored.network != new.network {
        return Err(Error::Internal(format!(
            "{code} in this database is of the network {:?}, the settings say {:?}; use another \
             database for another network",
            stored.network, new.network
        )));
    }
    if stored.xpub != new.xpub {
        return Err(Error::Internal(format!(
            "the {code} addresses in this database were derived from another account or seed; \
             restore the one they belong to, or use another database"
        )));
    }
    if let Some(birthday) = new
        .birthday
        .filter(|height| stored.birthday != Some(*height))
        && !store::set_birthday(pool, code, birthday).await?
    {
        tracing::warn!(
            chain = code,
            birthday,
            "blocks of this chain were read before, so its birthday stays what it was"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_in_a_block_nor_waiting_for_one_is_gone() {
        for (status, gone) in [
            (Some("mempool"), false),
            (Some("confirmed"), false),
            (Some("replaced"), true),
            (Some("dropped"), true),
            (None, true),
        ] {
            assert_eq!(is_gone(status), gone, "{status:?}");
        }
    }
}
