//! Transactions of the Bitcoin family: which coins they spend, what they pay, and who signs them. Those
//! of accounts on EVM chains are in [`evm`], with the same signer.
//!
//! The first half is pure and decides: [`selection`] and [`bump`] make a [`Plan`], [`psbt`] writes
//! it down for a signer and checks what comes back, [`account`] reads the public keys of both. The
//! second half is the signer, a process of its own: [`policy`] says what may leave, [`spent`] keeps
//! what has left, `serve` answers on a Unix socket, `client` asks there.
//!
//! Invariants: inputs are outputs plus fee, to the satoshi; no private key is in the same process
//! as anything that listens to a network; nothing is signed that the signer did not read out of
//! the transaction itself.

pub mod account;
pub mod bump;
pub mod chain;
#[cfg(unix)]
pub mod client;
pub mod coins;
mod draft;
pub mod evm;
pub mod fee;
pub mod key;
#[cfg(unix)]
pub mod key_file;
pub mod policy;
pub mod protocol;
pub mod psbt;
pub mod reading;
pub mod script_kind;
pub mod selection;
#[cfg(unix)]
pub mod serve;
pub mod signer;
pub mod spent;
#[cfg(unix)]
pub mod spent_file;
mod unlocking;

#[cfg(test)]
mod samples;

pub use account::{Account, AccountError};
pub use bump::{Replacement, replace};
pub use chain::{ChainParams, chain};
#[cfg(unix)]
pub use client::{ClientError, SignerClient};
pub use coins::{Branch, ChangeScript, Coin, Payment, Plan, PlannedOutput, Purpose};
pub use fee::{FeeCaps, FeeRate};
pub use policy::Policy;
pub use protocol::{DayIsFull, RefusedPayment};
pub use script_kind::ScriptKind;
pub use selection::{Selection, SelectionError, select};
#[cfg(unix)]
pub use serve::{Clock, SignerConfig, SignerError, run, run_by};
