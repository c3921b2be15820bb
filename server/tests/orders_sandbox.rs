//! The answers of `/sandbox` (`80-clarifications.md`, Test mode).

#![allow(clippy::unwrap_used)]

mod orders_support;

use gateway::Settings;
use orders_support::Shop;
use serde_json::Value;
use server::testing::TestApp;
use sqlx::PgPool;

/// Any valid address of the coin will do; this one is from BIP 173.
const ADDRESS: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[sqlx::test(migrations = "../migrations")]
async fn a_chain_is_paid_mined_and_reorganised(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let pay = format!(r#"{{"address":"{ADDRESS}","amount":0.5,"currency":"BTC"}}"#);
    let paid = shop.sandbox("pay", &pay).await.expect(200).json();
    assert_eq!(members(&paid), ["txid"]);
    let txid = paid["txid"].as_str().unwrap();

    let again = shop
        .sandbox("pay", &format!(r#"{{"txid":"{txid}"}}"#))
        .await
        .expect(200)
        .json();
    assert_eq!(again["txid"], txid);
    let state = shop
        .send("GET", "/sandbox/state", &[], "")
        .await
        .expect(200)
        .json();
    assert_eq!(members(&state), ["chains", "now", "rates"]);
    assert_eq!(state["chains"]["BTC"]["mempool"], serde_json::json!([txid]));
    assert_eq!(
        members(&state["chains"]),
        ["BCH", "BTC", "ETH", "LTC", "USDT", "tBTC"]
    );

    let mined = shop
        .sandbox("mine", r#"{"currency":"BTC","blocks":3}"#)
        .await
        .expect(200)
        .json();
    assert_eq!(members(&mined), ["blocks", "currency", "height"]);
    assert_eq!(mined["currency"], "BTC");
    assert_eq!(mined["blocks"].as_array().unwrap().len(), 3);
    let height = mined["height"].as_i64().unwrap();

    let reorg = shop
        .sandbox("reorg", r#"{"currency":"BTC","depth":2}"#)
        .await
        .expect(200)
        .json();
    assert_eq!(reorg, serde_json::json!({ "height": height + 1 }));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_transaction_is_replaced_while_unconfirmed(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let pay = format!(r#"{{"address":"{ADDRESS}","amount":"0.5"}}"#);
    let paid = shop.sandbox("pay", &pay).await.expect(200).json();
    let replace = format!(r#"{{"txid":{}}}"#, paid["txid"]);
    let replaced = shop.sandbox("replace", &replace).await.expect(200).json();
    assert_ne!(replaced["txid"], paid["txid"]);
    shop.sandbox("replace", &replace).await.expect(422);
}

#[sqlx::test(migrations = "../migrations")]
async fn rates_and_the_clock_answer_what_they_set(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let rate = shop
        .sandbox("rates", r#"{"from":"BTC","to":"EUR","rate":52002.330}"#)
        .await;
    // The text that was given, zeros and all.
    let expected = serde_json::json!({ "from": "BTC", "to": "EUR", "rate": "52002.330" });
    assert_eq!(rate.expect(200).json(), expected);

    let now = |state: Value| state["now"].as_str().unwrap().to_owned();
    let before = now(shop.send("GET", "/sandbox/state", &[], "").await.json());
    let advanced = shop
        .sandbox("advance", r#"{"seconds":3600}"#)
        .await
        .expect(200)
        .json();
    assert_eq!(members(&advanced), ["now"]);
    assert!(now(advanced) > before);

    let state = shop.send("GET", "/sandbox/state", &[], "").await.json();
    assert_eq!(state["rates"]["BTC/EUR"], "52002.33");
    assert_eq!(
        shop.send("GET", "/sandbox/mail", &[], "")
            .await
            .expect(200)
            .text(),
        "[]"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn nonsense_is_422_with_a_message(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    for (call, body) in [
        ("pay", "{}"),
        ("pay", r#"{"address":"nowhere","amount":"1"}"#),
        ("pay", r#"{"txid":"\u0000"}"#),
        ("mine", r#"{"blocks":0}"#),
        ("mine", r#"{"currency":"btc"}"#),
        ("replace", r#"{"txid":"00"}"#),
        ("reorg", r#"{"depth":0}"#),
        ("reorg", r#"{"currency":"BTC","depth":1}"#),
        ("bank", r#"{"reference":"x","amount":"1","currency":"EUR"}"#),
        ("payout", r#"{"payout_id":"PO-1","status":"processed"}"#),
        ("rates", r#"{"from":"BTC","to":"BTC","rate":"1"}"#),
        ("rates", r#"{"from":"BTC","to":"EUR","rate":"-1"}"#),
        ("advance", r#"{"seconds":-1}"#),
        ("advance", r#"{"seconds":1.5}"#),
        ("merchant", r#"{"merchant_id":999999999,"tolerance":"1"}"#),
        ("merchant", r#"{"merchant_id":1,"late_policy":"keep"}"#),
        ("advance", "[]"),
    ] {
        let reply = shop.sandbox(call, body).await.expect(422).json();
        assert_eq!(members(&reply), ["message"], "{call} {body}");
    }
    shop.sandbox("advance", "{").await.expect(400);
    shop.send("GET", "/sandbox/nothing", &[], "")
        .await
        .expect(404);
    shop.send("GET", "/sandbox/pay", &[], "").await.expect(405);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_merchants_policy_can_be_set(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let id = shop.merchant_id;
    let body = format!(
        r#"{{"merchant_id":{id},"tolerance":"0.5","expiry_minutes":5,"late_policy":"inbox"}}"#
    );
    let set = shop.sandbox("merchant", &body).await.expect(200).json();
    assert_eq!(set["merchant_id"], id);
    assert_eq!(set["expiry_minutes"], 5);
}

#[sqlx::test(migrations = "../migrations")]
async fn other_sites_and_passed_on_requests_are_kept_out(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let foreign = [("origin", "https://evil.example")];
    shop.send("POST", "/sandbox/mine", &foreign, "")
        .await
        .expect(403);
    // It reads no cookie: whose a program happens to send does not matter.
    let cookie = [("cookie", "sid=somebody")];
    shop.send("POST", "/sandbox/mine", &cookie, "")
        .await
        .expect(200);
    let passed_on = [("x-forwarded-for", "192.0.2.1")];
    shop.send("GET", "/sandbox/state", &passed_on, "")
        .await
        .expect(404);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_live_instance_has_no_sandbox(pool: PgPool) {
    let live = Settings {
        test_mode: false,
        ..Settings::test("https://pay.example")
    };
    let app = TestApp::start_with(&pool, live).await;
    for (method, path) in [
        ("GET", "/sandbox/state"),
        ("GET", "/sandbox/pay"),
        ("POST", "/sandbox/advance"),
        ("GET", "/sandbox/nothing"),
    ] {
        let reply = app.call(method, path, &[], "").await;
        assert_eq!(reply.status, 404, "{method} {path}");
        assert_eq!(
            reply.header("strict-transport-security"),
            "max-age=31536000"
        );
    }
}
