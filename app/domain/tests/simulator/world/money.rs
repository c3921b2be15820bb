//! The currencies of the model and what they are worth.

use domain::money::{Currency, CurrencyKind, Money};
use rust_decimal::Decimal;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coin {
    Eur,
    Btc,
    /// Its ledger keeps digits that no payment has.
    Usdt,
}

pub const ALL: [Coin; 3] = [Coin::Eur, Coin::Btc, Coin::Usdt];

impl Coin {
    pub fn index(self) -> usize {
        match self {
            Self::Eur => 0,
            Self::Btc => 1,
            Self::Usdt => 2,
        }
    }

    pub fn of(id: i16) -> Self {
        match id {
            0 => Self::Eur,
            1 => Self::Btc,
            _ => Self::Usdt,
        }
    }

    pub fn currency(self) -> Currency {
        let (id, code, kind, precision) = match self {
            Self::Eur => (0, "EUR", CurrencyKind::Fiat, 2),
            Self::Btc => (1, "BTC", CurrencyKind::Crypto, 8),
            Self::Usdt => (2, "USDT", CurrencyKind::Crypto, 6),
        };
        Currency {
            id,
            code: code.parse().unwrap(),
            kind,
            precision,
            scale: 8,
        }
    }

    /// Ledger units.
    pub fn units(self, units: i128) -> Money {
        Money::from_units(units, self.currency())
    }

    /// `parts` of about a hundredth of a euro each, as a payable amount.
    pub fn payable(self, parts: u32) -> Money {
        let parts = i128::from(parts);
        match self {
            Self::Eur | Self::Usdt => self.units(parts * 1_000_000),
            Self::Btc => self.units(parts * 20),
        }
    }

    /// Confirmations a small and a large payment need. One coin is taken at first sight.
    pub fn confirmations(self) -> (u32, u32) {
        match self {
            Self::Eur | Self::Btc => (1, 3),
            Self::Usdt => (0, 2),
        }
    }
}

/// Euro for one unit of each currency.
#[derive(Debug, Clone, Copy)]
pub struct Rates(pub [Decimal; 3]);

impl Rates {
    pub fn new() -> Self {
        Self([Decimal::ONE, Decimal::from(50_000), Decimal::ONE])
    }

    /// Units of `to` for one of `from`, at the digits of a price.
    pub fn price(&self, from: Coin, to: Coin) -> Option<Decimal> {
        let mid = self.0[from.index()].checked_div(self.0[to.index()])?;
        domain::rate::price(mid, 0)
    }

    pub fn euros(&self, coin: Coin) -> Decimal {
        self.0[coin.index()]
    }
}
