//! What stands for a time: prices, promises; and what time it is.

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcDateTime};

use crate::crowd::{PATIENCE, try_until_it_works, try_until_there_is};
use crate::shop::{Shop, Wish};

/// How long a calculated price stands, a charge whose coin was picked, and a promise, seconds.
pub const PRICE_SECONDS: i64 = 60;
pub const CHARGE_SECONDS: i64 = 900;
pub const PROMISE_SECONDS: i64 = 6_000;

/// Between a question here and the same one again.
pub const AGAIN: Duration = Duration::from_secs(1);

impl Shop {
    /// An exchange at a price that this server calculates now. No two have the same amount, so each is at its
    /// own price: the one that was told last.
    pub async fn offer(&self, base: &str, key: String, number: usize) -> Wish {
        let amount = format!("0.0002{number:04}");
        let question = json!({
            "sender_currency": "BTC", "receiver_currency": "EUR", "sender_amount": amount,
        });
        let question = question.to_string();
        let told = answer(|| self.signed(base, "exchange/calculate", question.clone())).await;
        Wish::quoted(key, &amount, told["price"].as_str().unwrap())
    }

    /// Promised euros for a deposit of coins: what is to be sent for them, and where.
    pub async fn promise(&self, base: &str, key: &str) -> Value {
        let take = json!({ "foreign_id": key, "currency": "BTC", "convert_to": "EUR" }).to_string();
        let taken = answer(|| self.signed(base, "addresses/take", take.clone())).await;
        let wanted = json!({
            "address": taken["address"], "sender_currency": "BTC", "receiver_currency": "EUR",
            "receiver_amount": "30",
        });
        let wanted = wanted.to_string();
        // One promise that was made without an answer is replaced by the next.
        let told = answer(|| self.signed(base, "futures/confirm", wanted.clone())).await;
        json!({
            "address": taken["address"], "amount": told["sender_amount"], "currency": "BTC",
        })
    }

    /// Moves the clock of the instance. A server that is busy may say to come again, with the clock moved already
    /// or not.
    pub async fn advance(&self, base: &str, seconds: i64) {
        let until = self.now(base).await + time::Duration::seconds(seconds);
        try_until_it_works(|_| async move {
            let Some(now) = self.try_now(base).await else {
                return false;
            };
            let left = if now < until { seconds } else { 0 };
            let call = self.sandbox_call(base, "advance", &json!({ "seconds": left }));
            // It may be moved without an answer, too.
            let Ok(answer) = call.send().await else {
                eprintln!("asked to move the clock: no answer");
                return false;
            };
            let status = answer.status();
            let Ok(text) = answer.text().await else {
                eprintln!("asked to move the clock: {status} and half an answer");
                return false;
            };
            if !status.is_success() {
                eprintln!("asked to move the clock: {status} {text}");
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            }
            status.is_success()
        })
        .await;
    }

    /// The server knows of it when its clock was moved elsewhere. It says that it is not ready while the database
    /// takes its time, and has not looked then.
    pub async fn look_at_clock(&self, base: &str) {
        try_until_it_works(|_| async move {
            let ready = self.look(base, "health/ready").await;
            ready.is_some_and(|answer| answer.status() == StatusCode::OK)
        })
        .await;
    }

    /// What time the server decides by, in whole seconds.
    pub async fn now(&self, base: &str) -> OffsetDateTime {
        try_until_there_is(|_| self.try_now(base)).await
    }

    /// `None` when it does not say so.
    pub async fn try_now(&self, base: &str) -> Option<OffsetDateTime> {
        let answer = self.look(base, "sandbox/state").await?;
        let answer = answer.error_for_status().ok()?;
        let state: Value = answer.json().await.ok()?;
        OffsetDateTime::parse(state["now"].as_str()?, &Rfc3339).ok()
    }

    /// What time its machine has, as far as the process can see.
    pub async fn time_of_day(&self, base: &str) -> UtcDateTime {
        let format = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let answer = try_until_there_is(|_| self.look(base, "health/ready")).await;
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

/// What is answered, however often it has to be asked: a busy server may say to come again, or nothing. So this may
/// be done more than once, and what was told last is what counts.
pub async fn answer(question: impl Fn() -> RequestBuilder) -> Value {
    let begun = Instant::now();
    loop {
        let said = match question().send().await {
            Ok(answer) => {
                let status = answer.status();
                answer.text().await.map(|text| (status, text))
            }
            Err(error) => Err(error),
        };
        let why = match said {
            Ok((status, text)) if status.is_success() => {
                let mut told: Value = serde_json::from_str(&text).unwrap();
                return told["data"].take();
            }
            Ok((status, text)) => {
                let come_again = [
                    StatusCode::SERVICE_UNAVAILABLE,
                    StatusCode::TOO_MANY_REQUESTS,
                ];
                assert!(come_again.contains(&status), "{status} {text}");
                format!("{status} {text}")
            }
            Err(error) => error.to_string(),
        };
        assert!(begun.elapsed() < PATIENCE, "asked in vain: {why}");
        tokio::time::sleep(AGAIN).await;
    }
}
