//! What a deposit is worth when it is first seen. Told, never booked: what it brings is decided when it
//! is final.

use domain::charge::fee;
use domain::exchange::Deal;
use domain::money::{Currency, Money};

use crate::ledger::Unit;
use crate::{Gateway, Result};

/// An estimate, in the currency that is received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// Before the fee.
    pub(super) gross: Money,
    pub(super) net: Money,
}

impl Gateway {
    /// The value at the rate of this moment; `target` is what it is exchanged into. `None` without a
    /// rate, and for what is too little to be exchanged.
    pub(super) async fn expected_of(
        &self,
        unit: &mut Unit,
        amount: Money,
        target: Option<Currency>,
    ) -> Result<Option<Expected>> {
        let (coin, now) = (amount.currency(), unit.now());
        let Some(target) = target else {
            let terms = self.terms_of(unit.conn(), coin).await?;
            let fee = fee(amount, terms.deposit_fee_basis_points);
            return Ok(fee.map(|fee| Expected {
                gross: amount,
                net: Money::from_units(amount.units() - fee.units(), coin),
            }));
        };
        let Some(rate) = self.pair_rate(unit.conn(), coin, target, now).await? else {
            return Ok(None);
        };
        let points = self.exchange_fee(unit.conn(), coin, target).await?;
        let deal = Deal::sell(amount, rate.price, target, points);
        Ok(deal.map(|deal| Expected {
            gross: deal.gross,
            net: deal.net(),
        }))
    }
}
