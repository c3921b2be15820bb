//! A node of the Bitcoin family as a chain: Bitcoin Core, and Litecoin Core which came from it.
//!
//! Invariants: nothing is read from a node that is not on the network of the settings; no amount
//! passes through a float; outputs that cannot be spent yet are reported in the block in which they
//! can.

mod amount;
mod announcements;
mod backend;
mod blocks;
mod broadcast;
mod config;
mod error;
mod holdings;
mod maturity;
mod node;
mod outgoing;
mod raw;
mod reading;
mod rpc;
mod software;
mod spending;
mod status;
mod transactions;
mod verbose;

pub use announcements::Announcements;
pub use config::{NodeConfig, NodeSettingError, NodeSettings};
pub use error::NodeError;
pub use node::BitcoinCore;
pub use outgoing::FeeRate;
pub use rpc::{Credentials, Password, Refusal, Rpc, RpcError};
pub use status::NodeStatus;

/// What the crate `signing` calls the coin; `None` when no node of this family stands for it.
pub(super) fn signing_name(code: &str) -> Option<&'static str> {
    software::of(code).map(|software| software.signing)
}
