//! What accounts have now, for people who look: the node is asked, and not waited for.

use std::time::Duration;

use domain::money::Money;
use domain::view::AmountText;

use crate::Gateway;
use crate::chain::{base_units, evm};

/// A page does not wait longer for a node.
const LIMIT: Duration = Duration::from_secs(2);

/// What the account has of each coin it pays with; coins whose node does not answer are left out.
pub(crate) async fn balances(gateway: &Gateway, address: &str) -> Vec<AmountText> {
    let Ok(account) = address.parse::<evm::Account>() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for chain in gateway.chains().all() {
        let Some(treasury) = chain.payer.treasury() else {
            continue;
        };
        let asked = tokio::time::timeout(LIMIT, treasury.node.funds(account)).await;
        let Ok(Ok(funds)) = asked else { continue };
        let digits = base_units::digits(chain.params);
        let Some(units) = base_units::to_ledger(chain.coin, digits, funds.asset) else {
            continue;
        };
        found.push(AmountText {
            amount: Money::from_units(units, chain.coin).shown(),
            code: chain.coin.code.to_string(),
        });
    }
    found
}
