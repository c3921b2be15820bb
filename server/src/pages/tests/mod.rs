//! Pages as a browser gets them, from the real router over a database of the test's own.
#![allow(clippy::unwrap_used)]

mod checkout;
mod claim;
mod dashboard;
mod developers;
mod futures;
mod intake;
mod invoice;
mod invoices;
mod live;
mod money;
mod operate;
mod person;
mod public;
mod settings;
mod terminal;
mod treasury;

use gateway::demo::DemoMerchant;
use serde_json::{Value, json};

use crate::testing::{TestApp, TestResponse};

/// An order of the demo merchant, as its shop made it.
struct Order {
    id: String,
    /// Path of the page, with its token.
    page: String,
    token: String,
}

async fn order_with(app: &TestApp, merchant: &DemoMerchant, name: &str) -> Order {
    let body = json!({
        "amount": "149.98",
        "currency": "USD",
        "redirect_url": "https://shop.example/done?cart=7",
        "customer_details": {
            "name": name, "surname": "Berzina", "email": "inga@shop.example", "phone": "+37120000000",
        },
        "items": [{ "name": "Wallet Kit", "price": "99.99", "quantity": 1 }],
    });
    let key = format!("Bearer {}", merchant.ex_pk);
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
    ];
    let answer = app
        .call("POST", "/api/orders", &headers, body.to_string())
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let url = made["checkout_url"].as_str().unwrap();
    let page = url
        .strip_prefix(crate::testing::PUBLIC_URL)
        .unwrap()
        .to_owned();
    let (_, token) = page.split_once("?t=").unwrap();
    Order {
        id: made["public_order_id"].as_str().unwrap().to_owned(),
        token: token.to_owned(),
        page,
    }
}

async fn order(app: &TestApp, merchant: &DemoMerchant) -> Order {
    order_with(app, merchant, "Inga").await
}

/// Picks Bitcoin at 50 000 USD and returns where to pay how much.
async fn choose_bitcoin(app: &TestApp, order: &Order) -> (String, String) {
    let rate = json!({ "from": "BTC", "to": "USD", "rate": "50000" });
    app.sandbox("rates", rate).await;
    let answer = app.post_form(&order.page, &[], &[("method", "BTC")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let payment = status(app, order).await["payment"].clone();
    let text = |name: &str| payment[name].as_str().unwrap().to_owned();
    (text("address"), text("amount"))
}

async fn pay(app: &TestApp, address: &str, amount: &str) {
    app.sandbox("pay", json!({ "address": address, "amount": amount }))
        .await;
}

async fn pay_in_full(app: &TestApp, order: &Order) {
    let (address, amount) = choose_bitcoin(app, order).await;
    pay(app, &address, &amount).await;
    app.sandbox("mine", json!({ "currency": "BTC" })).await;
}

/// The page's view as JSON.
async fn status(app: &TestApp, order: &Order) -> Value {
    let path = format!("/pay/{}/status?t={}", order.id, order.token);
    let answer = app.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Opens a page with a session.
async fn open(app: &TestApp, cookie: &str, path: &str) -> TestResponse {
    app.call("GET", path, &[("cookie", cookie)], "").await
}

#[track_caller]
fn shows(answer: &TestResponse, text: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        answer.text().contains(text),
        "no {text:?} in {}",
        answer.text()
    );
}
