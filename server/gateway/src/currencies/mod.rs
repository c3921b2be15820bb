//! Currencies of this instance, read once: they are data, but change only with a restart.

mod store;

use std::collections::HashMap;
use std::sync::Arc;

use domain::money::{Currency, CurrencyId, CurrencyKind};
use sqlx::PgPool;

use crate::{Error, Result};

/// A currency with what pages say about it.
#[derive(Debug, Clone)]
pub struct CurrencyInfo {
    pub currency: Currency,
    pub name: String,
    /// Chain a coin lives on.
    pub network: Option<String>,
    pub enabled: bool,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Currencies(Arc<HashMap<CurrencyId, CurrencyInfo>>);

impl Currencies {
    pub(crate) async fn load(pool: &PgPool) -> Result<Self> {
        let rows = store::list(pool).await?;
        let infos = rows
            .into_iter()
            .map(|info| (info.currency.id, info))
            .collect();
        Ok(Self(Arc::new(infos)))
    }

    /// Exact, case-sensitive code; enabled or not.
    pub fn by_code(&self, code: &str) -> Option<Currency> {
        self.0
            .values()
            .map(|info| info.currency)
            .find(|currency| currency.code.as_str() == code)
    }

    pub fn enabled_by_code(&self, code: &str) -> Option<Currency> {
        self.by_code(code)
            .filter(|currency| self.info(currency.id).is_some_and(|i| i.enabled))
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
        self.0.get(&id)
    }

    /// Enabled coins in listing order.
    pub fn enabled_coins(&self) -> Vec<Currency> {
        let mut coins: Vec<Currency> = self
            .0
            .values()
            .filter(|info| info.enabled && info.currency.kind == CurrencyKind::Crypto)
            .map(|info| info.currency)
            .collect();
        coins.sort_by_key(|coin| coin.id);
        coins
    }

    pub fn all(&self) -> impl Iterator<Item = &CurrencyInfo> {
        self.0.values()
    }
}
