//! What goes over the wire, in the order of the contract's examples.

use serde::Serialize;
use serde_json::{Map, Value};

/// Answer of `POST /api/wallets`.
#[derive(Debug, Serialize)]
pub struct Wallet {
    pub id: i64,
    pub user_id: Option<i64>,
    pub currency: String,
    pub r#type: &'static str,
    /// Available, at the currency's precision.
    pub balance: String,
}

/// Answer of `POST /api/orders`.
#[derive(Debug, Serialize)]
pub struct CreatedOrder {
    pub public_order_id: String,
    pub status: &'static str,
    pub checkout_url: String,
}

/// An order as it stands (`80`, Charges). Amounts are strings at their currency's precision, cut.
#[derive(Debug, Serialize)]
pub struct Order {
    pub public_order_id: String,
    pub status: &'static str,
    pub flags: Vec<String>,
    pub resolution: &'static str,
    pub amount: String,
    pub currency: String,
    /// Worth of what came, in the order's currency.
    pub amount_received: String,
    /// What is still missing, in the order's currency.
    pub amount_due: String,
    pub payment: Option<Payment>,
    pub receipts: Vec<Receipt>,
    pub checkout_url: String,
    pub created_at: String,
    pub metadata: Map<String, Value>,
}

/// How to pay; there once a method is fixed.
#[derive(Debug, Serialize)]
pub struct Payment {
    pub method: String,
    pub currency: String,
    /// In all under this rate, not only what is left.
    pub amount: String,
    pub address: String,
    pub tag: Option<String>,
    pub uri: Option<String>,
    /// Units of the order's currency for one of the payment's.
    pub rate: String,
    pub fixed_at: String,
    pub release_at: String,
    /// Of a bank transfer.
    pub reference: Option<String>,
}

/// A payment that came.
#[derive(Debug, Serialize)]
pub struct Receipt {
    pub txid: String,
    pub currency: String,
    pub amount: String,
    pub confirmations: u32,
    pub r#final: bool,
    /// When it was first seen.
    pub at: String,
}

/// One thing that happened to an order.
#[derive(Debug, Serialize)]
pub struct TimelineEntry {
    pub at: String,
    pub kind: String,
    pub data: Value,
}
