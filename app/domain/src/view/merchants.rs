//! What the operator's pages of merchants show: their fee and what needs an approval.

use super::checkout::Notice;
use super::dashboard::Paging;

/// A merchant as a row of the list. Amounts as people read them; `None` = no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantRow {
    pub id: i64,
    pub name: String,
    /// Percentage of every payment.
    pub fee: String,
    /// One withdrawal, in its own currency.
    pub withdrawal_limit: Option<String>,
    /// All withdrawals of a day together, in euros.
    pub daily_limit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantsView {
    /// Part of a name, or a number.
    pub q: String,
    pub rows: Vec<MerchantRow>,
    pub paging: Paging,
}

/// The form that edits a merchant's terms, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantTermsView {
    pub id: i64,
    pub name: String,
    pub fee: String,
    pub withdrawal_limit: String,
    pub daily_limit: String,
    /// What was stored when it was looked at.
    pub seen: String,
    pub notice: Option<Notice>,
}
