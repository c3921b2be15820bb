//! Exchange arithmetic (`30-processing-api.md`, Exchange arithmetic): what is given, what is received,
//! and our fee.
//!
//! Invariant: every rounding goes toward the house and costs the other side less than one unit, so
//! neither side loses by it more than it can see, and the house never pays for it.

use rust_decimal::Decimal;

use crate::charge::fee;
use crate::money::{
    Currency, CurrencyKind, Money, Rounding, convert, convert_inverse, round_units,
};

/// In which currency the fee is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeSide {
    /// On top of what is given.
    Sender,
    /// Off what is received.
    Receiver,
}

impl FeeSide {
    /// The fiat side of the pair; the receiver's when both sides are alike.
    pub fn of(sender: Currency, receiver: Currency) -> Self {
        match (sender.kind, receiver.kind) {
            (CurrencyKind::Fiat, CurrencyKind::Crypto) => Self::Sender,
            (CurrencyKind::Crypto, _) | (CurrencyKind::Fiat, CurrencyKind::Fiat) => Self::Receiver,
        }
    }
}

/// One exchange in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deal {
    /// Given, without a fee on top.
    pub sender: Money,
    /// Received before a fee is taken off.
    pub gross: Money,
    /// Its currency says on which side it is taken.
    pub fee: Money,
}

impl Deal {
    /// Sells `sender` at `price`, receiver units for one sender unit after spread.
    ///
    /// `None` when a figure is not above zero or beyond what the ledger holds.
    pub fn sell(
        sender: Money,
        price: Decimal,
        receiver: Currency,
        fee_basis_points: u32,
    ) -> Option<Self> {
        let gross = convert(sender, price, receiver, Rounding::Down)?;
        Self::with_fee(sender, gross, fee_basis_points)
    }

    /// Buys exactly `gross` at `price`; what has to be given is rounded up to a payable amount.
    pub fn buy(
        gross: Money,
        price: Decimal,
        sender: Currency,
        fee_basis_points: u32,
    ) -> Option<Self> {
        let exact = convert_inverse(gross, price, sender, Rounding::Up)?;
        let units = round_units(exact.units(), sender, Rounding::Up)?;
        Self::with_fee(Money::from_units(units, sender), gross, fee_basis_points)
    }

    fn with_fee(sender: Money, gross: Money, fee_basis_points: u32) -> Option<Self> {
        let base = match FeeSide::of(sender.currency(), gross.currency()) {
            FeeSide::Sender => sender,
            FeeSide::Receiver => gross,
        };
        let fee = fee(base, fee_basis_points)?;
        (sender.is_positive() && gross.is_positive()).then_some(Self { sender, gross, fee })
    }

    fn side(&self) -> FeeSide {
        FeeSide::of(self.sender.currency(), self.gross.currency())
    }

    /// Everything the sending wallet loses.
    pub fn sender_total(&self) -> Option<Money> {
        match self.side() {
            FeeSide::Sender => self.sender.checked_add(self.fee),
            FeeSide::Receiver => Some(self.sender),
        }
    }

    /// What the receiving wallet gains.
    pub fn net(&self) -> Money {
        match self.side() {
            FeeSide::Sender => self.gross,
            FeeSide::Receiver => {
                let units = self.gross.units() - self.fee.units();
                Money::from_units(units, self.gross.currency())
            }
        }
    }
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
