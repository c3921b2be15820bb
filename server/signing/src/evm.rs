//! Transactions of chains that book balances of accounts: what they pay, and who signs them.
//!
//! One account pays everything: the first of the branch for change, which no payer is ever given. What deposits
//! bring is moved to it, and nowhere else.
//! Invariants: a transaction says itself which network it is for (EIP-155) and what it costs at most
//! (EIP-1559); nothing is signed that the signer did not read out of the transaction itself.

mod account;
mod keys;
pub mod policy;
mod rlp;
pub mod signer;
pub mod transaction;

pub use account::{Account, NotAnAccount};
pub use keys::{DepositKey, Keys, Role};
pub use policy::EvmPolicy;
pub use signer::treasury;
pub use transaction::{Mismatch, Paid, Transaction};

use bitcoin::NetworkKind;

use crate::chain::ChainParams;
use crate::coins::Branch;

/// How wallets derive and write keys of these chains: as Bitcoin's main network does, with a coin type of
/// their own (SLIP 44). Not among the chains that policies can name.
pub static KEYS: ChainParams = ChainParams {
    name: "ethereum",
    hrp: "",
    pubkey_hash: 0,
    script_hash: &[],
    keys: NetworkKind::Main,
    coin_type: 60,
    dust_relay: 0,
};

/// Where the key is that pays, below its account.
pub const TREASURY: (Branch, u32) = (Branch::Change, 0);
