//! Who may call the Processing API, and what everybody else is told.

#![allow(clippy::unwrap_used)]

mod processing_support;

use processing_support::{Pair, Program, sign};
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn a_signed_ping_is_answered(pool: PgPool) {
    let program = Program::start(&pool).await;
    for body in ["", "{}"] {
        let signature = sign(&program.pair.private, body);
        let headers = [
            ("x-processing-key", program.pair.public.as_str()),
            ("x-processing-signature", signature.as_str()),
        ];
        let reply = program
            .send("GET", "/api/v2/ping", &headers, body)
            .await
            .expect(200);
        assert_eq!(reply.text(), "OK");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn keys_are_judged_before_signatures_and_both_before_the_body(pool: PgPool) {
    let program = Program::start(&pool).await;
    let (public, private) = (program.pair.public.clone(), program.pair.private.clone());
    let signature = sign(&private, "{}");
    let wrong = sign(&private, "{ }");
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Headers<'_>, u16, &str); 6] = [
        (&[], 401, "bad_header_key"),
        (
            &[("x-processing-signature", &signature)],
            401,
            "bad_header_key",
        ),
        (
            &[
                ("x-processing-key", "nobody"),
                ("x-processing-signature", &signature),
            ],
            401,
            "bad_header_key",
        ),
        (
            &[("x-processing-key", &public)],
            403,
            "bad_header_signature",
        ),
        (
            &[
                ("x-processing-key", &public),
                ("x-processing-signature", &wrong),
            ],
            403,
            "bad_header_signature",
        ),
        (
            &[
                ("x-processing-key", &program.other.public),
                ("x-processing-signature", &signature),
            ],
            403,
            "bad_header_signature",
        ),
    ];
    for (headers, status, code) in cases {
        let reply = program
            .send("POST", "/api/v2/accounts/list", headers, "{}")
            .await
            .expect(status);
        assert_eq!(reply.json()["code"], code, "{headers:?}");
    }
    // What is not signed is not read.
    let headers = [
        ("x-processing-key", public.as_str()),
        ("x-processing-signature", signature.as_str()),
    ];
    program
        .send("POST", "/api/v2/accounts/list", &headers, "{")
        .await
        .expect(403);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_revoked_pair_is_unknown(pool: PgPool) {
    let program = Program::start(&pool).await;
    program.post("accounts/list", "{}").await.expect(200);
    sqlx::query("UPDATE key_pairs SET revoked_at = now()")
        .execute(&pool)
        .await
        .unwrap();
    program.post("accounts/list", "{}").await.expect(401);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_pair_without_permissions_asks_for_rates_and_balances_alone(pool: PgPool) {
    let program = Program::start(&pool).await;
    for path in ["accounts/list", "currencies/list", "currencies/pairs"] {
        program
            .post_as(&program.limited, path, "{}")
            .await
            .expect(200);
    }
    for path in [
        "addresses/take",
        "withdrawal/crypto",
        "exchange/fixed",
        "exchange/now",
        "futures/rates",
        "futures/confirm",
        "invoices/create",
        "invoices/get",
        "transactions/list",
        "transactions/get",
    ] {
        let reply = program
            .post_as(&program.limited, path, "{}")
            .await
            .expect(403);
        assert_eq!(reply.json()["code"], "forbidden", "{path}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn bodies_are_read_strictly(pool: PgPool) {
    let program = Program::start(&pool).await;
    for body in [
        "",
        "7",
        "\"x\"",
        "null",
        "{",
        "{\"a\":1,\"a\":2}",
        &"[".repeat(65),
    ] {
        let reply = program.post("accounts/list", body).await.expect(400);
        assert_eq!(reply.refused(), ["body"], "{body}");
    }
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024));
    let reply = program.post("accounts/list", &large).await.expect(413);
    assert_eq!(reply.json()["code"], "payload_too_large");
}

#[sqlx::test(migrations = "../migrations")]
async fn other_paths_and_methods_are_refused_in_this_shape(pool: PgPool) {
    let program = Program::start(&pool).await;
    let reply = program.post("nothing/here", "{}").await.expect(404);
    assert_eq!(
        reply.json(),
        json!({ "error": "Not found", "code": "not_found" })
    );
    let signature = sign(&program.pair.private, "");
    let headers = [
        ("x-processing-key", program.pair.public.as_str()),
        ("x-processing-signature", signature.as_str()),
    ];
    let reply = program
        .send("GET", "/api/v2/accounts/list", &headers, "")
        .await
        .expect(405);
    assert_eq!(reply.json()["code"], "method_not_allowed");
    program
        .send("POST", "/api/v2/nothing", &[], "{}")
        .await
        .expect(401);
}

async fn keyed(program: &Program, pair: &Pair, key: &str, body: &str) -> processing_support::Reply {
    let signature = sign(&pair.private, body);
    let headers = [
        ("x-processing-key", pair.public.as_str()),
        ("x-processing-signature", signature.as_str()),
        ("idempotency-key", key),
    ];
    program
        .send("POST", "/api/v2/exchange/now", &headers, body)
        .await
}

#[sqlx::test(migrations = "../migrations")]
async fn a_repeated_key_gives_the_first_answer(pool: PgPool) {
    let program = Program::start(&pool).await;
    let body = r#"{"sender_currency":"BTC","receiver_currency":"EUR","sender_amount":"0.01","foreign_id":"1"}"#;
    let first = keyed(&program, &program.pair, "k", body).await.expect(201);
    let again = keyed(&program, &program.pair, "k", body).await.expect(201);
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers.get("idempotent-replayed").unwrap(), "true");
    let other = keyed(&program, &program.pair, "k", &body.replace("0.01", "0.02"))
        .await
        .expect(422);
    assert_eq!(other.refused(), ["idempotency_key"]);
    let long = "k".repeat(256);
    let refused = keyed(&program, &program.pair, &long, body)
        .await
        .expect(400);
    assert_eq!(refused.refused(), ["idempotency_key"]);
    assert_eq!(program.balance("BTC").await, "0.99000000");
}
