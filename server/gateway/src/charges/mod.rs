//! Charges: the one request for payment, its receipts and its end (`00-domain.md`, Charges).
//!
//! Every change goes the same way: lock the row, let `domain::charge` decide, commit status,
//! postings, timeline and outbox together ([`transition`]).

mod change_store;
mod changes;
mod checkout;
mod claim_found;
mod claim_link;
mod claim_link_store;
mod claim_mail;
mod claim_page;
mod claim_store;
pub(crate) mod create;
mod create_store;
pub(crate) mod creating;
pub(crate) mod depths;
mod document;
mod expiry;
pub mod invoice_report;
mod items;
mod late_money;
mod list_store;
mod method;
mod method_store;
mod mids;
mod needs;
mod read;
mod receipt_steps;
mod receipt_store;
pub mod receiving;
mod refundable;
pub(crate) mod refunds;
mod resolve;
pub(crate) mod row;
mod settling;
pub(crate) mod store;
mod token;
mod trail_store;
pub(crate) mod transition;
mod view;

pub use claim_page::{ClaimLink, ClaimUse};
pub(crate) use expiry::any_due;
pub use expiry::expire_due;
pub(crate) use items::item_lines;
pub use read::{ChargeQuery, TimelineEntry};
pub use view::{ChargeView, PaymentView, ReceiptRecord};

use domain::money::Money;
use domain::text::one_line;
use serde::{Deserialize, Serialize};

/// What made a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Orders API.
    Order,
    /// Processing API and the invoice builder.
    Invoice,
}

impl Origin {
    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Invoice => "invoice",
        }
    }
}

/// Who pays, as the merchant gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Customer {
    pub name: String,
    pub surname: String,
    pub email: String,
    pub phone: String,
    pub address_line1: Option<String>,
    pub city: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

impl Customer {
    /// Every field as it may be shown: one line, nothing that hides or reorders text.
    fn on_one_line_each(self) -> Self {
        let optional = |text: Option<String>| text.map(|text| one_line(&text));
        Self {
            name: one_line(&self.name),
            surname: one_line(&self.surname),
            email: one_line(&self.email),
            phone: one_line(&self.phone),
            address_line1: optional(self.address_line1),
            city: optional(self.city),
            postal_code: optional(self.postal_code),
            country: optional(self.country),
        }
    }

    /// Name and surname.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.name, self.surname).trim().to_owned()
    }
}

/// Something ordered; shown, never summed into the amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub name: String,
    /// Canonical decimal in the charge's currency.
    pub price: String,
    pub quantity: u64,
}

/// A charge to be made; the edge has checked its form.
#[derive(Debug, Clone)]
pub struct NewCharge {
    pub merchant_id: i64,
    pub origin: Origin,
    pub amount: Money,
    /// Whose wallet is credited; 0 = the merchant's primary one.
    pub wallet_user_id: i64,
    pub customer: Customer,
    pub items: Vec<Item>,
    pub metadata: serde_json::Map<String, serde_json::Value>,
    pub redirect_url: Option<String>,
    /// Where a payer is led back to when nothing was paid.
    pub failed_url: Option<String>,
    pub webhook_url: Option<String>,
    /// The clock runs from creation, whoever picks a coin when.
    pub timer: bool,
    pub collection: Collection,
}

/// How instalments are told (`00-domain.md`, Charges). Both kinds add up while the clock runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Collection {
    /// Only changes of status.
    #[default]
    FillOrKill,
    /// Each instalment, too.
    GoodUntilExpired,
}

impl Collection {
    pub const ALL: [Self; 2] = [Self::FillOrKill, Self::GoodUntilExpired];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::FillOrKill => "fill_or_kill",
            Self::GoodUntilExpired => "good_until_expired",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.word() == word)
    }
}
