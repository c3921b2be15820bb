//! The one lifecycle under orders, payments, invoices, sales and buttons (`00-domain.md`, Charges).
//!
//! A charge has a status, independent flags and a resolution, never one overloaded field. The rule
//! reads facts (receipts, quote, clock) and says what changes; it stores nothing.

mod change;
mod flags;
mod lifecycle;
mod payout_value;
mod receipt;
mod status;
mod worth;

pub use change::{Change, TransitionError, WITHHELD_FOR};
pub use flags::{Flag, Flags};
pub use lifecycle::{Charge, Event, Quote, UNCONFIRMED_MAX};
pub use payout_value::{Valuation, fee, late_value};
pub use receipt::{Position, Receipt, ReceiptState, confirmations_for};
pub use status::{Resolution, Status};
pub use worth::{Asked, Came};

#[cfg(test)]
mod tests;
