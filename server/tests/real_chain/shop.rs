//! A merchant's program, and a customer who picks Bitcoin.

use gateway::outbox::install_crypto_provider;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use server::dialects::processing::sign;

use crate::program::Server;

pub struct Shop {
    client: Client,
    key: String,
    pair: (String, String),
    /// Where its program hears of payments.
    hook: String,
}

/// An order whose coin is picked.
pub struct Sale {
    pub id: String,
    pub address: String,
    pub satoshi: u128,
}

impl Shop {
    /// `set` is what `exchequer demo --json` prints.
    pub fn new(set: &Value, hook: String) -> Self {
        install_crypto_provider();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let merchant = &set["merchant"];
        Self {
            client: Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .build()
                .unwrap(),
            key: text(&merchant["ex_pk"]),
            pair: (
                text(&merchant["key_pair"]["public"]),
                text(&merchant["key_pair"]["private"]),
            ),
            hook,
        }
    }

    /// A new order, and where and how much its customer has to pay.
    pub async fn sell(&self, server: &Server) -> Sale {
        let order = json!({
            "amount": "60.00", "currency": "EUR", "redirect_url": "https://shop.example/ok",
            "webhook_url": self.hook,
            "customer_details": {
                "name": "A", "surname": "B", "email": "a@b.example", "phone": "+371",
            },
        });
        let made = self
            .client
            .post(format!("{}/api/orders", server.base))
            .bearer_auth(&self.key)
            .json(&order);
        let made = answer(made.send().await.unwrap()).await;
        let picked = self
            .client
            .post(made["checkout_url"].as_str().unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .body("method=BTC")
            .send()
            .await
            .unwrap();
        assert_eq!(picked.status(), 303);
        let id = made["public_order_id"].as_str().unwrap().to_owned();
        let read = self
            .client
            .get(format!("{}/api/orders/{id}", server.base))
            .bearer_auth(&self.key);
        let payment = answer(read.send().await.unwrap()).await["payment"].clone();
        Sale {
            address: payment["address"].as_str().unwrap().to_owned(),
            satoshi: satoshi(payment["amount"].as_str().unwrap()),
            id,
        }
    }

    /// A new deposit address.
    pub async fn address(&self, server: &Server, name: &str) -> String {
        let body = json!({ "foreign_id": name, "currency": "BTC" });
        let taken = self.call(server, "addresses/take", body).await;
        taken["data"]["address"].as_str().unwrap().to_owned()
    }

    /// A call of the Processing API that has to succeed.
    pub async fn call(&self, server: &Server, path: &str, body: Value) -> Value {
        let (public, private) = &self.pair;
        let body = body.to_string();
        let request = self
            .client
            .post(format!("{}/api/v2/{path}", server.base))
            .header("x-processing-key", public)
            .header(
                "x-processing-signature",
                sign(private, body.as_bytes()).unwrap(),
            )
            .header("content-type", "application/json")
            .body(body);
        answer(request.send().await.unwrap()).await
    }

    /// A control of test mode.
    pub async fn sandbox(&self, server: &Server, path: &str, body: Value) -> Value {
        let url = format!("{}/sandbox/{path}", server.base);
        let request = self.client.post(url).json(&body);
        answer(request.send().await.unwrap()).await
    }

    /// What `/health` says of Bitcoin.
    pub async fn health(&self, server: &Server) -> Value {
        let request = self.client.get(format!("{}/health", server.base));
        let health = answer(request.send().await.unwrap()).await;
        let chains = health["chains"].as_array().unwrap();
        let chain = chains.iter().find(|chain| chain["chain"] == "BTC");
        chain.unwrap().clone()
    }
}

async fn answer(answer: Response) -> Value {
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}

fn satoshi(text: &str) -> u128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<8}").parse().unwrap()
}
