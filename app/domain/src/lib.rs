//! The rules of Exchequer, pure: money, ledger, charge lifecycle, quotes, payment links, views.
//!
//! Invariant: nothing here performs IO, reads a clock or draws randomness. Time and ids arrive
//! as arguments, so every rule can be tested as a table and runs unchanged in the browser.

pub mod brand;
pub mod charge;
pub mod exchange;
pub mod futures;
pub mod invoice;
pub mod ledger;
pub mod money;
pub mod payment_uri;
pub mod rate;
pub mod text;
pub mod view;
pub mod withdrawal;
