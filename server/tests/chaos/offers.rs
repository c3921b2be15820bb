//! What stands for a time: prices, promises; and what time it is.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcDateTime};

use crate::crowd::try_until_it_works;
use crate::shop::{Shop, Wish};

/// How long a calculated price stands, a charge whose coin was picked, and a promise, seconds.
pub const PRICE_SECONDS: i64 = 60;
pub const CHARGE_SECONDS: i64 = 900;
pub const PROMISE_SECONDS: i64 = 6_000;

impl Shop {
    /// An exchange at a price that this server calculates now. No two have the same amount, so each is at its
    /// own price.
    pub async fn offer(&self, base: &str, key: String, number: usize) -> Wish {
        let amount = format!("0.0002{number:04}");
        let question = json!({
            "sender_currency": "BTC", "receiver_currency": "EUR", "sender_amount": amount,
        });
        let told = answer(self.signed(base, "exchange/calculate", question.to_string())).await;
        Wish::quoted(key, &amount, told["price"].as_str().unwrap())
    }

    /// Promised euros for a deposit of coins: what is to be sent for them, and where.
    pub async fn promise(&self, base: &str, key: &str) -> Value {
        let take = json!({ "foreign_id": key, "currency": "BTC", "convert_to": "EUR" });
        let taken = answer(self.signed(base, "addresses/take", take.to_string())).await;
        let wanted = json!({
            "address": taken["address"], "sender_currency": "BTC", "receiver_currency": "EUR",
            "receiver_amount": "30",
        });
        let told = answer(self.signed(base, "futures/confirm", wanted.to_string())).await;
        json!({
            "address": taken["address"], "amount": told["sender_amount"], "currency": "BTC",
        })
    }

    /// Moves the clock of the instance. A server that is busy may say to come again, with the clock moved already
    /// or not.
    pub async fn advance(&self, base: &str, seconds: i64) {
        let until = self.now(base).await + time::Duration::seconds(seconds);
        try_until_it_works(|_| async move {
            let left = if self.now(base).await < until {
                seconds
            } else {
                0
            };
            let call = self.sandbox_call(base, "advance", &json!({ "seconds": left }));
            // It may be moved without an answer, too.
            let Ok(answer) = call.send().await else {
                eprintln!("asked to move the clock: no answer");
                return false;
            };
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            if !status.is_success() {
                eprintln!("asked to move the clock: {status} {text}");
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            }
            status.is_success()
        })
        .await;
    }

    /// The server knows of it when its clock was moved elsewhere.
    pub async fn look_at_clock(&self, base: &str) {
        let ready = self.look(base, "health/ready").await;
        assert!(ready.status().is_success(), "{}", ready.status());
    }

    /// What time the server decides by, in whole seconds.
    pub async fn now(&self, base: &str) -> OffsetDateTime {
        let state: Value = self.look(base, "sandbox/state").await.json().await.unwrap();
        OffsetDateTime::parse(state["now"].as_str().unwrap(), &Rfc3339).unwrap()
    }

    /// What time its machine has, as far as the process can see.
    pub async fn time_of_day(&self, base: &str) -> UtcDateTime {
        let format = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let answer = self.look(base, "health/ready").await;
        let date = answer.headers()["date"].to_str().unwrap().to_owned();
        UtcDateTime::parse(&date, format).unwrap()
    }
}

/// What the instance's time is by the database's clock.
pub async fn database_now(pool: &PgPool) -> OffsetDateTime {
    sqlx::query_scalar(
        "SELECT clock_timestamp() + clock_offset_seconds * interval '1 second' FROM instance",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

async fn answer(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status} {text}");
    let mut told: Value = serde_json::from_str(&text).unwrap();
    told["data"].take()
}
