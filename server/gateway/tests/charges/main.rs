//! Stories of one charge from the order to the books, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod differences;
mod paid;
mod quotes;
mod refunds;
mod replacements;
