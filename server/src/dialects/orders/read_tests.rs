use domain::money::CurrencyKind;

use super::*;
use crate::http::json::{Value as Json, parse};

/// The published example request.
const SEED: &str = r#"{
  "amount": 149.98,
  "currency": "USD",
  "redirect_url": "https://example.com/success",
  "webhook_url": "https://your-api.com/webhooks",
  "customer_details": {
    "name": "Inga",
    "surname": "Berzina",
    "email": "inga@inbox.lv",
    "phone": "+3712000000"
  },
  "items": [{ "name": "Wallet Kit", "price": 99.99, "quantity": 1 }]
}"#;

fn currency(code: &str) -> Option<Currency> {
    let (precision, scale) = match code {
        "USD" => (2, 8),
        "JPY" => (0, 8),
        "BTC" => (8, 8),
        "ETH" => (18, 18),
        _ => return None,
    };
    let kind = CurrencyKind::Fiat;
    Some(Currency {
        id: 1,
        code: code.parse().unwrap(),
        kind,
        precision,
        scale,
    })
}

fn object(text: &str) -> Object {
    match parse(text) {
        Ok(Json::Object(object)) => object,
        other => panic!("{text}: {other:?}"),
    }
}

fn order(text: &str) -> (Option<NewOrder>, Vec<String>) {
    let guard = AddressGuard::new(false, Vec::new());
    let rules = Rules {
        currency: &currency,
        guard: &guard,
    };
    let mut problems = Problems::default();
    let order = read_order(&object(text), &rules, &mut problems);
    (
        order,
        problems
            .iter()
            .map(|problem| problem.field.clone())
            .collect(),
    )
}

/// The seed's request with one part of it written differently.
#[track_caller]
fn check(part: &str, other: &str, refused: &[&str]) {
    assert!(SEED.contains(part), "{part}");
    assert_eq!(order(&SEED.replacen(part, other, 1)).1, refused, "{other}");
}

#[test]
fn the_seeds_request_is_read() {
    let (order, refused) = order(SEED);
    assert!(refused.is_empty(), "{refused:?}");
    let charge = order.unwrap().into_charge(1000);
    assert_eq!(charge.merchant_id, 1000);
    assert_eq!(charge.amount.truncated(), "149.98");
    assert_eq!(charge.wallet_user_id, 0);
    assert_eq!(charge.customer.email, "inga@inbox.lv");
    assert_eq!(charge.customer.country, None);
    let item = Item {
        name: "Wallet Kit".to_owned(),
        price: "99.99".to_owned(),
        quantity: 1,
    };
    assert_eq!(charge.items, [item]);
    assert_eq!(
        charge.redirect_url.as_deref(),
        Some("https://example.com/success")
    );
    assert_eq!(
        charge.webhook_url.as_deref(),
        Some("https://your-api.com/webhooks")
    );
}

