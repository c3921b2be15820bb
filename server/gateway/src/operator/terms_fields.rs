//! The values of a currency's terms that a form edits: how each is read, checked, shown and set.

use std::collections::HashMap;

use domain::money::{AmountError, CurrencyKind, Money, parse_units};
use domain::rate::percent;
use domain::view::operate::TermsControl;

use crate::terms::Terms;
use crate::{Error, FieldError, Result};

/// The most of a fee, in basis points: all of the amount.
const BASIS_POINTS_MAX: i128 = 10_000;

/// What a value is.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// In the currency, zero allowed; ledger units.
    Amount,
    /// A percentage; basis points.
    Share,
    /// A whole number between these.
    Count(i128, i128),
    /// 1 is yes, 0 is no.
    Switch,
}

const ON: &str = "yes";
const OFF: &str = "no";
static SWITCH: [(&str, &str); 2] = [(ON, "Yes"), (OFF, "No, only what exists goes on")];

/// One value. The table's `CHECK`s have the same bounds.
pub(super) struct TermsField {
    /// Name of the column and of the input.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    kind: Kind,
    /// Money without a chain does not have it.
    coins_only: bool,
    get: fn(&Terms) -> i128,
    set: fn(&mut Terms, i128) -> Result<()>,
}

macro_rules! amount {
    ($field:ident, $label:literal, $hint:literal, $coins_only:literal) => {
        TermsField {
            name: stringify!($field),
            label: $label,
            hint: $hint,
            kind: Kind::Amount,
            coins_only: $coins_only,
            get: |terms| terms.$field.units(),
            set: |terms, value| {
                terms.$field = Money::from_units(value, terms.currency);
                Ok(())
            },
        }
    };
}

macro_rules! number {
    ($field:ident, $kind:expr, $label:literal, $hint:literal, $coins_only:literal) => {
        TermsField {
            name: stringify!($field),
            label: $label,
            hint: $hint,
            kind: $kind,
            coins_only: $coins_only,
            get: |terms| i128::from(terms.$field),
            set: |terms, value| {
                terms.$field = value.try_into()?;
                Ok(())
            },
        }
    };
}

/// In the order of the form.
static FIELDS: [TermsField; 12] = [
    TermsField {
        name: "enabled",
        label: "Offered",
        hint: "",
        kind: Kind::Switch,
        coins_only: false,
        get: |terms| i128::from(terms.enabled),
        set: |terms, value| {
            terms.enabled = value != 0;
            Ok(())
        },
    },
    amount!(
        minimum_deposit,
        "Smallest deposit",
        "Less is not credited; it waits in suspense",
        true
    ),
    amount!(
        minimum_deposit_exchange,
        "Smallest deposit that is exchanged",
        "Where an address exchanges what it receives",
        true
    ),
    amount!(
        minimum_exchange,
        "Smallest exchange",
        "Of the amount that is given",
        false
    ),
    amount!(
        minimum_withdrawal,
        "Smallest withdrawal",
        "Without fees",
        false
    ),
    number!(
        deposit_fee_basis_points,
        Kind::Share,
        "Deposit fee, %",
        "Taken off what came, e.g. 0.99",
        true
    ),
    number!(
        exchange_fee_basis_points,
        Kind::Share,
        "Exchange fee, %",
        "Taken off what is received",
        false
    ),
    number!(
        withdrawal_fee_basis_points,
        Kind::Share,
        "Withdrawal fee, %",
        "On top of what is sent",
        false
    ),
    amount!(
        withdrawal_fee_fixed,
        "Fixed withdrawal fee",
        "Added to the percentage",
        false
    ),
    number!(
        confirmations,
        Kind::Count(0, 1_000),
        "Confirmations",
        "Blocks until a payment is final; 0 = at first sight, and it may still be taken back",
        true
    ),
    number!(
        confirmations_large,
        Kind::Count(0, 1_000),
        "Confirmations of large payments",
        "Not fewer than the ones above",
        true
    ),
    number!(
        large_from_euros,
        Kind::Count(0, 1_000_000_000),
        "Large from, euros",
        "Whole euros",
        true
    ),
];

/// The values these terms have.
pub(super) fn fields(terms: &Terms) -> impl Iterator<Item = &'static TermsField> + use<> {
    let is_coin = terms.currency.kind == CurrencyKind::Crypto;
    FIELDS
        .iter()
        .filter(move |field| is_coin || !field.coins_only)
}

impl TermsField {
    /// As the form holds it.
    pub(super) fn typed(&self, terms: &Terms) -> String {
        let value = (self.get)(terms);
        match self.kind {
            Kind::Amount => Money::from_units(value, terms.currency).shown(),
            Kind::Share => u32::try_from(value).map(percent).unwrap_or_default(),
            Kind::Count(..) => value.to_string(),
            Kind::Switch => if value == 0 { OFF } else { ON }.to_owned(),
        }
    }

    /// As people read it.
    pub(super) fn shown(&self, terms: &Terms) -> String {
        let typed = self.typed(terms);
        match self.kind {
            Kind::Amount => format!("{typed} {}", terms.currency.code),
            Kind::Share => format!("{typed} %"),
            Kind::Count(..) | Kind::Switch => typed,
        }
    }

