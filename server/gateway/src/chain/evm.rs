//! Chains that book balances of accounts: ether, and the token of one ERC-20 contract, both through
//! the JSON-RPC of an Ethereum node.
//!
//! Invariants: an answer of the node is the word of a stranger, so what cannot be read or does not
//! belong together is an error and never a guess; nothing is read from a node before its chain id,
//! its first block and the token's contract were compared with the settings; no part of the node's
//! URL but host and port is ever written anywhere.

mod account;
mod balances;
mod broadcast;
pub mod config;
mod endpoint;
mod erc20;
mod identity;
mod native;
mod node;
mod paying;
mod pool;
mod quantity;
pub mod rpc;
mod sent;
mod token;
mod wire;

pub use account::Account;
pub use endpoint::NodeUrl;
pub use node::{Asset, Evm, EvmConfig, NodeStatus};
pub(crate) use paying::{Did, Estimate, Funds, Mined};
pub(crate) use sent::{Moved, Sent};
