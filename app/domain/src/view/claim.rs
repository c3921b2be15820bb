//! What a mailed refund link shows (`00-domain.md`, Charges; ux §1.18b).

use time::OffsetDateTime;

use super::checkout::Notice;
use super::{AmountText, Brand};

/// The whole page while there is something to send back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimView {
    pub brand: Brand,
    pub test_mode: bool,
    /// `EX-…`
    pub public_id: String,
    /// Path of the page, with its token; forms are posted to it.
    pub path: String,
    /// Why there is money to send back, one sentence.
    pub why: String,
    pub amount: AmountText,
    pub fee: AmountText,
    /// The amount less the fee.
    pub receives: AmountText,
    pub coin_name: String,
    pub network: String,
    /// Part of the money is not final yet, so it cannot leave yet.
    pub unconfirmed: bool,
    /// The shop has approved already and waits for an address.
    pub approved: bool,
    /// Until then the link works.
    pub expires_at: OffsetDateTime,
    pub stage: ClaimStage,
    pub notice: Option<Notice>,
}

/// Where the customer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimStage {
    /// Asks for an address; `typed` is what was sent before.
    Ask { typed: String },
    /// Shows the address before anything is done. `address` is its canonical form.
    Review { address: String, typed: String },
    /// The link was used: how far the refund has come.
    Tracked {
        step: ClaimStep,
        address: String,
        /// Of the transaction that sends it, once there is one.
        txid: Option<String>,
    },
}

/// The four steps of a refund; customer and merchant see the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimStep {
    Requested,
    Approved,
    Sent,
    Confirmed,
}

impl ClaimStep {
    pub const ALL: [Self; 4] = [Self::Requested, Self::Approved, Self::Sent, Self::Confirmed];

    /// Word of a claim's state once it has an address; `None` for one that is declined.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.word() == word)
    }

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
        }
    }
}

/// A link that shows no money: whom to ask instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimOver {
    pub brand: Brand,
    pub test_mode: bool,
    /// `EX-…`, for asking the shop.
    pub public_id: String,
    pub reason: ClaimOverReason,
}

/// Why a link leads no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimOverReason {
    /// Its time is over.
    Expired,
    /// The address came another way: on the payment's page, or from the shop.
    Elsewhere,
    /// The shop declined.
    Declined,
    /// The money was taken as payment after all.
    Accepted,
    /// There is nothing to send back at the moment, e.g. because a new rate was taken.
    NothingNow,
}

impl ClaimOverReason {
    /// The link itself is used up, and will never show more.
    pub fn is_gone(self) -> bool {
        match self {
            Self::Expired | Self::Elsewhere | Self::Declined => true,
            Self::Accepted | Self::NothingNow => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_back_in_their_order() {
        for step in ClaimStep::ALL {
            assert_eq!(ClaimStep::from_word(step.word()), Some(step));
        }
        assert_eq!(ClaimStep::from_word("declined"), None);
        assert!(ClaimStep::ALL.is_sorted());
    }
}
