use ethnum::U256;
use time::{Duration, OffsetDateTime};

use super::change::{Change, TransitionError};
use super::{Flag, Flags, Receipt, ReceiptState, Resolution, Status};
use crate::money::CurrencyId;

/// How long covering receipts may take to become final (`00-domain.md`, Clock).
pub const UNCONFIRMED_MAX: Duration = Duration::hours(24);

/// The fixed rate a charge currently runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub coin: CurrencyId,
    /// Coins due in all under this quote, including receipts that came before it.
    pub due: i128,
    /// End of the clock, exclusive: money first seen at this instant is late.
    pub release_at: OffsetDateTime,
}

/// Everything the rule reads. Amounts are ledger units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub status: Status,
    pub flags: Flags,
    pub resolution: Resolution,
    /// Charge currency.
    pub amount: i128,
    /// Charge currency; how much may be missing.
    pub tolerance: i128,
    /// End of the clock while no method is fixed.
    pub expires_at: OffsetDateTime,
    /// When it became covered, while it is `processing`.
    pub covered_at: Option<OffsetDateTime>,
    pub quote: Option<Quote>,
    /// Coins the payment used up, once it is paid; what came beyond them is an excess.
    pub consumed: Option<i128>,
    /// Coins that were sent back to the payer, by coin.
    pub refunded: Vec<(CurrencyId, i128)>,
    pub receipts: Vec<Receipt>,
}

/// What happened to a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The payer (or the request) fixed method and rate.
    MethodFixed(Quote),
    /// Merchant or payer calls it off.
    Cancelled,
    /// Receipts came, became final, or went; they are already in the facts.
    ReceiptsChanged,
    /// Time passed.
    ClockAdvanced,
    /// "Get a new rate".
    Requoted(Quote),
    /// Late money is worth enough at the current rate and the merchant's policy takes it.
    LateAccepted { consumed: i128 },
    /// The merchant accepts what came.
    AcceptedByHand { consumed: i128 },
    /// Coins went back to the payer; they are already in the facts.
    Refunded,
}

impl Charge {
    /// Applies one event at `now` (instance clock).
    pub fn apply(&self, event: &Event, now: OffsetDateTime) -> Result<Change, TransitionError> {
        let mut next = self.clone();
        let pays = match event {
            Event::MethodFixed(quote) => next.fix_method(quote, now)?,
            Event::Cancelled => next.cancel(now)?,
            Event::ReceiptsChanged | Event::ClockAdvanced => next.settle_facts(now),
            Event::Requoted(quote) => next.requote(quote, now)?,
            Event::LateAccepted { consumed } => next.accept_late(*consumed)?,
            Event::AcceptedByHand { consumed } => next.accept_by_hand(*consumed)?,
            Event::Refunded => next.note_refund(now),
        };
        Ok(next.into_change(pays))
    }

    fn fix_method(&mut self, quote: &Quote, now: OffsetDateTime) -> Result<bool, TransitionError> {
        // The clock may have ended without the worker having come round yet.
        self.settle_facts(now);
        match self.status {
            Status::Created => {}
            Status::Pending if self.has_live_receipts() => {
                return Err(TransitionError::MoneyArrived);
            }
            Status::Pending => {}
            other => return Err(TransitionError::WrongStatus(other)),
        }
        self.status = Status::Pending;
        self.quote = Some(quote.clone());
        Ok(false)
    }

    fn cancel(&mut self, now: OffsetDateTime) -> Result<bool, TransitionError> {
        self.settle_facts(now);
        match self.status {
            Status::Created => {}
            Status::Pending if self.has_live_receipts() => {
                return Err(TransitionError::MoneyArrived);
            }
            Status::Pending => {}
            other => return Err(TransitionError::WrongStatus(other)),
        }
        self.status = Status::Cancelled;
        Ok(false)
    }

