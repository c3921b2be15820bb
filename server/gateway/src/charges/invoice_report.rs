//! What is told about a charge that is an invoice.

use std::cmp::Reverse;
use std::collections::HashMap;

use domain::charge::{Status, fee};
use domain::money::Money;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::row::{ChargeRow, InvoiceRow, ReceiptRow, Terms};
use super::{list_store, store};
use crate::Result;
use crate::currencies::Currencies;

/// Payments that are told one by one at most. Dust costs who sends it little, and every event about the
/// invoice and every callback would repeat all of it.
const RECEIPTS_TOLD_MAX: usize = 100;

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
        "sender_currency": terms.map(|terms| terms.coin.code.as_str()),
        "sender_amount": coins(due),
        "remaining_amount": coins(remaining),
        "fixed_at": fixed_at(row),
        "expires_at": release_at(row),
        "error": failure(row.status, receipts.iter().any(|receipt| receipt.state.is_live())),
        "collection": row.collection.word(),
        "address": terms.map(|terms| address_report(row, invoice, terms)),
        "receipts": told(receipts).into_iter().map(receipt_report).collect::<Vec<Value>>(),
        "received": received_report(row, receipts),
        "fees": fees(row),
    })
}

/// What would be told about these invoices now, by their ids.
pub(crate) async fn invoice_reports(
    conn: &mut PgConnection,
    currencies: &Currencies,
    ids: &[i64],
) -> Result<HashMap<i64, Value>> {
    let mut reports = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(reports);
    }
    for row in list_store::of_invoices(conn, currencies, ids).await? {
        let receipts = store::receipts_of(conn, currencies, row.id).await?;
        if let Some(invoice) = &row.invoice {
            reports.insert(invoice.id, invoice_report(&row, invoice, &receipts));
        }
    }
    Ok(reports)
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

/// Why an invoice failed; none while it has not. `any_live`: some of its payments still count as money.
fn failure(status: Status, any_live: bool) -> Option<&'static str> {
    match status {
        // Dropped after the clock, so that nothing else could come in time.
        Status::Failed if !any_live => {
            Some("the payment was replaced or double-spent: the timer expired and nothing was paid")
        }
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

/// Which payments are told one by one, in the order they came: all, or of too many those that count and
/// are worth most, of equals the later ones. Sums are made of all of them.
fn told(receipts: &[ReceiptRow]) -> Vec<&ReceiptRow> {
    let mut told: Vec<&ReceiptRow> = receipts.iter().collect();
    if told.len() > RECEIPTS_TOLD_MAX {
        told.sort_by_key(|receipt| Reverse((receipt.state.is_live(), receipt.value, receipt.id)));
        told.truncate(RECEIPTS_TOLD_MAX);
        told.sort_by_key(|receipt| receipt.id);
    }
    told
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

/// What came, at most the amount, and what of it the wallet gains: what it gained once the invoice is
/// paid, nothing once it has failed.
fn received_report(row: &ChargeRow, receipts: &[ReceiptRow]) -> Value {
    let currency = row.amount.currency();
    let money = |units: i128| Money::from_units(units, currency);
    let came: i128 = receipts
        .iter()
        .filter(|receipt| receipt.state.is_live())
        .filter_map(|receipt| receipt.value)
        .sum();
    let gross = money(came.min(row.amount.units()));
    let (gross, net) = match (row.credited.zip(row.fee), row.status) {
        (Some((net, fee)), _) => (money(net + fee), money(net)),
        (None, Status::Created | Status::Pending | Status::Processing | Status::Paid) => {
            let fee = fee(gross, row.fee_basis_points).map_or(0, |fee| fee.units());
            (gross, money(gross.units() - fee))
        }
        (None, Status::Expired | Status::Underpaid | Status::Cancelled | Status::Failed) => {
            (gross, money(0))
        }
    };
    json!({
        "currency": currency.code.as_str(),
        "amount": gross.brief(),
        "amount_minus_fee": net.brief(),
    })
}

fn address_report(row: &ChargeRow, invoice: &InvoiceRow, terms: &Terms) -> Value {
    let mut report = json!({
        "id": null,
        "currency": terms.coin.code.as_str(),
        "address": terms.address,
        "tag": null,
        "foreign_id": invoice.foreign_json,
    });
    let currency = row.amount.currency();
    if currency.id != terms.coin.id
        && let Some(members) = report.as_object_mut()
    {
        let target = json!(currency.code.as_str());
        members.insert("convert_to".to_owned(), target);
    }
    report
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::charge::ReceiptState;
    use domain::money::{Currency, CurrencyKind};
    use time::OffsetDateTime;

    use super::*;

    fn receipt(id: i64, value: i128, state: ReceiptState) -> ReceiptRow {
        ReceiptRow {
            id,
            coin: Currency {
                id: 1,
                code: "BTC".parse().unwrap(),
                kind: CurrencyKind::Crypto,
                precision: 8,
                scale: 8,
            },
            txid: format!("{id:064}"),
            vout: 0,
            address: "bc1q".to_owned(),
            amount: value,
            state,
            confirmations_required: 1,
            confirmations: 0,
            value: Some(value),
            bookings: 0,
            first_seen_at: OffsetDateTime::UNIX_EPOCH,
            final_at: None,
        }
    }

    #[test]
    fn of_too_many_payments_those_that_count_for_most_are_told() {
        let mut receipts: Vec<ReceiptRow> = (1..=300)
            .map(|id| receipt(id, 1, ReceiptState::Seen))
            .collect();
        receipts[149] = receipt(150, 500, ReceiptState::Final);
        // Worth most, and gone.
        receipts[159] = receipt(160, 900, ReceiptState::Dropped);
        let ids: Vec<i64> = told(&receipts).iter().map(|told| told.id).collect();
        let mut expected = vec![150];
        expected.extend(202..=300);
        assert_eq!(ids, expected);
        assert_eq!(told(&receipts[..100]).len(), 100);
    }
}
