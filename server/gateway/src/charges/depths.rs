//! How deep a payment has to be, by the operator's terms for its coin and what it is worth.

use std::collections::{BTreeSet, HashMap};

use domain::charge::confirmations_for;
use domain::money::{Currency, CurrencyId, Money, Rounding, convert};
use rust_decimal::Decimal;

use super::receipt_store;
use crate::ledger::Unit;
use crate::{Gateway, Result};

/// What decides how deep payments of one coin have to be, read once for all of them.
#[derive(Debug, Clone)]
pub(crate) struct Depth {
    coin: Currency,
    euro: Currency,
    /// Euros for one coin; `None` when no fresh rate is known.
    mid: Option<Decimal>,
    /// Euro units from which on a payment is a large one.
    large_from: i128,
    small: u32,
    large: u32,
    /// Coins that count although no block has them, where being announced is enough.
    ///
    /// What counts at first sight is lent until its block: it is judged together with all that is lent
    /// already, or a large payment would come in small pieces.
    lent: Option<i128>,
}

impl Depth {
    /// As terms, rates and what is lent stand in this transaction.
    pub(crate) async fn of(gateway: &Gateway, unit: &mut Unit, coin: Currency) -> Result<Self> {
        let (euro, now) = (gateway.euro()?, unit.now());
        let terms = gateway.terms_of(unit.conn(), coin).await?;
        let scale = 10i128.pow(u32::from(euro.scale));
        let mid = gateway.mid(unit.conn(), coin, euro, now).await?;
        let lent = if terms.confirmations == 0 {
            let lent = receipt_store::announced(unit.conn(), coin).await?;
            Some(lent.units())
        } else {
            None
        };
        Ok(Self {
            coin,
            euro,
            mid: mid.map(|mid| mid.rate),
            large_from: i128::from(terms.large_from_euros).saturating_mul(scale),
            small: terms.confirmations,
            large: terms.confirmations_large,
            lent,
        })
    }

    /// Confirmations that a payment of this coin needs; 0 = being announced is enough.
    pub(crate) fn required(&self, amount: Money) -> u32 {
        let judged = match self.lent {
            Some(lent) => amount.checked_add(Money::from_units(lent, self.coin)),
            None => Some(amount),
        };
        let worth = self
            .mid
            .zip(judged)
            .and_then(|(mid, judged)| convert(judged, mid, self.euro, Rounding::Up));
        confirmations_for(
            worth.map(|money| money.units()),
            self.large_from,
            self.small,
            self.large,
        )
    }

    /// So many more coins are lent, or fewer.
    fn lend(&mut self, units: i128) {
        self.lent = self.lent.map(|lent| lent.saturating_add(units));
    }
}

/// The depths of the coins that payments of one unit came in. Each payment sees what those before it have
/// lent, written or not.
#[derive(Debug, Default)]
pub(super) struct Depths(HashMap<CurrencyId, Depth>);

impl Depths {
    /// Reads those that are missing. Whatever was decided before has to be written.
    pub(super) async fn learn(
        &mut self,
        gateway: &Gateway,
        unit: &mut Unit,
        coins: &BTreeSet<CurrencyId>,
    ) -> Result<()> {
        for coin in coins {
            if !self.0.contains_key(coin) {
                let coin = gateway.currencies().known(*coin)?;
                let depth = Depth::of(gateway, unit, coin).await?;
                self.0.insert(coin.id, depth);
            }
        }
        Ok(())
    }

    /// The depth of a coin that was learnt.
    pub(super) fn of(&self, coin: Currency) -> Option<&Depth> {
        self.0.get(&coin.id)
    }

    /// Coins that count at first sight became more or fewer by so many units.
    pub(super) fn lend(&mut self, coin: Currency, units: i128) {
        if let Some(depth) = self.0.get_mut(&coin.id) {
            depth.lend(units);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::CurrencyKind;

    use super::*;

    fn currency(code: &str, id: CurrencyId) -> Currency {
        Currency {
            id,
            code: code.parse().unwrap(),
            kind: CurrencyKind::Crypto,
            precision: 8,
            scale: 8,
        }
    }

    /// A coin is 10 EUR, and from 100 EUR on two blocks are needed.
    fn depth(small: u32, lent: Option<i128>) -> Depth {
        Depth {
            coin: currency("BTC", 1),
            euro: currency("EUR", 2),
            mid: Some(Decimal::TEN),
            large_from: 100 * 100_000_000,
            small,
            large: 2,
            lent,
        }
    }

    fn coins(count: i128) -> Money {
        Money::from_units(count * 100_000_000, currency("BTC", 1))
    }

    #[test]
    fn the_worth_of_a_payment_decides() {
        let depth = depth(1, None);
        assert_eq!(depth.required(coins(9)), 1);
        assert_eq!(depth.required(coins(10)), 2);
        let unknown = Depth { mid: None, ..depth };
        assert_eq!(unknown.required(coins(1)), 2);
    }

    #[test]
    fn a_large_payment_in_small_pieces_is_large() {
        let mut depth = depth(0, Some(0));
        for required in [0, 0, 2] {
            assert_eq!(depth.required(coins(4)), required);
            depth.lend(4 * 100_000_000);
        }
        // What waits for a block is not lent.
        let mut patient = Depth {
            lent: None,
            ..depth
        };
        patient.lend(400 * 100_000_000);
        assert_eq!(patient.required(coins(4)), 0);
    }
}
