//! A merchant's receiver of webhooks, which can be made to hang: it takes a request and never answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use tokio::net::TcpListener;

/// One request: its `webhook-id` and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub id: String,
    pub body: String,
}

#[derive(Default)]
struct Seen {
    hangs: AtomicBool,
    /// Came in, and was never answered.
    tried: Mutex<Vec<Told>>,
    /// Was answered with 200.
    taken: Mutex<Vec<Told>>,
}

pub struct Receiver {
    pub url: String,
    seen: Arc<Seen>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let seen: Arc<Seen> = Arc::default();
        let router = Router::new()
            .route("/hook", post(receive))
            .with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    pub fn hang(&self) {
        self.seen.hangs.store(true, Ordering::SeqCst);
    }

    pub fn answer(&self) {
        self.seen.hangs.store(false, Ordering::SeqCst);
    }

    /// What hung, about one order.
    pub fn tried(&self, order: &str) -> Vec<Told> {
        about(&self.seen.tried, order)
    }

    /// What was answered, about one order.
    pub fn taken(&self, order: &str) -> Vec<Told> {
        about(&self.seen.taken, order)
    }
}

fn about(list: &Mutex<Vec<Told>>, order: &str) -> Vec<Told> {
    let list = list.lock().unwrap();
    list.iter()
        .filter(|told| told.body.contains(order))
        .cloned()
        .collect()
}

async fn receive(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: String) {
    let told = Told {
        id: headers["webhook-id"].to_str().unwrap().to_owned(),
        body,
    };
    if seen.hangs.load(Ordering::SeqCst) {
        seen.tried.lock().unwrap().push(told);
        std::future::pending::<()>().await;
    } else {
        seen.taken.lock().unwrap().push(told);
    }
}
