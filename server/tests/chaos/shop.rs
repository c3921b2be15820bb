//! A merchant's program: what it asks for, once and again.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use server::dialects::processing::sign;

use crate::crowd::{answer, try_until_it_works, try_until_there_is};
use crate::field::Bases;
use crate::offers;

const EMAIL_HOST: &str = "chaos.example";

/// A main-net address of nobody here.
pub const STRANGER: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

/// Blocks after which whatever is here is final.
const DEEP: u32 = 10;

/// Longest wait of a client for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The same of the sandbox, which answers when what was due has happened.
const SANDBOX_LIMIT: Duration = Duration::from_secs(90);

/// How long a client keeps a connection that it does not use. Less than a server does, or it would ask on one that
/// is just being closed.
const KEPT_UNUSED: Duration = Duration::from_secs(30);

/// Payments that may have been made for the funds: of ten there would be as much as has to be too much.
const FUNDINGS_MAX: usize = 9;

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
    /// The same, and its customer pays it.
    PaidOrder,
    /// Of the Processing API, with a reference: it moves money.
    Exchange,
    /// The same, to an address of nobody here.
    Withdrawal,
    /// An exchange of more than there is: it is refused.
    TooMuch,
    /// An exchange at a price that was calculated, which may be over by then.
    Quoted,
}

impl Kind {
    pub fn is_order(self) -> bool {
        matches!(self, Self::Order | Self::PaidOrder)
    }

    /// Asked for with a reference of the caller's.
    pub fn is_operation(self) -> bool {
        matches!(self, Self::Exchange | Self::Withdrawal | Self::Quoted)
    }
}

/// What came of asking.
pub enum Said {
    /// It is done, now or before.
    Done(Vec<u8>),
    /// It never will be, and nothing was done.
    Refused,
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
    /// Where its program hears of payments.
    hook: String,
}

impl Wish {
    fn exchange(key: String, kind: Kind, from: &str, to: &str, amount: &str) -> Self {
        let body = json!({
            "sender_currency": from, "receiver_currency": to, "sender_amount": amount,
            "foreign_id": key,
        });
        Self {
            kind,
            body: body.to_string(),
            key,
        }
    }

    /// Coins for euros at this price.
    pub fn quoted(key: String, amount: &str, price: &str) -> Self {
        let body = json!({
            "sender_currency": "BTC", "receiver_currency": "EUR", "sender_amount": amount,
            "price": price, "foreign_id": key,
        });
        Self {
            kind: Kind::Quoted,
            body: body.to_string(),
            key,
        }
    }

    fn withdrawal(key: String) -> Self {
        let body = json!({
            "currency": "BTC", "amount": "0.0002", "address": STRANGER, "foreign_id": key,
        });
        Self {
            kind: Kind::Withdrawal,
            body: body.to_string(),
            key,
        }
    }
}

/// By which an order is found again.
pub fn email(key: &str) -> String {
    format!("{key}@{EMAIL_HOST}")
}

/// How an order is called in public, by the answer about it.
pub fn public_id(made: &Value) -> &str {
    made["public_order_id"].as_str().unwrap()
}

