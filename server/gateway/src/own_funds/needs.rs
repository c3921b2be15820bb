//! What booking own funds locks: addresses of ours that coins came to or left, and two accounts of each coin.

use domain::ledger::template::house;
use domain::ledger::{AccountKey, AccountKind, HOUSE};
use domain::money::Currency;

use super::store;
use crate::Result;
use crate::ledger::{Needs, Row, Unit};

/// In the turn of the house: it is the operator who says so. `addresses` are ids of watched addresses.
pub(super) fn needs(addresses: &[i64], coins: &[Currency]) -> Needs {
    Needs {
        owner: HOUSE,
        merchants: Vec::new(),
        rows: addresses.iter().copied().map(Row::Watched).collect(),
        accounts: booked_on(coins),
    }
}

/// Accounts that coins of the house's own are booked on.
pub(super) fn booked_on(coins: &[Currency]) -> Vec<AccountKey> {
    coins
        .iter()
        .flat_map(|coin| {
            [AccountKind::ChainHoldings, AccountKind::OwnFunds].map(|kind| house(kind, coin.id))
        })
        .collect()
}

/// Locks addresses of ours, if this unit may: whoever is first books the transaction.
///
/// # Errors
/// [`crate::Error::StepsOut`] when it may not.
pub(super) async fn lock(unit: &mut Unit, addresses: &[i64]) -> Result<()> {
    for id in addresses {
        unit.require(Row::Watched(*id))?;
    }
    store::lock(unit.conn(), addresses).await
}
