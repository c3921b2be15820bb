//! Payouts: withdrawals on chains whose coins are outputs (contract 30). Several withdrawals share one
//! transaction, somebody outside this process signs it, and one that waits too long is replaced by
//! one with a higher fee.
//!
//! Invariants: once something is signed, a withdrawal rides in its payout for ever; all transactions
//! of a payout make the same payments and spend all coins of the one before, so at most one of them
//! is ever mined; plan and coins are stored before anybody is asked to sign, signed bytes before the
//! network gets them; what was once drafted is looked for on the chain for ever, whoever sent it;
//! coins are free again when nothing signed can spend them any more, and not before.

mod attention;
mod bump;
mod by_hand;
mod choosing;
mod coins_store;
mod drafting;
mod dropping;
mod follow;
mod follow_store;
mod lock_store;
mod open;
mod other_ids;
mod other_ids_store;
mod previous;
mod refused;
pub(crate) mod refused_store;
mod rider_store;
mod row;
mod rules;
mod send;
mod sign;
pub(crate) mod store;
mod wallet;
mod work;

pub use by_hand::PsbtFile;
pub use rules::{PayoutSettingError, PayoutSettings, Rules, SignerSetting};
pub use wallet::{Signer, Wallet, WalletError};

pub(crate) use dropping::{lock_with, rows, take_apart};
pub(crate) use follow::{follow, send_once_more};
pub(crate) use open::open;
pub(crate) use other_ids::note_other_ids;
pub(crate) use refused::{refuse, tomorrow};
pub(crate) use row::TxState;
pub(crate) use work::{any_due, work_due};

/// What is paid for, as plans and signers name it.
fn reference(operation_id: i64) -> String {
    format!("withdrawal {operation_id}")
}
