//! A merchant's program: what it asks for, once and again.

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::dialects::processing::sign;

const EMAIL_HOST: &str = "chaos.example";

/// What one request asks for. Asking again is the same, byte for byte.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The caller's own name for it, which nobody else has.
    pub key: String,
    pub kind: Kind,
    body: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of the Orders API, with an `Idempotency-Key`.
    Order,
    /// Of the Processing API, with a reference: it moves money.
    Exchange,
}

/// What came of asking.
pub enum Said {
    /// It is done, now or before.
    Done(Vec<u8>),
    /// Wait and ask again: the seconds that were named, if any.
    Later(StatusCode, Option<u64>),
    /// The connection broke, or nobody answered: it may be done or not.
    Unknown,
}

#[derive(Clone)]
pub struct Shop {
    client: Client,
    key: String,
    pair: (String, String),
}

impl Wish {
    /// Orders and exchanges in turn, exchanges in both directions in turn, so that no wallet runs dry.
    pub fn new(key: String, number: usize) -> Self {
        let (kind, body) = match number % 4 {
            1 => (Kind::Exchange, exchange(&key, "BTC", "EUR", "0.0002")),
            3 => (Kind::Exchange, exchange(&key, "EUR", "BTC", "5.00")),
            _ => (Kind::Order, order(&key)),
        };
        Self { key, kind, body }
    }

    pub fn order(key: String) -> Self {
        Self {
            kind: Kind::Order,
            body: order(&key),
            key,
        }
    }
}

fn order(key: &str) -> String {
    json!({
        "amount": "10.00", "currency": "EUR", "redirect_url": "https://shop.example/ok",
        "customer_details": {
            "name": "A", "surname": "B", "email": email(key), "phone": "+371",
        },
    })
    .to_string()
}

fn exchange(key: &str, from: &str, to: &str, amount: &str) -> String {
    json!({
        "sender_currency": from, "receiver_currency": to, "sender_amount": amount,
        "foreign_id": key,
    })
    .to_string()
}

/// By which an order is found again.
pub fn email(key: &str) -> String {
    format!("{key}@{EMAIL_HOST}")
}

impl Shop {
    /// `set` is what `exchequer demo --json` prints.
    pub fn new(set: &Value) -> Self {
        gateway::outbox::install_crypto_provider();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let merchant = &set["merchant"];
        Self {
            client: Client::builder()
                .timeout(std::time::Duration::from_secs(30))
                .build()
                .unwrap(),
            key: text(&merchant["ex_pk"]),
            pair: (
                text(&merchant["key_pair"]["public"]),
                text(&merchant["key_pair"]["private"]),
            ),
        }
    }

    /// Coins to exchange.
    pub async fn fund(&self, base: &str) {
        let take = json!({ "foreign_id": "chaos funds", "currency": "BTC" }).to_string();
        let taken = self
            .signed(base, "addresses/take", take)
            .send()
            .await
            .unwrap();
        let taken: Value = taken.json().await.unwrap();
        let address = &taken["data"]["address"];
        for (path, body) in [
            (
                "pay",
                json!({ "address": address, "amount": "100", "currency": "BTC" }),
            ),
            ("mine", json!({ "currency": "BTC", "blocks": 2 })),
        ] {
            let url = format!("{base}/sandbox/{path}");
            let done = self.client.post(url).json(&body).send().await.unwrap();
            assert_eq!(done.status(), StatusCode::OK, "{path}");
        }
    }

    pub async fn ask(&self, base: &str, wish: &Wish) -> Said {
        let request = match wish.kind {
            Kind::Order => self
                .client
                .post(format!("{base}/api/orders"))
                .bearer_auth(&self.key)
                .header("idempotency-key", &wish.key)
                .header("content-type", "application/json")
                .body(wish.body.clone()),
            Kind::Exchange => self.signed(base, "exchange/now", wish.body.clone()),
        };
        let Ok(answer) = request.send().await else {
            return Said::Unknown;
        };
        let status = answer.status();
        let wait = answer.headers().get("retry-after");
        let wait = wait.and_then(|value| value.to_str().ok()?.parse().ok());
        let Ok(body) = answer.bytes().await else {
            return Said::Unknown;
        };
        match status.as_u16() {
            200 | 201 => Said::Done(body.to_vec()),
            // In progress, too many, or our own trouble.
            409 | 429 | 500..=599 => Said::Later(status, wait),
            _ => panic!("{wish:?}: {status} {}", String::from_utf8_lossy(&body)),
        }
    }

    fn signed(&self, base: &str, path: &str, body: String) -> RequestBuilder {
        let (public, private) = &self.pair;
        let signature = sign(private, body.as_bytes()).unwrap();
        self.client
            .post(format!("{base}/api/v2/{path}"))
            .header("x-processing-key", public)
            .header("x-processing-signature", signature)
            .header("content-type", "application/json")
            .body(body)
    }
}
