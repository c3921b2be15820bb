use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures::StreamExt;
use gateway::PgPool;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;
use tower::ServiceExt;

use super::{choose_bitcoin, order};
use crate::testing::TestApp;

/// Only a broken stream takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The data of the next `snapshot`.
async fn snapshot(stream: &mut BodyDataStream) -> Value {
    loop {
        let chunk = timeout(PATIENCE, stream.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let text = String::from_utf8(chunk.to_vec()).unwrap();
        if text.starts_with("event: snapshot\n") {
            let data = text
                .lines()
                .find_map(|line| line.strip_prefix("data: "))
                .unwrap();
            return serde_json::from_str(data).unwrap();
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_page_is_told_at_once_and_after_each_change(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let order = order(&app, &merchant).await;
    let (stop, stopped) = watch::channel(false);
    let workers = app.gateway().spawn_workers(stopped);

    let path = format!("/pay/{}/events?t={}", order.id, order.token);
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let response = app.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();

    let first = snapshot(&mut stream).await;
    assert_eq!(first["state"], "choose_method");
    assert_eq!(first["customer_name"], "Inga Berzina");
    choose_bitcoin(&app, &order).await;
    let mut next = snapshot(&mut stream).await;
    // Rates were set in between, which may be news of its own.
    while next["state"] == "choose_method" {
        next = snapshot(&mut stream).await;
    }
    assert_eq!(next["state"], "awaiting");
    assert!(next["payment"]["address"].is_string(), "{next}");
    // A page that is told both knows which one is newer.
    let version = |view: &Value| view["version"].as_i64().unwrap();
    assert!(version(&first) < version(&next), "{first} {next}");

    stop.send(true).unwrap();
    for worker in workers {
        timeout(PATIENCE, worker).await.unwrap().unwrap();
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_unknown_page_has_no_stream(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let answer = app.get("/pay/EX-AAAAAAAAAA/events").await;
    assert_eq!(answer.status, 404);
}