impl Shop {
    /// `set` is what `exchequer demo --json` prints.
    pub fn new(set: &Value, hook: String) -> Self {
        gateway::outbox::install_crypto_provider();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let merchant = &set["merchant"];
        Self {
            client: Client::builder()
                .timeout(ANSWER_LIMIT)
                .pool_idle_timeout(KEPT_UNUSED)
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

    /// Everything in turn, exchanges in both directions, so that no wallet runs dry.
    pub fn wish(&self, key: String, number: usize) -> Wish {
        match number % 8 {
            2 => self.order(key, Kind::PaidOrder),
            4 => Wish::withdrawal(key),
            6 => Wish::exchange(key, Kind::TooMuch, "BTC", "EUR", "1000"),
            1 | 3 | 5 | 7 => Self::exchange(key, number),
            _ => self.order(key, Kind::Order),
        }
    }

    /// From coins to euros and back, in turn.
    pub fn exchange(key: String, number: usize) -> Wish {
        if number % 4 == 1 {
            Wish::exchange(key, Kind::Exchange, "BTC", "EUR", "0.0002")
        } else {
            Wish::exchange(key, Kind::Exchange, "EUR", "BTC", "5.00")
        }
    }

    pub fn order(&self, key: String, kind: Kind) -> Wish {
        Self::order_told_to(key, kind, Some(&self.hook))
    }

    /// `None`: its payment is told to the merchant's endpoints.
    pub fn order_told_to(key: String, kind: Kind, url: Option<&str>) -> Wish {
        let mut body = json!({
            "amount": "10.00", "currency": "EUR", "redirect_url": "https://shop.example/ok",
            "customer_details": {
                "name": "A", "surname": "B", "email": email(&key), "phone": "+371",
            },
        });
        if let Some(url) = url {
            body["webhook_url"] = Value::from(url);
        }
        Wish {
            kind,
            body: body.to_string(),
            key,
        }
    }

    /// Coins and euros to exchange: more coins when a payment without an answer was made all the same.
    pub async fn fund(&self, base: &str) {
        let take = json!({ "foreign_id": "chaos funds", "currency": "BTC" }).to_string();
        let taken = offers::answer(|| self.signed(base, "addresses/take", take.clone())).await;
        let due = &json!({ "address": taken["address"], "amount": "100", "currency": "BTC" });
        try_until_there_is(|attempt| async move {
            assert!(attempt < FUNDINGS_MAX, "a payment gets no answer");
            if attempt > 0 {
                tokio::time::sleep(offers::AGAIN).await;
            }
            self.send(base, due).await
        })
        .await;
        try_until_it_works(|_| self.mine(base)).await;
        let key = "chaos euros".to_owned();
        let euros = Wish::exchange(key, Kind::Exchange, "BTC", "EUR", "0.05");
        let here = Bases::of(vec![base.to_owned()]);
        let exchanged = answer(self, &here, &euros, 0).await;
        assert!(exchanged.is_some());
    }

    /// Whether all that waits is final now.
    pub async fn mine(&self, base: &str) -> bool {
        let blocks = json!({ "currency": "BTC", "blocks": DEEP });
        self.sandbox(base, "mine", blocks).await.is_some()
    }

    pub fn sandbox_call(&self, base: &str, path: &str, body: &Value) -> RequestBuilder {
        self.client
            .post(format!("{base}/sandbox/{path}"))
            .timeout(SANDBOX_LIMIT)
            .json(body)
    }

    pub async fn sandbox(&self, base: &str, path: &str, body: Value) -> Option<Value> {
        let answer = self.sandbox_call(base, path, &body).send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        if !status.is_success() {
            eprintln!("sandbox/{path}: {status} {text}");
            return None;
        }
        serde_json::from_str(&text).ok()
    }

    /// The customer pays, once, in the middle of whatever happens; the transaction if there was an
    /// answer that said so. `made` is how the order was acknowledged.
    pub async fn pay(&self, base: &str, made: &[u8]) -> Option<String> {
        let due = self.pick(base, made).await?;
        self.send(base, &due).await
    }

    /// The customer picks the coin: what is to be sent then, and where.
    pub async fn pick(&self, base: &str, made: &[u8]) -> Option<Value> {
        let made: Value = serde_json::from_slice(made).unwrap();
        let id = public_id(&made);
        // Each server names its own address.
        let checkout = made["checkout_url"].as_str().unwrap();
        let path = &checkout[checkout.find("/pay/").unwrap()..];
        self.client
            .post(format!("{base}{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("method=BTC")
            .send()
            .await
            .ok()?;
        let order = self
            .client
            .get(format!("{base}/api/orders/{id}"))
            .bearer_auth(&self.key)
            .send()
            .await
            .ok()?;
        let order: Value = order.json().await.ok()?;
        let payment = &order["payment"];
        // There is none when the coin could not be picked.
        payment["address"].as_str()?;
        Some(json!({
            "address": payment["address"], "amount": payment["amount"], "currency": "BTC",
        }))
    }

    /// The same as often as it takes, for whoever needs it to go on.
    pub async fn pick_until_answered(&self, base: &str, made: &[u8]) -> Value {
        try_until_there_is(|_| self.pick(base, made)).await
    }

    /// Sends what is due; the transaction if there was an answer.
    pub async fn send(&self, base: &str, due: &Value) -> Option<String> {
        let paid = self.sandbox(base, "pay", due.clone()).await?;
        Some(paid["txid"].as_str().unwrap().to_owned())
    }

    /// The same as often as it takes. One that got no answer may have been made, so more than what is due may
    /// come: for those of whose payments nobody keeps count.
    pub async fn send_until_answered(&self, base: &str, due: &Value) {
        try_until_there_is(|_| self.send(base, due)).await;
    }

    pub async fn ask(&self, base: &str, wish: &Wish) -> Said {
        let request = match wish.kind {
            Kind::Order | Kind::PaidOrder => self
                .client
                .post(format!("{base}/api/orders"))
                .bearer_auth(&self.key)
                .header("idempotency-key", &wish.key)
                .header("content-type", "application/json")
                .body(wish.body.clone()),
            Kind::Exchange | Kind::TooMuch => self.signed(base, "exchange/now", wish.body.clone()),
            Kind::Quoted => self.signed(base, "exchange/fixed", wish.body.clone()),
            Kind::Withdrawal => self.signed(base, "withdrawal/crypto", wish.body.clone()),
        };
        let Ok(answer) = request.send().await else {
            return Said::Unknown;
        };
        let status = answer.status();
        let wait = answer.headers().get("retry-after");
        let wait: Option<u64> = wait.and_then(|value| value.to_str().ok()?.parse().ok());
        let Ok(body) = answer.bytes().await else {
            return Said::Unknown;
        };
        match status.as_u16() {
            200 | 201 => Said::Done(body.to_vec()),
            400 if matches!(wish.kind, Kind::TooMuch | Kind::Quoted) => Said::Refused,
            // In progress, or too many.
            409 | 429 => Said::Later(status, wait),
            // Our own trouble, which says when to come back. Nobody stands between client and server who could
            // say 502 or 504, and no case here is one in which we do not know what to say.
            503 if wait.is_some_and(|seconds| seconds > 0) => Said::Later(status, wait),
            _ => panic!("{wish:?}: {status} {}", String::from_utf8_lossy(&body)),
        }
    }

    /// What anybody may look at, if there was an answer.
    pub async fn look(&self, base: &str, path: &str) -> Option<Response> {
        let url = format!("{base}/{path}");
        self.client.get(url).send().await.ok()
    }

    pub fn signed(&self, base: &str, path: &str, body: String) -> RequestBuilder {
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
