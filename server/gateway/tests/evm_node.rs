//! The EVM chain against a real node: anvil, which `scripts/anvil.sh` installs.
//!
//! Where `EXCHEQUER_REAL_NODES` does not name it, these tests say that they are skipped; where it does,
//! a missing node is a failure. What a node answers that is broken needs none and is always tested.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "evm_node/anvil.rs"]
mod anvil;
#[path = "evm_node/broadcast.rs"]
mod broadcast;
#[path = "evm_node/contracts.rs"]
mod contracts;
#[path = "evm_node/ether.rs"]
mod ether;
#[path = "evm_node/garbage.rs"]
mod garbage;
#[path = "evm_node/identity.rs"]
mod identity;
#[path = "real_nodes/port.rs"]
mod port;
#[path = "real_nodes/required.rs"]
mod required;
#[path = "evm_node/tokens.rs"]
mod tokens;
