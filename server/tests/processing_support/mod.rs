//! A merchant's program for the tests of the Processing API: knows its key pair, nothing of our insides.

// Each test binary uses a part of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used)]

use axum::http::HeaderMap;
use gateway::Settings;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use server::testing::{PUBLIC_URL, TestApp};
use sha2::Sha512;
use sqlx::PgPool;

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
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    /// Names of the fields that were refused.
    pub fn refused(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"].as_object().cloned().unwrap_or_default();
        errors.into_iter().map(|(field, _)| field).collect()
    }
}

#[derive(Clone)]
pub struct Pair {
    pub public: String,
    pub private: String,
}

pub struct Program {
    pub app: TestApp,
    pub pool: PgPool,
    pub merchant_id: i64,
    pub pair: Pair,
    pub limited: Pair,
    pub other: Pair,
}

pub fn sign(private: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(private.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

impl Program {
    pub async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start_with(pool, Settings::test(PUBLIC_URL)).await;
        let demo = serde_json::to_value(app.demo().await).unwrap();
        let pair = |pair: &Value| Pair {
            public: pair["public"].as_str().unwrap().to_owned(),
            private: pair["private"].as_str().unwrap().to_owned(),
        };
        Self {
            pool: pool.clone(),
            merchant_id: demo["merchant"]["id"].as_i64().unwrap(),
            pair: pair(&demo["merchant"]["key_pair"]),
            limited: pair(&demo["merchant"]["key_pair_limited"]),
            other: pair(&demo["merchant2"]["key_pair"]),
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

    pub async fn post_as(&self, pair: &Pair, path: &str, body: &str) -> Reply {
        let signature = sign(&pair.private, body);
        let headers = [
            ("x-processing-key", pair.public.as_str()),
            ("x-processing-signature", signature.as_str()),
            ("content-type", "application/json"),
        ];
        self.send("POST", &format!("/api/v2/{path}"), &headers, body)
            .await
    }

    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.post_as(&self.pair, path, body).await
    }

    pub async fn sandbox(&self, call: &str, body: &str) -> Value {
        let headers = [("content-type", "application/json")];
        self.send("POST", &format!("/sandbox/{call}"), &headers, body)
            .await
            .expect(200)
            .json()
    }

    pub async fn pay(&self, address: &Value, amount: &str, currency: &str) {
        let address = address.as_str().unwrap();
        let body =
            format!(r#"{{"address":"{address}","amount":"{amount}","currency":"{currency}"}}"#);
        self.sandbox("pay", &body).await;
    }

    pub async fn mine(&self, currency: &str) {
        self.sandbox("mine", &format!(r#"{{"currency":"{currency}"}}"#))
            .await;
    }

    /// Available balance of a wallet.
    pub async fn balance(&self, currency: &str) -> String {
        let accounts = self.post("accounts/list", "{}").await.expect(200).data();
        let found = accounts
            .as_array()
            .unwrap()
            .iter()
            .find(|account| account["currency"] == currency)
            .unwrap()
            .clone();
        found["balance"].as_str().unwrap().to_owned()
    }

    /// Bodies of the callbacks so far, oldest first, with their headers.
    pub async fn callbacks(&self) -> Vec<(Value, Vec<(String, String)>, Vec<u8>)> {
        type Stored = (Vec<u8>, sqlx::types::Json<Vec<(String, String)>>);
        let rows: Vec<Stored> = sqlx::query_as(
            "SELECT body, headers FROM deliveries WHERE format = 'processing' ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap();
        rows.into_iter()
            .map(|(body, headers)| (serde_json::from_slice(&body).unwrap(), headers.0, body))
            .collect()
    }

    /// Callbacks go to a port nobody listens on: nothing delivers them here, they are only written.
    pub async fn want_callbacks(&self) {
        sqlx::query("UPDATE merchants SET callback_url = 'http://127.0.0.1:9/callback'")
            .execute(&self.pool)
            .await
            .unwrap();
    }

    pub async fn audit(&self) {
        let report = self.app.gateway().audit().await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
}

/// The value with what differs from run to run replaced by names.
pub fn with_names(mut value: Value, names: &[&str]) -> Value {
    if let Some(members) = value.as_object_mut() {
        for name in names {
            if let Some(member) = members.get_mut(*name) {
                assert!(!member.is_null(), "{name}");
                *member = Value::String(format!("<{name}>"));
            }
        }
    }
    value
}
