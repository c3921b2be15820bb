use rust_decimal::Decimal;

use crate::ledger::template::ChargeCredit;
use crate::money::{Currency, Money, Rounding, convert, convert_inverse, mul_div, round_units};
use crate::rate::BASIS_POINTS;

/// How final receipts turn into what the merchant is credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Valuation {
    /// At the quote: `due` coin units buy the whole amount.
    Quoted { due: i128 },
    /// At a mid rate (charge currency per coin): late money and money accepted by hand.
    AtMid(Decimal),
}

impl Valuation {
    /// What `received` is worth, and how much of it is used up, when the merchant is owed `amount`.
    ///
    /// The merchant never gets more than the amount and never more than what came is worth, so
    /// neither a tolerance nor accepting by hand takes money from the house.
    pub fn credit(
        self,
        received: Money,
        amount: Money,
        fee_basis_points: u32,
    ) -> Option<ChargeCredit> {
        let coin = received.currency();
        let (consumed, gross) = match self {
            Self::Quoted { due } if received.units() >= due => (due, amount),
            Self::Quoted { due } => {
                let worth = mul_div(amount.units(), received.units(), due, Rounding::Down)?;
                (
                    received.units(),
                    Money::from_units(worth, amount.currency()),
                )
            }
            Self::AtMid(mid) => {
                let worth = value_at(received, mid, amount.currency(), Rounding::Down)?;
                if worth.units() >= amount.units() {
                    let used = value_back(amount, mid, coin)?;
                    (used.min(received.units()), amount)
                } else {
                    (received.units(), worth)
                }
            }
        };
        // A coin charged in itself moves one to one.
        let gross = if coin.id == gross.currency().id {
            Money::from_units(consumed.min(gross.units()), coin)
        } else {
            gross
        };
        let fee = fee(gross, fee_basis_points)?;
        Some(ChargeCredit {
            consumed: Money::from_units(consumed, coin),
            gross,
            fee,
        })
    }
}

fn value_at(coins: Money, mid: Decimal, to: Currency, rounding: Rounding) -> Option<Money> {
    if coins.currency().id == to.id {
        return Some(coins);
    }
    convert(coins, mid, to, rounding)
}

fn value_back(amount: Money, mid: Decimal, coin: Currency) -> Option<i128> {
    if amount.currency().id == coin.id {
        return Some(amount.units());
    }
    convert_inverse(amount, mid, coin, Rounding::Up).map(|money| money.units())
}

/// What late receipts are worth for the decision whether to accept them: at the mid rate, rounded
/// half-up to the charge currency's precision (`80`, Charges).
pub fn late_value(received: Money, mid: Decimal, to: Currency) -> Option<i128> {
    // Cutting at ledger scale first cannot change the second rounding: its halves are on that grid.
    let exact = value_at(received, mid, to, Rounding::Down)?;
    round_units(exact.units(), to, Rounding::HalfUp)
}

/// Our fee on `gross`, rounded up at ledger scale and never above it.
pub fn fee(gross: Money, basis_points: u32) -> Option<Money> {
    let points = i128::from(basis_points);
    let units = mul_div(
        gross.units(),
        points,
        i128::from(BASIS_POINTS),
        Rounding::Up,
    )?;
    Some(Money::from_units(
        units.min(gross.units()),
        gross.currency(),
    ))
}