    /// How it is entered; a phone shows the keyboard for it.
    pub(super) fn control(&self) -> TermsControl {
        let inputmode = match self.kind {
            Kind::Amount | Kind::Share => "decimal",
            Kind::Count(..) => "numeric",
            Kind::Switch => return TermsControl::Chosen(&SWITCH),
        };
        TermsControl::Typed { inputmode }
    }

    fn read(&self, text: &str, terms: &Terms) -> Result<i128, String> {
        let currency = terms.currency;
        let (precision, scale) = match self.kind {
            Kind::Amount => (currency.precision, currency.scale),
            // Two digits of a percentage are basis points.
            Kind::Share => (2, 2),
            Kind::Count(..) => (0, 0),
            Kind::Switch => {
                return match text {
                    ON => Ok(1),
                    OFF => Ok(0),
                    _ => Err(format!("must be {ON} or {OFF}")),
                };
            }
        };
        let value = match parse_units(text, precision, scale) {
            Ok(value) => value,
            Err(AmountError::NotPositive) => 0,
            Err(AmountError::TooPrecise(0)) => return Err("must be a whole number".to_owned()),
            Err(error) => return Err(error.to_string()),
        };
        match self.kind {
            Kind::Share if value > BASIS_POINTS_MAX => Err("must be at most 100".to_owned()),
            Kind::Count(least, most) if !(least..=most).contains(&value) => {
                Err(format!("must be from {least} to {most}"))
            }
            _ => Ok(value),
        }
    }
}

/// The terms as a form would have them; what the form does not edit stays.
///
/// # Errors
/// [`Error::Invalid`] naming every wrong value.
pub(super) fn parse(before: &Terms, form: &HashMap<String, String>) -> Result<Terms> {
    let mut terms = before.clone();
    let mut wrong = Vec::new();
    for field in fields(before) {
        let text = form.get(field.name).map_or("", |text| text.trim());
        match field.read(text, before) {
            Ok(value) => (field.set)(&mut terms, value)?,
            Err(message) => wrong.push(FieldError {
                field: field.name.to_owned(),
                message,
            }),
        }
    }
    if wrong.is_empty() && terms.confirmations_large < terms.confirmations {
        wrong.push(FieldError {
            field: "confirmations_large".to_owned(),
            message: "must not be fewer than for other payments".to_owned(),
        });
    }
    if wrong.is_empty() {
        Ok(terms)
    } else {
        Err(Error::Invalid(wrong))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::Currency;

    use super::*;

    fn terms(kind: CurrencyKind) -> Terms {
        let currency = Currency {
            id: 1,
            code: "BTC".parse().unwrap(),
            kind,
            precision: 8,
            scale: 8,
        };
        let least = Money::from_units(10_000, currency);
        Terms {
            currency,
            name: "Bitcoin".to_owned(),
            network: None,
            enabled: true,
            minimum_deposit: least,
            minimum_deposit_exchange: least,
            minimum_exchange: least,
            minimum_withdrawal: least,
            deposit_fee_basis_points: 100,
            exchange_fee_basis_points: 150,
            withdrawal_fee_basis_points: 0,
            withdrawal_fee_fixed: Money::zero(currency),
            confirmations: 1,
            confirmations_large: 2,
            large_from_euros: 10_000,
            version: 7,
        }
    }

    fn typed(terms: &Terms) -> HashMap<String, String> {
        fields(terms)
            .map(|field| (field.name.to_owned(), field.typed(terms)))
            .collect()
    }

    #[test]
    fn what_the_form_shows_is_read_back() {
        for kind in [CurrencyKind::Crypto, CurrencyKind::Fiat] {
            let terms = terms(kind);
            assert_eq!(parse(&terms, &typed(&terms)).unwrap(), terms);
        }
        assert_eq!(fields(&terms(CurrencyKind::Crypto)).count(), 12);
        assert_eq!(fields(&terms(CurrencyKind::Fiat)).count(), 6);
    }

    #[test]
    fn percentages_are_basis_points() {
        let terms = terms(CurrencyKind::Crypto);
        let mut form = typed(&terms);
        form.insert("deposit_fee_basis_points".to_owned(), " 0.99 ".to_owned());
        form.insert("exchange_fee_basis_points".to_owned(), "0".to_owned());
        let new = parse(&terms, &form).unwrap();
        assert_eq!(new.deposit_fee_basis_points, 99);
        assert_eq!(new.exchange_fee_basis_points, 0);
    }

    #[test]
    fn every_wrong_value_is_named() {
        let terms = terms(CurrencyKind::Crypto);
        let mut form = typed(&terms);
        for (name, wrong) in [
            ("minimum_deposit", "-1"),
            ("minimum_exchange", "0.000000001"),
            ("deposit_fee_basis_points", "100.01"),
            ("withdrawal_fee_basis_points", "1.001"),
            ("confirmations", "1.5"),
            ("large_from_euros", "1000000001"),
        ] {
            form.insert(name.to_owned(), wrong.to_owned());
        }
        let Err(Error::Invalid(wrong)) = parse(&terms, &form) else {
            panic!("accepted")
        };
        assert_eq!(wrong.len(), 6, "{wrong:?}");
        let mut form = typed(&terms);
        form.insert("confirmations_large".to_owned(), "0".to_owned());
        assert!(parse(&terms, &form).is_err());
    }
}
