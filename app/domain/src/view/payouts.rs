//! What the operators' pages of payouts show: transactions that pay several withdrawals at once.

use time::OffsetDateTime;

use super::AmountText;
use super::checkout::Notice;
use super::dashboard::{Paging, StatusPill};

/// One payout of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRow {
    pub id: i64,
    pub created: OffsetDateTime,
    /// Of its newest transaction, or of the one in the chain.
    pub state: StatusPill,
    pub code: String,
    /// How many withdrawals ride in it.
    pub riders: i64,
    /// What they get together.
    pub paid: AmountText,
    /// What the miner gets.
    pub fee: AmountText,
    pub txid: String,
    /// A person has to sign it.
    pub waits_for_signature: bool,
    /// Why it is not on its way.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutsView {
    pub rows: Vec<PayoutRow>,
    pub paging: Paging,
    /// No payout was ever made.
    pub never_used: bool,
}

/// One transaction of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutTxRow {
    pub id: i64,
    pub txid: String,
    pub state: StatusPill,
    pub fee: AmountText,
    /// What goes back to us; `None` without change.
    pub change: Option<AmountText>,
    /// Coins it spends.
    pub inputs: usize,
    /// Virtual bytes; `None` while nobody signed it.
    pub vsize: Option<i64>,
    /// Who did what, in order.
    pub history: Vec<PayoutDeed>,
    pub problem: Option<String>,
}

/// Who did something to a transaction, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutDeed {
    /// `made`, `downloaded`, `signed`, `sent`.
    pub what: &'static str,
    /// `None` for the network.
    pub who: Option<String>,
    pub at: OffsetDateTime,
}

/// A withdrawal that rides in a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRider {
    pub operation_id: i64,
    pub merchant_id: i64,
    pub merchant: String,
    pub address: String,
    pub amount: AmountText,
    pub state: StatusPill,
}

/// A payout with its transactions and withdrawals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutView {
    pub id: i64,
    pub code: String,
    pub created: OffsetDateTime,
    /// The newest first.
    pub txs: Vec<PayoutTxRow>,
    pub riders: Vec<PayoutRider>,
    /// A transaction of it waits for its signatures.
    pub is_drafted: bool,
    /// People sign it; otherwise the signer is asked again by itself.
    pub by_hand: bool,
    /// A transaction with a higher fee can be made.
    pub can_bump: bool,
    /// Its bytes can be sent again.
    pub can_resend: bool,
    pub notice: Option<Notice>,
}
