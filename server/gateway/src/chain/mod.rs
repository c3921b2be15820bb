//! The chains of this instance: their keys, their nodes, and the addresses given to payers.
//!
//! Invariant: an address belongs to one merchant for ever and is watched for ever; its index is
//! never given out again. Which node stands behind a chain is known here and nowhere else.

pub mod address;
pub mod backend;
pub(crate) mod base_units;
pub mod bitcoin_core;
mod controls;
pub mod evm;
pub mod follower;
pub mod simulated;
mod store;

use std::sync::Arc;

use domain::money::Currency;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio::sync::Mutex;

pub use controls::{ChainState, MempoolTx, Mined};

use self::address::{AccountKey, COINS, CoinParams, Seed};
use self::backend::{ChainBackend, Payer};
use self::simulated::SimChain;
use crate::currencies::Currencies;
use crate::{Error, Instance, Result};

/// Stays simulated on a live instance: no value, same code path (`70-sandbox.md`).
const TEST_COIN: &str = "tBTC";

/// One coin's chain.
pub struct Chain {
    pub coin: Currency,
    pub params: &'static CoinParams,
    pub backend: Arc<dyn ChainBackend>,
    /// Makes the transactions of withdrawals.
    pub(crate) payer: Arc<dyn Payer>,
    key: AccountKey,
    /// The same as `backend` where that is simulated, for the controls of test mode.
    simulated: Option<Arc<SimChain>>,
    /// Held while this process follows the chain.
    memory: Mutex<follower::Memory>,
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
    /// Derives the account keys and connects the backends. In test mode every chain is simulated.
    ///
    /// # Errors
    /// [`Error::Internal`] when the database was used with another seed: payments to addresses of
    /// that seed could never be spent.
    pub(crate) async fn open(
        pool: &PgPool,
        instance: &Instance,
        currencies: &Currencies,
        test_mode: bool,
    ) -> Result<Self> {
        let seed = Seed::new(instance.address_seed());
        let mut chains = Vec::new();
        for params in &COINS {
            let Some(coin) = currencies.by_code(params.code) else {
                continue;
            };
            if !test_mode && params.code != TEST_COIN {
                continue;
            }
            let key = AccountKey::from_seed(&seed, params).map_err(Error::internal)?;
            claim_account(pool, &key).await?;
            let secret = instance.derive(&format!("simulated chain {}", params.code));
            let simulated = Arc::new(SimChain::open(pool.clone(), params, secret).await?);
            chains.push(Chain {
                coin,
                params,
                backend: simulated.clone(),
                payer: simulated.clone(),
                key,
                simulated: Some(simulated),
                memory: Mutex::default(),
            });
        }
        Ok(Self(chains))
    }

    /// The chain of a coin by its exact code.
    pub fn get(&self, code: &str) -> Option<&Chain> {
        self.0.iter().find(|chain| chain.params.code == code)
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
        let address = chain
            .key
            .address(u32::try_from(index)?)
            .map_err(Error::internal)?;
        let id = store::insert_address(conn, code, index, &address, merchant_id, now).await?;
        Ok(TakenAddress { id, address })
    }
}

async fn claim_account(pool: &PgPool, key: &AccountKey) -> Result<()> {
    let (code, xpub) = (key.coin().code, key.xpub());
    if store::find_or_insert_account(pool, code, &xpub).await? == xpub {
        return Ok(());
    }
    Err(Error::Internal(format!(
        "the {code} addresses in this database were derived from another seed; \
         restore the seed they belong to"
    )))
}
