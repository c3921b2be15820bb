use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gateway::PgPool;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::shows;
use crate::dialects::processing::sign;
use crate::testing::{TestApp, TestResponse};

struct Shop {
    app: TestApp,
    id: i64,
    private: String,
}

impl Shop {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(pool).await;
        let demo = serde_json::to_value(app.demo().await).unwrap();
        let merchant = &demo["merchant"];
        Self {
            id: merchant["id"].as_i64().unwrap(),
            private: merchant["key_pair"]["private"].as_str().unwrap().to_owned(),
            app,
        }
    }

    fn link(&self, part: &str, wish: &Value) -> String {
        let text = wish.to_string();
        let signature = sign(&self.private, text.as_bytes()).unwrap();
        query(part, &STANDARD.encode(&text), &signature)
    }

    fn wish(&self) -> Value {
        json!({ "client_id": self.id, "currency": "BTC", "foreign_id": "table <7>" })
    }

    async fn addresses(&self, pool: &PgPool) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM deposit_addresses")
            .fetch_one(pool)
            .await
            .unwrap()
    }

    async fn status(&self, wish: &Value) -> Value {
        self.app.get(&self.link("/status", wish)).await.json()
    }
}

fn query(part: &str, data: &str, signature: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("data", data)
        .append_pair("signature", signature)
        .finish();
    format!("/terminal{part}?{query}")
}

