//! Reads for the merchant dashboard. Amounts, sentences and links are composed here, so that a
//! page lays them out and adds nothing.
//!
//! Invariant: every read takes the merchant first and sees nothing of another one.

mod address_store;
mod addresses;
mod charge_detail;
mod charge_list;
mod chart;
mod export;
mod faucet;
mod home;
mod inbox;
mod mailbox;
mod money_forms;
mod operations;
mod rows;
mod selection;
mod statement;
mod store;
mod wallets;

pub use addresses::ADDRESS_COLUMNS;
pub use export::{CHARGE_COLUMNS, ExportPage, STATEMENT_COLUMNS, inbox_columns};
pub use operations::OPERATION_COLUMNS;
pub use selection::Cursor;
