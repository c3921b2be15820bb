//! The merchant's program, and the orders it makes before the matrix is walked.

use serde_json::{Value, json};
use server::testing::TestApp;

use crate::instance::{JSON, Thing};

pub const ORDER: &str = r#"{"amount":"149.98","currency":"USD","redirect_url":"https://shop.example/",
    "customer_details":{"name":"Inga","surname":"Berzina","email":"i@shop.example","phone":"1"}}"#;

/// The same with a webhook, which nobody sends: there are no workers here.
const ORDER_WITH_WEBHOOK: &str = r#"{"amount":"149.98","currency":"USD",
    "redirect_url":"https://shop.example/","webhook_url":"http://127.0.0.1:9/hook",
    "customer_details":{"name":"Inga","surname":"Berzina","email":"i@shop.example","phone":"1"}}"#;

/// The merchant's program, before the matrix is walked.
pub struct Shop<'a> {
    pub app: &'a TestApp,
    /// Header of its calls.
    pub key: String,
}

impl Shop<'_> {
    async fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let headers = [("authorization", self.key.as_str()), ("content-type", JSON)];
        let answer = self.app.call(method, path, &headers, body).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text());
        answer.json()
    }

    pub async fn order(&self, body: &str) -> Thing {
        let made = self.call("POST", "/api/orders", body).await;
        let (_, token) = made["checkout_url"]
            .as_str()
            .unwrap()
            .split_once("?t=")
            .unwrap();
        Thing {
            id: made["public_order_id"].as_str().unwrap().to_owned(),
            token: token.to_owned(),
        }
    }

    /// Address and amount in Bitcoin.
    async fn choose(&self, order: &Thing) -> (Value, Value) {
        let page = format!("/pay/{}?t={}", order.id, order.token);
        let chosen = self.app.post_form(&page, &[], &[("method", "BTC")]).await;
        assert_eq!(chosen.status, 303, "{}", chosen.text());
        let path = format!("/api/orders/{}", order.id);
        let shown = self.call("GET", &path, "").await;
        let payment = &shown["payment"];
        (payment["address"].clone(), payment["amount"].clone())
    }

    async fn pay(&self, address: Value, amount: Value) {
        let body = json!({ "address": address, "amount": amount });
        self.app.sandbox("pay", body).await;
    }

    async fn mine(&self) {
        self.app.sandbox("mine", json!({ "currency": "BTC" })).await;
    }

    pub async fn underpaid(&self, count: usize) -> Vec<Thing> {
        let mut orders = Vec::new();
        for _ in 0..count {
            let order = self.order(ORDER).await;
            let (address, _) = self.choose(&order).await;
            self.pay(address, json!("0.001")).await;
            orders.push(order);
        }
        self.mine().await;
        self.app.sandbox("advance", json!({ "seconds": 901 })).await;
        orders
    }

    pub async fn paid(&self) -> Thing {
        let order = self.order(ORDER_WITH_WEBHOOK).await;
        let (address, amount) = self.choose(&order).await;
        self.pay(address, amount).await;
        self.mine().await;
        order
    }

    /// Of a customer: every merchant has the primary ones anyway.
    pub async fn wallet(&self) -> Thing {
        let made = self
            .call("POST", "/api/wallets", r#"{"user_id":7,"currency":"USD"}"#)
            .await;
        Thing {
            id: made["id"].as_i64().unwrap().to_string(),
            ..Thing::default()
        }
    }
}
