//! What the rows about money pages stand on: an address, a deposit to it, an exchange, an offer, a
//! promise, and withdrawals that wait for a decision.

use domain::money::Money;
use gateway::Gateway;
use gateway::addresses::NewAddress;
use gateway::exchange::{ExchangeRequest, Given, NewExchange, Pricing};
use gateway::futures::NewFutures;
use gateway::withdrawals::NewWithdrawal;
use serde_json::json;
use server::testing::TestApp;

use crate::instance::Thing;

/// A main-net address of nobody here.
const STRANGER: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

pub struct MoneyThings {
    pub address: Thing,
    pub deposit: Thing,
    pub exchange: Thing,
    pub quote: Thing,
    pub futures: Thing,
    pub withdrawals: Vec<Thing>,
    /// Deposits that wait for the operator.
    pub suspended: Vec<Thing>,
}

fn thing(id: impl ToString) -> Thing {
    Thing {
        id: id.to_string(),
        token: String::new(),
    }
}

fn kept(answer: &gateway::idempotency::Answer) -> Thing {
    thing(String::from_utf8_lossy(&answer.body))
}

fn amount(gateway: &Gateway, text: &str) -> Money {
    Money::parse(text, gateway.currencies().by_code("BTC").unwrap()).unwrap()
}

impl MoneyThings {
    pub async fn make(
        app: &TestApp,
        merchant_id: i64,
        withdrawals: usize,
        suspended_deposits: usize,
    ) -> Self {
        let gateway = app.gateway();
        let coin = gateway.currencies().by_code("BTC").unwrap();
        let euro = gateway.currencies().by_code("EUR").unwrap();
        let new = NewAddress {
            merchant_id,
            coin,
            convert_to: None,
            foreign_id: "matrix".to_owned(),
        };
        let mut text = String::new();
        let taken = gateway
            .take_deposit_address(new, None, |view, _| {
                let body = format!("{} {}", view.id, view.address);
                (201, body.into_bytes())
            })
            .await
            .unwrap();
        text.push_str(std::str::from_utf8(&taken.body).unwrap());
        let (address_id, address) = text.split_once(' ').unwrap();
        app.sandbox("pay", json!({ "address": address, "amount": "1" }))
            .await;
        app.sandbox("mine", json!({ "currency": "BTC" })).await;
        let deposit: i64 = sqlx::query_scalar("SELECT id FROM operations WHERE kind = 'deposit'")
            .fetch_one(gateway.pool())
            .await
            .unwrap();
        let new = NewExchange {
            merchant_id,
            sender_amount: amount(gateway, "0.01"),
            receiver: euro,
            pricing: Pricing::Now,
            foreign_id: None,
            requested_by: "test".to_owned(),
        };
        let exchanged = gateway
            .exchange(new, None, |view| (201, view.id.to_string().into_bytes()))
            .await
            .unwrap();
        let request = ExchangeRequest {
            merchant_id,
            sender: coin,
            receiver: euro,
            given: Given::Sender(amount(gateway, "0.01")),
        };
        let quote = gateway.calculate_exchange(request).await.unwrap();
        Self {
            address: thing(address_id),
            deposit: thing(deposit),
            exchange: kept(&exchanged),
            quote: thing(quote.id),
            futures: promised(gateway, merchant_id).await,
            withdrawals: pending(gateway, merchant_id, withdrawals).await,
            suspended: suspended(app, address, suspended_deposits).await,
        }
    }
}

/// A promise for an address of its own.
async fn promised(gateway: &Gateway, merchant_id: i64) -> Thing {
    let coin = gateway.currencies().by_code("BTC").unwrap();
    let euro = gateway.currencies().by_code("EUR").unwrap();
    let new = NewAddress {
        merchant_id,
        coin,
        convert_to: Some(euro),
        foreign_id: "promise".to_owned(),
    };
    let taken = gateway
        .take_deposit_address(new, None, |view, _| {
            (201, view.address.clone().into_bytes())
        })
        .await
        .unwrap();
    let new = NewFutures {
        merchant_id,
        address: String::from_utf8(taken.body).unwrap(),
        sender: coin,
        receiver: euro,
        receiver_amount: Money::parse("100", euro).unwrap(),
    };
    let made = gateway
        .confirm_futures(new, None, |view| (201, view.id.to_string().into_bytes()))
        .await
        .unwrap();
    kept(&made)
}

/// Deposits below the smallest that is credited.
async fn suspended(app: &TestApp, address: &str, count: usize) -> Vec<Thing> {
    for _ in 0..count {
        let payment = json!({ "address": address, "amount": "0.00009" });
        app.sandbox("pay", payment).await;
    }
    app.sandbox("mine", json!({ "currency": "BTC" })).await;
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT operation_id FROM deposits WHERE disposition = 'suspended' ORDER BY operation_id",
    )
    .fetch_all(app.gateway().pool())
    .await
    .unwrap();
    assert_eq!(ids.len(), count);
    ids.into_iter().map(thing).collect()
}

/// Withdrawals above the merchant's limit, asked for by a program.
async fn pending(gateway: &Gateway, merchant_id: i64, count: usize) -> Vec<Thing> {
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0.0005 WHERE id = $1")
        .bind(merchant_id)
        .execute(gateway.pool())
        .await
        .unwrap();
    let mut made = Vec::new();
    for _ in 0..count {
        let new = NewWithdrawal {
            merchant_id,
            foreign_id: None,
            amount: amount(gateway, "0.001"),
            convert_to: None,
            address: STRANGER.to_owned(),
            tag: None,
            requested_by: "test".to_owned(),
            requested_user_id: None,
        };
        let answer = gateway
            .request_withdrawal(new, None, |view| (201, view.id.to_string().into_bytes()))
            .await
            .unwrap();
        made.push(kept(&answer));
    }
    made
}
