//! What the public pages about coins and fees show (`60-pages.md`, Public).

use serde::{Deserialize, Serialize};

use super::AmountText;
use super::dashboard::Paging;

/// A coin that can be paid with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoinItem {
    pub code: String,
    pub name: String,
    pub network: String,
    /// Smallest deposit to a reusable address that is credited.
    pub minimum: AmountText,
    /// The same where the deposit is exchanged on arrival.
    pub minimum_exchange: AmountText,
    /// Blocks until a payment is final.
    pub confirmations: u32,
    /// The same from `large_from_euros` on.
    pub confirmations_large: u32,
    /// Whole euros, as text.
    pub large_from_euros: String,
    /// What an address looks like; never one that could be paid: `bc1q…`.
    pub address_form: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoinsView {
    pub coins: Vec<CoinItem>,
    pub test_mode: bool,
}

/// What one currency costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeItem {
    pub code: String,
    pub name: String,
    /// `1 %`.
    pub deposit: String,
    pub exchange: String,
    /// `0.5 % + 0.0001 BTC`.
    pub withdrawal: String,
    /// Bare figures of the currency.
    pub minimum_deposit: String,
    pub minimum_exchange: String,
    pub minimum_withdrawal: String,
}

/// A calculation that shows what a fee comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeExample {
    /// `On 100.00 EUR you keep 99.00 EUR`.
    pub title: String,
    /// The figures in the order they are added up; the last is the result.
    pub lines: Vec<(String, AmountText)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeesView {
    /// Part of a code or a name; empty = all.
    pub q: String,
    pub rows: Vec<FeeItem>,
    pub paging: Paging,
    pub examples: Vec<FeeExample>,
    pub test_mode: bool,
}
