use ethnum::U256;
use rust_decimal::Decimal;

use super::{Currency, Money, UNITS_MAX};

/// Which way a remainder goes. Every conversion names it (`00-domain.md`, Money).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Toward zero: what a receiver is credited.
    Down,
    /// Away from zero: what a payer owes, what a fee is.
    Up,
    /// To the nearest, halves up: comparisons with what a person would compute.
    HalfUp,
}

/// `a × b ÷ c` on non-negative integers with a 256-bit intermediate.
///
/// `None` when an operand is negative, `c` is zero, or the result exceeds [`UNITS_MAX`].
pub fn mul_div(a: i128, b: i128, c: i128, rounding: Rounding) -> Option<i128> {
    let operand = |value: i128| u128::try_from(value).ok().map(U256::from);
    divide(operand(a)?.checked_mul(operand(b)?)?, operand(c)?, rounding)
}

fn divide(numerator: U256, denominator: U256, rounding: Rounding) -> Option<i128> {
    if denominator == U256::ZERO {
        return None;
    }
    let (quotient, remainder) = (numerator / denominator, numerator % denominator);
    let up = match rounding {
        Rounding::Down => false,
        Rounding::Up => remainder > U256::ZERO,
        Rounding::HalfUp => remainder >= denominator - remainder && remainder > U256::ZERO,
    };
    let result = if up {
        quotient.checked_add(U256::ONE)?
    } else {
        quotient
    };
    let limit = U256::from(UNITS_MAX.unsigned_abs());
    (result <= limit).then(|| i128::try_from(result.as_u128()).ok())?
}

/// Rounds units to whole multiples of the currency's own precision.
pub fn round_units(units: i128, currency: Currency, rounding: Rounding) -> Option<i128> {
    let minor = currency.units_per_minor();
    mul_div(units, 1, minor, rounding)?.checked_mul(minor)
}

/// `amount × price` in `to`, at `to`'s ledger scale; `price` = units of `to` for one of `amount`'s.
///
/// `None` for a negative amount, a price that is not positive, or an overflow.
pub fn convert(amount: Money, price: Decimal, to: Currency, rounding: Rounding) -> Option<Money> {
    let price = Price::new(price)?;
    let (mut numerator, mut denominator) = scaled(amount, to)?;
    numerator = numerator.checked_mul(price.mantissa)?;
    denominator = denominator.checked_mul(price.unit)?;
    divide(numerator, denominator, rounding).map(|units| Money::from_units(units, to))
}

/// `amount ÷ price` in `to`; `price` = units of `amount`'s currency for one of `to`.
pub fn convert_inverse(
    amount: Money,
    price: Decimal,
    to: Currency,
    rounding: Rounding,
) -> Option<Money> {
    let price = Price::new(price)?;
    let (mut numerator, mut denominator) = scaled(amount, to)?;
    numerator = numerator.checked_mul(price.unit)?;
    denominator = denominator.checked_mul(price.mantissa)?;
    divide(numerator, denominator, rounding).map(|units| Money::from_units(units, to))
}

/// The amount as a fraction that is already at the target's scale.
fn scaled(amount: Money, to: Currency) -> Option<(U256, U256)> {
    let units = U256::from(u128::try_from(amount.units()).ok()?);
    let (from, to) = (u32::from(amount.currency().scale), u32::from(to.scale));
    let power = |exponent: u32| U256::from(10u128.pow(exponent));
    Some((
        units.checked_mul(power(to.saturating_sub(from)))?,
        power(from.saturating_sub(to)),
    ))
}

struct Price {
    mantissa: U256,
    unit: U256,
}

impl Price {
    fn new(price: Decimal) -> Option<Self> {
        let mantissa = u128::try_from(price.mantissa()).ok().filter(|m| *m > 0)?;
        Some(Self {
            mantissa: U256::from(mantissa),
            unit: U256::from(10u128.pow(price.scale())),
        })
    }
}
