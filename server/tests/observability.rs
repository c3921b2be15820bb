//! What a server says of itself: whether it is ready, and its metrics.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use server::router::router;
use server::shutdown::Shutdown;
use server::state::{AppState, Edge};
use server::testing::TestApp;
use sqlx::PgPool;
use tokio::sync::watch;
use tower::ServiceExt;

const ORDER: &str = r#"{"amount":"10.00","currency":"EUR","redirect_url":"https://shop.example/",
    "customer_details":{"name":"Inga","surname":"Berzina","email":"inga@shop.example","phone":"1"}}"#;

async fn ready(router: &Router) -> (u16, Value) {
    let request = Request::builder().uri("/health/ready").body(Body::empty());
    let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 4_096).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// Beside workers that begin, all at once and over few connections, or on a slow machine, the database may take
/// longer to answer than the question waits: then it says `database`.
async fn until_ready_says(router: &Router, status: u16, reason: Option<&str>) -> Value {
    let said = async {
        loop {
            let (found, body) = ready(router).await;
            let why = body["reason"].as_str();
            if (found, why) == (status, reason) {
                return body;
            }
            assert_eq!((found, why), (503, Some("database")));
        }
    };
    tokio::time::timeout(Duration::from_secs(60), said)
        .await
        .unwrap()
}

fn router_of(app: &TestApp, shutdown: Shutdown) -> Router {
    let state = AppState::new(app.gateway().clone(), Edge::default());
    router(state, Path::new("no site in tests"), shutdown)
}

