use std::cmp::Ordering;

use super::{AmountError, Currency, CurrencyKind, parse_units};

/// Largest magnitude the ledger stores, 10^28 − 1 units: below 2^96, so that every stored amount
/// also fits the database driver's decimal type.
pub const UNITS_MAX: i128 = 10i128.pow(28) - 1;

/// More digits than these are not padded for people: 18 zeros help nobody.
const SHOWN_DIGITS_MAX: u8 = 8;

/// An exact amount of one currency, in units of 10^−scale. May be negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    units: i128,
    currency: Currency,
}

impl Money {
    /// Units are taken as they are: 149.98 USD is `14_998_000_000` (scale 8).
    pub fn from_units(units: i128, currency: Currency) -> Self {
        Self { units, currency }
    }

    pub fn zero(currency: Currency) -> Self {
        Self { units: 0, currency }
    }

    /// Reads an amount a person or program entered; see [`parse_units`] for the grammar.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let units = parse_units(text, currency.precision, currency.scale)?;
        Ok(Self { units, currency })
    }

    /// Reads what [`Self::parse`] reads, and what [`Self::exact`] writes of a payable amount: exactly
    /// the ledger's digits after the point, those beyond the currency's own zeros.
    ///
    /// # Errors
    /// Those of [`Self::parse`].
    pub fn parse_exact(text: &str, currency: Currency) -> Result<Self, AmountError> {
        let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
        if digits == usize::from(currency.scale)
            && let Ok(units) = parse_units(text, currency.scale, currency.scale)
            && units % currency.units_per_minor() == 0
        {
            return Ok(Self { units, currency });
        }
        Self::parse(text, currency)
    }

    pub fn units(&self) -> i128 {
        self.units
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    pub fn is_zero(&self) -> bool {
        self.units == 0
    }

    pub fn is_positive(&self) -> bool {
        self.units > 0
    }

    /// Sum of two amounts of one currency; `None` on other currencies or beyond [`UNITS_MAX`].
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.combine(other.units, other.currency)
    }

    /// Difference, under the same conditions as [`Self::checked_add`].
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.combine(other.units.checked_neg()?, other.currency)
    }

    fn combine(self, units: i128, currency: Currency) -> Option<Self> {
        let units = self.units.checked_add(units)?;
        (self.currency.id == currency.id && units.abs() <= UNITS_MAX)
            .then_some(Self { units, ..self })
    }

    /// Exact text with every ledger digit: `148.48020000`.
    pub fn exact(&self) -> String {
        self.text(self.currency.scale)
    }

    /// Text at the currency's own precision, truncated: `148.48` (contract `80`: truncate on output).
    pub fn truncated(&self) -> String {
        self.text(self.currency.precision)
    }

    /// Shortest exact text: trailing zeros and a bare point dropped: `0.001`.
    pub fn shortest(&self) -> String {
        let text = self.exact();
        if !text.contains('.') {
            return text;
        }
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// Shortest exact text, of fiat with its own digits at least (`80`, Amounts and codes): `0.001`,
    /// `64.20`.
    pub fn brief(&self) -> String {
        match self.currency.kind {
            CurrencyKind::Fiat => self.shown(),
            CurrencyKind::Crypto => self.shortest(),
        }
    }

    /// Shortest exact text that keeps at least the currency's own digits, unless those are so many
    /// that nobody reads them: `64.20`, `148.4802`, `0.5 ETH`.
    pub fn shown(&self) -> String {
        let hidden = self.units % self.currency.units_per_minor();
        if hidden == 0 && self.currency.precision <= SHOWN_DIGITS_MAX {
            self.truncated()
        } else {
            self.shortest()
        }
    }

    fn text(&self, digits: u8) -> String {
        let scale = u32::from(self.currency.scale);
        let unit = 10u128.pow(scale);
        let magnitude = self.units.unsigned_abs();
        let (whole, fraction) = (magnitude / unit, magnitude % unit);
        let fraction = fraction / 10u128.pow(scale.saturating_sub(u32::from(digits)));
        let sign = if self.units < 0 && (whole > 0 || fraction > 0) {
            "-"
        } else {
            ""
        };
        match digits {
            0 => format!("{sign}{whole}"),
            digits => format!(
                "{sign}{whole}.{fraction:0width$}",
                width = usize::from(digits)
            ),
        }
    }
}

impl PartialOrd for Money {
    /// Amounts of different currencies do not compare.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.currency.id == other.currency.id).then(|| self.units.cmp(&other.units))
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.shown(), self.currency.code)
    }
}

impl std::fmt::Debug for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.exact(), self.currency.code)
    }
}
