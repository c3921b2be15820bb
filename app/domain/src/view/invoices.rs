//! What the pages about invoices show (ux §1.5): the list, one invoice, and the form that makes them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::AmountText;
use super::checkout::Notice;
use super::dashboard::{Paging, ReceiptRow, StatusPill, TimelineRow};
use super::receipt::ReceiptView;
use crate::invoice::{InvoiceDetails, Problem};

/// One line of the form, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LineForm {
    pub description: String,
    pub quantity: String,
    pub unit_price: String,
    pub tax_percent: String,
}

/// The form of an invoice, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvoiceForm {
    pub number: String,
    pub title: String,
    pub customer_name: String,
    pub customer_email: String,
    pub customer_address: String,
    pub currency: String,
    /// Code of the coin the customer has to pay with; empty = any.
    pub coin: String,
    /// `now`: the 15 minutes run from creation. Anything else: from when the customer picks a coin.
    pub clock: String,
    pub lines: Vec<LineForm>,
    pub shipping: String,
    pub due_date: String,
    pub note: String,
    pub url_success: String,
    pub url_failed: String,
}

/// Where the form stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceBuilderView {
    pub form: InvoiceForm,
    /// Makes the form take effect once.
    pub key: String,
    /// Currencies the merchant has a wallet in.
    pub currencies: Vec<String>,
    /// Code and name of each coin that can be paid with.
    pub coins: Vec<(String, String)>,
    pub problems: Vec<Problem>,
    /// What the invoice would say; none while something is wrong with it.
    pub preview: Option<InvoiceDetails>,
    /// The line, counted from 1, that was just added or moved: its first input has the focus.
    pub focus: Option<usize>,
}

/// Filters as they stand in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceFilter {
    /// Part of a number, a code, a title, a name or an e-mail address.
    pub q: String,
    /// A status of a charge, `refunded` or `overdue`.
    pub status: String,
    /// First and last day of creation.
    pub from: String,
    pub to: String,
}

/// One row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceItem {
    /// The end of its page's address.
    pub code: String,
    /// The number, or the reference that a program gave.
    pub number: String,
    pub customer: String,
    pub created_at: OffsetDateTime,
    pub amount: AmountText,
    /// In the coin that was paid.
    pub received: Option<AmountText>,
    /// ISO date.
    pub due_date: Option<String>,
    /// Its flags tell `overdue` as well.
    pub status: StatusPill,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceListView {
    pub filter: InvoiceFilter,
    pub rows: Vec<InvoiceItem>,
    pub paging: Paging,
    /// The merchant has no invoice at all.
    pub never_used: bool,
}

/// One invoice with everything that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceDetailView {
    pub item: InvoiceItem,
    pub title: String,
    pub description: String,
    /// Absolute address of the customer's page.
    pub url: String,
    /// How and until when it can be paid, one sentence.
    pub terms: String,
    /// What a person wrote; none on a program's invoice.
    pub details: Option<InvoiceDetails>,
    pub paid_at: Option<OffsetDateTime>,
    pub attention_text: Option<String>,
    pub difference_text: Option<String>,
    /// The charge behind it.
    pub charge_id: String,
    pub payments: Vec<ReceiptRow>,
    pub activity: Vec<TimelineRow>,
    /// Where the link would be sent, as known or as typed.
    pub send_to: String,
    pub can_send: bool,
    pub can_void: bool,
    /// There is a PDF.
    pub has_document: bool,
    pub notice: Option<Notice>,
}

/// What the PDF of an invoice shows: who, how and how much as a receipt tells it, and the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceDocumentView {
    pub number: String,
    pub title: String,
    pub description: String,
    pub details: InvoiceDetails,
    pub receipt: ReceiptView,
}
