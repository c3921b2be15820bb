//! Double entry: immutable journal entries made of postings, and the one rule that applies them.
//!
//! Sign: an account's `posted` is Σ credits − Σ debits. Wallets are liabilities of ours, so a
//! deposit credits them; custody runs negative. Every posting moves one positive amount between
//! two accounts of one currency, so Σ over all accounts of a currency is always zero.

mod account;
mod apply;
mod entry;
pub mod template;

pub use account::{AccountId, AccountKey, AccountKind, AccountState, HOUSE, WalletType};
pub use apply::{AppliedEntry, AppliedLeg, LedgerError, apply};
pub use entry::{EntryKind, JournalEntry, Leg, Movement};

#[cfg(test)]
mod tests;
