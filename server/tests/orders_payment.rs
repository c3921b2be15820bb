//! An order from its checkout to its receipt, as a merchant's program sees it.

#![allow(clippy::unwrap_used)]

mod orders_support;

use orders_support::{Order, Shop, quiet_order, redact};
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// 149.98 USD at 50 000 USD a bitcoin.
const DUE: &str = "0.00299960";

async fn chosen(shop: &Shop) -> (Order, String) {
    shop.sandbox("rates", r#"{"from":"BTC","to":"USD","rate":"50000"}"#)
        .await
        .expect(200);
    let order = shop.order(&quiet_order()).await;
    shop.choose(&order, "BTC").await;
    let address = shop.read(&order).await["payment"]["address"]
        .as_str()
        .unwrap()
        .to_owned();
    (order, address)
}

async fn pay(shop: &Shop, address: &str, amount: &str) -> String {
    let body = format!(r#"{{"address":"{address}","amount":"{amount}"}}"#);
    let paid = shop.sandbox("pay", &body).await.expect(200).json();
    paid["txid"].as_str().unwrap().to_owned()
}

fn instant(value: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_chosen_method_has_an_address_a_rate_and_a_clock(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let (order, address) = chosen(&shop).await;
    let shown = shop.read(&order).await;
    assert_eq!(shown["status"], "pending");
    let payment = &shown["payment"];
    assert_eq!(payment["amount"], DUE);
    assert_eq!(payment["rate"], "50000");
    let uri = payment["uri"].as_str().unwrap();
    assert!(
        uri.starts_with(&format!("bitcoin:{address}?amount=0.0029996")),
        "{uri}"
    );
    let clock = instant(&payment["release_at"]) - instant(&payment["fixed_at"]);
    assert_eq!(clock, time::Duration::minutes(15));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_payment_is_seen_then_final(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let (order, address) = chosen(&shop).await;
    let txid = pay(&shop, &address, DUE).await;

    let seen = shop.read(&order).await;
    assert_eq!(seen["status"], "processing");
    assert_eq!(seen["amount_received"], "149.98");
    assert_eq!(seen["amount_due"], "0.00");
    assert_eq!(seen["receipts"][0]["confirmations"], 0);
    assert_eq!(seen["receipts"][0]["final"], false);

    shop.sandbox("mine", r#"{"currency":"BTC"}"#)
        .await
        .expect(200);
    let paid = shop
        .get(&format!("/api/orders/{}", order.id))
        .await
        .expect(200);
    let json = paid.json();
    let at = |value: &Value| value.as_str().unwrap().to_owned();
    let uri = at(&json["payment"]["uri"]);
    let times = [
        at(&json["created_at"]),
        at(&json["payment"]["fixed_at"]),
        at(&json["payment"]["release_at"]),
        at(&json["receipts"][0]["at"]),
    ];
    let mut values = vec![
        (uri.as_str(), "[uri]"),
        (address.as_str(), "[address]"),
        (txid.as_str(), "[txid]"),
        (shop.base_url.as_str(), "[base]"),
        (order.id.as_str(), "[id]"),
        (order.token.as_str(), "[token]"),
    ];
    values.extend(times.iter().map(|time| (time.as_str(), "[at]")));
    insta::assert_snapshot!(
        redact(&paid.text(), &values),
        @r#"{"public_order_id":"[id]","status":"paid","flags":[],"resolution":"none","amount":"149.98","currency":"USD","amount_received":"149.98","amount_due":"0.00","payment":{"method":"BTC","currency":"BTC","amount":"0.00299960","address":"[address]","tag":null,"uri":"[uri]","rate":"50000","fixed_at":"[at]","release_at":"[at]","reference":null},"receipts":[{"txid":"[txid]","currency":"BTC","amount":"0.00299960","confirmations":1,"final":true,"at":"[at]"}],"checkout_url":"[base]/pay/[id]?t=[token]","created_at":"[at]","metadata":{}}"#
    );
    assert_eq!(
        shop.get("/api/orders?status=paid")
            .await
            .header("x-total-count"),
        "1"
    );
    shop.get(&format!("/api/orders/{}/receipt", order.id))
        .await
        .expect(200);
    shop.post(&format!("/api/orders/{}/cancel", order.id), "")
        .await
        .expect(409);
    shop.post(&format!("/api/orders/{}/refund", order.id), "{}")
        .await
        .expect(409);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_short_payment_is_flagged_and_can_be_accepted(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let (order, address) = chosen(&shop).await;
    pay(&shop, &address, "0.00100000").await;
    shop.sandbox("mine", "{}").await.expect(200);

    let short = shop.read(&order).await;
    assert_eq!(short["status"], "pending");
    assert_eq!(short["flags"], serde_json::json!(["under"]));
    assert_eq!(short["amount_received"], "50.00");
    assert_eq!(short["amount_due"], "99.98");

    shop.sandbox("advance", r#"{"seconds":901}"#)
        .await
        .expect(200);
    assert_eq!(shop.read(&order).await["status"], "underpaid");
    let accept = format!("/api/orders/{}/accept", order.id);
    let accepted = shop.post(&accept, "{}").await.expect(200).json();
    assert_eq!(accepted["status"], "paid");
    assert_eq!(accepted["resolution"], "accepted");
    assert_eq!(accepted["flags"], serde_json::json!(["manual"]));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_double_spend_takes_its_receipt_away(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let (order, address) = chosen(&shop).await;
    let txid = pay(&shop, &address, DUE).await;
    shop.sandbox("replace", &format!(r#"{{"txid":"{txid}"}}"#))
        .await
        .expect(200);
    let shown = shop.read(&order).await;
    assert_eq!(shown["status"], "pending");
    assert_eq!(shown["receipts"], serde_json::json!([]));
    assert_eq!(shown["amount_received"], "0.00");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_underpaid_order_can_ask_for_a_refund(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let (order, address) = chosen(&shop).await;
    pay(&shop, &address, "0.00100000").await;
    shop.sandbox("mine", "{}").await.expect(200);
    shop.sandbox("advance", r#"{"seconds":901}"#)
        .await
        .expect(200);

    let refund = format!("/api/orders/{}/refund", order.id);
    let wrong = shop
        .post(&refund, r#"{"address":"nowhere"}"#)
        .await
        .expect(422);
    assert_eq!(wrong.refused(), ["address"]);
    // The payer's own, from BIP 173.
    let own = r#"{"address":"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}"#;
    shop.post(&refund, own).await.expect(200);
}