fn ancestors(answer: &TestResponse) -> String {
    let policy = answer.header("content-security-policy");
    let (_, ancestors) = policy.split_once("frame-ancestors ").unwrap();
    ancestors.to_owned()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_signed_link_opens_one_address_for_ever(pool: PgPool) {
    let shop = Shop::start(&pool).await;
    let mut wish = shop.wish();
    wish["amount"] = json!("0.001");
    wish["convert_to"] = json!("EUR");
    wish["url_back"] = json!("https://shop.example/table/7");
    let page = shop.app.get(&shop.link("", &wish)).await;
    shows(&page, "Pay <bdi>Harbour Coffee Roasters</bdi>");
    for text in [
        "amount=0.001",
        "message=table%20%3C7%3E",
        "1 BTC ≈ 60000.00000000 EUR",
        "https://shop.example/table/7",
        "Check status",
        "Waiting for your payment.",
    ] {
        shows(&page, text);
    }
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(ancestors(&page), "'none'");
    shop.app.get(&shop.link("", &wish)).await;
    // The amount is no part of what names the address.
    wish["amount"] = json!("0.002");
    shop.app.get(&shop.link("", &wish)).await;
    assert_eq!(shop.addresses(&pool).await, 1);
    // The other alphabet, without padding.
    let text = wish.to_string();
    let signature = sign(&shop.private, text.as_bytes()).unwrap();
    let data = URL_SAFE_NO_PAD.encode(&text);
    shows(&shop.app.get(&query("", &data, &signature)).await, "BTC");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_nobody_signed_takes_no_address(pool: PgPool) {
    let shop = Shop::start(&pool).await;
    let text = shop.wish().to_string();
    let good = sign(&shop.private, text.as_bytes()).unwrap();
    let data = STANDARD.encode(&text);
    let other =
        json!({ "client_id": shop.id + 1, "currency": "BTC", "foreign_id": "x" }).to_string();
    let by_us = sign(&shop.private, other.as_bytes()).unwrap();
    for (data, signature) in [
        (data.clone(), String::new()),
        (data.clone(), good.to_uppercase()),
        (data.clone(), sign("wrong", text.as_bytes()).unwrap()),
        (STANDARD.encode(text.replace("BTC", "LTC")), good.clone()),
        (STANDARD.encode(other), by_us),
        (STANDARD.encode("[]"), good.clone()),
        ("%%%".to_owned(), good.clone()),
        (String::new(), String::new()),
    ] {
        for part in ["", "/status", "/events"] {
            let refused = shop.app.get(&query(part, &data, &signature)).await;
            assert_eq!(refused.status, 403, "{part} {data}");
        }
        let page = shop.app.get(&query("", &data, &signature)).await;
        assert!(page.text().contains("Your money was not taken."));
    }
    assert_eq!(shop.addresses(&pool).await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_signed_wish_that_cannot_be_is_named_for_the_shop(pool: PgPool) {
    let shop = Shop::start(&pool).await;
    for (field, value, said) in [
        ("currency", json!("XYZ"), "currency must be"),
        ("currency", json!("EUR"), "currency must be a coin"),
        ("currency", Value::Null, "currency is required"),
        ("amount", json!("-1"), "amount "),
        ("amount", json!("0.000000001"), "amount "),
        ("convert_to", json!("nope"), "convert_to must be"),
        ("foreign_id", Value::Null, "foreign_id is required"),
        ("url_back", json!("javascript:alert(1)"), "url_back must be"),
        ("is_iframe", json!("yes"), "is_iframe must be"),
    ] {
        let mut wish = shop.wish();
        wish[field] = value;
        let refused = shop.app.get(&shop.link("", &wish)).await;
        assert_eq!(refused.status, 422, "{wish}: {}", refused.text());
        assert!(refused.text().contains(said), "{said}: {}", refused.text());
        assert!(!refused.text().contains("javascript:"));
    }
    assert_eq!(shop.addresses(&pool).await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn it_follows_the_deposit(pool: PgPool) {
    let shop = Shop::start(&pool).await;
    let wish = shop.wish();
    let page = shop.app.get(&shop.link("", &wish)).await.text();
    let (_, rest) = page.split_once("data-copy=\"bc1").unwrap();
    let address = format!("bc1{}", rest.split_once('"').unwrap().0);
    let said = |status: &Value| status["sentence"].as_str().unwrap().to_owned();
    assert_eq!(said(&shop.status(&wish).await), "Waiting for your payment.");
    let pay = json!({ "address": address, "amount": "0.5" });
    shop.app.sandbox("pay", pay).await;
    assert_eq!(
        said(&shop.status(&wish).await),
        "Payment seen: 0.50000000 BTC. Waiting for confirmation."
    );
    let mine = json!({ "currency": "BTC" });
    shop.app.sandbox("mine", mine.clone()).await;
    assert_eq!(
        said(&shop.status(&wish).await),
        "Payment of 0.50000000 BTC: 1 of 2 confirmations."
    );
    shop.app.sandbox("mine", mine).await;
    assert_eq!(
        said(&shop.status(&wish).await),
        "Paid: 0.50000000 BTC. Thank you."
    );
    shop.app
        .sandbox("advance", json!({ "seconds": 3_601 }))
        .await;
    let later = shop.status(&wish).await;
    assert_eq!(said(&later), "Waiting for your payment.");
    assert_eq!(later["payments"][0]["state"], "confirmed");
}

#[sqlx::test(migrations = "../migrations")]
async fn only_the_merchants_origins_may_frame_it(pool: PgPool) {
    let shop = Shop::start(&pool).await;
    let gateway = shop.app.gateway();
    let mut wish = shop.wish();
    wish["is_iframe"] = json!(true);
    let link = shop.link("", &wish);
    assert_eq!(ancestors(&shop.app.get(&link).await), "'none'");
    let origins = [
        "https://shop.example/".to_owned(),
        "https://till.example:8443".to_owned(),
    ];
    gateway
        .set_frame_origins(shop.id, &origins, "test")
        .await
        .unwrap();
    assert_eq!(
        ancestors(&shop.app.get(&link).await),
        "https://shop.example https://till.example:8443"
    );
    let plain = shop.app.get(&shop.link("", &shop.wish())).await;
    assert_eq!(ancestors(&plain), "'none'");
    let refused = gateway
        .set_frame_origins(shop.id, &["https://*.example".to_owned()], "test")
        .await;
    assert!(refused.is_err());
    assert_eq!(gateway.frame_origins(shop.id).await.unwrap().len(), 2);
    let recorded: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit_log WHERE action = 'merchant.frame_origins'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(recorded, 1);
}
