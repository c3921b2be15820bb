//! Who may call what: keys, the static key, and other merchants' orders.

#![allow(clippy::unwrap_used)]

mod orders_support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::Request;
use gateway::Settings;
use orders_support::{ORDER, Shop};
use server::router::router;
use server::shutdown::Shutdown;
use server::state::{AppState, Edge};
use server::testing::{PUBLIC_URL, TestApp};
use sqlx::PgPool;
use tower::ServiceExt;

const JSON: (&str, &str) = ("content-type", "application/json");

const PROXY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 50_000);
const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 50_000);

#[sqlx::test(migrations = "../migrations")]
async fn without_a_key_there_is_only_401(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let order = shop.order(ORDER).await;
    let one = format!("/api/orders/{}", order.id);
    let paths = [
        "/api/wallets",
        "/api/orders",
        one.as_str(),
        "/api/orders/x/y/z",
        "/api/wallets/1",
    ];
    for path in paths {
        for method in ["GET", "POST", "DELETE"] {
            for key in ["", "Bearer ex_pk_wrong", "Bearer x", "Basic x"] {
                let headers = [("authorization", key), JSON];
                let reply = shop.send(method, path, &headers, "{").await;
                assert_eq!(reply.status, 401, "{method} {path} {key}");
                assert_eq!(reply.header("www-authenticate"), "Bearer");
            }
        }
    }
    insta::assert_snapshot!(
        shop.send("GET", "/api/orders", &[], "").await.text(),
        @r#"{"message":"A valid key is needed: send it as Authorization: Bearer <key>, never in the address."}"#
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_in_the_address_is_refused(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let key = shop.key.trim_start_matches("Bearer ").to_owned();
    for query in [
        format!("key={key}"),
        format!("anything={key}"),
        "api_key=x".to_owned(),
    ] {
        let path = format!("/api/orders?{query}");
        shop.send("GET", &path, &[], "").await.expect(401);
        shop.get(&path).await.expect(401);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cookie_is_no_key(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    shop.send("GET", "/api/orders", &[("cookie", "__Host-sid=x")], "")
        .await
        .expect(401);
}

#[sqlx::test(migrations = "../migrations")]
async fn with_a_key_unknown_paths_and_methods_are_named(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    for path in [
        "/api/orders/",
        "/api/orders/EX-AAAAAAAAAA",
        "/api/orders/%00",
        "/api/orders/%ff",
        "/api/orders/EX-AAAAAAAAAA/",
        "/api/orders/EX-AAAAAAAAAA/nothing",
        "/api/orders/EX-AAAAAAAAAA/timeline/x",
        "/api/wallets/1",
    ] {
        let reply = shop.get(path).await.expect(404);
        assert_eq!(reply.text(), r#"{"message":"Not found."}"#, "{path}");
    }
    let reply = shop.get("/api/wallets").await.expect(405);
    assert_eq!(reply.header("allow"), "POST");
    assert!(reply.json()["message"].is_string());
}

#[sqlx::test(migrations = "../migrations")]
async fn another_merchants_order_is_as_unknown_as_any(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let order = shop.order(ORDER).await;
    let headers = [("authorization", shop.other_key.as_str()), JSON];
    for (method, call) in [
        ("GET", ""),
        ("GET", "/timeline"),
        ("GET", "/receipt"),
        ("POST", "/cancel"),
        ("POST", "/accept"),
        ("POST", "/refund"),
    ] {
        let foreign = format!("/api/orders/{}{call}", order.id);
        let unknown = format!("/api/orders/EX-AAAAAAAAAA{call}");
        let foreign = shop.send(method, &foreign, &headers, "").await.expect(404);
        let unknown = shop.send(method, &unknown, &headers, "").await.expect(404);
        assert_eq!(foreign.text(), unknown.text(), "{method} {call}");
    }
    let list = shop
        .send("GET", "/api/orders", &headers, "")
        .await
        .expect(200);
    assert_eq!(list.text(), "[]");
    assert_eq!(shop.read(&order).await["status"], "pending");
}

#[sqlx::test(migrations = "../migrations")]
async fn the_static_key_names_its_merchant(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let order = shop.order(ORDER).await;
    let headers = [("authorization", shop.static_key.as_str()), JSON];
    let one = format!("/api/orders/{}", order.id);
    for path in ["/api/orders", one.as_str()] {
        let refused = shop.send("GET", path, &headers, "").await.expect(422);
        assert_eq!(refused.refused(), ["merchant_id"], "{path}");
        let unknown = format!("{path}?merchant_id=999999999");
        shop.send("GET", &unknown, &headers, "").await.expect(404);
        let known = format!("{path}?merchant_id={}", shop.merchant_id);
        shop.send("GET", &known, &headers, "").await.expect(200);
    }
    let mine = ORDER.replacen('{', &format!("{{\"merchant_id\":{},", shop.merchant_id), 1);
    shop.send("POST", "/api/orders", &headers, &mine)
        .await
        .expect(201);
    let both = shop
        .send("POST", "/api/orders", &headers, "{}")
        .await
        .expect(422);
    let fields = [
        "amount",
        "currency",
        "customer_details",
        "merchant_id",
        "redirect_url",
    ];
    assert_eq!(both.refused(), fields);
    // With a merchant's own key it is ignored.
    let other = ORDER.replacen('{', "{\"merchant_id\":999999999,", 1);
    shop.post("/api/orders", &other).await.expect(201);
}

#[sqlx::test(migrations = "../migrations")]
async fn each_key_has_its_quota(pool: PgPool) {
    let settings = Settings {
        rate_limit_per_minute: 3,
        ..Settings::test(PUBLIC_URL)
    };
    let shop = Shop::open_with(&pool, settings).await;
    for _ in 0..3 {
        shop.get("/api/orders").await.expect(200);
    }
    let refused = shop.get("/api/orders").await.expect(429);
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert!(refused.json()["message"].is_string());
    // Another key, and whoever has none, is counted apart.
    let other = [("authorization", shop.other_key.as_str())];
    shop.send("GET", "/api/orders", &other, "")
        .await
        .expect(200);
    for _ in 0..3 {
        shop.send("GET", "/api/orders", &[], "").await.expect(401);
    }
    shop.send("GET", "/api/orders", &[], "").await.expect(429);
}

/// Neither names that keys were never given nor addresses that nobody vouches for are worth a fresh quota.
#[sqlx::test(migrations = "../migrations")]
async fn whoever_makes_things_up_is_counted_by_where_it_is(pool: PgPool) {
    let settings = Settings {
        rate_limit_per_minute: 3,
        ..Settings::test(PUBLIC_URL)
    };
    let shop = Shop::open_with(&pool, settings).await;
    let mut statuses = Vec::new();
    for number in 1..=4 {
        let (key, address) = (
            format!("Bearer ex_pk_made_up_{number}"),
            format!("192.0.2.{number}"),
        );
        let headers = [
            ("authorization", key.as_str()),
            ("x-forwarded-for", address.as_str()),
        ];
        let reply = shop.send("GET", "/api/orders", &headers, "").await;
        statuses.push(reply.status);
    }
    assert_eq!(statuses, [401, 401, 401, 429]);
}

/// A redirect would have the key sent once more, and whoever sent it never hear that it is known by now.
#[sqlx::test(migrations = "../migrations")]
async fn a_key_that_came_in_plain_text_is_refused(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let key = format!("Bearer {}", app.demo().await.merchant.ex_pk);
    let edge = Edge {
        trusted_proxies: vec![PROXY.ip()],
        ..Edge::default()
    };
    let state = AppState::new(app.gateway().clone(), edge);
    let router = router(state, Path::new("no site in tests"), Shutdown::never());
    let ask = async |peer: SocketAddr, path: &str, proto: &str| {
        let mut request = Request::builder()
            .uri(path)
            .header("authorization", key.as_str())
            .header("x-forwarded-proto", proto)
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request).await.unwrap()
    };
    for path in ["/api/orders", "/api/v2/ping"] {
        let refused = ask(PROXY, path, "http").await;
        assert_eq!(refused.status(), 403, "{path}");
        assert!(!refused.headers().contains_key("location"), "{path}");
        let body = to_bytes(refused.into_body(), 4_096).await.unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("plain http"), "{path}: {text}");
    }
    assert_eq!(ask(PROXY, "/api/orders", "https").await.status(), 200);
    // What strangers say of themselves is nothing to go by.
    assert_eq!(ask(STRANGER, "/api/orders", "http").await.status(), 200);
}
