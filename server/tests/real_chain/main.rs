//! The server as a process of its own, in front of a node of Bitcoin on a private network: `kill -9` at the
//! worst moments, blocks that change while nobody looks, and a node that comes back with nothing.
//!
//! Left out, with a line that says so, where `EXCHEQUER_REAL_NODES` does not name bitcoind; where it does, a
//! missing node is a failure.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod away;
mod gate;
#[path = "../../gateway/tests/real_nodes/node.rs"]
mod node;
mod payouts;
#[path = "../../gateway/tests/real_nodes/port.rs"]
mod port;
mod program;
#[path = "../../gateway/tests/real_nodes/purse.rs"]
mod purse;
mod receiver;
mod reorganised;
#[path = "../../gateway/tests/real_nodes/required.rs"]
mod required;
mod shop;
mod stage;
mod webhooks;

use std::future::Future;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits for a condition; the test fails when that never comes.
async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < PATIENCE, "it never came to this: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
