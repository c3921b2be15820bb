//! What is told about a charge that is an invoice.

use domain::charge::Status;
use domain::money::Money;
use serde_json::{Value, json};

use super::row::{ChargeRow, InvoiceRow, ReceiptRow};

/// Everything an event about an invoice tells, in the Processing API's words (`30`, Callbacks).
pub(super) fn invoice_report(
    row: &ChargeRow,
    invoice: &InvoiceRow,
    receipts: &[ReceiptRow],
) -> Value {
    let terms = row.terms.as_ref();
    let received = row
        .received(receipts, |receipt| receipt.state.is_live())
        .map_or(0, |money| money.units());
    let coins = |units: i128| terms.map(|terms| Money::from_units(units, terms.coin).brief());
    let due = terms.map_or(0, |terms| terms.due);
    let remaining = match row.status {
        Status::Processing | Status::Paid => 0,
        _ => (due - received).max(0),
    };
    json!({
        "id": invoice.id,
        "foreign_id": invoice.foreign_json,
        "title": invoice.title,
        "status": status_word(row.status),
        "currency": row.amount.currency().code.as_str(),
        "amount": row.amount.brief(),
        "sender_currency": terms.map(|terms| terms.coin.code.as_str()),
        "sender_amount": coins(due),
        "remaining_amount": coins(remaining),
        "fixed_at": fixed_at(row),
        "expires_at": release_at(row),
        "error": failure(row.status),
        "collection": row.collection.word(),
        "address": terms.map(|terms| json!({
            "id": null,
            "currency": terms.coin.code.as_str(),
            "address": terms.address,
            "tag": null,
        })),
        "receipts": receipts.iter().map(receipt_report).collect::<Vec<Value>>(),
        "received": credited(row),
        "fees": fees(row),
    })
}

/// The Processing API's word for a charge's status (`80`, Status words).
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Created => "created",
        Status::Pending => "pending",
        Status::Processing => "processing",
        Status::Paid => "confirmed",
        Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed => "failed",
    }
}

/// Why an invoice failed; none while it has not.
pub fn failure(status: Status) -> Option<&'static str> {
    match status {
        Status::Expired => Some("the timer expired and nothing was paid"),
        Status::Underpaid => Some("less was paid than asked"),
        Status::Failed => Some("the payment was unconfirmed for more than 24 hours"),
        Status::Cancelled => Some("the invoice was cancelled"),
        Status::Created | Status::Pending | Status::Processing | Status::Paid => None,
    }
}

/// When the running clock was started; none while none runs.
pub(crate) fn fixed_at(row: &ChargeRow) -> Option<i64> {
    match &row.terms {
        Some(terms) => Some(terms.fixed_at.unix_timestamp()),
        None => row.timer.then(|| row.created_at.unix_timestamp()),
    }
}

/// When the running clock ends; none while none runs.
pub(crate) fn release_at(row: &ChargeRow) -> Option<i64> {
    match &row.terms {
        Some(terms) => Some(terms.release_at.unix_timestamp()),
        None => row.timer.then(|| row.expires_at.unix_timestamp()),
    }
}

fn receipt_report(receipt: &ReceiptRow) -> Value {
    json!({
        "id": receipt.id,
        // A payment out of another account of ours is on no chain.
        "txid": (!receipt.is_internal()).then_some(receipt.txid.as_str()),
        "address": receipt.address,
        "currency": receipt.coin.code.as_str(),
        "amount": Money::from_units(receipt.amount, receipt.coin).exact(),
        "confirmations": receipt.confirmations,
        "state": receipt.state.word(),
    })
}

fn credited(row: &ChargeRow) -> Option<Value> {
    let (net, fee) = (row.credited?, row.fee?);
    let money = |units| Money::from_units(units, row.amount.currency()).exact();
    Some(json!({
        "currency": row.amount.currency().code.as_str(),
        "amount": money(net + fee),
        "amount_minus_fee": money(net),
    }))
}

fn fees(row: &ChargeRow) -> Vec<Value> {
    let Some(fee) = row.fee.filter(|fee| *fee > 0) else {
        return Vec::new();
    };
    let currency = row.amount.currency();
    let exchanged = row
        .terms
        .as_ref()
        .is_some_and(|terms| terms.coin.id != currency.id);
    vec![json!({
        "type": if exchanged { "exchange" } else { "deposit" },
        "currency": currency.code.as_str(),
        "amount": Money::from_units(fee, currency).exact(),
    })]
}
