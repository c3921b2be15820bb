use std::collections::HashMap;

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

    pub(super) async fn id(&self, key: AccountKey, now: OffsetDateTime) -> Result<AccountId> {
        if let Some(id) = self.known.read().await.get(&key) {
            return Ok(*id);
        }
        let id = match store::find_account(&self.side_pool, key).await? {
            Some(id) => id,
            // A merchant's primary wallet comes into being with its first credit; wallets of the
            // merchant's customers are made by request only.
            None if key.kind == AccountKind::Wallet && key.user_id != 0 => {
                return Err(Error::Internal(format!("wallet {key:?} does not exist")));
            }
            None => store::insert_account(&self.side_pool, key, now).await?,
        };
        self.known.write().await.insert(key, id);
        Ok(id)
    }
}
