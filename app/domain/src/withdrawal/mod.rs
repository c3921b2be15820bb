//! Withdrawals: what is held and sent, and the states one goes through (`30-processing-api.md`).

mod amounts;
mod state;

pub use amounts::{Amounts, FeeTerms, exchanged, plain};
pub use state::{WithdrawalError, WithdrawalEvent, WithdrawalState};
