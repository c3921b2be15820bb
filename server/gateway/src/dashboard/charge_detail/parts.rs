//! The parts of a charge's page that need nothing but the charge.

use domain::view::dashboard::{QuoteRow, ReceiptRow, TimelineRow};
use serde_json::Value;
use time::OffsetDateTime;

use super::sentence;
use crate::charges::{ChargeView, Customer, ReceiptRecord, TimelineEntry};
use crate::dashboard::rows::amount_text;

/// What is known of the payer, by name; what is not known is left out.
pub(super) fn customer(customer: &Customer) -> Vec<(String, String)> {
    let place: Vec<&str> = [
        &customer.address_line1,
        &customer.postal_code,
        &customer.city,
        &customer.country,
    ]
    .into_iter()
    .filter_map(|part| part.as_deref())
    .filter(|part| !part.is_empty())
    .collect();
    [
        ("Name", customer.full_name()),
        ("E-mail", customer.email.clone()),
        ("Phone", customer.phone.clone()),
        ("Address", place.join(", ")),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

pub(super) fn metadata(charge: &ChargeView) -> Option<String> {
    if charge.metadata.is_empty() {
        return None;
    }
    let json = serde_json::to_string_pretty(&charge.metadata).ok()?;
    Some(domain::text::visible_json(&json))
}

pub(super) fn receipt(receipt: &ReceiptRecord) -> ReceiptRow {
    ReceiptRow {
        txid: receipt.txid.clone(),
        address: receipt.address.clone(),
        amount: amount_text(receipt.amount),
        value: receipt.value.map(amount_text),
        state: receipt.state.word().to_owned(),
        confirmations: receipt.confirmations,
        confirmations_required: receipt.confirmations_required,
        first_seen_at: receipt.first_seen_at,
    }
}

pub(super) fn timeline_row(entry: &TimelineEntry) -> TimelineRow {
    TimelineRow {
        at: entry.at,
        kind: entry.kind.clone(),
        text: sentence::of(&entry.kind, &entry.data),
    }
}

/// Every quote left its terms in the timeline, replaced ones too.
pub(super) fn quote(entry: &TimelineEntry) -> Option<QuoteRow> {
    if entry.kind != "quote.fixed" {
        return None;
    }
    let text = |name: &str| {
        entry
            .data
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let number = |name: &str| {
        entry
            .data
            .get(name)
            .and_then(Value::as_i64)
            .unwrap_or_default()
    };
    let sources: Vec<&str> = entry
        .data
        .get("sources")
        .and_then(Value::as_array)
        .map(|sources| sources.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let release_at = OffsetDateTime::from_unix_timestamp(number("release_at"));
    Some(QuoteRow {
        coin: text("coin"),
        amount: text("due"),
        price: text("price"),
        mid: text("mid"),
        spread: percent(number("spread_basis_points")),
        sources: sources.join(", "),
        fixed_at: entry.at,
        release_at: release_at.unwrap_or(entry.at),
    })
}

/// `150` basis points are `1.50 %`.
fn percent(basis_points: i64) -> String {
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}

/// An account as people call it; a wallet by its name.
pub(super) fn account_name(kind: &str, name: &str) -> String {
    let words = match (kind, name) {
        ("wallet", "") => "Wallet",
        ("chain_holdings", _) => "Chain holdings",
        ("bank_holdings", _) => "Bank holdings",
        ("fees", _) => "Fee income",
        ("network_fees", _) => "Network fees",
        ("liquidity", _) => "Liquidity",
        ("rounding", _) => "Rounding",
        ("suspense", _) => "Suspense",
        ("receivable", _) => "Receivable",
        ("own_funds", _) => "Own funds",
        ("test_funding", _) => "Test funding",
        ("wallet", name) => name,
        (kind, _) => kind,
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basis_points_are_shown_as_percent() {
        assert_eq!(
            [0, 5, 150, 9_999].map(percent),
            ["0.00 %", "0.05 %", "1.50 %", "99.99 %"]
        );
    }

    #[test]
    fn a_fixed_quote_is_read_back_from_the_timeline() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let data = serde_json::json!({
            "coin": "BTC", "due": "0.00123456", "price": "52002.33", "mid": "52002.33",
            "spread_basis_points": 50, "sources": ["fixed", "pinned"], "release_at": 900,
        });
        let entry = TimelineEntry {
            at,
            kind: "quote.fixed".to_owned(),
            data,
        };
        let Some(row) = quote(&entry) else {
            panic!("no quote")
        };
        assert_eq!(
            (row.coin.as_str(), row.amount.as_str()),
            ("BTC", "0.00123456")
        );
        assert_eq!(
            (row.spread.as_str(), row.sources.as_str()),
            ("0.50 %", "fixed, pinned")
        );
        assert_eq!(row.release_at.unix_timestamp(), 900);
        let other = TimelineEntry {
            kind: "created".to_owned(),
            ..entry
        };
        assert_eq!(quote(&other), None);
    }
}