#[sqlx::test(migrations = "../migrations")]
async fn a_server_that_was_asked_to_stop_is_not_ready_and_still_answers(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (ask, asked) = watch::channel(false);
    let router = router_of(&app, Shutdown::following(asked));
    until_ready_says(&router, 200, None).await;
    ask.send(true).unwrap();
    let (status, body) = ready(&router).await;
    assert_eq!(
        (status, &body["reason"]),
        (503, &Value::from("shutting_down"))
    );
    let request = Request::builder().uri("/health/live").body(Body::empty());
    let live = router.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(live.status(), 200);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_schema_that_lacks_something_is_not_ready(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let router = router_of(&app, Shutdown::never());
    until_ready_says(&router, 200, None).await;
    sqlx::query(
        "DELETE FROM _sqlx_migrations
         WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
    )
    .execute(&pool)
    .await
    .unwrap();
    until_ready_says(&router, 503, Some("migrations")).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_ended_is_missed(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (_keep, stopped) = watch::channel(false);
    let mut workers = app.gateway().spawn_workers(stopped);
    let router = router_of(&app, Shutdown::never());
    until_ready_says(&router, 200, None).await;
    let first = workers.remove(0);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let told = until_ready_says(&router, 503, Some("workers")).await;
    assert_eq!(told["workers"], serde_json::json!(["notifications"]));
    let text = app.metrics().await.text();
    for sample in ["exchequer_workers_missing 1", "exchequer_workers_stuck 0"] {
        assert!(text.lines().any(|line| line == sample), "{sample}\n{text}");
    }
}

/// Fails when only those are missed who were there from the start: nobody's entries would be booked any more,
/// and the server would go on to be given requests.
#[sqlx::test(migrations = "../migrations")]
async fn a_committer_that_ended_is_missed(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let router = router_of(&app, Shutdown::never());
    until_ready_says(&router, 200, None).await;
    let gateway = app.gateway().clone();
    let begun_elsewhere = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        // Its task ends with the runtime.
        runtime.block_on(async {
            gateway.postings();
        });
    });
    begun_elsewhere.join().unwrap();
    let told = until_ready_says(&router, 503, Some("workers")).await;
    assert_eq!(told["workers"], serde_json::json!(["postings committer"]));
    let text = app.metrics().await.text();
    assert!(text.contains("exchequer_workers_missing 1\n"), "{text}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_database_that_is_gone_is_told_by_ready_and_by_metrics(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let text = app.metrics().await.text();
    assert!(text.contains("exchequer_database_up 1\n"), "{text}");
    pool.close().await;
    let answer = app.get("/health/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["reason"], "database");
    // Whoever starts processes anew is to leave this one alone.
    let live = app.get("/health/live").await;
    assert_eq!(live.status, 200);
    assert_eq!(live.json(), serde_json::json!({ "status": "ok" }));
    let metrics = app.metrics().await;
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    assert!(text.contains("exchequer_database_up 0\n"), "{text}");
    assert!(text.contains("exchequer_http_requests_total"), "{text}");
    // What the process knows of itself is told all the more.
    for series in [
        "exchequer_database_connections_max ",
        "exchequer_units_total{outcome=\"failed\"} ",
        "exchequer_units_waiting ",
        "exchequer_outbox_attempts_total{outcome=\"delivered\"} ",
        "exchequer_workers_missing ",
        "exchequer_workers_stuck ",
    ] {
        let is_told = text.lines().any(|line| line.starts_with(series));
        assert!(is_told, "{series}\n{text}");
    }
    assert!(!text.contains("exchequer_outbox_pending"), "{text}");
}

/// Whoever asks while the database is gone is not told what we are made of.
#[sqlx::test(migrations = "../migrations")]
async fn what_breaks_inside_is_told_to_nobody(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let merchant = &demo.merchant;
    let cookie = app.sign_in(&merchant.email, &merchant.password).await;
    let key = format!("Bearer {}", merchant.ex_pk);
    let json = ("content-type", "application/json");
    let session = [("cookie", cookie.as_str())];
    let with_key = [("authorization", key.as_str())];
    let nothing: [(&str, &str); 0] = [];
    let with_pair = [
        json,
        ("x-processing-key", "unknown"),
        ("x-processing-signature", "00"),
    ];
    pool.close().await;
    let mut broken = 0;
    for (method, path, headers, body) in [
        ("GET", "/app", &session[..], ""),
        ("GET", "/app/charges.csv", &session[..], ""),
        ("GET", "/api/orders", &with_key[..], ""),
        ("POST", "/api/v2/accounts/list", &with_pair[..], "{}"),
        (
            "POST",
            "/sandbox/mine",
            &[json][..],
            r#"{"currency":"BTC"}"#,
        ),
        ("GET", "/pay/EX-AAAAAAAAAA?t=x", &nothing[..], ""),
        ("GET", "/health/ready", &nothing[..], ""),
    ] {
        let answer = app.call(method, path, headers, body).await;
        broken += usize::from(answer.status >= 500);
        let text = answer.text();
        for inside in ["sqlx", "closed pool", "PoolClosed", "SELECT ", ".rs:"] {
            assert!(!text.contains(inside), "{method} {path}: {text}");
        }
    }
    assert!(broken >= 4, "only {broken} of them failed");
}

#[sqlx::test(migrations = "../migrations")]
async fn metrics_count_what_happens(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let key = format!("Bearer {}", demo.merchant.ex_pk);
    let json = ("content-type", "application/json");
    let with_key = [("authorization", key.as_str()), json];
    let committed = "exchequer_units_total{outcome=\"committed\"}";
    let timed = "exchequer_commit_duration_seconds_count";
    // The demo set is made in units, too.
    let before = app.metrics().await.text();
    for _ in 0..3 {
        let made = app.call("POST", "/api/orders", &with_key, ORDER).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let refused = app.call("POST", "/api/orders", &with_key, "{}").await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let unknown = app.call("POST", "/api/orders", &[json], ORDER).await;
    assert_eq!(unknown.status, 401);
    app.gateway().audit_and_keep("command").await.unwrap();

    let metrics = app.metrics().await;
    assert_eq!(metrics.status, 200);
    assert_eq!(
        metrics.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = metrics.text();
    for sample in [
        "exchequer_http_requests_total{route=\"/api/orders\",method=\"POST\",status=\"2xx\"} 3",
        "exchequer_http_requests_total{route=\"/api/orders\",method=\"POST\",status=\"4xx\"} 2",
        "exchequer_http_request_duration_seconds_count{route=\"/api/orders\"} 5",
        "exchequer_http_rejections_total{reason=\"validation\"} 1",
        "exchequer_http_rejections_total{reason=\"auth\"} 1",
        "exchequer_http_rejections_total{reason=\"rate_limit\"} 0",
        "exchequer_outbox_pending 0",
        "exchequer_withdrawals_waiting{state=\"queued\"} 0",
        "exchequer_follower_state{chain=\"BTC\",state=\"failed\"} 0",
        "exchequer_audit_clean 1",
        "exchequer_database_up 1",
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample}\n{text}");
    }
    // One by one, so each of them is a unit.
    for series in [committed, timed] {
        let more = sample(&text, series) - sample(&before, series);
        assert_eq!(more, 3, "{series}");
    }
    let charges = "exchequer_committer_batches_total{committer=\"charges\"}";
    assert_eq!(sample(&text, charges), 3);
    is_well_formed(&text);
}

/// Value of the only sample with this name and these labels.
fn sample(text: &str, series: &str) -> u64 {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(series));
    let value = values.next().unwrap_or_else(|| panic!("{series}\n{text}"));
    value.trim().parse().unwrap()
}

/// Every sample stands below the help and the type of its metric, once.
fn is_well_formed(text: &str) {
    let mut family = "";
    let (mut families, mut seen) = (BTreeSet::new(), BTreeSet::new());
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap();
            assert!(families.insert(family), "{family} twice");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert!(rest.starts_with(family), "{line}");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(series.starts_with(family), "{line} below {family}");
            let digits = value.trim_start_matches('-').replacen('.', "", 1);
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{line}");
            assert!(seen.insert(series), "{series} twice");
        }
    }
}

