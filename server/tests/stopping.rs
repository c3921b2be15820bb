//! A server is told to stop, and does, whoever reads its log.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, PgPool};

/// A server that is killed when its test is over, also when that fails before it is told to stop.
struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.id().try_into().unwrap())
    }
}

impl Deref for Server {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended and was waited for is left alone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_server_whose_log_nobody_reads_stops_all_the_same(pool: PgPool) {
    let url = pool.connect_options().to_url_lossy().to_string();
    let mut server = Server::start(
        Command::new(env!("CARGO_BIN_EXE_exchequer"))
            .arg("serve")
            .env("DATABASE_URL", url)
            .env("EXCHEQUER_LISTEN", "127.0.0.1:0")
            .env("EXCHEQUER_LOG", "info")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped()),
    );
    let mut output = BufReader::new(server.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    drop(server.stderr.take());
    drop(output);
    let id = server.pid();
    kill(id, Signal::SIGTERM).unwrap();
    let ended = tokio::task::spawn_blocking(move || server.wait());
    let status = tokio::time::timeout(Duration::from_secs(60), ended).await;
    if status.is_err() {
        // Or the test would wait for it as long as it runs.
        kill(id, Signal::SIGKILL).unwrap();
    }
    assert!(status.unwrap().unwrap().unwrap().success());
}

/// The key of the demo merchant.
fn merchant_key(url: &str) -> String {
    let demo = Command::new(env!("CARGO_BIN_EXE_exchequer"))
        .args(["demo", "--json"])
        .env("DATABASE_URL", url)
        .output()
        .unwrap();
    let demo: Value = serde_json::from_slice(&demo.stdout).unwrap();
    demo["merchant"]["ex_pk"].as_str().unwrap().to_owned()
}

fn new_order() -> Value {
    json!({
        "amount": "10.00", "currency": "EUR", "redirect_url": "https://shop.example/ok",
        "customer_details": {
            "name": "A", "surname": "B", "email": "a@b.example", "phone": "+371",
        },
    })
}

/// Waits for a condition; it fails the test when that never comes.
async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let met = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), met)
        .await
        .unwrap();
}

/// Where nobody listens: below the ports a system gives out by itself, so that no other test is given it before
/// the server takes it. Another process begins to look somewhere else.
fn free_address() -> SocketAddr {
    let begin = std::process::id() % 8_000;
    (0..8_000)
        .map(|step| u16::try_from(11_000 + (begin + step) % 8_000).unwrap())
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .find(|address| TcpListener::bind(address).is_ok())
        .unwrap()
}

/// Orders that are being written, and stand before somebody's lock.
async fn held_up(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'
           AND query LIKE '%INTO charges%'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Orders that wait for their turn when the server is told to stop are made, and whoever asked for them
/// hears of it.
#[sqlx::test(migrations = "../migrations")]
async fn orders_that_wait_at_the_end_are_made_and_answered(pool: PgPool) {
    gateway::outbox::install_crypto_provider();
    let url = pool.connect_options().to_url_lossy().to_string();
    let key = merchant_key(&url);
    let metrics = free_address();
    let mut server = Server::start(
        Command::new(env!("CARGO_BIN_EXE_exchequer"))
            .arg("serve")
            .env("DATABASE_URL", url)
            .env("EXCHEQUER_LISTEN", "127.0.0.1:0")
            .env("EXCHEQUER_METRICS_LISTEN", metrics.to_string())
            .env("EXCHEQUER_LOG", "error")
            .stdout(Stdio::piped()),
    );
    let mut output = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let base = line.trim().to_owned();
    let client = reqwest::Client::new();
    let order = || {
        let asked = client
            .post(format!("{base}/api/orders"))
            .bearer_auth(&key)
            .json(&new_order())
            .send();
        tokio::spawn(asked)
    };
    let mut gate = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE charges IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut *gate)
        .await
        .unwrap();
    // Two batches are under way at the same time; the others wait for them.
    let mut orders = Vec::new();
    for busy in 1..=2 {
        orders.push(order());
        until(|| async { held_up(&pool).await == busy }).await;
    }
    orders.extend((0..8).map(|_| order()));
    until(|| async {
        let page = client.get(format!("http://{metrics}/metrics")).send().await;
        let text = page.unwrap().text().await.unwrap();
        text.lines()
            .any(|line| line == "exchequer_committer_queue_depth{committer=\"charges\"} 8")
    })
    .await;
    let id = server.pid();
    kill(id, Signal::SIGTERM).unwrap();
    until(|| async {
        let ready = client.get(format!("{base}/health/ready")).send().await;
        !ready.is_ok_and(|ready| ready.status() == 200)
    })
    .await;
    gate.rollback().await.unwrap();
    for order in orders {
        let answer = order.await.unwrap().unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }
    let ended = tokio::task::spawn_blocking(move || server.wait());
    assert!(ended.await.unwrap().unwrap().success());
    let made: i64 = sqlx::query_scalar("SELECT count(*) FROM charges")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(made, 10);
}

/// An event stream goes on for ever, a kept connection waits for its next request, and one that was only opened
/// has asked for nothing: the server waits for none of them.
#[sqlx::test(migrations = "../migrations")]
async fn streams_and_idle_connections_hold_up_no_stop(pool: PgPool) {
    gateway::outbox::install_crypto_provider();
    let url = pool.connect_options().to_url_lossy().to_string();
    let key = merchant_key(&url);
    let mut server = Server::start(
        Command::new(env!("CARGO_BIN_EXE_exchequer"))
            .arg("serve")
            .env("DATABASE_URL", url)
            .env("EXCHEQUER_LISTEN", "127.0.0.1:0")
            .env("EXCHEQUER_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped()),
    );
    let mut output = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let base = line.trim().to_owned();
    let client = reqwest::Client::new();
    let asked = client
        .post(format!("{base}/api/orders"))
        .bearer_auth(&key)
        .json(&new_order())
        .send();
    // Read to its end: the connection is kept.
    let order: Value = asked.await.unwrap().json().await.unwrap();
    let page = order["checkout_url"].as_str().unwrap();
    let events = page.replace("?t=", "/events?t=");
    let mut stream = client.get(events).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert!(stream.chunk().await.unwrap().is_some());
    let opened = std::net::TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    let id = server.pid();
    kill(id, Signal::SIGTERM).unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        let mut errors = server.stderr.take().unwrap();
        errors.read_to_string(&mut said).unwrap();
        (server.wait().unwrap(), said)
    });
    // Its end, or that of the connection.
    while let Ok(Some(_)) = stream.chunk().await {}
    let (status, said) = ended.await.unwrap();
    assert!(status.success(), "{said}");
    assert!(
        !said.contains("some requests did not end in time"),
        "{said}"
    );
    drop(opened);
}
