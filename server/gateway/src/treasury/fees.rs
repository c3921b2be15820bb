//! What a transaction offers for gas, and what a later one with the same nonce has to.

/// Nodes take a replacement that offers a tenth more of both; some want an eighth.
const RAISE_DIVISOR: u128 = 8;

/// What the operator lets transactions cost, in wei for each unit of gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// At most, whatever the market says.
    pub fee_max: u128,
    /// Of these, for whoever makes the block; what the node says is kept between the two.
    pub tip_min: u128,
    pub tip_max: u128,
    /// Blocks after which a transaction that is not mined is replaced by itself; `None` = never.
    pub bump_after_blocks: Option<u32>,
    /// Deposits are moved to the account that pays when they are worth as many times their gas; `None` =
    /// never.
    pub sweep_multiple: Option<u32>,
}

const GWEI: u128 = 1_000_000_000;

impl Default for Rules {
    fn default() -> Self {
        Self {
            fee_max: 300 * GWEI,
            tip_min: GWEI / 10,
            tip_max: 5 * GWEI,
            bump_after_blocks: Some(10),
            sweep_multiple: None,
        }
    }
}

/// Wei for each unit of gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Price {
    /// At most, `tip` included.
    pub(super) max: u128,
    pub(super) tip: u128,
}

impl Rules {
    /// What to offer while gas costs `base` wei; `None` while that is more than the cap allows.
    ///
    /// Twice the base fee: it can rise by an eighth with each block, so this lasts for five full ones.
    pub(super) fn price(&self, base: u128, suggested: Option<u128>) -> Option<Price> {
        let tip = suggested
            .unwrap_or(self.tip_min)
            .max(self.tip_min)
            .min(self.tip_max)
            .min(self.fee_max);
        let least = base.checked_add(tip)?;
        if least > self.fee_max {
            return None;
        }
        let max = base.saturating_mul(2).saturating_add(tip).min(self.fee_max);
        Some(Price { max, tip })
    }

    /// What a replacement offers: an eighth more of both than the one before, or what is paid `now` where
    /// that is more. `None` when the cap leaves no room for it.
    pub(super) fn raised(&self, earlier: Price, now: Option<Price>) -> Option<Price> {
        let least = Price {
            max: raise(earlier.max)?,
            tip: raise(earlier.tip)?,
        };
        if least.max > self.fee_max {
            return None;
        }
        let now = now.unwrap_or(least);
        let max = least.max.max(now.max);
        let tip = least.tip.max(now.tip).min(max);
        Some(Price { max, tip })
    }
}

/// An eighth more, and at least one.
fn raise(amount: u128) -> Option<u128> {
    amount.checked_add(amount.div_ceil(RAISE_DIVISOR).max(1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(fee_max: u128) -> Rules {
        Rules {
            fee_max,
            tip_min: 2,
            tip_max: 50,
            bump_after_blocks: None,
            sweep_multiple: None,
        }
    }

    #[test]
    fn a_price_follows_the_market_within_its_limits() {
        let rules = rules(1_000);
        assert_eq!(
            rules.price(100, Some(10)),
            Some(Price { max: 210, tip: 10 })
        );
        assert_eq!(rules.price(100, None), Some(Price { max: 202, tip: 2 }));
        assert_eq!(
            rules.price(100, Some(900)),
            Some(Price { max: 250, tip: 50 })
        );
        assert_eq!(
            rules.price(600, Some(10)),
            Some(Price {
                max: 1_000,
                tip: 10
            })
        );
        assert_eq!(rules.price(991, Some(10)), None);
        assert_eq!(rules.price(u128::MAX, Some(10)), None);
    }

    #[test]
    fn a_replacement_has_to_fit_below_the_cap() {
        let earlier = Price { max: 800, tip: 80 };
        assert_eq!(
            rules(900).raised(earlier, None),
            Some(Price { max: 900, tip: 90 })
        );
        assert_eq!(rules(899).raised(earlier, None), None);
        let now = Price { max: 2_000, tip: 5 };
        assert_eq!(
            rules(5_000).raised(earlier, Some(now)),
            Some(Price {
                max: 2_000,
                tip: 90
            })
        );
        let free = Price { max: 8, tip: 0 };
        assert_eq!(
            rules(900).raised(free, None),
            Some(Price { max: 9, tip: 1 })
        );
    }

    proptest! {
        #[test]
        fn every_replacement_offers_an_eighth_more_of_both(
            max in 1_u128..1 << 60, tip in 0_u128..1 << 60, base in 0_u128..1 << 60,
        ) {
            let rules = Rules { tip_max: 1 << 60, ..rules(1 << 62) };
            let earlier = Price { max: max.max(tip), tip };
            let raised = rules.raised(earlier, rules.price(base, Some(tip))).unwrap();
            prop_assert!(raised.max * 8 >= earlier.max * 9);
            prop_assert!(raised.tip * 8 >= earlier.tip * 9 && raised.tip > earlier.tip);
            prop_assert!(raised.tip <= raised.max && raised.max <= rules.fee_max);
        }
    }
}
