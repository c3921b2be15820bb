//! The form that pins a rate, as it is read.

use domain::money::Currency;
use domain::rate::inverse;
use domain::view::operate::PinForm;
use rust_decimal::Decimal;

use crate::{Error, FieldError, Gateway, Result};

/// A week.
const MINUTES_MAX: i64 = 7 * 24 * 60;
/// What the column of rates holds.
const RATE_MAX: u64 = 10_000_000_000;

/// A form that means something.
pub(super) struct Pin {
    pub(super) from: Currency,
    pub(super) to: Currency,
    pub(super) rate: Decimal,
    /// Of the opposite pair.
    pub(super) back: Decimal,
    pub(super) minutes: i64,
}

impl Gateway {
    /// Two currencies in use.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `from` or `to`.
    pub(super) fn read_pair(&self, from: &str, to: &str) -> Result<(Currency, Currency)> {
        let known = |field: &str, code: &str| {
            self.currencies()
                .enabled_by_code(code.trim())
                .ok_or_else(|| Error::invalid(field, "must be the code of a currency in use"))
        };
        let (from, to) = (known("from", from)?, known("to", to)?);
        if from.id == to.id {
            return Err(Error::invalid("to", "must differ from the other currency"));
        }
        Ok((from, to))
    }

    /// The form that pins a rate.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming every wrong field: `from`, `to`, `rate`, `minutes`.
    pub(super) fn read_pin(&self, form: &PinForm) -> Result<Pin> {
        let mut wrong: Vec<FieldError> = Vec::new();
        let pair = kept(self.read_pair(&form.from, &form.to), &mut wrong);
        let rate = kept(parse_rate(form.rate.trim()), &mut wrong);
        let minutes = kept(parse_minutes(form.minutes.trim()), &mut wrong);
        match (pair, rate, minutes) {
            (Some((from, to)), Some((rate, back)), Some(minutes)) => Ok(Pin {
                from,
                to,
                rate,
                back,
                minutes,
            }),
            _ => Err(Error::Invalid(wrong)),
        }
    }
}

/// The value, or its faults added to the others.
fn kept<T>(read: Result<T>, wrong: &mut Vec<FieldError>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(Error::Invalid(fields)) => {
            wrong.extend(fields);
            None
        }
        Err(_) => None,
    }
}

/// A rate and its inverse, both of which the books can hold.
fn parse_rate(text: &str) -> Result<(Decimal, Decimal)> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let most = Decimal::from(RATE_MAX);
    let fits = |rate: &Decimal| *rate > Decimal::ZERO && *rate < most;
    let rate = text
        .parse::<Decimal>()
        .ok()
        .filter(|rate| plain && fits(rate))
        .map(|rate| rate.round_dp(18))
        .filter(fits)
        .ok_or_else(|| Error::invalid("rate", "must be a decimal number above zero"))?;
    let back = inverse(rate)
        .filter(fits)
        .ok_or_else(|| Error::invalid("rate", "is too small or too large to be inverted"))?;
    Ok((rate, back))
}

fn parse_minutes(text: &str) -> Result<i64> {
    text.parse::<i64>()
        .ok()
        .filter(|minutes| (1..=MINUTES_MAX).contains(minutes))
        .ok_or_else(|| {
            let message = format!("must be a whole number from 1 to {MINUTES_MAX}");
            Error::invalid("minutes", message)
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_plain_number_that_can_be_inverted() {
        let (rate, back) = parse_rate("8").unwrap();
        assert_eq!((rate, back), (Decimal::from(8), Decimal::new(125, 3)));
        for wrong in ["", "0", "-1", "1e3", "1,5", "10000000000", "0.00000000001"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pin_lasts_at_most_a_week() {
        assert_eq!(parse_minutes("10080").ok(), Some(10_080));
        for wrong in ["0", "10081", "1.5", "", "-5"] {
            assert!(parse_minutes(wrong).is_err(), "{wrong}");
        }
    }
}
