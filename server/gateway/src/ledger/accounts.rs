use std::collections::{HashMap, HashSet};

use domain::ledger::{AccountId, AccountKey, AccountKind};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::RwLock;

use super::store;
use crate::{Error, Result};

/// Most ids that are kept, in about 9 MB. Where more accounts than that are in use at the same time, looking for
/// some of them costs a statement more now and then.
const KNOWN_MAX: usize = 200_000;

/// Ids of accounts by what they are. Accounts are never deleted, so a known id stays right; one that is not known is
/// looked up, so nothing depends on which are.
///
/// Missing house and suspense accounts are made on a pool of their own, in statements that wait for
/// nothing but each other, so making one inside a running unit cannot deadlock with it.
pub(super) struct Accounts {
    side_pool: PgPool,
    known: RwLock<Known>,
}

impl Accounts {
    pub(super) fn new(side_pool: PgPool) -> Self {
        Self::with_room(side_pool, KNOWN_MAX)
    }

    fn with_room(side_pool: PgPool, most: usize) -> Self {
        Self {
            side_pool,
            known: RwLock::new(Known::with_room(most)),
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
        self.known.write().await.keep(&read);
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
            self.known.write().await.keep(&read);
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
            match known.ids.get(key) {
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

/// So many ids at most. When there is no room for more, all are forgotten: what is in use comes back with its next
/// use, and nothing has to be noted of each.
struct Known {
    ids: HashMap<AccountKey, AccountId>,
    most: usize,
}

impl Known {
    fn with_room(most: usize) -> Self {
        Self {
            ids: HashMap::new(),
            most,
        }
    }

    /// Keeps as many of these as there is room for.
    fn keep(&mut self, read: &HashMap<AccountKey, AccountId>) {
        if read.len() > self.most.saturating_sub(self.ids.len()) {
            self.ids.clear();
        }
        let fitting = read.iter().take(self.most);
        self.ids.extend(fitting.map(|(key, id)| (*key, *id)));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::ledger::HOUSE;

    use super::*;

    const EURO: i16 = 145;

    fn key(merchant: i64, kind: AccountKind) -> AccountKey {
        AccountKey {
            merchant,
            currency: EURO,
            kind,
            user_id: 0,
        }
    }

    fn read(merchants: std::ops::Range<i64>) -> HashMap<AccountKey, AccountId> {
        merchants
            .map(|merchant| (key(merchant, AccountKind::Wallet), AccountId(merchant)))
            .collect()
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut known = Known::with_room(3);
        known.keep(&read(1..3));
        known.keep(&read(3..4));
        assert_eq!(known.ids, read(1..4));
        known.keep(&read(4..6));
        assert_eq!(known.ids, read(4..6));
        known.keep(&read(6..16));
        assert_eq!(known.ids.len(), 3);
        let mut none = Known::with_room(0);
        none.keep(&read(1..3));
        assert!(none.ids.is_empty());
    }

    /// There is room for one of the two.
    #[sqlx::test(migrations = "../../migrations")]
    async fn what_is_forgotten_is_looked_up_again(pool: PgPool) {
        let accounts = Accounts::with_room(pool, 1);
        let now = OffsetDateTime::UNIX_EPOCH;
        let keys = [AccountKind::Liquidity, AccountKind::Fees].map(|kind| key(HOUSE, kind));
        let made = accounts.ids(&keys, now).await.unwrap();
        assert_eq!(made.len(), 2);
        for _ in 0..3 {
            assert_eq!(accounts.ids(&keys, now).await.unwrap(), made);
            assert_eq!(accounts.existing(&keys).await.unwrap(), made);
            for (key, id) in &made {
                assert_eq!(accounts.id(*key, now).await.unwrap(), *id);
            }
            assert_eq!(accounts.known.read().await.ids.len(), 1);
        }
    }
}
