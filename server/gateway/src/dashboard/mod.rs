//! Reads for the merchant dashboard. Amounts, sentences and links are composed here, so that a
//! page lays them out and adds nothing.
//!
//! Invariant: every read takes the merchant first and sees nothing of another one.

mod address_store;
mod addresses;
mod callbacks;
mod charge_detail;
mod charge_list;
mod chart;
mod delivery_list;
mod delivery_store;
mod export;
mod faucet;
mod futures;
mod futures_store;
mod futures_terms;
mod home;
mod inbox;
mod invoice_detail;
mod invoice_list;
mod invoice_selection;
mod invoice_store;
mod keys;
mod mailbox;
mod money_forms;
mod operations;
mod rate_list;
mod rows;
mod selection;
mod statement;
mod store;
mod wallets;

pub use addresses::ADDRESS_COLUMNS;
pub use delivery_list::{DELIVERY_COLUMNS, Place};
pub use export::{CHARGE_COLUMNS, ExportPage, STATEMENT_COLUMNS, inbox_columns};
pub use futures::FUTURES_COLUMNS;
pub use invoice_list::INVOICE_COLUMNS;
pub use keys::{KEY_COLUMNS, key_created, key_form};
pub use operations::OPERATION_COLUMNS;
pub use rate_list::RATE_COLUMNS;
pub use selection::Cursor;
