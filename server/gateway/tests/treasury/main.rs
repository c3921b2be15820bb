//! Withdrawals from one account of an EVM chain, on Postgres and a network in memory: real transactions, real
//! signatures, no node; and a few stories on anvil.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../evm_node/anvil.rs"]
#[allow(dead_code)]
mod anvil;
mod crashes;
#[cfg(unix)]
#[allow(dead_code)]
#[path = "../simulator/database.rs"]
mod database;
mod elsewhere;
mod hands;
mod listed;
mod live_key;
mod lost;
// The simulator uses it, too.
#[allow(dead_code)]
mod net;
mod own_funds;
mod own_funds_out;
mod random;
mod real;
mod real_tokens;
#[cfg(unix)]
mod refusals;
#[path = "../real_nodes/required.rs"]
mod required;
#[cfg(unix)]
#[path = "../simulator/shrink.rs"]
mod shrink;
#[cfg(unix)]
mod signer;
mod stories;
mod sweeps;
mod till;
mod token;
mod unclear;
mod undone;
#[cfg(unix)]
mod walk;

/// Accounts of nobody here.
const STRANGERS: [&str; 2] = [
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F",
];
