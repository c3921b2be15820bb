//! Merchants: their policy and their face.

mod brand;
mod brand_store;
mod logo;
mod settings;
mod store;

use domain::money::{AmountError, parse_units};
use rust_decimal::Decimal;

pub use self::brand::BrandFile;
pub use self::logo::{LOGO_SIDE_MAX, LOGO_UPLOAD_BYTES_MAX};
pub use self::settings::MERCHANT_NAME_CHARS_MAX;
use crate::{Error, FieldError, Gateway, Result};

/// Minutes a rate may be fixed for (`00-domain.md`, Charges).
const EXPIRY_MINUTES: std::ops::RangeInclusive<i64> = 5..=60;

/// Stored words; part of the schema.
const LATE_POLICIES: [&str; 2] = ["accept", "inbox"];

/// Digits after the point of a tolerance: what the finest currency has.
const TOLERANCE_DIGITS_MAX: u8 = 18;

/// Digits after the point of a limit.
const LIMIT_DIGITS_MAX: u8 = 8;

/// Settings of one merchant to be changed, not checked yet; `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct MerchantPolicy {
    pub merchant_id: i64,
    /// How much of a charge may be missing, in whole units of its currency; zero or more.
    pub tolerance: Option<String>,
    /// 5 to 60.
    pub expiry_minutes: Option<i64>,
    /// `accept` or `inbox`.
    pub late_policy: Option<String>,
    pub withdrawal_limit: Option<String>,
    pub payout_limit: Option<String>,
}

/// A policy in the form it is stored in.
#[derive(Debug, PartialEq, Eq)]
struct Checked {
    tolerance: Option<Decimal>,
    expiry_minutes: Option<i32>,
    late_policy: Option<&'static str>,
    withdrawal_limit: Option<Decimal>,
    payout_limit: Option<Decimal>,
}

impl Gateway {
    /// Changes a merchant's policy for charges to come; running ones keep theirs, except for the
    /// late policy (`80`, Test mode).
    ///
    /// # Errors
    /// [`Error::Invalid`] naming every wrong field; [`Error::NotFound`] for an unknown merchant and
    /// outside test mode.
    pub async fn sandbox_merchant(&self, policy: MerchantPolicy) -> Result<()> {
        if !self.settings().test_mode {
            return Err(Error::NotFound);
        }
        let checked = Checked::judge(&policy)?;
        let found = store::update_policy(self.pool(), policy.merchant_id, &checked).await?;
        if found { Ok(()) } else { Err(Error::NotFound) }
    }
}

impl Checked {
    fn judge(policy: &MerchantPolicy) -> Result<Self> {
        let mut wrong = Vec::new();
        let mut take = |field: &str, text: &Option<String>, digits: u8| {
            let judged = decimal(text.as_deref()?, digits);
            judged
                .map_err(|message| wrong.push(field_error(field, message)))
                .ok()
        };
        let tolerance = take("tolerance", &policy.tolerance, TOLERANCE_DIGITS_MAX);
        let withdrawal_limit = take(
            "withdrawal_limit",
            &policy.withdrawal_limit,
            LIMIT_DIGITS_MAX,
        );
        let payout_limit = take("payout_limit", &policy.payout_limit, LIMIT_DIGITS_MAX);
        let expiry_minutes = match policy.expiry_minutes {
            Some(minutes) if !EXPIRY_MINUTES.contains(&minutes) => {
                wrong.push(field_error(
                    "expiry_minutes",
                    "must be a whole number from 5 to 60",
                ));
                None
            }
            minutes => minutes.map(i32::try_from).transpose()?,
        };
        let late_policy = policy
            .late_policy
            .as_deref()
            .and_then(|word| LATE_POLICIES.into_iter().find(|known| *known == word));
        if policy.late_policy.is_some() && late_policy.is_none() {
            wrong.push(field_error("late_policy", "must be accept or inbox"));
        }
        if wrong.is_empty() {
            Ok(Self {
                tolerance,
                expiry_minutes,
                late_policy,
                withdrawal_limit,
                payout_limit,
            })
        } else {
            Err(Error::Invalid(wrong))
        }
    }
}

fn field_error(field: &str, message: impl Into<String>) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: message.into(),
    }
}

/// Reads a decimal of zero or more.
fn decimal(text: &str, digits: u8) -> Result<Decimal, String> {
    let units = match parse_units(text, digits, digits) {
        Ok(units) => units,
        // Amounts are never zero, but having no tolerance is a policy.
        Err(AmountError::NotPositive) => 0,
        Err(error) => return Err(error.to_string()),
    };
    Decimal::try_from_i128_with_scale(units, u32::from(digits))
        .map(|value| value.normalize())
        .map_err(|_| AmountError::TooLarge.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn what_is_not_given_is_not_changed() {
        let checked = Checked::judge(&MerchantPolicy::default()).unwrap();
        let nothing = Checked {
            tolerance: None,
            expiry_minutes: None,
            late_policy: None,
            withdrawal_limit: None,
            payout_limit: None,
        };
        assert_eq!(checked, nothing);
    }

    #[test]
    fn a_policy_is_read_exactly() {
        let policy = MerchantPolicy {
            merchant_id: 1000,
            tolerance: some("0.000000000000000001"),
            expiry_minutes: Some(60),
            late_policy: some("inbox"),
            withdrawal_limit: some("0"),
            payout_limit: some("1000000000000000"),
        };
        let checked = Checked::judge(&policy).unwrap();
        assert_eq!(
            checked.tolerance.unwrap().to_string(),
            "0.000000000000000001"
        );
        assert_eq!(checked.expiry_minutes, Some(60));
        assert_eq!(checked.late_policy, Some("inbox"));
        assert_eq!(checked.withdrawal_limit, Some(Decimal::ZERO));
        assert_eq!(
            checked.payout_limit.unwrap().to_string(),
            "1000000000000000"
        );
    }

    #[test]
    fn every_wrong_field_is_named() {
        let policy = MerchantPolicy {
            merchant_id: 1000,
            tolerance: some("-1"),
            expiry_minutes: Some(61),
            late_policy: some("Accept"),
            withdrawal_limit: some("1e3"),
            payout_limit: some(""),
        };
        let Err(Error::Invalid(wrong)) = Checked::judge(&policy) else {
            panic!("accepted")
        };
        let mut fields: Vec<&str> = wrong.iter().map(|error| error.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "expiry_minutes",
                "late_policy",
                "payout_limit",
                "tolerance",
                "withdrawal_limit"
            ]
        );
    }

    #[test]
    fn minutes_outside_the_range_do_not_wrap_into_it() {
        for minutes in [4, 0, -5, i64::from(u32::MAX) + 6, i64::MAX] {
            let policy = MerchantPolicy {
                expiry_minutes: Some(minutes),
                ..Default::default()
            };
            assert!(Checked::judge(&policy).is_err(), "{minutes}");
        }
    }
}
