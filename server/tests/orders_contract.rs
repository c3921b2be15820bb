//! Every example of `10-orders-api.md`, as it goes over the wire.

#![allow(clippy::unwrap_used)]

mod orders_support;

use orders_support::{ORDER, Shop, redact};
use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn a_wallet_is_made_once(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let request = r#"{"user_id": 7, "currency": "USD"}"#;

    let first = shop.post("/api/wallets", request).await.expect(201);
    let id = first.json()["id"].as_i64().unwrap();
    let member = format!("\"id\":{id},");
    let text = redact(&first.text(), &[(member.as_str(), "\"id\":0,")]);
    insta::assert_snapshot!(
        text,
        @r#"{"id":0,"user_id":7,"currency":"USD","type":"PREPAID","balance":"0.00"}"#
    );

    let again = shop.post("/api/wallets", request).await.expect(200);
    assert_eq!(again.text(), first.text());
    let coin = shop
        .post("/api/wallets", r#"{"user_id":7,"currency":"ETH"}"#)
        .await
        .expect(201);
    assert_eq!(coin.json()["balance"], "0.000000000000000000");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_seeds_order_becomes_a_checkout_url(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let created = shop.post("/api/orders", ORDER).await.expect(201);
    assert_eq!(created.header("content-type"), "application/json");
    assert_eq!(created.header("cache-control"), "no-store");
    assert!(created.header("x-request-id").starts_with("req_"));

    let json = created.json();
    let id = json["public_order_id"].as_str().unwrap();
    let (_, token) = json["checkout_url"]
        .as_str()
        .unwrap()
        .split_once("?t=")
        .unwrap();
    assert_eq!(id.len(), 13);
    assert!(token.len() >= 22, "fewer than 128 bits: {token}");
    let values = [
        (shop.base_url.as_str(), "[base]"),
        (id, "[id]"),
        (token, "[token]"),
    ];
    insta::assert_snapshot!(
        redact(&created.text(), &values),
        @r#"{"public_order_id":"[id]","status":"pending","checkout_url":"[base]/pay/[id]?t=[token]"}"#
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_order_is_shown_without_a_payment(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let request = ORDER.replacen(
        '{',
        r#"{"metadata":{"cart":[7,"x",1.5]},"unknown":true,"#,
        1,
    );
    let order = shop.order(&request).await;
    let shown = shop
        .get(&format!("/api/orders/{}", order.id))
        .await
        .expect(200);

    let created_at = shown.json()["created_at"].as_str().unwrap().to_owned();
    assert_eq!(created_at.len(), "2026-11-21T12:00:00Z".len());
    let values = [
        (shop.base_url.as_str(), "[base]"),
        (order.id.as_str(), "[id]"),
        (order.token.as_str(), "[token]"),
        (created_at.as_str(), "[at]"),
    ];
    insta::assert_snapshot!(
        redact(&shown.text(), &values),
        @r#"{"public_order_id":"[id]","status":"pending","flags":[],"resolution":"none","amount":"149.98","currency":"USD","amount_received":"0.00","amount_due":"149.98","payment":null,"receipts":[],"checkout_url":"[base]/pay/[id]?t=[token]","created_at":"[at]","metadata":{"cart":[7,"x",1.5]}}"#
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_list_is_newest_first_with_six_headers(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(shop.order(ORDER).await.id);
    }
    let page = shop.get("/api/orders?limit=2").await.expect(200);
    let shown: Vec<String> = page
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["public_order_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown, [ids[2].clone(), ids[1].clone()]);
    for (name, value) in [
        ("x-page", "1"),
        ("x-per-page", "2"),
        ("x-total-count", "3"),
        ("x-total-pages", "2"),
        ("x-page-size", "2"),
        ("x-has-more", "true"),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }

    let paid = shop.get("/api/orders?status=paid").await.expect(200);
    assert_eq!(paid.text(), "[]");
    assert_eq!(paid.header("x-total-pages"), "0");
    assert_eq!(
        shop.get("/api/orders?status=pending")
            .await
            .header("x-total-count"),
        "3"
    );
    let refused = shop
        .get("/api/orders?status=open&page=0&limit=10001")
        .await
        .expect(422);
    assert_eq!(refused.refused(), ["limit", "page", "status"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cancelled_order_stays_cancelled(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let order = shop.order(ORDER).await;
    let cancel = format!("/api/orders/{}/cancel", order.id);

    let cancelled = shop
        .send("POST", &cancel, &[("authorization", shop.key.as_str())], "")
        .await;
    assert_eq!(cancelled.expect(200).json()["status"], "cancelled");
    insta::assert_snapshot!(
        shop.post(&cancel, "").await.expect(409).text(),
        @r#"{"message":"An order that is cancelled cannot do this."}"#
    );
    let receipt = shop
        .get(&format!("/api/orders/{}/receipt", order.id))
        .await
        .expect(409);
    assert_eq!(receipt.json()["message"], "This order has no receipt.");
    let accept = format!("/api/orders/{}/accept", order.id);
    shop.post(&accept, "{}").await.expect(409);

    let timeline = shop
        .get(&format!("/api/orders/{}/timeline", order.id))
        .await
        .expect(200)
        .json();
    let entries = timeline.as_array().unwrap();
    assert_eq!(entries[0]["kind"], "created");
    assert!(entries.len() >= 2, "{timeline}");
    assert!(
        entries
            .iter()
            .all(|entry| entry["at"].is_string() && entry["data"].is_object())
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_pending_order_has_a_pdf(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let order = shop.order(ORDER).await;
    let pdf = shop
        .get(&format!("/api/orders/{}/receipt", order.id))
        .await
        .expect(200);
    assert_eq!(pdf.header("content-type"), "application/pdf");
    let disposition = format!("inline; filename=\"{}.pdf\"", order.id);
    assert_eq!(pdf.header("content-disposition"), disposition);
    assert!(pdf.body.starts_with(b"%PDF-"));
    assert!(pdf.body.len() < 150 * 1024, "{} bytes", pdf.body.len());
}

#[sqlx::test(migrations = "../migrations")]
async fn everything_wrong_is_named_in_one_answer(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let request = r#"{"amount":"1e3","currency":"USD","customer_details":{"name":"\u0000",
        "surname":"B","email":"inga","phone":"1","country":"XX"},"redirect_url":"//evil.example"}"#;
    let refused = shop.post("/api/orders", request).await.expect(422);
    insta::assert_snapshot!(
        refused.text(),
        @r#"{"message":"The request is not valid.","errors":{"amount":["The amount must be a plain decimal number such as 149.98."],"customer_details.country":["The customer_details.country must be an ISO 3166-1 alpha-2 country code such as LV."],"customer_details.email":["The customer_details.email must be an e-mail address."],"customer_details.name":["The customer_details.name must not contain a NUL character."],"redirect_url":["The redirect_url must be an http or https URL."]}}"#
    );
    // A currency without a wallet; the customer is the merchant's business.
    let gbp = shop
        .post("/api/orders", &ORDER.replace("USD", "GBP"))
        .await
        .expect(422);
    assert_eq!(gbp.refused(), ["currency"]);
    let stranger = ORDER.replacen('{', "{\"user_id\":99,", 1);
    shop.post("/api/orders", &stranger).await.expect(201);
}

#[sqlx::test(migrations = "../migrations")]
async fn bodies_are_read_strictly(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let nested = format!("{{\"metadata\":{}1{}}}", "[".repeat(64), "]".repeat(64));
    for malformed in [
        "",
        "{",
        "{\"amount\":5,\"amount\":1}",
        "{\"amount\":01}",
        nested.as_str(),
    ] {
        let refused = shop.post("/api/orders", malformed).await.expect(400).json();
        assert!(
            refused["message"].is_string() && refused["errors"].is_null(),
            "{malformed}"
        );
    }
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(64 * 1024));
    shop.post("/api/orders", &large).await.expect(413);
    let headers = [
        ("authorization", shop.key.as_str()),
        ("content-type", "text/plain"),
    ];
    shop.send("POST", "/api/orders", &headers, ORDER)
        .await
        .expect(415);
    shop.post("/api/orders", "[]").await.expect(422);
    assert_eq!(shop.get("/api/orders").await.header("x-total-count"), "0");
}
