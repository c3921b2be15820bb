//! Currencies of this instance. They are read once; what the operator switches on and off is read
//! again whenever any process changed it.

pub(crate) mod store;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::money::{Currency, CurrencyId, CurrencyKind};
use sqlx::PgPool;
use tokio::sync::Mutex;

use crate::{Error, Result};

/// A currency with what pages say about it.
#[derive(Debug)]
pub struct CurrencyInfo {
    pub currency: Currency,
    pub name: String,
    /// Chain a coin lives on.
    pub network: Option<String>,
    enabled: AtomicBool,
}

impl CurrencyInfo {
    /// Whether it is offered for anything new. What exists in it goes on either way.
    pub fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }
}

/// Cheap to clone; the clones see the same switches.
#[derive(Debug, Clone)]
pub struct Currencies(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    infos: HashMap<CurrencyId, CurrencyInfo>,
    /// Held while the switches are read and set, so that an older reading never comes last.
    refreshing: Mutex<()>,
}

impl Currencies {
    pub(crate) async fn load(pool: &PgPool) -> Result<Self> {
        let rows = store::list(pool).await?;
        let infos = rows
            .into_iter()
            .map(|info| (info.currency.id, info))
            .collect();
        Ok(Self(Arc::new(Inner {
            infos,
            refreshing: Mutex::default(),
        })))
    }

    /// Reads again which currencies are switched on.
    pub(crate) async fn refresh(&self, pool: &PgPool) -> Result<()> {
        let _one_at_a_time = self.0.refreshing.lock().await;
        for (id, enabled) in store::switches(pool).await? {
            if let Some(info) = self.info(id) {
                info.enabled.store(enabled, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Exact, case-sensitive code; enabled or not.
    pub fn by_code(&self, code: &str) -> Option<Currency> {
        self.0
            .infos
            .values()
            .map(|info| info.currency)
            .find(|currency| currency.code.as_str() == code)
    }

    pub fn enabled_by_code(&self, code: &str) -> Option<Currency> {
        self.by_code(code)
            .filter(|currency| self.info(currency.id).is_some_and(CurrencyInfo::is_enabled))
    }

    pub fn by_id(&self, id: CurrencyId) -> Option<Currency> {
        self.info(id).map(|info| info.currency)
    }

    /// Like [`Self::by_id`] for ids that came from our own rows.
    pub fn known(&self, id: CurrencyId) -> Result<Currency> {
        self.by_id(id)
            .ok_or_else(|| Error::Internal(format!("currency {id} is not loaded")))
    }

    pub fn info(&self, id: CurrencyId) -> Option<&CurrencyInfo> {
        self.0.infos.get(&id)
    }

    /// Enabled coins in listing order.
    pub fn enabled_coins(&self) -> Vec<Currency> {
        let mut coins: Vec<Currency> = self
            .0
            .infos
            .values()
            .filter(|info| info.is_enabled() && info.currency.kind == CurrencyKind::Crypto)
            .map(|info| info.currency)
            .collect();
        coins.sort_by_key(|coin| coin.id);
        coins
    }

    pub fn all(&self) -> impl Iterator<Item = &CurrencyInfo> {
        self.0.infos.values()
    }
}
