//! Callbacks (`30-processing-api.md`, Callbacks): one body for every operation, signed as requests are.

use gateway::operations::{
    OperationKind, OperationStatus, OperationView, TransactionKind, TransactionView,
};
use gateway::outbox::{EventRecord, MerchantKeys, RenderedBody};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::auth::{KEY, SIGNATURE, sign};

/// Events about an invoice that are told.
const INVOICE_EVENTS: [&str; 7] = [
    "charge.processing",
    "charge.paid",
    "charge.expired",
    "charge.underpaid",
    "charge.cancelled",
    "charge.failed",
    "charge.receipt",
];

/// What the button of the dashboard sends.
const TEST_EVENT: &str = "webhook.test";

/// The body of a callback, also an item of the list of transactions.
#[derive(Debug, Serialize)]
pub(super) struct Callback {
    id: i64,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign_id: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crypto_address: Option<Value>,
    currency_sent: Value,
    currency_received: Value,
    transactions: Vec<Value>,
    fees: Vec<Value>,
    error: String,
    status: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    futures_id: Option<i64>,
}

/// An operation in the dialect's words.
pub(super) fn callback_of(view: &OperationView) -> Callback {
    let is_deposit = matches!(
        view.kind,
        OperationKind::Deposit | OperationKind::DepositExchange
    );
    let sent = if is_deposit || view.kind == OperationKind::Exchange {
        json!({ "currency": view.sent.currency, "amount": view.sent.amount })
    } else {
        // What the receiver was to be sent; what it cost stands among the fees.
        json!({ "currency": view.sent.currency, "amount": view.requested_amount })
    };
    let received = if is_deposit {
        received_by_deposit(view)
    } else {
        let amount = view.received.as_ref().map(|received| &received.amount);
        json!({ "currency": view.received_currency, "amount": amount })
    };
    Callback {
        id: view.id,
        r#type: view.kind.word(),
        foreign_id: view.foreign_id.clone().map(Value::String),
        crypto_address: view.address.as_ref().map(|address| {
            let mut body = json!({
                "id": address.id,
                "currency": address.currency,
                "address": address.address,
                "tag": address.tag,
                "foreign_id": address.foreign_id,
            });
            if let (Some(target), Some(members)) = (&address.convert_to, body.as_object_mut()) {
                members.insert("convert_to".to_owned(), json!(target));
            }
            body
        }),
        currency_sent: sent,
        currency_received: received,
        transactions: view.transactions.iter().map(transaction).collect(),
        fees: view
            .fees
            .iter()
            .map(|fee| {
                json!({ "type": fee.kind.word(), "currency": fee.currency, "amount": fee.amount })
            })
            .collect(),
        error: view.error.clone().unwrap_or_default(),
        status: json!(view.status.word()),
        fixed_at: None,
        expires_at: None,
        futures_id: view.futures_id,
    }
}

/// What the wallet gained, or what it may expect while the deposit waits for its confirmations.
fn received_by_deposit(view: &OperationView) -> Value {
    let (amount, net) = match (&view.expected, &view.received) {
        (Some(expected), _) => (Some(&expected.amount), Some(&expected.net)),
        (None, Some(received)) if view.status == OperationStatus::Confirmed => {
            (Some(&received.amount), view.received_net.as_ref())
        }
        (None, _) => (None, None),
    };
    json!({ "currency": view.received_currency, "amount": amount, "amount_minus_fee": net })
}

fn transaction(part: &TransactionView) -> Value {
    let mut body = json!({
        "id": part.id,
        "currency": part.currency,
        "transaction_type": part.kind.word(),
        "type": part.direction,
        "address": part.address,
        "tag": part.tag,
        "amount": part.amount,
        "txid": part.txid,
        "confirmations": part.confirmations,
    });
    if let (Some(currency), Some(amount), Some(members)) =
        (&part.currency_to, &part.amount_to, body.as_object_mut())
    {
        members.insert("currency_to".to_owned(), json!(currency));
        members.insert("amount_to".to_owned(), json!(amount));
    }
    body
}

/// What an event about an invoice tells; made by the gateway.
#[derive(Debug, Deserialize)]
struct Invoice {
    id: i64,
    foreign_id: Value,
    status: String,
    sender_currency: Option<String>,
    sender_amount: Option<String>,
    remaining_amount: Option<String>,
    fixed_at: Option<i64>,
    expires_at: Option<i64>,
    error: Option<String>,
    address: Option<Value>,
    receipts: Vec<Receipt>,
    received: Value,
    fees: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Receipt {
    id: i64,
    /// None of a payment that is on no chain.
    txid: Option<String>,
    address: String,
    currency: String,
    amount: String,
    confirmations: u32,
}

/// An invoice in the dialect's words, from what the gateway tells about it.
///
/// # Errors
/// When it tells something else.
pub(super) fn callback_of_report(report: &Value) -> Result<Callback, serde_json::Error> {
    Invoice::deserialize(report).map(callback_of_invoice)
}

fn callback_of_invoice(invoice: Invoice) -> Callback {
    let transactions = invoice
        .receipts
        .iter()
        .map(|receipt| {
            let kind = match receipt.txid {
                Some(_) => TransactionKind::Blockchain,
                None => TransactionKind::Internal,
            };
            json!({
                "id": receipt.id,
                "currency": receipt.currency,
                "transaction_type": kind.word(),
                "type": "deposit",
                "address": receipt.address,
                "tag": null,
                "amount": receipt.amount,
                "txid": receipt.txid,
                "confirmations": receipt.confirmations,
            })
        })
        .collect();
    Callback {
        id: invoice.id,
        r#type: "invoice",
        foreign_id: Some(invoice.foreign_id),
        crypto_address: invoice.address,
        currency_sent: json!({
            "currency": invoice.sender_currency,
            "amount": invoice.sender_amount,
            "remaining_amount": invoice.remaining_amount,
        }),
        currency_received: invoice.received,
        transactions,
        fees: invoice.fees,
        error: invoice.error.unwrap_or_default(),
        status: json!(invoice.status),
        fixed_at: invoice.fixed_at,
        expires_at: invoice.expires_at,
        futures_id: None,
    }
}

/// `None` for events this dialect has no word for.
pub fn render(event: &EventRecord, keys: &MerchantKeys) -> Option<RenderedBody> {
    let body = body_of(event)?;
    let (public, private) = keys.processing.as_ref()?;
    let headers = vec![
        (KEY.as_str().to_owned(), public.clone()),
        (SIGNATURE.as_str().to_owned(), sign(private, &body)?),
    ];
    Some(RenderedBody {
        content_type: "application/json",
        headers,
        body,
    })
}

fn body_of(event: &EventRecord) -> Option<Vec<u8>> {
    let kind = event.kind.as_str();
    let read = |error: serde_json::Error| {
        tracing::error!(event = event.id, %error, "an event cannot be told as a callback");
    };
    if kind == TEST_EVENT {
        return serde_json::to_vec(&json!({ "type": "test", "status": "confirmed" })).ok();
    }
    if INVOICE_EVENTS.contains(&kind) {
        let invoice = event
            .payload
            .get("invoice")
            .filter(|value| !value.is_null())?;
        let callback = callback_of_report(invoice).map_err(read).ok()?;
        return serde_json::to_vec(&callback).ok();
    }
    let is_operation = ["deposit.", "withdrawal.", "exchange."]
        .iter()
        .any(|prefix| kind.starts_with(prefix));
    if !is_operation {
        return None;
    }
    let view = OperationView::deserialize(&event.payload)
        .map_err(read)
        .ok()?;
    serde_json::to_vec(&callback_of(&view)).ok()
}
