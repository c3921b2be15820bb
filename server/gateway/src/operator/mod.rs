//! What only the operator does, and the record of it.

mod audit_list;
mod audit_list_store;
pub(crate) mod audit_log;
mod change;
mod floors;
mod house;
mod house_store;
mod merchants;
mod merchants_store;
mod payouts;
mod payouts_store;
mod rate_pin_form;
mod rate_pins;
mod rate_pins_store;
mod rate_sources;
mod suspended_deposit;
mod suspense;
mod suspense_store;
mod suspense_story;
mod terms_edit;
mod terms_edit_store;
mod terms_fields;
mod terms_list;

pub use audit_list::AUDIT_COLUMNS;
pub use change::REASON_CHARS_MAX;
pub(crate) use change::reason;
pub use floors::FloorChange;
pub use house::HOUSE_COLUMNS;
pub use merchants::{MERCHANT_COLUMNS, MerchantTerms};
pub use payouts::PAYOUT_COLUMNS;
pub use rate_pins::SeenPin;
pub use rate_sources::SOURCE_COLUMNS;
pub use suspense::SUSPENSE_COLUMNS;
pub use terms_edit::TermsForm;
pub use terms_list::TERMS_COLUMNS;
