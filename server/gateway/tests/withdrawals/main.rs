//! Stories and races of withdrawals, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod approvals;
mod internal;
mod requests;
mod sending;
