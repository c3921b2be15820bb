//! A shop that is sent nonsense, and what it has to show for it.

use serde_json::{Value, json};
use server::testing::{PUBLIC_URL, TestApp, TestResponse};
use sqlx::PgPool;

/// Rows that a refused request must not add, and the clock it must not move.
const STORED: &str = "SELECT concat_ws(' ',
    (SELECT count(*) FROM charges),
    (SELECT count(*) FROM charge_timeline),
    (SELECT count(*) FROM chain_addresses),
    (SELECT count(*) FROM quotes),
    (SELECT count(*) FROM refund_claims),
    (SELECT count(*) FROM accounts),
    (SELECT count(*) FROM events),
    (SELECT count(*) FROM idempotency_keys),
    (SELECT count(*) FROM sessions),
    (SELECT count(*) FROM sim.blocks),
    (SELECT count(*) FROM sim.txs),
    (SELECT clock_offset_seconds FROM instance))";

pub struct Shop {
    pub app: TestApp,
    /// `Authorization` of its program.
    key: String,
}

pub struct Order {
    pub id: String,
    /// Path of its page, with the token.
    pub page: String,
}

impl Shop {
    pub async fn open(pool: &PgPool) -> Self {
        let app = TestApp::start(pool).await;
        let key = format!("Bearer {}", app.demo().await.merchant.ex_pk);
        let rate = json!({ "from": "BTC", "to": "USD", "rate": "50000" });
        app.sandbox("rates", rate).await;
        Self { app, key }
    }

    /// The `Cookie` header of the merchant's own session.
    pub async fn sign_in(&self) -> String {
        let merchant = self.app.demo().await.merchant;
        self.app.sign_in(&merchant.email, &merchant.password).await
    }

    /// Sends a body as JSON to `POST /api/orders`.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> TestResponse {
        self.post_with(&[("content-type", "application/json")], body)
            .await
    }

    /// The same under other headers.
    pub async fn post_with(
        &self,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> TestResponse {
        let mut all = vec![("authorization", self.key.as_str())];
        all.extend_from_slice(headers);
        self.app.call("POST", "/api/orders", &all, body).await
    }

    /// An order of the program's, as the API shows it.
    pub async fn read(&self, order: &Order) -> Value {
        let path = format!("/api/orders/{}", order.id);
        let headers = [("authorization", self.key.as_str())];
        let answer = self.app.call("GET", &path, &headers, "").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub async fn order(&self, body: &Value) -> Order {
        let answer = self.post(body.to_string()).await;
        assert_eq!(answer.status, 201, "{body}: {}", answer.text());
        let made = answer.json();
        let url = made["checkout_url"].as_str().unwrap();
        Order {
            id: made["public_order_id"].as_str().unwrap().to_owned(),
            page: url.strip_prefix(PUBLIC_URL).unwrap().to_owned(),
        }
    }

    /// Picks Bitcoin and sends a third of what is due, which one block makes final.
    pub async fn pay_a_part(&self, order: &Order) {
        let fields = [("method", "BTC")];
        let chosen = self.app.post_form(&order.page, &[], &fields).await;
        assert_eq!(chosen.status, 303, "{}", chosen.text());
        let shown = self.read(order).await;
        let pay = json!({ "address": shown["payment"]["address"], "amount": "0.001" });
        self.app.sandbox("pay", pay).await;
    }

    /// Lets the rate of what was paid in part run out. Sessions that are not busy end with it.
    pub async fn let_time_run_out(&self) {
        self.app.sandbox("mine", json!({ "currency": "BTC" })).await;
        self.app.sandbox("advance", json!({ "seconds": 901 })).await;
    }

    /// Everything that a refused request must leave as it is, as one line.
    pub async fn stored(&self) -> String {
        let pool = self.app.gateway().pool();
        sqlx::query_scalar(STORED).fetch_one(pool).await.unwrap()
    }
}

/// An order with every field but `user_id`, which needs a wallet of that customer.
pub fn order() -> Value {
    json!({
        "amount": "149.98",
        "currency": "USD",
        "redirect_url": "https://shop.example/done",
        "webhook_url": "https://shop.example/hook",
        "metadata": { "cart": "7" },
        "customer_details": {
            "name": "Inga", "surname": "Berzina", "email": "inga@shop.example", "phone": "+371200",
            "address_line1": "Kalku 1", "city": "Riga", "postal_code": "LV-1010", "country": "LV",
        },
        "items": [{ "name": "Wallet Kit", "price": "99.99", "quantity": 1 }],
    })
}

/// The same with the JSON text `token` in the place of one field, e.g. `items.0.price`.
pub fn order_with(field: &str, token: &str) -> String {
    const MARK: &str = "put the token here";
    let mut order = order();
    let (parent, name) = field.rsplit_once('.').unwrap_or(("", field));
    let pointer: String = parent
        .split('.')
        .filter(|part| !part.is_empty())
        .map(|part| format!("/{part}"))
        .collect();
    let parent = order.pointer_mut(&pointer).unwrap();
    match name.parse::<usize>() {
        Ok(index) => parent[index] = MARK.into(),
        Err(_) => parent[name] = MARK.into(),
    }
    order.to_string().replace(&format!("\"{MARK}\""), token)
}

/// The dialect's shape of a refusal: these fields are to blame and no others. Where there are none,
/// there is a message alone.
#[track_caller]
pub fn refused(answer: &TestResponse, status: u16, fields: &[&str], case: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{case}: {text}");
    assert_eq!(answer.header("content-type"), "application/json", "{case}");
    let json = answer.json();
    let shape: &[&str] = if fields.is_empty() {
        &["message"]
    } else {
        &["errors", "message"]
    };
    assert_eq!(names(&json), shape, "{case}: {text}");
    let message = json["message"].as_str().unwrap();
    assert!(message.ends_with('.'), "{case}: {text}");
    if fields.is_empty() {
        return;
    }
    assert_eq!(names(&json["errors"]), fields, "{case}: {text}");
    for (field, sentences) in json["errors"].as_object().unwrap() {
        for sentence in sentences.as_array().unwrap() {
            let sentence = sentence.as_str().unwrap();
            let about = format!("The {field} ");
            assert!(sentence.starts_with(&about), "{case}: {text}");
            assert!(sentence.ends_with('.'), "{case}: {text}");
        }
    }
}

fn names(object: &Value) -> Vec<&str> {
    let members = object.as_object().unwrap().keys();
    let mut names: Vec<&str> = members.map(String::as_str).collect();
    names.sort_unstable();
    names
}
