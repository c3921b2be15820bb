//! Exact money: integer units at a currency's ledger scale, never a float.

mod amount;
mod convert;
mod currency;
mod grammar;

pub use amount::{Money, UNITS_MAX};
pub use convert::{Rounding, convert, convert_inverse, mul_div, round_units};
pub use currency::{Code, CodeError, Currency, CurrencyId, CurrencyKind};
pub use grammar::{AMOUNT_MAX_WHOLE, AmountError, parse_units};

#[cfg(test)]
mod tests;