/// Names and labels of all samples.
fn series(text: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned()))
        .collect()
}

/// Whatever strangers send, there are as many series as before.
#[sqlx::test(migrations = "../migrations")]
async fn nobody_can_make_up_labels(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let ask = async |word: &str| {
        for (method, path) in [
            ("GET", format!("/{word}")),
            ("GET", format!("/api/orders/{word}")),
            ("GET", format!("/pay/{word}?t={word}")),
            ("GET", format!("/api/{word}")),
            ("BREW", format!("/{word}")),
        ] {
            app.call(method, &path, &[("x-request-id", word)], "").await;
        }
    };
    ask("first").await;
    let before = series(&app.metrics().await.text());
    for number in 0..100 {
        ask(&format!("made-up-{number}")).await;
    }
    let text = app.metrics().await.text();
    assert_eq!(series(&text), before);
    assert!(before.len() < 5_000, "{}", before.len());
    for name in [
        "made-up",
        demo.merchant.email.as_str(),
        demo.merchant.ex_pk.as_str(),
    ] {
        assert!(!text.contains(name), "{name}");
    }
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM merchants")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert!(!names.is_empty());
    for name in names {
        assert!(!text.contains(&name), "{name}");
    }
}

/// The page of the operator says the same, and an audit is one button.
#[sqlx::test(migrations = "../migrations")]
async fn the_page_of_the_system_audits_the_books(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let admin = app.demo().await.admin;
    let cookie = app.sign_in(&admin.email, &admin.password).await;
    let session = [("cookie", cookie.as_str())];
    let see = async |path: &str| app.call("GET", path, &session, "").await;
    let before = see("/app/operate/system").await;
    assert_eq!(before.status, 200, "{}", before.text());
    assert!(before.text().contains("The books were not audited yet."));

    let asked = app
        .post_form("/app/operate/system/audit", &session, &[])
        .await;
    assert_eq!(asked.status, 303, "{}", asked.text());
    // Longer than a page waits for it, if need be.
    let kept = async {
        while app.gateway().last_audit().await.unwrap().last.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), kept)
        .await
        .unwrap();
    let after = see("/app/operate/system").await.text();
    assert!(after.contains("nothing found"), "{after}");
    assert!(after.contains(&admin.email), "{after}");

    let csv = see("/app/operate/system.csv").await.text();
    assert!(csv.starts_with("figure,of,value\r\n"), "{csv}");
    assert!(csv.contains("audit_clean,,true\r\n"), "{csv}");
    let json = see("/app/operate/system.json").await.json();
    let rows = json.as_array().unwrap();
    assert_eq!(rows.len(), csv.lines().count() - 1);
    assert!(
        rows.iter()
            .any(|row| row["figure"] == "outbox_pending" && row["value"] == "0")
    );
}
