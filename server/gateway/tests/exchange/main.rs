//! Stories and races of exchanges and promises, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod deposits;
mod exchanges;
mod promises;