    fn requote(&mut self, quote: &Quote, now: OffsetDateTime) -> Result<bool, TransitionError> {
        self.settle_facts(now);
        match self.status {
            Status::Expired | Status::Underpaid => {}
            Status::Created | Status::Pending => return Err(TransitionError::RateStillFixed),
            other => return Err(TransitionError::WrongStatus(other)),
        }
        self.status = Status::Pending;
        self.resolution = Resolution::Requoted;
        self.quote = Some(quote.clone());
        Ok(self.settle_facts(now))
    }

    fn accept_late(&mut self, consumed: i128) -> Result<bool, TransitionError> {
        match self.status {
            Status::Expired | Status::Underpaid => {}
            other => return Err(TransitionError::WrongStatus(other)),
        }
        self.require_final_money()?;
        self.flags.insert(Flag::Late);
        self.become_paid(consumed);
        Ok(true)
    }

    fn accept_by_hand(&mut self, consumed: i128) -> Result<bool, TransitionError> {
        match self.status {
            Status::Expired | Status::Underpaid | Status::Failed => {}
            other => return Err(TransitionError::WrongStatus(other)),
        }
        self.require_final_money()?;
        self.flags.insert(Flag::Manual);
        self.resolution = Resolution::Accepted;
        self.become_paid(consumed);
        Ok(true)
    }

    /// What went back settles a charge that ended unpaid. A paid one stays paid: only its excess, or
    /// money in another coin, can go back; and one that is still to be paid goes on.
    fn note_refund(&mut self, now: OffsetDateTime) -> bool {
        match self.status {
            Status::Created | Status::Pending | Status::Processing => self.settle_facts(now),
            Status::Paid => false,
            Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => {
                self.resolution = Resolution::Refunded;
                false
            }
        }
    }

    fn require_final_money(&self) -> Result<(), TransitionError> {
        let coin = self.quote.as_ref().map(|quote| quote.coin);
        let arrived = self
            .receipts
            .iter()
            .any(|receipt| receipt.state == ReceiptState::Final && Some(receipt.coin) == coin);
        if arrived {
            Ok(())
        } else {
            Err(TransitionError::NothingFinal)
        }
    }

    /// Brings status and flags in line with receipts and clock; true when the charge becomes paid.
    fn settle_facts(&mut self, now: OffsetDateTime) -> bool {
        self.note_late_money();
        let paid = match self.status {
            Status::Created => {
                if now >= self.expires_at {
                    self.status = Status::Expired;
                }
                false
            }
            Status::Pending => self.settle_pending(now),
            Status::Processing => self.settle_processing(now),
            Status::Paid => {
                self.note_reversals();
                false
            }
            Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => {
                self.note_failed_refund();
                false
            }
        };
        self.note_late_money();
        self.note_amounts();
        paid
    }

    /// What was on its way back and did not arrive has settled nothing.
    fn note_failed_refund(&mut self) {
        if self.resolution == Resolution::Refunded && self.refunded.is_empty() {
            self.resolution = Resolution::None;
        }
    }

    fn settle_pending(&mut self, now: OffsetDateTime) -> bool {
        let counted = self.counted(Receipt::is_live);
        if self.covers(self.counted(Receipt::is_final)) {
            self.become_paid(self.payable());
            return true;
        }
        if self.covers(counted) {
            self.status = Status::Processing;
            // A new rate gives what waits for its blocks since yesterday its time again.
            self.covered_at = self
                .first_seen()
                .filter(|at| now < *at + UNCONFIRMED_MAX)
                .or(Some(now));
        } else if self
            .quote
            .as_ref()
            .is_some_and(|quote| now >= quote.release_at)
        {
            self.status = if counted > 0 {
                Status::Underpaid
            } else {
                Status::Expired
            };
        }
        false
    }

    fn settle_processing(&mut self, now: OffsetDateTime) -> bool {
        let counted = self.counted(Receipt::is_live);
        if self.covers(self.counted(Receipt::is_final)) {
            self.become_paid(self.payable());
            return true;
        }
        let time_left = self
            .quote
            .as_ref()
            .is_some_and(|quote| now < quote.release_at);
        if !self.covers(counted) {
            self.covered_at = None;
            // What came late counts here: it is money that waits, not a failure.
            let left = self.sum(Receipt::is_live) > 0;
            self.status = match (time_left, left) {
                (true, _) => Status::Pending,
                (false, true) => Status::Underpaid,
                (false, false) => Status::Failed,
            };
        } else if self
            .covered_at
            .is_some_and(|at| now >= at + UNCONFIRMED_MAX)
        {
            self.status = Status::Failed;
        }
        false
    }

