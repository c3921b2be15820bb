//! What the merchant dashboard shows (ux §1.2–1.6).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::AmountText;
use super::checkout::Notice;

/// The frame around every signed-in page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    pub user_email: String,
    pub role: String,
    pub merchant_name: Option<String>,
    pub test_mode: bool,
    pub inbox_count: u64,
    pub notice: Option<Notice>,
}

/// One wallet with its three figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletRow {
    pub id: i64,
    pub name: String,
    pub code: String,
    /// `PREPAID` or `POSTPAID`.
    pub kind: String,
    pub available: String,
    pub held: String,
    pub balance: String,
    /// Only for POSTPAID.
    pub credit_limit: Option<String>,
    /// Reference of the customer whose wallet it is; `None` = primary.
    pub user_id: Option<i64>,
}

/// A status as shown: the one word used everywhere and its visual kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPill {
    /// `created`, `pending`, `processing`, `paid`, `expired`, `underpaid`, `cancelled`, `failed`, `refunded`.
    pub word: String,
    pub flags: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRow {
    pub public_id: String,
    pub created_at: OffsetDateTime,
    pub customer: String,
    pub amount: AmountText,
    pub received: Option<AmountText>,
    pub method: Option<String>,
    pub status: StatusPill,
    /// Sits in the exceptions inbox.
    pub needs_attention: bool,
}

/// One bar of the received chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotal {
    /// ISO date.
    pub day: String,
    /// Number of charges paid that day.
    pub paid_count: u64,
    /// Exact sum in the chart's currency.
    pub amount: String,
    /// 0–1000, height relative to the highest day (integer per mille, so the page computes nothing).
    pub per_mille: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedChart {
    pub code: String,
    /// Currencies that can be charted.
    pub codes: Vec<String>,
    /// 7, 30 or 90.
    pub days: u32,
    pub bars: Vec<DayTotal>,
    pub total: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionItem {
    pub text: String,
    pub count: u64,
    pub href: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeView {
    pub attention: Vec<AttentionItem>,
    pub wallets: Vec<WalletRow>,
    pub chart: ReceivedChart,
    pub latest: Vec<ChargeRow>,
    /// A curl line that makes a first order, shown while there are no charges.
    pub first_order_curl: Option<String>,
}

/// Filters of the charges list exactly as they stand in the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeFilter {
    pub q: String,
    pub status: String,
    pub currency: String,
    pub from: String,
    pub to: String,
    /// Only charges that need attention.
    pub attention: bool,
    pub limit: u32,
}

/// A page of a list with its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Query strings (with leading `?`) of the neighbouring pages.
    pub previous: Option<String>,
    pub next: Option<String>,
    /// Query string of the CSV export of exactly this filter.
    pub export: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeListView {
    pub filter: ChargeFilter,
    pub currencies: Vec<String>,
    pub rows: Vec<ChargeRow>,
    pub paging: Paging,
    /// The merchant has no charge at all.
    pub never_used: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRow {
    pub at: OffsetDateTime,
    /// Machine word, e.g. `receipt.seen`.
    pub kind: String,
    /// One sentence.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLineRow {
    pub at: OffsetDateTime,
    pub entry_id: String,
    pub entry_kind: String,
    pub debit: String,
    pub credit: String,
    pub amount: AmountText,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRow {
    pub number: u32,
    pub at: OffsetDateTime,
    pub status: Option<u16>,
    pub duration_ms: u64,
    pub error: Option<String>,
    pub response_head: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    pub id: i64,
    pub event_id: String,
    pub event_type: String,
    pub url: String,
    /// `pending`, `delivered`, `failed`.
    pub state: String,
    pub next_attempt_at: Option<OffsetDateTime>,
    pub body: String,
    pub attempts: Vec<AttemptRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptRow {
    pub txid: String,
    pub address: String,
    pub amount: AmountText,
    pub value: Option<AmountText>,
    pub state: String,
    pub confirmations: u32,
    pub confirmations_required: u32,
    pub first_seen_at: OffsetDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteRow {
    pub coin: String,
    pub amount: String,
    pub price: String,
    pub mid: String,
    pub spread: String,
    pub sources: String,
    pub fixed_at: OffsetDateTime,
    pub release_at: OffsetDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeDetailView {
    pub public_id: String,
    pub status: StatusPill,
    pub resolution: String,
    pub resolved_by: Option<String>,
    pub needs_attention: bool,
    /// What is unusual, one sentence; `None` when nothing is.
    pub attention_text: Option<String>,
    pub amount: AmountText,
    pub received: Option<AmountText>,
    pub difference_text: Option<String>,
    pub fee: Option<AmountText>,
    pub credited: Option<AmountText>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub paid_at: Option<OffsetDateTime>,
    pub customer: Vec<(String, String)>,
    pub items: Vec<super::checkout::ItemLine>,
    pub metadata_json: Option<String>,
    pub quotes: Vec<QuoteRow>,
    pub receipts: Vec<ReceiptRow>,
    pub timeline: Vec<TimelineRow>,
    pub journal: Vec<JournalLineRow>,
    pub deliveries: Vec<DeliveryRow>,
    pub checkout_url: String,
    pub receipt_pdf: Option<String>,
    pub can_accept: bool,
    pub can_refund: bool,
    pub can_cancel: bool,
    pub refund_address: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRow {
    pub version: i64,
    pub at: OffsetDateTime,
    pub kind: String,
    /// Public id of the thing it belongs to, with its page when there is one.
    pub reference: String,
    pub href: Option<String>,
    pub debit: Option<String>,
    pub credit: Option<String>,
    pub balance: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementView {
    pub wallet: WalletRow,
    pub as_of: OffsetDateTime,
    pub rows: Vec<StatementRow>,
    pub lines_total: i64,
    pub paging: Paging,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxRow {
    pub charge: ChargeRow,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxView {
    pub rows: Vec<InboxRow>,
    pub paging: Paging,
}

/// One simulated chain on the faucet page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainRow {
    pub code: String,
    pub height: u64,
    pub mempool: Vec<MempoolRow>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MempoolRow {
    pub txid: String,
    pub outputs: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaucetView {
    pub now: OffsetDateTime,
    pub chains: Vec<ChainRow>,
    /// Prefilled from a link, e.g. from a charge.
    pub address: String,
    pub amount: String,
    pub currency: String,
    pub result: Option<Notice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRow {
    pub id: i64,
    pub at: OffsetDateTime,
    pub to: String,
    pub subject: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxView {
    pub rows: Vec<MailRow>,
    pub paging: Paging,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInView {
    pub email: String,
    pub error: Option<String>,
    /// Demo log-ins shown in test mode: role, e-mail, password.
    pub demo: Vec<(String, String, String)>,
    pub test_mode: bool,
    /// Where to go afterwards; a local path.
    pub next: String,
}
