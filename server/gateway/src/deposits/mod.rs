//! Deposits to reusable addresses: from chain outputs to credited wallets (`30-processing-api.md`).
//!
//! Invariant: like receipts, deposits derive from the chain tables inside the transaction that
//! changed them; each is booked once while it is final, and money nobody may have yet is in suspense
//! with its reason, never lost.

mod crediting;
mod expected;
mod resolve;
mod row;
mod settling;
pub(crate) mod store;

pub(crate) use row::{DepositRow, Disposition};
pub(crate) use settling::{record_internal, record_outputs, reverse_lost, settle};

/// Name under which a live page is woken.
pub(crate) fn wake_name(deposit_address_id: i64) -> String {
    format!("address:{deposit_address_id}")
}
