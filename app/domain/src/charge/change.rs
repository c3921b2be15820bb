//! What the lifecycle decided, and what of it a person has to look at.

use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::lifecycle::{Charge, Quote, UNCONFIRMED_MAX};
use super::{Flag, Flags, Resolution, Status};
use crate::money::CurrencyId;

/// How long a payment that cannot be credited waits until it is tried again.
pub const WITHHELD_FOR: Duration = Duration::minutes(10);

/// What the rule decided; the caller commits it whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub status: Status,
    pub flags: Flags,
    pub resolution: Resolution,
    pub covered_at: Option<OffsetDateTime>,
    pub quote: Option<Quote>,
    pub consumed: Option<i128>,
    /// The merchant is to be credited now.
    pub pays: bool,
    /// Belongs in the exceptions inbox.
    pub needs_attention: bool,
    /// When [`Event::ClockAdvanced`] is due next.
    pub clock_ends_at: Option<OffsetDateTime>,
}

/// Why an event is refused; nothing changes then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransitionError {
    #[error("a {} charge cannot do this", .0.word())]
    WrongStatus(Status),
    #[error("money has already arrived for this charge")]
    MoneyArrived,
    #[error("no final payment has arrived for this charge")]
    NothingFinal,
    #[error("the rate of this charge is still fixed")]
    RateStillFixed,
}

impl Change {
    /// What stands while a payment that is due cannot be credited, because the house has not enough
    /// of the charge's currency: the money is here, a person is told, and the clock tries again.
    pub fn withheld(self, covered_at: Option<OffsetDateTime>, now: OffsetDateTime) -> Self {
        Self {
            status: Status::Processing,
            covered_at: covered_at.or(Some(now)),
            consumed: None,
            pays: false,
            needs_attention: true,
            clock_ends_at: Some(now + WITHHELD_FOR),
            ..self
        }
    }
}

impl Charge {
    /// Money is here that no credit and no refund explains.
    fn has_unexplained_money(&self) -> bool {
        let coin = self.quote.as_ref().map(|quote| quote.coin);
        let consumed = match self.status {
            Status::Paid => self.consumed.unwrap_or(0),
            Status::Created
            | Status::Pending
            | Status::Processing
            | Status::Expired
            | Status::Underpaid
            | Status::Cancelled
            | Status::Failed => 0,
        };
        let waits_for_coin = matches!(
            self.status,
            Status::Created | Status::Pending | Status::Processing
        );
        let left_of = |of: CurrencyId| {
            let used = if Some(of) == coin { consumed } else { 0 };
            self.live_of(of) - used - self.refunded_of(of)
        };
        let unexplained = self
            .receipts
            .iter()
            .map(|receipt| receipt.coin)
            .filter(|of| !(waits_for_coin && Some(*of) == coin))
            .any(|of| left_of(of) > 0);
        unexplained || (self.status == Status::Paid && self.flags.contains(Flag::Reversed))
    }

    fn live_of(&self, coin: CurrencyId) -> i128 {
        self.receipts
            .iter()
            .filter(|receipt| receipt.coin == coin && receipt.is_live())
            .map(|receipt| receipt.amount)
            .sum()
    }

    pub(super) fn refunded_of(&self, coin: CurrencyId) -> i128 {
        self.refunded
            .iter()
            .filter(|(id, _)| *id == coin)
            .map(|(_, units)| units)
            .sum()
    }

    pub(super) fn into_change(self, pays: bool) -> Change {
        // What was sent back is counted; what came after that still waits for somebody.
        let settled = match self.resolution {
            Resolution::Credited => true,
            Resolution::None
            | Resolution::Accepted
            | Resolution::Requoted
            | Resolution::Refunded => false,
        };
        let clock_ends_at = match self.status {
            Status::Created => Some(self.expires_at),
            Status::Pending => self.quote.as_ref().map(|quote| quote.release_at),
            Status::Processing => self.covered_at.map(|at| at + UNCONFIRMED_MAX),
            Status::Paid
            | Status::Expired
            | Status::Underpaid
            | Status::Cancelled
            | Status::Failed => None,
        };
        Change {
            needs_attention: !settled && self.has_unexplained_money(),
            status: self.status,
            flags: self.flags,
            resolution: self.resolution,
            covered_at: self.covered_at,
            quote: self.quote,
            consumed: self.consumed,
            pays,
            clock_ends_at,
        }
    }
}
