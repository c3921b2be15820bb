//! What a server says when more is asked of it than it can do, and to those who ask too often.
#![allow(clippy::unwrap_used)]

mod processing_support;

use std::time::Duration;

use gateway::{Error, Settings};
use processing_support::Program;
use server::testing::{PUBLIC_URL, TestApp, TestResponse};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Ends a wait that would have no end.
const LIMIT: Duration = Duration::from_secs(60);

/// Connections of the server; half of them are for units that are committed alone.
const CONNECTIONS: u32 = 4;

/// Units that may wait at the door.
const WAITING: u64 = 1_000;

async fn until(holds: impl Fn() -> bool) {
    let holding = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, holding).await.unwrap();
}

/// A unit of work that does nothing until it is told that it may end.
fn unit(app: &TestApp, opened: &watch::Receiver<bool>) -> JoinHandle<Result<(), Error>> {
    let (book, mut opened) = (app.gateway().book().clone(), opened.clone());
    tokio::spawn(async move {
        book.commit(move |_unit| {
            Box::pin(async move {
                let told = opened.wait_for(|open| *open).await.map(drop);
                told.map_err(Error::internal)
            })
        })
        .await
    })
}

/// Fills every place in front of the door and behind it.
async fn fill(app: &TestApp, opened: &watch::Receiver<bool>) -> Vec<JoinHandle<Result<(), Error>>> {
    let most = app.gateway().admission().most;
    let mut units: Vec<_> = (0..most).map(|_| unit(app, opened)).collect();
    until(|| app.gateway().admission().running == most).await;
    units.extend((0..WAITING).map(|_| unit(app, opened)));
    until(|| app.gateway().admission().waiting == WAITING).await;
    units
}

#[track_caller]
fn seconds(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?}"))
}

/// Fails when the answer is an error of ours, does not say when to come back, or comes after something was
/// done.
#[sqlx::test(migrations = "../migrations")]
async fn whoever_finds_the_door_full_is_told_when_to_come_back(pool: PgPool) {
    let few = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(pool.connect_options().as_ref().clone())
        .await
        .unwrap();
    let program = Program::start(&few).await;
    let app = &program.app;
    let merchant = app.demo().await.merchant;
    let cookie = app.sign_in(&merchant.email, &merchant.password).await;
    let session = [("cookie", cookie.as_str())];
    let body = r#"{"foreign_id":"by the API","currency":"BTC","convert_to":"EUR"}"#;
    let form = [("currency", "BTC"), ("foreign_id", "on the page")];

    let (open, opened) = watch::channel(false);
    let units = fill(app, &opened).await;
    let called = program.post("addresses/take", body).await.expect(503);
    assert!(seconds(called.headers["retry-after"].to_str().unwrap()) >= 1);
    assert!(called.json().is_object());
    let page = app.post_form("/app/addresses", &session, &form).await;
    assert_eq!(page.status, 503, "{}", page.text());
    assert!(seconds(page.header("retry-after")) >= 1);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("Try again in a moment"));
    // Who only looks passes no door.
    let look = app.call("GET", "/app/addresses", &session, "").await;
    assert_eq!(look.status, 200);
    assert_eq!(app.get("/health/live").await.status, 200);

    let text = app.metrics().await.text();
    for sample in [
        format!("exchequer_units_waiting {WAITING}"),
        format!("exchequer_units_running {}", CONNECTIONS / 2),
        format!("exchequer_units_running_max {}", CONNECTIONS / 2),
        "exchequer_units_turned_away_total 2".to_owned(),
        "exchequer_units_total{outcome=\"overloaded\"} 2".to_owned(),
        "exchequer_http_rejections_total{reason=\"overload\"} 2".to_owned(),
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample}\n{text}");
    }

    open.send(true).unwrap();
    for each in units {
        // Some may have waited for too long by now.
        let _ = each.await.unwrap();
    }
    // Made now and not before: an address that was there is a 200.
    program.post("addresses/take", body).await.expect(201);
    let page = app.post_form("/app/addresses", &session, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
}

fn is_too_many(answer: &TestResponse) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let wait = seconds(answer.header("retry-after"));
    assert!((1..=20).contains(&wait), "{wait}");
}

/// Programs and pages are told so in their own shape, and counted by where they come from together.
#[sqlx::test(migrations = "../migrations")]
async fn whoever_asks_too_often_is_told_when_to_come_back(pool: PgPool) {
    let settings = Settings {
        rate_limit_per_minute: 3,
        ..Settings::test(PUBLIC_URL)
    };
    let app = TestApp::start_with(&pool, settings).await;
    let unknown = [
        ("content-type", "application/json"),
        ("x-processing-key", "unknown"),
        ("x-processing-signature", "00"),
    ];
    let ask = async || {
        app.call("POST", "/api/v2/accounts/list", &unknown, "{}")
            .await
    };
    for _ in 0..3 {
        let refused = ask().await;
        assert!([401, 403].contains(&refused.status), "{}", refused.text());
    }
    let refused = ask().await;
    is_too_many(&refused);
    assert!(refused.json().is_object());
    let page = app.get("/pay/EX-AAAAAAAAAA?t=x").await;
    is_too_many(&page);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("Too many requests"));
    // Whoever watches the server asks as often as he likes.
    for _ in 0..10 {
        assert_eq!(app.get("/health/live").await.status, 200);
    }
    let text = app.metrics().await.text();
    let counted = "exchequer_http_rejections_total{reason=\"rate_limit\"} 2";
    assert!(text.lines().any(|line| line == counted), "{text}");
}
