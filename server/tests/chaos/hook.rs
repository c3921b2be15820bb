//! Whoever takes callbacks and webhooks at once, and notes which came.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Ids of webhooks that came, each with what it tells of.
type Heard = Arc<Mutex<HashSet<(String, String)>>>;

/// At any path of one port.
pub struct Hook {
    base: String,
    heard: Heard,
    task: JoinHandle<()>,
}

impl Hook {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let heard = Heard::default();
        let router = Router::new().fallback(take).with_state(heard.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { base, heard, task }
    }

    /// Beginning of all its URLs.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether the webhook of this id came and told of this: an order by its public id, or `operation:…`.
    pub fn has_heard(&self, webhook: &str, of: &str) -> bool {
        let told = (webhook.to_owned(), of.to_owned());
        self.heard.lock().unwrap().contains(&told)
    }

    /// Whether any webhook told of this.
    pub fn has_heard_of(&self, object: &str) -> bool {
        let heard = self.heard.lock().unwrap();
        heard.iter().any(|(_, of)| of == object)
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Noted first: whoever has the answer finds it noted.
async fn take(State(heard): State<Heard>, headers: HeaderMap, body: Bytes) {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
    let id = id.unwrap_or_default().to_owned();
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    heard.lock().unwrap().insert((id, object_of(&told)));
}

/// By the names that `telling` has for them; empty for everything else.
fn object_of(told: &Value) -> String {
    match (told["order_id"].as_str(), told["id"].as_i64()) {
        (Some(order), _) => order.to_owned(),
        (None, Some(operation)) => format!("operation:{operation}"),
        (None, None) => String::new(),
    }
}

#[test]
fn a_webhook_tells_of_an_order_or_of_an_operation() {
    let of = |text: &str| object_of(&serde_json::from_str(text).unwrap());
    assert_eq!(of(r#"{"event":"order.paid","order_id":"EX-1"}"#), "EX-1");
    assert_eq!(of(r#"{"id":17,"type":"exchange"}"#), "operation:17");
    assert_eq!(of(r#"{"type":"test"}"#), "");
}
