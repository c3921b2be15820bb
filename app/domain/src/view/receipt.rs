//! What a receipt shows (`10-orders-api.md`, receipt; `80-clarifications.md`, Orders).
//!
//! The same view feeds the PDF and its HTML twin. Every amount is text that was already computed;
//! a renderer lays it out and never adds anything up.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::checkout::ItemLine;
use super::{AmountText, Brand, LogoPixels};

/// What the document is: proof of payment, or only a request for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    Paid,
    /// What came was sent back, paid or not; still a receipt, with its refunds listed.
    Refunded,
    /// Pending or processing: no proof of payment.
    NotPaid,
}

impl ReceiptState {
    /// Title of the document (`80-clarifications.md`, Orders).
    pub fn title(self) -> &'static str {
        match self {
            Self::Paid | Self::Refunded => "Receipt",
            Self::NotPaid => "Payment request — NOT PAID",
        }
    }

    /// The status as one word or two.
    pub fn label(self) -> &'static str {
        match self {
            Self::Paid => "Paid",
            Self::Refunded => "Refunded",
            Self::NotPaid => "Not paid",
        }
    }
}

/// Who asks for the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptMerchant {
    pub brand: Brand,
    pub logo: Option<LogoPixels>,
    /// Postal address on one line.
    pub address: Option<String>,
    /// VAT or other tax number, with its prefix.
    pub tax_id: Option<String>,
}

/// Who was asked to pay; every part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptCustomer {
    /// Given name and surname.
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// Postal address on one line.
    pub address: Option<String>,
}

/// How the order is or was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptPayment {
    /// Method in words, e.g. `Bitcoin`, `Bank transfer`, `Wallet`.
    pub method: String,
    /// What was sent or is to be sent, in the method's own currency.
    pub amount: AmountText,
    /// `1 BTC = 52002.33 EUR`; `None` when nothing was converted.
    pub rate_text: Option<String>,
    /// Address of the chain, or the bank account, that takes the payment.
    pub address: Option<String>,
    /// Memo of the address or payment reference, where the method has one.
    pub tag: Option<String>,
    /// Chain transactions that paid, oldest first.
    pub txids: Vec<String>,
}

/// Money that went back to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptRefund {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub amount: AmountText,
    /// Where it went.
    pub address: Option<String>,
    pub txid: Option<String>,
}

/// The whole document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptView {
    pub merchant: ReceiptMerchant,
    pub state: ReceiptState,
    /// Public order id, `EX-…`.
    pub public_id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub paid_at: Option<OffsetDateTime>,
    pub customer: ReceiptCustomer,
    /// What was ordered; prices and totals in the currency of `total`.
    pub items: Vec<ItemLine>,
    /// Difference between the total and the items' sum, when there are items and it is not zero.
    pub other_charges: Option<String>,
    /// What the order asks for.
    pub total: AmountText,
    /// What was paid towards it.
    pub amount_paid: AmountText,
    /// Fees that were shown to the customer at checkout.
    pub fees: Option<AmountText>,
    pub payment: Option<ReceiptPayment>,
    pub refunds: Vec<ReceiptRefund>,
    /// Absolute URL of the order page, the content of the QR code.
    pub order_url: String,
    /// Made in test mode: the document is marked TEST.
    pub test_mode: bool,
}

impl ReceiptView {
    /// What the document says of money that went back.
    pub fn refunded_text(&self) -> &'static str {
        if self.paid_at.is_some() {
            "Paid, then refunded"
        } else {
            "Refunded"
        }
    }

    /// The instant the document speaks of: the payment, or the order while there is none.
    pub fn dated_at(&self) -> OffsetDateTime {
        self.paid_at.unwrap_or(self.created_at)
    }
}
