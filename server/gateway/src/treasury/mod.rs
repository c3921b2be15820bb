//! The treasury: withdrawals on chains of accounts (contract 30). One account pays them all, and gets what
//! deposits bring (`sweeping.rs`), each with a transaction of its own; whoever has its key signs, and one that waits too long is replaced by one with
//! a higher fee and the same nonce.
//!
//! Invariants: a nonce belongs to one withdrawal as soon as anybody may have signed it, and nonces are given
//! out without gaps, in the unit that stores what is planned with them; signed bytes are stored before the network gets them; all
//! transactions of a payment have its nonce, so at most one of them is ever mined, and what it did decides;
//! what was once drafted is looked for on the chain for ever, whoever sent it; nothing new is planned once
//! somebody else has used the key.

mod attention;
mod balances;
mod bump;
mod by_hand;
mod drafting;
mod fees;
mod follow;
mod follow_store;
mod list;
mod list_store;
mod open;
mod outcome;
mod refused;
mod released_store;
mod resuming;
mod row;
mod send;
mod settings;
mod sign;
pub(crate) mod store;
mod sweep_store;
mod sweeping;
mod tx_store;
mod wallet;
mod work;

pub use by_hand::{SIGNED_BYTES_MAX, UnsignedFile};
pub use fees::Rules;
pub use list::{TreasuryAccount, TreasuryLine, TreasuryMove};
pub use settings::{TreasurySettings, WrongSetting};
pub use wallet::{Signer, Treasury, TreasuryError};

pub(crate) use balances::balances;
pub(crate) use follow::{follow, is_used_up};
pub(crate) use open::{address, open, watch};
pub(crate) use row::{cost, shown};
pub(crate) use tx_store::queue_again as send_again;
pub(crate) use work::{any_due, work_due};
