//! Deliveries to real receivers on loopback: signed, in order, retried, and nobody waits for others.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod endpoints;
mod retries;
mod sending;
mod slow;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use gateway::outbox::{Outcome, deliver_due};
use sqlx::PgPool;
use support::World;
use tokio::sync::Notify;

#[derive(Clone, Default)]
struct Receiver {
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    /// Answers, first to last; 200 when used up.
    answers: Arc<Mutex<Vec<u16>>>,
    /// Set: no answer before this is notified.
    gate: Option<Arc<Notify>>,
}

impl Receiver {
    async fn start(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().route("/hook", post(take)).with_state(self);
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    receiver.seen.lock().unwrap().push((headers, body));
    if let Some(gate) = &receiver.gate {
        gate.notified().await;
    }
    let mut answers = receiver.answers.lock().unwrap();
    let status = if answers.is_empty() {
        200
    } else {
        answers.remove(0)
    };
    StatusCode::from_u16(status).unwrap()
}

async fn paid_charge(world: &World, url: &str) -> String {
    let id = world
        .charge_with(world.new_charge("10.00", "EUR", Some(url)))
        .await;
    world.gateway.choose_method(&id, "BTC").await.unwrap();
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    id
}

async fn drain(world: &World) {
    while deliver_due(&world.gateway).await.unwrap() == Outcome::Worked {}
}

async fn states(pool: &PgPool) -> Vec<(String, i32)> {
    sqlx::query_as("SELECT state, attempts FROM deliveries ORDER BY id")
        .fetch_all(pool)
        .await
        .unwrap()
}
