//! Stories of deposits to reusable addresses, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod arriving;
mod liquidity;
mod suspense;
mod undone;
