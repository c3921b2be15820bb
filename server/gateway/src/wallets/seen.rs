use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use super::store;
use crate::Result;
use crate::ledger::Unit;

/// A merchant's wallet in a currency, by their ids.
pub(crate) type OfWallet = (i64, i16);

/// Merchants and currencies that were seen to have a wallet. Accounts are never deleted, so what was
/// seen once, and committed, holds.
#[derive(Debug, Default)]
pub(crate) struct SeenWallets(Mutex<HashSet<OfWallet>>);

impl SeenWallets {
    /// Those of `pairs` that have a wallet. Nothing in the unit's transaction has made one
    /// yet: who shares it might be undone.
    pub(crate) async fn among(
        &self,
        unit: &mut Unit,
        pairs: &BTreeSet<OfWallet>,
    ) -> Result<HashSet<OfWallet>> {
        let (mut found, unseen) = self.split(pairs);
        if !unseen.is_empty() {
            let read = store::with_wallets(unit.conn(), &unseen).await?;
            found.extend(read.iter().copied());
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(read);
        }
        Ok(found)
    }

    fn split(&self, pairs: &BTreeSet<OfWallet>) -> (HashSet<OfWallet>, BTreeSet<OfWallet>) {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut unseen) = (HashSet::new(), BTreeSet::new());
        for pair in pairs {
            if seen.contains(pair) {
                found.insert(*pair);
            } else {
                unseen.insert(*pair);
            }
        }
        (found, unseen)
    }
}
