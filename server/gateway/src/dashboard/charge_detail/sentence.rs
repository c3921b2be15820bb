use serde_json::Value;

/// One entry of a charge's timeline as a sentence. The words are exact: amounts come as the strings
/// that were recorded. An entry of a later version is told by its kind rather than hidden.
pub(super) fn of(kind: &str, data: &Value) -> String {
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    let amount = || format!("{} {}", text("amount"), text("currency"));
    match kind {
        "created" => format!("Created for {}.", amount()),
        "quote.fixed" => format!(
            "Rate fixed: {} {} to pay, 1 {} at {}, from {}.",
            text("due"),
            text("coin"),
            text("coin"),
            text("price"),
            sources(data),
        ),
        "receipt.seen" => match data.get("value").and_then(Value::as_str) {
            Some(value) => format!("Payment of {} seen, worth {value}.", amount()),
            None => format!("Payment of {} seen.", amount()),
        },
        "receipt.back" => format!("Payment of {} is back after it had been dropped.", amount()),
        "receipt.final" => format!("Payment of {} is final.", amount()),
        "receipt.dropped" => match data.get("replaced_by").and_then(Value::as_str) {
            Some(txid) => format!("Payment of {} was replaced by {txid}.", amount()),
            None => format!("Payment of {} was dropped.", amount()),
        },
        "receipt.reversed" => format!(
            "Payment of {} left the chain and was booked back.",
            amount()
        ),
        "invoice.sent" => format!("{} sent the link to {}.", actor(data), text("to")),
        "refund_address.left" => {
            format!("The customer left a refund address: {}.", text("address"))
        }
        "refund.requested" => match data.get("address").and_then(Value::as_str) {
            Some(to) => format!("{} approved a refund of {} to {to}.", actor(data), amount()),
            None => format!("{} approved a refund of {}.", actor(data), amount()),
        },
        "refund.sent" => match data.get("txid").and_then(Value::as_str) {
            Some(txid) => format!("{} was sent in {txid}; it is not final yet.", refund(data)),
            None => format!("{} was sent; it is not final yet.", refund(data)),
        },
        "refund.confirmed" => format!("{} is final: the money has arrived.", refund(data)),
        "refund.failed" => format!(
            "{} failed: it was not paid, and the money waits for a decision again.",
            refund(data)
        ),
        kind => match kind.strip_prefix("status.") {
            Some(status) => status_sentence(status, data),
            None => format!("{}.", capitalised(&kind.replace(['.', '_'], " "))),
        },
    }
}

/// Which refund it is about.
fn refund(data: &Value) -> String {
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    let (amount, currency) = (text("amount"), text("currency"));
    match text("address") {
        "" => format!("Refund of {amount} {currency}"),
        to => format!("Refund of {amount} {currency} to {to}"),
    }
}

fn status_sentence(status: &str, data: &Value) -> String {
    let has = |flag: &str| {
        data.get("flags")
            .and_then(Value::as_array)
            .is_some_and(|flags| flags.iter().any(|known| known.as_str() == Some(flag)))
    };
    match status {
        "pending" => "Waiting for payment.".to_owned(),
        "processing" => "Covered; waiting for confirmations.".to_owned(),
        "paid" if has("manual") => format!("Paid: {} accepted what came.", actor(data)),
        "paid" if has("late") => "Paid late: the money still covered the amount.".to_owned(),
        "paid" => "Paid.".to_owned(),
        "expired" => "Time ran out; nothing had come.".to_owned(),
        "underpaid" => "Time ran out with only part of it paid.".to_owned(),
        "cancelled" => format!("Cancelled by {}.", lower_actor(data)),
        "failed" => "Failed: the payment did not become final in time.".to_owned(),
        other => format!("Now {other}."),
    }
}

fn sources(data: &Value) -> String {
    let names: Vec<&str> = data
        .get("sources")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    if names.is_empty() {
        "the house rate".to_owned()
    } else {
        names.join(", ")
    }
}

fn actor(data: &Value) -> String {
    capitalised(&lower_actor(data))
}

/// Recorded as a word for machines (`customer`, `chain`, `clock`) or as who a person is.
fn lower_actor(data: &Value) -> String {
    match data.get("by").and_then(Value::as_str) {
        Some("customer") => "the customer".to_owned(),
        Some("clock") => "the clock".to_owned(),
        Some("chain") => "the chain".to_owned(),
        Some("") | None => "somebody".to_owned(),
        Some(person) => person.to_owned(),
    }
}

/// E-mail addresses stay as they are.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !text.contains('@') => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(kind: &str, data: Value, expected: &str) {
        assert_eq!(of(kind, &data), expected);
    }

    #[test]
    fn entries_become_sentences() {
        check(
            "created",
            json!({ "amount": "64.20", "currency": "EUR" }),
            "Created for 64.20 EUR.",
        );
        check(
            "quote.fixed",
            json!({ "coin": "BTC", "due": "0.00123456", "price": "52002.33", "sources": ["fixed"] }),
            "Rate fixed: 0.00123456 BTC to pay, 1 BTC at 52002.33, from fixed.",
        );
        check(
            "receipt.seen",
            json!({ "amount": "0.001", "currency": "BTC", "value": "52.00" }),
            "Payment of 0.001 BTC seen, worth 52.00.",
        );
        check(
            "receipt.seen",
            json!({ "amount": "0.001", "currency": "BTC", "value": null }),
            "Payment of 0.001 BTC seen.",
        );
        check(
            "receipt.dropped",
            json!({ "amount": "0.001", "currency": "BTC", "replaced_by": "ab12" }),
            "Payment of 0.001 BTC was replaced by ab12.",
        );
        check(
            "refund.requested",
            json!({ "amount": "1", "currency": "LTC", "address": null, "by": "owner@example.com" }),
            "owner@example.com approved a refund of 1 LTC.",
        );
    }

    #[test]
    fn a_payment_says_how_it_came_about() {
        check(
            "status.paid",
            json!({ "by": "chain", "flags": [] }),
            "Paid.",
        );
        check(
            "status.paid",
            json!({ "by": "late policy", "flags": ["late"] }),
            "Paid late: the money still covered the amount.",
        );
        check(
            "status.paid",
            json!({ "by": "owner@example.com", "flags": ["late", "manual"] }),
            "Paid: owner@example.com accepted what came.",
        );
    }

    #[test]
    fn a_refund_on_its_way_says_where_to_and_whether_money_moved() {
        let to = "ltc1q";
        check(
            "refund.sent",
            json!({ "amount": "1", "currency": "LTC", "address": to, "txid": "ab12" }),
            "Refund of 1 LTC to ltc1q was sent in ab12; it is not final yet.",
        );
        check(
            "refund.confirmed",
            json!({ "amount": "1", "currency": "LTC", "address": to, "txid": null }),
            "Refund of 1 LTC to ltc1q is final: the money has arrived.",
        );
        check(
            "refund.failed",
            json!({ "amount": "1", "currency": "LTC", "address": to, "txid": null }),
            "Refund of 1 LTC to ltc1q failed: it was not paid, and the money waits for a decision again.",
        );
    }

    #[test]
    fn who_cancelled_is_told() {
        check(
            "status.cancelled",
            json!({ "by": "customer" }),
            "Cancelled by the customer.",
        );
        check("status.cancelled", json!({}), "Cancelled by somebody.");
    }

    #[test]
    fn an_unknown_entry_is_told_by_its_kind() {
        check(
            "bank.statement_matched",
            json!({}),
            "Bank statement matched.",
        );
    }
}