    fn become_paid(&mut self, consumed: i128) {
        self.status = Status::Paid;
        self.consumed = Some(consumed);
        self.covered_at = None;
        self.note_amounts();
        self.note_reversals();
    }

    /// Also of receipts that went before it was paid by others: they were booked, and may come back.
    fn note_reversals(&mut self) {
        if self
            .receipts
            .iter()
            .any(|receipt| receipt.state == ReceiptState::Reversed)
        {
            self.flags.insert(Flag::Reversed);
        }
    }

    fn note_late_money(&mut self) {
        let Some(release_at) = self.quote.as_ref().map(|quote| quote.release_at) else {
            return;
        };
        let over = matches!(
            self.status,
            Status::Expired | Status::Underpaid | Status::Failed | Status::Cancelled
        );
        let late = |receipt: &Receipt| receipt.is_live() && receipt.seen_at >= release_at;
        if over && self.receipts.iter().any(late) {
            self.flags.insert(Flag::Late);
        }
    }

    /// `under` and `over` follow the amounts; `over` stays once set.
    fn note_amounts(&mut self) {
        let Some((coin, due)) = self.quote.as_ref().map(|quote| (quote.coin, quote.due)) else {
            return;
        };
        let live = self.sum(Receipt::is_live) - self.refunded_of(coin);
        if live > self.consumed.unwrap_or(due) {
            self.flags.insert(Flag::Over);
        }
        if self.covers(live) || self.status == Status::Paid {
            self.flags.remove(Flag::Under);
        } else if live > 0 {
            self.flags.insert(Flag::Under);
        }
    }

    /// Coins of the quote that came while its clock ran.
    fn counted(&self, which: fn(&Receipt) -> bool) -> i128 {
        let Some(quote) = &self.quote else { return 0 };
        self.sum(|receipt| which(receipt) && receipt.seen_at < quote.release_at)
    }

    /// When the first of the money that it waits for was seen (`00-domain.md`, Clock). What is final
    /// already keeps no time: it may be days old when a new rate lets the rest be paid.
    fn first_seen(&self) -> Option<OffsetDateTime> {
        let quote = self.quote.as_ref()?;
        self.receipts
            .iter()
            .filter(|receipt| {
                receipt.coin == quote.coin && receipt.is_live() && !receipt.is_final()
            })
            .map(|receipt| receipt.seen_at)
            .filter(|at| *at < quote.release_at)
            .min()
    }

    /// What a payment at the quote uses up.
    fn payable(&self) -> i128 {
        let due = self.quote.as_ref().map_or(0, |quote| quote.due);
        self.sum(Receipt::is_final).min(due)
    }

    fn sum(&self, which: impl Fn(&Receipt) -> bool) -> i128 {
        let Some(quote) = &self.quote else { return 0 };
        self.receipts
            .iter()
            .filter(|receipt| receipt.coin == quote.coin && which(receipt))
            .map(|receipt| receipt.amount)
            .sum()
    }

    /// Whether `coins` are worth the amount less the tolerance, at the quote, without rounding.
    fn covers(&self, coins: i128) -> bool {
        let Some(quote) = &self.quote else {
            return false;
        };
        let wide = |value: i128| U256::from(value.max(0).unsigned_abs());
        coins > 0
            && wide(coins) * wide(self.amount)
                >= wide(quote.due) * wide(self.amount - self.tolerance)
    }

    fn has_live_receipts(&self) -> bool {
        self.receipts.iter().any(Receipt::is_live)
    }
}

impl Receipt {
    /// Still counts as money.
    pub fn is_live(&self) -> bool {
        self.state.is_live()
    }

    /// Booked.
    pub fn is_final(&self) -> bool {
        self.state == ReceiptState::Final
    }
}
