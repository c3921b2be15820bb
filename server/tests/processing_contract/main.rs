//! Every call of the Processing API with the published examples: the same members, the same types.

#![allow(clippy::unwrap_used)]

#[path = "../processing_support/mod.rs"]
mod processing_support;

mod deposits;
mod exchanges;
mod invoices;
mod lists;
mod withdrawals;

/// A main-net address of nobody here.
const STRANGER: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";
