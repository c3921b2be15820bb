//! What the money pages show: deposits, withdrawals, exchanges, addresses (ux §1.3, §1.7, §1.8).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::AmountText;
use super::checkout::Notice;
use super::dashboard::{DeliveryRow, JournalLineRow, Paging, StatusPill};

/// Which operations a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationList {
    Deposits,
    Withdrawals,
    Exchanges,
}

impl OperationList {
    /// Path of the list; a detail is below it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Deposits => "/app/deposits",
            Self::Withdrawals => "/app/withdrawals",
            Self::Exchanges => "/app/exchanges",
        }
    }
}

/// One row of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationItem {
    pub id: i64,
    pub at: OffsetDateTime,
    pub status: StatusPill,
    pub reference: String,
    /// Where it came to, or goes to.
    pub address: Option<String>,
    pub sent: AmountText,
    /// What the other side got: the wallet for a deposit, the receiver for a withdrawal.
    pub received: Option<AmountText>,
    pub fee: Option<AmountText>,
    /// A person has to look.
    pub needs_attention: bool,
}

/// Filters as they stand in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationFilter {
    pub reference: String,
    pub status: String,
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationListView {
    pub list: OperationList,
    pub filter: OperationFilter,
    /// Codes that can be asked for.
    pub currencies: Vec<String>,
    pub rows: Vec<OperationItem>,
    /// Withdrawals that wait for a decision.
    pub waiting: Vec<OperationItem>,
    pub total: i64,
    pub paging: Paging,
    pub never_used: bool,
    /// The reader may ask for new ones.
    pub may_act: bool,
}

/// One movement within an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationPart {
    /// `blockchain`, `internal` or `exchange`.
    pub kind: String,
    pub amount: AmountText,
    pub amount_to: Option<AmountText>,
    pub txid: Option<String>,
    pub confirmations: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationDetailView {
    pub list: OperationList,
    pub item: OperationItem,
    /// Name and value, in reading order.
    pub facts: Vec<(String, String)>,
    pub parts: Vec<OperationPart>,
    /// Why something is unusual, one sentence.
    pub error: Option<String>,
    pub journal: Vec<JournalLineRow>,
    pub deliveries: Vec<DeliveryRow>,
    /// It waits for a decision, and the reader may take it.
    pub can_decide: bool,
}

/// The form of a withdrawal, as it was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WithdrawForm {
    pub currency: String,
    pub amount: String,
    /// Empty = the coin of the wallet.
    pub convert_to: String,
    pub address: String,
    pub reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawFormView {
    pub form: WithdrawForm,
    /// Code and text: what can be spent.
    pub wallets: Vec<(String, String)>,
    pub coins: Vec<String>,
    pub notice: Option<Notice>,
}

/// What would happen, before anything does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawReviewView {
    pub form: WithdrawForm,
    /// Makes the confirmation take effect once.
    pub key: String,
    pub total: AmountText,
    pub requested: AmountText,
    /// What for, and how much.
    pub fees: Vec<(String, AmountText)>,
    pub receiver: AmountText,
    pub rate: Option<String>,
    /// What the receiver would have got when this was looked at before; it is something else now.
    pub receiver_before: Option<String>,
    pub address: String,
    pub internal: bool,
    pub needs_approval: bool,
}

/// One deposit address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressItem {
    pub id: i64,
    pub coin: String,
    pub convert_to: Option<String>,
    pub address: String,
    pub reference: String,
    pub label: String,
    pub deposits: u64,
    pub created_at: OffsetDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressListView {
    /// Part of an address, a reference or a label.
    pub q: String,
    pub rows: Vec<AddressItem>,
    pub paging: Paging,
    pub never_used: bool,
    pub coins: Vec<String>,
    pub targets: Vec<String>,
    pub notice: Option<Notice>,
    pub may_act: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressDetailView {
    pub item: AddressItem,
    pub uri: Option<String>,
    pub qr_text: String,
    pub deposits: Vec<OperationItem>,
    pub test_mode: bool,
    pub may_act: bool,
}

/// The form of an exchange, as it was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExchangeForm {
    pub from: String,
    pub to: String,
    /// One of the two is given.
    pub give: String,
    pub get: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeFormView {
    pub form: ExchangeForm,
    /// Code and text: what can be spent.
    pub wallets: Vec<(String, String)>,
    pub notice: Option<Notice>,
    pub past: OperationListView,
}

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeQuoteView {
    pub id: String,
    /// Makes the confirmation take effect once.
    pub key: String,
    pub give: AmountText,
    pub fee: AmountText,
    pub total: AmountText,
    pub get: AmountText,
    /// `1 BTC = 60000 EUR`
    pub rate: String,
    pub now: OffsetDateTime,
    pub fixed_at: OffsetDateTime,
    pub release_at: OffsetDateTime,
    /// It does not stand any more.
    pub expired: bool,
    /// The rate of the offer before, when this one replaces it.
    pub rate_before: Option<String>,
    pub form: ExchangeForm,
}
