//! Read models: plain data that pages, documents and dialects render.
//!
//! Amounts are canonical decimal strings (`.` separator, no grouping) that were formatted
//! from exact units; nothing downstream does arithmetic on them.

mod brand;
pub mod chains;
pub mod checkout;
pub mod claim;
pub mod coins;
pub mod dashboard;
pub mod developers;
pub mod futures;
pub mod invoices;
pub mod merchants;
pub mod operate;
pub mod operations;
pub mod payouts;
pub mod receipt;
pub mod reconciliation;
pub mod settings;
pub mod system;
pub mod terminal;
pub mod terminal_settings;
pub mod treasury;

pub use brand::{BrandFiles, LogoFile, LogoPixels};
use serde::{Deserialize, Serialize};

/// An amount ready to show: canonical decimal text and the currency's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmountText {
    /// Decimal text, e.g. `149.98` or `-0.00123456`.
    pub amount: String,
    /// Currency code as listed, e.g. `USD`, `tBTC`.
    pub code: String,
}

impl std::fmt::Display for AmountText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount, self.code)
    }
}

/// How a merchant looks to its customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brand {
    pub name: String,
    /// `#RRGGBB`, already checked by the contrast guard; `None` = house colours.
    pub accent: Option<String>,
    /// Where customers ask for help, an e-mail address.
    pub support_email: Option<String>,
    /// What pages load beside our own files.
    #[serde(skip)]
    pub files: BrandFiles,
}
