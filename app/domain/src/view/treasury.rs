//! What the operators' pages of EVM payments show: transactions with a number each, of one account that pays and of
//! the addresses of deposits.

use time::OffsetDateTime;

use super::AmountText;
use super::checkout::Notice;
use super::dashboard::{Paging, StatusPill};
use super::payouts::PayoutDeed;

/// What the list is narrowed to; empty for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreasuryFilter {
    /// Stored word of a state, one of [`TREASURY_STATES`].
    pub state: String,
    /// Code of the coin.
    pub chain: String,
    /// One of [`TREASURY_KINDS`].
    pub kind: String,
}

/// States that can be asked for, and what people call them.
pub const TREASURY_STATES: [(&str, &str); 9] = [
    ("drafted", "unsigned"),
    ("signed", "signed"),
    ("broadcast", "on its way"),
    ("paid", "paid"),
    ("failed", "failed"),
    ("unclear", "unclear"),
    ("taken", "number taken"),
    ("lost", "left the chain"),
    ("released", "given back"),
];

/// Kinds that can be asked for, and what people call them.
pub const TREASURY_KINDS: [(&str, &str); 3] = [
    ("withdrawal", "Withdrawal"),
    ("sweep", "Sweep"),
    ("gas", "Gas for a sweep"),
];

/// What people call a state or a kind of one of the lists; the word itself when it is in none.
pub fn treasury_word(of: &[(&'static str, &'static str)], word: &str) -> String {
    of.iter()
        .find(|(each, _)| *each == word)
        .map_or(word, |(_, said)| *said)
        .to_owned()
}

/// An account with numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasuryAccountRow {
    pub address: String,
    /// EIP-155.
    pub chain_id: i64,
    /// It pays withdrawals; otherwise the address of a deposit.
    pub pays: bool,
    /// `None` while it never paid.
    pub next_nonce: Option<i64>,
    /// Why nothing new is paid from it.
    pub paused: Option<String>,
    /// Of each coin it pays; empty when the node does not say now.
    pub balances: Vec<AmountText>,
}

/// A withdrawal that has no number yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasuryWaiting {
    pub operation_id: i64,
    pub merchant_id: i64,
    pub merchant: String,
    pub amount: AmountText,
    /// Why; `None` when it is its turn next.
    pub why: Option<String>,
}

/// One payment of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasuryRow {
    pub id: i64,
    pub created: OffsetDateTime,
    /// In words.
    pub kind: String,
    pub state: StatusPill,
    pub amount: AmountText,
    pub from: String,
    pub to: String,
    pub nonce: i64,
    /// Number of the withdrawal it pays, and its merchant's.
    pub withdrawal: Option<(i64, i64)>,
    /// What gas cost; while it is in no block, what it costs at most.
    pub fee: AmountText,
    pub is_fee_final: bool,
    pub txid: Option<String>,
    pub waits_for_signature: bool,
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasuryView {
    pub filter: TreasuryFilter,
    /// Codes of the coins paid with numbers.
    pub chains: Vec<String>,
    pub accounts: Vec<TreasuryAccountRow>,
    /// At most 50, those asked for first in front.
    pub waiting: Vec<TreasuryWaiting>,
    pub rows: Vec<TreasuryRow>,
    pub paging: Paging,
    /// No payment was ever made.
    pub never_used: bool,
}

/// One transaction of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasuryTxRow {
    pub id: i64,
    pub txid: Option<String>,
    pub state: StatusPill,
    /// Gwei for each unit of gas at most, and of that for whoever makes the block.
    pub max_fee: String,
    pub tip: String,
    pub gas_limit: String,
    /// What gas cost; `None` while it is in no block.
    pub cost: Option<AmountText>,
    /// Of its block.
    pub height: Option<i64>,
    /// Who did what, in order.
    pub history: Vec<PayoutDeed>,
    pub problem: Option<String>,
}

/// A payment with its transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreasuryPaymentView {
    pub row: TreasuryRow,
    /// What its state means, in a sentence.
    pub meaning: String,
    /// The newest first.
    pub txs: Vec<TreasuryTxRow>,
    /// People sign it; otherwise the signer is asked again by itself.
    pub by_hand: bool,
    /// A transaction with a higher fee can be made.
    pub can_bump: bool,
    pub notice: Option<Notice>,
}
