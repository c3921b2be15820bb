//! Withdrawals: money out of a wallet, or out of suspense back to a payer (`30-processing-api.md`).
//!
//! Invariants: everything that can leave is held first; the bytes that pay are stored before the
//! network sees them, and only those are ever sent again, so nothing is paid twice; a hold ends once,
//! settled by the chain, or void by a person: before anything was built, or after
//! another transaction took the coins for good. What a person ends is never sent afterwards.

mod decide;
mod follow;
mod internal;
mod limit_store;
mod limits;
mod needs;
pub(crate) mod on_chain_store;
mod plan;
mod refund;
mod replaced;
mod replaced_words;
mod repricing;
mod request;
mod row;
mod send;
pub(crate) mod sending_store;
pub(crate) mod store;

use domain::money::{Currency, Money};
use rust_decimal::Decimal;

pub(crate) use follow::{call_for_help, follow, settle, tell_of_overpaying};
pub use replaced::ReplacedOutcome;
pub(crate) use row::WithdrawalRow;
pub use send::send_due;
pub(crate) use send::{any_due, send_due_by};

use crate::operations::FeeKind;

/// What is said of an address that the change of payouts goes to.
const OUR_CHANGE: &str = "must be the receiver's: this one is our own, for change";

/// A withdrawal to be made.
#[derive(Debug, Clone)]
pub struct NewWithdrawal {
    pub merchant_id: i64,
    /// Names it once and for ever among the merchant's withdrawals.
    pub foreign_id: Option<String>,
    /// In the sending wallet's currency, fees on top.
    pub amount: Money,
    /// The coin it is exchanged into on its way.
    pub convert_to: Option<Currency>,
    pub address: String,
    pub tag: Option<String>,
    pub requested_by: String,
    /// The person who asked, when it was one.
    pub requested_user_id: Option<i64>,
}

impl NewWithdrawal {
    /// What the receiver gets.
    pub(crate) fn coin(&self) -> Currency {
        self.convert_to.unwrap_or(self.amount.currency())
    }
}

/// What a withdrawal would do, before anything is held.
#[derive(Debug, Clone)]
pub struct WithdrawalReview {
    /// All that the wallet would lose.
    pub sender_total: Money,
    pub requested: Money,
    pub fees: Vec<(FeeKind, Money)>,
    pub receiver_amount: Money,
    pub price: Option<Decimal>,
    /// Canonical form.
    pub address: String,
    /// The address is one of this instance.
    pub internal: bool,
    /// Above the merchant's limit.
    pub needs_approval: bool,
}

/// Who approves or declines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    pub name: String,
    pub user_id: Option<i64>,
}
