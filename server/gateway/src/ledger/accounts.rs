use std::collections::{HashMap, HashSet};

use domain::ledger::{AccountId, AccountKey, AccountKind};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::RwLock;

use super::store;
use crate::{Error, Result};

/// Ids of accounts by what they are. Accounts are never deleted, so a known id stays right.
///
/// Missing house and suspense accounts are made on a pool of their own, in statements that wait for
/// nothing but each other, so making one inside a running unit cannot deadlock with it.
pub(super) struct Accounts {
    side_pool: PgPool,
    known: RwLock<HashMap<AccountKey, AccountId>>,
}

impl Accounts {
    pub(super) fn new(side_pool: PgPool) -> Self {
        Self {
            side_pool,
            known: RwLock::default(),
        }
    }

    /// Id of one account, made when it is missing.
    pub(super) async fn id(&self, key: AccountKey, now: OffsetDateTime) -> Result<AccountId> {
        self.ids(&[key], now)
            .await?
            .get(&key)
            .copied()
            .ok_or_else(|| Error::Internal(format!("wallet {key:?} does not exist")))
    }

    /// Ids of many accounts; missing ones are made. What is left out does not exist: a merchant's
    /// primary wallet comes into being with its first credit, but wallets of the merchant's customers
    /// are made by request only.
    pub(super) async fn ids(
        &self,
        keys: &[AccountKey],
        now: OffsetDateTime,
    ) -> Result<HashMap<AccountKey, AccountId>> {
        let (mut ids, unknown) = self.known(keys).await;
        if unknown.is_empty() {
            return Ok(ids);
        }
        let mut read = store::find_accounts(&self.side_pool, &unknown).await?;
        for key in unknown {
            if read.contains_key(&key) || (key.kind == AccountKind::Wallet && key.user_id != 0) {
                continue;
            }
            let id = store::insert_account(&self.side_pool, key, now).await?;
            read.insert(key, id);
        }
        self.known.write().await.extend(read.clone());
        ids.extend(read);
        Ok(ids)
    }

    /// Ids of those that exist; nothing is made.
    pub(super) async fn existing(
        &self,
        keys: &[AccountKey],
    ) -> Result<HashMap<AccountKey, AccountId>> {
        let (mut ids, unknown) = self.known(keys).await;
        if !unknown.is_empty() {
            let read = store::find_accounts(&self.side_pool, &unknown).await?;
            self.known.write().await.extend(read.clone());
            ids.extend(read);
        }
        Ok(ids)
    }

    async fn known(
        &self,
        keys: &[AccountKey],
    ) -> (HashMap<AccountKey, AccountId>, Vec<AccountKey>) {
        let known = self.known.read().await;
        let mut ids = HashMap::with_capacity(keys.len());
        let mut unknown = HashSet::new();
        for key in keys {
            match known.get(key) {
                Some(id) => {
                    ids.insert(*key, *id);
                }
                None => {
                    unknown.insert(*key);
                }
            }
        }
        (ids, unknown.into_iter().collect())
    }
}
