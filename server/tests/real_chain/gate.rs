//! What stands between the server and its node, and holds transactions up on their way.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::Client;
use serde_json::Value;
use tokio::net::TcpListener;

/// What becomes of transactions that are sent to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    Open,
    /// The node never hears of them.
    Shut,
    /// The node gets them, and its answer never comes.
    OneWay,
}

pub struct Gate {
    pub url: String,
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    node: String,
    passage: Mutex<Passage>,
    /// Every transaction that came by, in hexadecimal.
    sent: Mutex<Vec<String>>,
}

impl Gate {
    pub async fn before(node: String) -> Self {
        gateway::outbox::install_crypto_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            client: Client::builder().no_proxy().build().unwrap(),
            node,
            passage: Mutex::new(Passage::Open),
            sent: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    pub fn set(&self, passage: Passage) {
        *self.inner.passage.lock().unwrap() = passage;
    }

    pub fn sent(&self) -> Vec<String> {
        self.inner.sent.lock().unwrap().clone()
    }
}

async fn pass(State(gate): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let call: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_sending = call["method"] == "sendrawtransaction";
    let passage = *gate.passage.lock().unwrap();
    if is_sending {
        let raw = call["params"][0].as_str().unwrap().to_owned();
        gate.sent.lock().unwrap().push(raw);
        if passage == Passage::Shut {
            return std::future::pending().await;
        }
    }
    let mut request = gate
        .client
        .post(&gate.node)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body);
    if let Some(login) = headers.get(header::AUTHORIZATION) {
        request = request.header(header::AUTHORIZATION, login);
    }
    let Ok(answer) = request.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, body) = (answer.status(), answer.bytes().await.unwrap());
    if is_sending && passage == Passage::OneWay {
        return std::future::pending().await;
    }
    (status, body).into_response()
}
