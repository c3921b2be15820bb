//! A merchant's program for the tests of the Orders API: knows its keys, nothing of our insides.

// Each test binary uses a part of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used)]

use axum::http::HeaderMap;
use gateway::Settings;
use serde_json::Value;
use server::testing::{PUBLIC_URL, TestApp};
use sqlx::PgPool;

/// The published example request. Nothing is sent to its webhook before an order is paid.
pub const ORDER: &str = r#"{
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

/// The same without a webhook, for orders that get paid: tests need no network.
pub fn quiet_order() -> String {
    ORDER.replace(r#""webhook_url": "https://your-api.com/webhooks","#, "")
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Names of the fields that were refused.
    pub fn refused(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"].as_object().cloned().unwrap_or_default();
        errors.into_iter().map(|(field, _)| field).collect()
    }
}

/// An order and the token of its page.
pub struct Order {
    pub id: String,
    pub token: String,
}

pub struct Shop {
    app: TestApp,
    pub base_url: String,
    pub merchant_id: i64,
    pub key: String,
    pub other_key: String,
    pub static_key: String,
}

impl Shop {
    pub async fn open(pool: &PgPool) -> Self {
        Self::open_with(pool, Settings::test(PUBLIC_URL)).await
    }

    pub async fn open_with(pool: &PgPool, settings: Settings) -> Self {
        let app = TestApp::start_with(pool, settings).await;
        let demo = serde_json::to_value(app.demo().await).unwrap();
        let bearer = |key: &Value| format!("Bearer {}", key.as_str().unwrap());
        Self {
            base_url: demo["base_url"].as_str().unwrap().to_owned(),
            merchant_id: demo["merchant"]["id"].as_i64().unwrap(),
            key: bearer(&demo["merchant"]["ex_pk"]),
            other_key: bearer(&demo["merchant2"]["ex_pk"]),
            static_key: bearer(&demo["static_key"]),
            app,
        }
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let response = self.app.call(method, path, headers, body).await;
        Reply {
            status: response.status,
            headers: response.headers,
            body: response.body,
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[("authorization", self.key.as_str())], "")
            .await
    }

    pub async fn post(&self, path: &str, body: &str) -> Reply {
        let headers = [
            ("authorization", self.key.as_str()),
            ("content-type", "application/json"),
        ];
        self.send("POST", path, &headers, body).await
    }

    pub async fn sandbox(&self, call: &str, body: &str) -> Reply {
        let headers = [("content-type", "application/json")];
        self.send("POST", &format!("/sandbox/{call}"), &headers, body)
            .await
    }

    pub async fn order(&self, body: &str) -> Order {
        let created = self.post("/api/orders", body).await.expect(201).json();
        let id = created["public_order_id"].as_str().unwrap().to_owned();
        let url = created["checkout_url"].as_str().unwrap();
        let (_, token) = url.split_once("?t=").unwrap();
        Order {
            id,
            token: token.to_owned(),
        }
    }

    /// The payer picks a coin on the hosted page.
    pub async fn choose(&self, order: &Order, coin: &str) {
        let path = format!("/pay/{}?t={}", order.id, order.token);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", &path, &headers, &format!("method={coin}"))
            .await
            .expect(303);
    }

    pub async fn read(&self, order: &Order) -> Value {
        self.get(&format!("/api/orders/{}", order.id))
            .await
            .expect(200)
            .json()
    }
}

/// Puts names in the place of values that differ from run to run.
pub fn redact(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (value, name)| {
        text.replace(value, name)
    })
}
