//! `Idempotency-Key` on the Orders API (`80-clarifications.md`, Idempotency).

#![allow(clippy::unwrap_used)]

mod orders_support;

use orders_support::{ORDER, Reply, Shop};
use sqlx::PgPool;

async fn post(shop: &Shop, path: &str, key: &str, body: &str) -> Reply {
    let headers = [
        ("authorization", shop.key.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    shop.send("POST", path, &headers, body).await
}

#[sqlx::test(migrations = "../migrations")]
async fn the_same_request_is_answered_again(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let first = post(&shop, "/api/orders", "order 1", ORDER)
        .await
        .expect(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = post(&shop, "/api/orders", "order 1", ORDER)
        .await
        .expect(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.body, first.body);
    assert_eq!(shop.get("/api/orders").await.header("x-total-count"), "1");

    // Another path is another request.
    let id = first.json()["public_order_id"].as_str().unwrap().to_owned();
    let cancel = format!("/api/orders/{id}/cancel");
    let cancelled = post(&shop, &cancel, "order 1", "").await.expect(200);
    let replayed = post(&shop, &cancel, "order 1", "").await.expect(200);
    assert_eq!(replayed.header("idempotent-replayed"), "true");
    assert_eq!(replayed.body, cancelled.body);
}

#[sqlx::test(migrations = "../migrations")]
async fn another_body_is_refused(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    post(&shop, "/api/orders", "k", ORDER).await.expect(201);
    let other = post(&shop, "/api/orders", "k", &format!("{ORDER} "))
        .await
        .expect(422);
    insta::assert_snapshot!(
        other.text(),
        @r#"{"message":"The request is not valid.","errors":{"Idempotency-Key":["The Idempotency-Key was used with another body."]}}"#
    );
    assert_eq!(shop.get("/api/orders").await.header("x-total-count"), "1");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refused_request_does_not_use_the_key_up(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    post(&shop, "/api/orders", "k", "{}").await.expect(422);
    post(&shop, "/api/orders", "k", &ORDER.replace("USD", "GBP"))
        .await
        .expect(422);
    post(&shop, "/api/orders", "k", ORDER).await.expect(201);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_is_short_and_printable(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    post(&shop, "/api/orders", &"k".repeat(255), ORDER)
        .await
        .expect(201);
    let long = "k".repeat(256);
    for key in ["", long.as_str()] {
        let refused = post(&shop, "/api/orders", key, ORDER).await.expect(422);
        assert_eq!(
            refused.refused(),
            ["Idempotency-Key"],
            "{} characters",
            key.len()
        );
    }
}
