//! kill -9 in the middle of everything: nothing acknowledged is lost, nothing is booked twice, every
//! payment is reported at least once, and the books are clean after each restart.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use sqlx::PgPool;

/// Times the server is killed.
const KILLS: usize = 6;

/// Orders per life of the server.
const ORDERS: usize = 8;

/// A killed server may have claimed webhooks, and nobody else takes them before its lease of a minute is over.
const PATIENCE: Duration = Duration::from_secs(180);

struct Server {
    child: Child,
    base: String,
    /// Kept open: a server whose output nobody can take ends.
    _output: BufReader<ChildStdout>,
}

impl Server {
    fn start(database_url: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_exchequer"))
            .arg("serve")
            .env("DATABASE_URL", database_url)
            .env("EXCHEQUER_LISTEN", "127.0.0.1:0")
            .env("EXCHEQUER_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let base = line.trim().to_owned();
        assert!(base.starts_with("http://127.0.0.1:"), "{line:?}");
        Self {
            child,
            base,
            _output: output,
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    /// Also after a failure: nobody else would end it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(database_url: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_exchequer"))
        .args(args)
        .env("DATABASE_URL", database_url)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

type Seen = Arc<Mutex<BTreeMap<String, u32>>>;

async fn receive(State(seen): State<Seen>, body: String) {
    let body: Value = serde_json::from_str(&body).unwrap();
    let id = body["order_id"].as_str().unwrap().to_owned();
    *seen.lock().unwrap().entry(id).or_default() += 1;
}

/// Orders that were acknowledged and what became of their payment, as the client knows it.
#[derive(Default)]
struct Acknowledged {
    created: BTreeSet<String>,
    mined: BTreeSet<String>,
}

#[derive(Clone)]
struct Shop {
    client: reqwest::Client,
    base: String,
    key: String,
    hook: String,
    known: Arc<Mutex<Acknowledged>>,
}

impl Shop {
    async fn post(&self, path: &str, body: Value) -> Option<Value> {
        let answer = self
            .client
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.key)
            .json(&body)
            .send()
            .await
            .ok()?;
        answer.status().is_success().then_some(())?;
        answer.json().await.ok()
    }

    /// One order from creation to its block; ends early when the server dies.
    async fn sell(&self, number: usize) -> Option<()> {
        let order = self
            .post(
                "/api/orders",
                json!({
                    "amount": format!("{}.50", 10 + number), "currency": "EUR",
                    "redirect_url": "https://shop.example/ok", "webhook_url": self.hook,
                    "customer_details": {
                        "name": "A", "surname": "B", "email": "a@b.example", "phone": "+371",
                    },
                }),
            )
            .await?;
        let id = order["public_order_id"].as_str()?.to_owned();
        self.known.lock().unwrap().created.insert(id.clone());
        let form = self
            .client
            .post(order["checkout_url"].as_str()?)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("method=BTC")
            .send()
            .await
            .ok()?;
        (form.status().as_u16() == 303).then_some(())?;
        let read = self
            .client
            .get(format!("{}/api/orders/{id}", self.base))
            .bearer_auth(&self.key)
            .send()
            .await
            .ok()?;
        let read: Value = read.json().await.ok()?;
        let payment = &read["payment"];
        let pay = json!({ "address": payment["address"], "amount": payment["amount"], "currency": "BTC" });
        self.post("/sandbox/pay", pay).await?;
        self.post("/sandbox/mine", json!({ "currency": "BTC" }))
            .await?;
        self.known.lock().unwrap().mined.insert(id);
        Some(())
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn killed_again_and_again(pool: PgPool) {
    gateway::outbox::install_crypto_provider();
    let url = database_url(&pool);
    let (made, set) = run(&url, &["demo", "--json"]);
    assert!(made);
    let set: Value = serde_json::from_str(&set).unwrap();
    let key = set["merchant"]["ex_pk"].as_str().unwrap().to_owned();
    let seen: Seen = Arc::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/hook", listener.local_addr().unwrap());
    let receiver = Router::new()
        .route("/hook", post(receive))
        .with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, receiver).await });
    let known: Arc<Mutex<Acknowledged>> = Arc::default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();

    for life in 0..KILLS {
        let server = Server::start(&url);
        let shop = Shop {
            client: client.clone(),
            base: server.base.clone(),
            key: key.clone(),
            hook: hook.clone(),
            known: known.clone(),
        };
        let sales: Vec<_> = (0..ORDERS)
            .map(|number| {
                let shop = shop.clone();
                tokio::spawn(async move { shop.sell(number).await })
            })
            .collect();
        // Each life ends at another point of the way.
        let before = known.lock().unwrap().created.len();
        wait_for(|| {
            let known = known.lock().unwrap();
            match life % 3 {
                0 => known.created.len() > before,
                1 => known.created.len() >= before + ORDERS / 2,
                _ => known.mined.len() > life,
            }
        })
        .await;
        server.kill();
        for sale in sales {
            sale.await.unwrap();
        }
        let (clean, report) = run(&url, &["audit"]);
        assert!(clean, "after life {life}: {report}");
    }

    // The last life finishes what the others began.
    let server = Server::start(&url);
    let mine = Shop {
        client,
        base: server.base.clone(),
        key,
        hook,
        known: known.clone(),
    };
    mine.post("/sandbox/mine", json!({ "currency": "BTC" }))
        .await
        .unwrap();
    let (created, mined) = {
        let known = known.lock().unwrap();
        (known.created.clone(), known.mined.clone())
    };
    assert!(!mined.is_empty());
    let paid = tokio::time::timeout(PATIENCE, async {
        loop {
            let paid = paid_of(&pool, &created).await;
            if mined.is_subset(&paid) {
                return paid;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("whatever was acknowledged as paid and mined is credited");
    wait_for(|| {
        let seen = seen.lock().unwrap();
        paid.iter().all(|id| seen.contains_key(id))
    })
    .await;
    server.kill();
    let (clean, report) = run(&url, &["audit"]);
    assert!(clean, "{report}");
}

/// Those of `created` that are paid; none of them may be missing.
async fn paid_of(pool: &PgPool, created: &BTreeSet<String>) -> BTreeSet<String> {
    let mut paid = BTreeSet::new();
    for id in created {
        let (status,): (String,) =
            sqlx::query_as("SELECT status FROM charges WHERE public_id = $1")
                .bind(id)
                .fetch_one(pool)
                .await
                .unwrap_or_else(|_| panic!("acknowledged order {id} is lost"));
        if status == "paid" {
            paid.insert(id.clone());
        }
    }
    paid
}

async fn wait_for(condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("condition came true in time");
}

fn database_url(pool: &PgPool) -> String {
    use sqlx::ConnectOptions;
    pool.connect_options().to_url_lossy().to_string()
}
