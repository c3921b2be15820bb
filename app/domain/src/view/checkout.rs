//! What the hosted checkout shows (`60-pages.md`, ux §1.18).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{AmountText, Brand};

/// The one state the page is in; decided on the server, rendered alike there and in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutState {
    /// No coin picked yet.
    ChooseMethod,
    /// Quote fixed, nothing received.
    Awaiting,
    /// Something came, not enough, and the clock still runs.
    PartlyPaid,
    /// Covered by receipts of which none has a confirmation yet.
    Seen,
    /// Covered; at least one confirmation, not final.
    Confirming,
    /// Paid in full.
    Paid,
    /// Time ran out with nothing received.
    ExpiredUnpaid,
    /// Time ran out with part of it received.
    ExpiredUnderpaid,
    /// Money came after the clock had ended and waits for the merchant.
    LateFunds,
    /// Cancelled by the merchant or the customer before any money came.
    Cancelled,
    /// The payment was replaced, double-spent or never confirmed.
    Failed,
    /// The merchant sent the money back.
    Refunded,
}

/// A coin the customer may pick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodOption {
    /// Currency code, the value of the form field `method`.
    pub code: String,
    pub name: String,
    pub network: String,
    /// Amount at the current rate, rounded up; `None` while no quote can be given.
    pub approximate: Option<String>,
    /// Why it cannot be picked now.
    pub unavailable: Option<String>,
}

/// What to pay, where, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentInstruction {
    pub coin: String,
    pub coin_name: String,
    pub network: String,
    /// Still to pay now, coin units, exact. `0` once covered.
    pub amount: String,
    /// Whole amount due under the current quote.
    pub amount_total: String,
    pub address: String,
    pub tag: Option<String>,
    /// Clickable payment link for the amount still to pay; `None` for coins without a scheme.
    pub uri: Option<String>,
    /// Text inside the QR code: address and amount only.
    pub qr_text: String,
    /// `1 BTC = 52002.33 EUR`.
    pub rate_text: String,
    pub fixed_at: i64,
    /// Unix seconds on the instance clock.
    pub release_at: i64,
}

/// A payment that was seen for this charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptLine {
    pub txid: String,
    pub amount: AmountText,
    pub confirmations: u32,
    pub confirmations_required: u32,
    /// `seen`, `confirming`, `final`, `dropped`, `reversed`.
    pub state: String,
    pub at: i64,
}

/// One ordered thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemLine {
    pub name: String,
    pub price: String,
    pub quantity: u64,
    pub total: String,
}

/// What an invoice says beside what is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceBlock {
    pub title: String,
    pub description: String,
    pub number: Option<String>,
    /// Only with the token.
    pub customer: Option<String>,
    /// ISO date.
    pub due_date: Option<String>,
    pub lines: Vec<ItemLine>,
    pub tax: Option<String>,
    pub shipping: Option<String>,
    pub note: String,
}

/// The whole checkout page. Holds customer data only when the page was opened with its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutView {
    pub public_id: String,
    /// How often the charge was decided on when this was read: of two views the one with more is newer. It
    /// tells a payer no more than the states they are shown.
    pub version: i64,
    pub brand: Brand,
    pub test_mode: bool,
    pub state: CheckoutState,
    pub total: AmountText,
    pub items: Vec<ItemLine>,
    /// Difference between the total and the items' sum, when there are items and it is not zero.
    pub other_charges: Option<String>,
    /// Customer's name; only with the token.
    pub customer_name: Option<String>,
    pub methods: Vec<MethodOption>,
    pub payment: Option<PaymentInstruction>,
    pub receipts: Vec<ReceiptLine>,
    /// Sum of live receipts in the coin.
    pub received: Option<AmountText>,
    /// What is still missing, in the coin.
    pub missing: Option<AmountText>,
    /// What came too much, in the coin.
    pub excess: Option<AmountText>,
    /// `under`, `over`, `late`, `manual`, `reversed`.
    pub flags: Vec<String>,
    /// Where the customer asked money to be sent back to; only with the token.
    pub refund_address: Option<String>,
    /// Something may be claimed back: a refund address form is shown (with the token).
    pub refund_possible: bool,
    /// `Get a new rate` is possible; of late money only while it is worth less than the total.
    pub can_requote: bool,
    /// Nothing came yet, so whoever opened the page with its token may call it off.
    pub can_cancel: bool,
    /// Back to the shop: with `order_id` and `status` added once it is paid, without them while the
    /// payment is confirmed; `None` otherwise. An invoice's is always as it was given.
    pub return_url: Option<String>,
    /// Back to the shop when nothing was paid; invoices only.
    pub failed_url: Option<String>,
    /// Set when the charge is an invoice.
    pub invoice: Option<InvoiceBlock>,
    /// PDF receipt; only with the token.
    pub receipt_url: Option<String>,
    /// Path of this page, with the token when it was opened with it.
    pub page_url: String,
    /// Path of the event stream.
    pub events_url: String,
    /// Path answering this view as JSON.
    pub snapshot_url: String,
    /// When the clock of this state ends, unix seconds on the instance clock.
    pub clock_ends_at: Option<i64>,
    /// Instance time when this was made, unix seconds.
    pub now: i64,
    /// Minutes one fixed rate lasts.
    pub rate_minutes: u32,
    pub paid_at: Option<i64>,
    /// A form was refused: what to say, e.g. an invalid refund address.
    pub notice: Option<Notice>,
}

/// What a form post has to say when the page is shown again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub is_error: bool,
    pub text: String,
    /// Form field it belongs to.
    pub field: Option<String>,
}

impl CheckoutView {
    /// Nothing more will happen by itself on this page.
    pub fn is_settled(&self) -> bool {
        matches!(
            self.state,
            CheckoutState::Paid | CheckoutState::Cancelled | CheckoutState::Refunded
        )
    }
}

/// Seconds since the epoch for views.
pub fn unix(at: OffsetDateTime) -> i64 {
    at.unix_timestamp()
}