#[test]
fn everything_missing_is_named_at_once() {
    assert_eq!(
        order("{}").1,
        ["currency", "amount", "customer_details", "redirect_url"]
    );
    assert_eq!(
        order(r#"{"amount":null,"currency":"XYZ","customer_details":{},"redirect_url":""}"#).1,
        [
            "currency",
            "amount",
            "customer_details.name",
            "customer_details.surname",
            "customer_details.email",
            "customer_details.phone",
            "redirect_url",
        ]
    );
}

#[test]
fn an_unknown_currency_does_not_hide_a_bad_amount() {
    check(r#""USD""#, r#""usd""#, &["currency"]);
    let text = SEED.replace(r#""USD""#, r#""US""#).replace("149.98", "-1");
    assert_eq!(order(&text).1, ["currency", "amount"]);
}

#[test]
fn amounts_follow_the_currency() {
    for amount in ["149.9", "149", "\"149.98\"", "0.01", "1000000000000000"] {
        check("149.98", amount, &[]);
    }
    for amount in [
        "149.980",
        "0",
        "0.00",
        "-1",
        "1e2",
        "\"\"",
        "true",
        "1000000000000000.01",
    ] {
        check("149.98", amount, &["amount"]);
    }
    check(r#""USD""#, r#""JPY""#, &["amount", "items.0.price"]);
    check(r#""USD""#, r#""ETH""#, &[]);
}

#[test]
fn customers_are_described_plausibly() {
    for (part, other, field) in [
        ("\"Inga\"", "\"\"", "customer_details.name"),
        ("\"Inga\"", "\"\\u0000\"", "customer_details.name"),
        ("\"Inga\"", "\"\\ud800\"", "customer_details.name"),
        ("\"Inga\"", "7", "customer_details.name"),
        ("inga@inbox.lv", "inga", "customer_details.email"),
        ("\"+3712000000\"", "null", "customer_details.phone"),
        (
            "\"+3712000000\"",
            "\"1\", \"country\": \"LVA\"",
            "customer_details.country",
        ),
        (
            "\"+3712000000\"",
            "\"1\", \"city\": []",
            "customer_details.city",
        ),
    ] {
        check(part, other, &[field]);
    }
    check(
        "\"Inga\"",
        &format!("\"{}\"", "x".repeat(256)),
        &["customer_details.name"],
    );
    check("\"Inga\"", &format!("\"{}\"", "ā".repeat(255)), &[]);
    check(
        "\"+3712000000\"",
        "\"1\", \"country\": \"LV\", \"city\": \"\"",
        &[],
    );
    check("\"Inga\"", "\"<script>\\u001b\\u202e\"", &[]);
}

#[test]
fn items_are_bounded() {
    check("\"quantity\": 1", "\"quantity\": 1000000", &[]);
    check(", \"quantity\": 1", "", &[]);
    for quantity in ["0", "-1", "1.5", "\"1\"", "1000001"] {
        check(
            "\"quantity\": 1",
            &format!("\"quantity\": {quantity}"),
            &["items.0.quantity"],
        );
    }
    check("99.99", "0", &["items.0.price"]);
    check("\"Wallet Kit\"", "\" \"", &["items.0.name"]);
    let one = r#"{ "name": "Wallet Kit", "price": 99.99, "quantity": 1 }"#;
    check(one, &vec![one; 1_000].join(","), &[]);
    check(one, &vec![one; 1_001].join(","), &["items"]);
    check(one, "1", &["items.0"]);
}

#[test]
fn links_are_http_and_webhooks_public() {
    for url in [
        "javascript:alert(1)",
        "https://a@evil.example",
        "//evil.example",
        "/success",
    ] {
        check("https://example.com/success", url, &["redirect_url"]);
    }
    for url in [
        "http://127.0.0.1/x",
        "http://169.254.169.254/",
        "ftp://example.com",
        "",
    ] {
        check("https://your-api.com/webhooks", url, &["webhook_url"]);
    }
}

#[test]
fn metadata_and_user_are_ours() {
    let with = |more: &str| order(&SEED.replacen('{', &format!("{{{more},"), 1));
    let (read, refused) = with(r#""metadata":{"a":[1]},"user_id":7"#);
    assert!(refused.is_empty(), "{refused:?}");
    let charge = read.unwrap().into_charge(1);
    assert_eq!(charge.wallet_user_id, 7);
    assert_eq!(charge.metadata["a"], serde_json::json!([1]));

    assert_eq!(with(r#""metadata":[]"#).1, ["metadata"]);
    let many: Vec<String> = (0..51).map(|n| format!("\"k{n}\":{n}")).collect();
    assert_eq!(
        with(&format!("\"metadata\":{{{}}}", many.join(","))).1,
        ["metadata"]
    );
    assert!(
        with(&format!("\"metadata\":{{{}}}", many[..50].join(",")))
            .1
            .is_empty()
    );
    for user_id in ["0", "-1", "9007199254740992", "\"7\"", "1.0"] {
        assert_eq!(
            with(&format!("\"user_id\":{user_id}")).1,
            ["user_id"],
            "{user_id}"
        );
    }
    assert!(with("\"unknown\":1").1.is_empty());
}

#[test]
fn wallets_name_a_customer_and_a_currency() {
    let guard = AddressGuard::new(false, Vec::new());
    let rules = Rules {
        currency: &currency,
        guard: &guard,
    };
    let read = |text: &str| {
        let mut problems = Problems::default();
        let wallet = read_wallet(&object(text), &rules, &mut problems);
        (
            wallet,
            problems
                .iter()
                .map(|problem| problem.field.clone())
                .collect::<Vec<_>>(),
        )
    };
    let wallet = NewWallet {
        user_id: 7,
        currency: "USD".to_owned(),
    };
    assert_eq!(
        read(r#"{"user_id":7,"currency":"USD"}"#),
        (Some(wallet), vec![])
    );
    assert_eq!(read("{}").1, ["user_id", "currency"]);
    assert_eq!(
        read(r#"{"user_id":0,"currency":"usd"}"#).1,
        ["user_id", "currency"]
    );
}
