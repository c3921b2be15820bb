//! Futures: a promise to take exactly one deposit at a fixed price (`30-processing-api.md`, futures).

use time::{Duration, OffsetDateTime};

use crate::money::{Currency, Money};

/// How long a promise stands (`30`, Lock times).
pub const WINDOW: Duration = Duration::seconds(6_000);

/// Largest promise, whole euros (seed 002).
pub const LIMIT_EUROS: u32 = 10_000;

/// The steps rates are asked for, whole euros.
pub const TIERS_EUROS: [u32; 12] = [
    5, 10, 20, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000,
];

/// Where a promise is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FuturesState {
    /// Waits for its deposit.
    Open,
    /// The deposit was seen in time and waits for its confirmations.
    Matched,
    /// Kept.
    Settled,
    /// Not used; the held coins are free again.
    Void,
}

impl FuturesState {
    pub const ALL: [Self; 4] = [Self::Open, Self::Matched, Self::Settled, Self::Void];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Matched => "matched",
            Self::Settled => "settled",
            Self::Void => "void",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    pub sender_amount: Money,
    pub fixed_at: OffsetDateTime,
    pub release_at: OffsetDateTime,
}

impl Promise {
    /// Whether this deposit is the promised one: the same coin, exactly the amount, first seen in
    /// the window, both edges of which belong to it (`80`, Processing).
    pub fn is_met_by(&self, amount: Money, coin: Currency, seen_at: OffsetDateTime) -> bool {
        coin.id == self.sender_amount.currency().id
            && amount.units() == self.sender_amount.units()
            && self.fixed_at <= seen_at
            && seen_at <= self.release_at
    }

    /// Whether no deposit that is still to come can be the promised one.
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        now > self.release_at
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::money::CurrencyKind;

    fn currency(id: i16) -> Currency {
        Currency {
            id,
            code: "BTC".parse().unwrap(),
            kind: CurrencyKind::Crypto,
            precision: 8,
            scale: 8,
        }
    }

    #[test]
    fn only_the_exact_amount_within_the_window_meets_a_promise() {
        let fixed_at = datetime!(2026-11-27 12:00 UTC);
        let release_at = fixed_at + WINDOW;
        let coin = currency(1);
        let promise = Promise {
            sender_amount: Money::from_units(291_264, coin),
            fixed_at,
            release_at,
        };
        let microsecond = Duration::microseconds(1);
        let cases = [
            (291_264, coin, fixed_at, true),
            (291_264, coin, release_at, true),
            (291_264, coin, release_at + microsecond, false),
            (291_264, coin, fixed_at - microsecond, false),
            (291_265, coin, fixed_at, false),
            (291_263, coin, fixed_at, false),
            (291_264, currency(6), fixed_at, false),
        ];
        for (units, coin, at, expected) in cases {
            let amount = Money::from_units(units, coin);
            assert_eq!(
                promise.is_met_by(amount, coin, at),
                expected,
                "{units} {at}"
            );
        }
        assert!(!promise.is_over(release_at));
        assert!(promise.is_over(release_at + microsecond));
    }
}
