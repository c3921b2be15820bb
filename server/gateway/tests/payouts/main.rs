//! Withdrawals that share transactions, on Postgres and a network in memory: real transactions, real
//! signatures, no node.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

mod bumps;
mod crashes;
#[path = "../electrum/mod.rs"]
mod electrum;
mod endings;
mod foreign;
mod hands;
#[cfg(unix)]
mod kinds;
mod leaving;
mod live_key;
// The simulator uses it, too.
#[allow(dead_code)]
mod net;
#[path = "../real_nodes/node.rs"]
mod node;
mod orders;
#[path = "../real_nodes/port.rs"]
mod port;
#[path = "../real_nodes/purse.rs"]
mod purse;
mod real;
mod reconciliation;
#[path = "../real_nodes/required.rs"]
mod required;
#[cfg(unix)]
mod signer;
#[cfg(unix)]
mod splits;
mod stories;
mod taken_out;
mod till;
mod witnessed;

/// Addresses of nobody here, on the main network.
const STRANGERS: [&str; 3] = [
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
];
