//! From stored charges to the rows that lists show.

use domain::charge::{Flag, Flags, Resolution, Status};
use domain::money::Money;
use domain::view::AmountText;
use domain::view::dashboard::{ChargeRow, StatusPill};

use super::selection::REFUNDED;
use super::store::ChargeRecord;
use crate::currencies::Currencies;
use crate::ledger::units;
use crate::{Error, Result};

/// An amount with every digit that is not a trailing zero beyond the currency's own.
pub(super) fn amount_text(money: Money) -> AmountText {
    AmountText {
        amount: money.shown(),
        code: money.currency().code.to_string(),
    }
}

/// The word and flags of the pill: a charge whose money went back is `refunded`.
pub(super) fn pill(status: Status, flags: Flags, resolution: Resolution) -> StatusPill {
    let word = if resolution == Resolution::Refunded {
        REFUNDED
    } else {
        status.word()
    };
    StatusPill {
        word: word.to_owned(),
        flags: flags.words(),
    }
}

/// Why a charge sits in the exceptions inbox, as one sentence.
pub(super) fn attention_reason(status: Status, flags: Flags) -> &'static str {
    const WRONG_COIN: &str = "A payment came in a coin that was not asked for.";
    match status {
        Status::Paid if flags.contains(Flag::Reversed) => {
            "A confirmed payment of this paid charge left the chain."
        }
        Status::Paid if flags.contains(Flag::Over) => "More was paid than was asked for.",
        Status::Processing => {
            "A payment waits: it came in another coin, or we cannot deliver its currency right now."
        }
        Status::Paid | Status::Created | Status::Pending => WRONG_COIN,
        Status::Underpaid if flags.contains(Flag::Late) => {
            "Time ran out with part of it paid, and more came afterwards."
        }
        Status::Underpaid => "Time ran out with only part of it paid.",
        Status::Expired => "Money came after the rate had expired.",
        Status::Cancelled => "Money came for a cancelled charge.",
        Status::Failed => "The payment did not become final in time.",
    }
}

impl ChargeRecord {
    pub(super) fn amount(&self, currencies: &Currencies) -> Result<Money> {
        let currency = currencies.known(self.currency_id)?;
        Ok(Money::from_units(units(self.amount), currency))
    }

    /// Live receipts in the coin that was picked; `None` before a coin is picked.
    pub(super) fn received(&self, currencies: &Currencies) -> Result<Option<Money>> {
        let Some(coin) = self.coin_id else {
            return Ok(None);
        };
        let coin = currencies.known(coin)?;
        Ok(Some(Money::from_units(
            self.received.map_or(0, units),
            coin,
        )))
    }

    pub(super) fn status(&self) -> Result<Status> {
        Status::from_word(&self.status)
            .ok_or_else(|| Error::Internal(format!("status {} in a row", self.status)))
    }

    pub(super) fn flags(&self) -> Flags {
        Flags::from_words(&self.flags)
    }

    pub(super) fn resolution(&self) -> Result<Resolution> {
        Resolution::from_word(&self.resolution)
            .ok_or_else(|| Error::Internal(format!("resolution {} in a row", self.resolution)))
    }

    /// Name and surname.
    pub(super) fn full_name(&self) -> String {
        let parts = [self.name.as_deref(), self.surname.as_deref()];
        let parts: Vec<&str> = parts
            .into_iter()
            .flatten()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(" ")
    }

    /// The name, or where there is none the e-mail address.
    fn customer(&self) -> String {
        match self.full_name() {
            name if name.is_empty() => self.email.clone().unwrap_or_default(),
            name => name,
        }
    }

    pub(super) fn into_row(self, currencies: &Currencies) -> Result<ChargeRow> {
        let received = self.received(currencies)?;
        Ok(ChargeRow {
            created_at: self.created_at,
            customer: self.customer(),
            amount: amount_text(self.amount(currencies)?),
            received: received.filter(Money::is_positive).map(amount_text),
            method: received.map(|money| money.currency().code.to_string()),
            status: pill(self.status()?, self.flags(), self.resolution()?),
            needs_attention: self.needs_attention,
            public_id: self.public_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_whose_money_went_back_is_refunded() {
        let shown = |resolution| pill(Status::Underpaid, Flags::default(), resolution).word;
        assert_eq!(shown(Resolution::Refunded), "refunded");
        assert_eq!(shown(Resolution::None), "underpaid");
    }

    #[test]
    fn the_reason_names_what_is_unusual() {
        let with = |flags: &[&str]| Flags::from_words(flags);
        let over = attention_reason(Status::Paid, with(&["over"]));
        assert_eq!(over, "More was paid than was asked for.");
        // A reversal takes money away, so it is said first.
        let both = attention_reason(Status::Paid, with(&["over", "reversed"]));
        assert!(both.contains("left the chain"), "{both}");
        assert_ne!(
            attention_reason(Status::Underpaid, with(&[])),
            attention_reason(Status::Underpaid, with(&["late"])),
        );
    }
}
