//! Nothing that opens a door is ever logged, at any level.
#![allow(clippy::unwrap_used)]

#[path = "log_secrets/nodes.rs"]
mod nodes;
#[path = "processing_support/mod.rs"]
mod processing_support;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use processing_support::{Program, sign};
use serde_json::{Value, json};
use sqlx::PgPool;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Every text in the demo set that is a secret, by the name of its field.
fn secrets_of(set: &Value, into: &mut Vec<String>) {
    const NAMES: [&str; 8] = [
        "static_key",
        "password",
        "api_key",
        "ex_pk",
        "app_key",
        "ipn_secret",
        "private",
        "webhook_secret",
    ];
    let Some(fields) = set.as_object() else {
        return;
    };
    for (name, value) in fields {
        match value.as_str() {
            Some(secret) if NAMES.contains(&name.as_str()) => into.push(secret.to_owned()),
            _ => secrets_of(value, into),
        }
    }
}

/// The only test of this program: the log is one for all of it.
#[sqlx::test(migrations = "../migrations")]
async fn no_secret_is_logged_at_any_level(pool: PgPool) {
    gateway::outbox::install_crypto_provider();
    let log = Log::default();
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(log.clone())
        .try_init()
        .unwrap();

    let program = Program::start(&pool).await;
    let app = &program.app;
    let demo = app.demo().await;
    let mut secrets = Vec::new();
    secrets_of(&serde_json::to_value(&demo).unwrap(), &mut secrets);
    assert!(secrets.len() >= 15, "{}", secrets.len());

    // Somebody signs in, after a wrong password.
    let wrong = "wrong-password-of-the-merchant";
    let fields = [("email", demo.merchant.email.as_str()), ("password", wrong)];
    app.post_form("/sign-in", &[], &fields).await;
    let cookie = app
        .sign_in(&demo.merchant.email, &demo.merchant.password)
        .await;
    let session = [("cookie", cookie.as_str())];
    assert_eq!(app.call("GET", "/app", &session, "").await.status, 200);
    secrets.push(wrong.to_owned());
    secrets.push(cookie.split_once('=').unwrap().1.to_owned());

    // Keys, where they belong and where not.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiver = Router::new().route("/hook", post(|| async { "ok" }));
    tokio::spawn(async move { axum::serve(listener, receiver).await });
    let order = json!({
        "amount": "10.00", "currency": "EUR", "redirect_url": "https://shop.example/",
        "webhook_url": hook,
        "customer_details": { "name": "A", "surname": "B", "email": "a@b.example", "phone": "1" },
    })
    .to_string();
    let key = format!("Bearer {}", demo.merchant.ex_pk);
    let with_key = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
        ("x-request-id", "marker-of-the-test"),
    ];
    let made = app.call("POST", "/api/orders", &with_key, order).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let page = made["checkout_url"].as_str().unwrap();
    let (path, token) = page.split_once("?t=").unwrap();
    secrets.push(token.to_owned());
    let path = path.strip_prefix(server::testing::PUBLIC_URL).unwrap();
    let page = format!("{path}?t={token}");
    let chosen = app.post_form(&page, &[], &[("method", "BTC")]).await;
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    let in_url = format!("/api/orders?key={}", demo.merchant.ex_pk);
    assert_eq!(app.get(&in_url).await.status, 401);
    let made_up = "ex_pk_made_up_by_a_stranger_0123456789";
    let bearer = format!("Bearer {made_up}");
    let stranger = [("authorization", bearer.as_str())];
    app.call("GET", "/api/orders", &stranger, "").await;
    secrets.push(made_up.to_owned());
    let mailed = "token-of-a-mailed-link-0123456789";
    app.get(&format!("/refund/{mailed}")).await;
    secrets.push(mailed.to_owned());

    // Signatures, right and wrong.
    let body = r#"{"currency":"BTC","foreign_id":"log"}"#;
    secrets.push(sign(&program.pair.private, body));
    program.post("addresses/take", body).await.expect(201);
    let forged = sign("somebody else", body);
    let headers = [
        ("x-processing-key", program.pair.public.as_str()),
        ("x-processing-signature", forged.as_str()),
        ("content-type", "application/json"),
    ];
    program
        .send("POST", "/api/v2/addresses/take", &headers, body)
        .await
        .expect(403);
    secrets.push(forged);

    // A payment, and its webhook with its own signature.
    let id = made["public_order_id"].as_str().unwrap();
    let read = app
        .call("GET", &format!("/api/orders/{id}"), &with_key, "")
        .await;
    let payment = &read.json()["payment"];
    let pay = json!({ "address": payment["address"], "amount": payment["amount"] });
    app.sandbox("pay", pay).await;
    app.sandbox("mine", json!({ "currency": "BTC" })).await;
    app.sandbox("advance", json!({ "seconds": 0 })).await;
    let delivered: i64 =
        sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE state = 'delivered'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(delivered > 0, "no webhook was sent");

    // Whose coins are received, and what opens the instance.
    let accounts: Vec<String> = sqlx::query_scalar("SELECT xpub FROM chain_accounts")
        .fetch_all(&pool)
        .await
        .unwrap();
    secrets.extend(accounts);

    // What opens other people's nodes.
    secrets.extend(nodes::ask_badly().await);

    // Our own mistakes are logged most.
    pool.close().await;
    let broken = app.call("GET", "/api/orders", &with_key, "").await;
    assert!(broken.status >= 500, "{}", broken.text());

    let log = log.text();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let named = lines.iter().filter(|line| {
        line["span"]["id"] == "marker-of-the-test" && line["span"]["name"] == "request"
    });
    assert!(named.count() > 0, "the caller's name is in no line");
    assert!(log.contains(nodes::MARKER), "what nodes said is in no line");
    for secret in secrets.iter().filter(|secret| secret.len() >= 12) {
        let found = log.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(found, None, "a secret is logged");
    }
}
