//! Exchanges, calculations and promises.

use serde_json::json;
use sqlx::PgPool;

use crate::processing_support::{Program, with_names};

#[sqlx::test(migrations = "../migrations")]
async fn exchanges_have_the_published_members(pool: PgPool) {
    let program = Program::start(&pool).await;
    program
        .sandbox("rates", r#"{"from":"BTC","to":"EUR","rate":"8549.8168"}"#)
        .await;
    let ask = r#"{"sender_amount":"1","sender_currency":"BTC","receiver_currency":"EUR"}"#;
    let quote = program
        .post("exchange/calculate", ask)
        .await
        .expect(200)
        .data();
    assert_eq!(
        with_names(quote.clone(), &["ts_fixed", "ts_release"]),
        json!({
            "sender_amount": "1.00000000", "sender_currency": "BTC",
            "receiver_amount": "8549.81680000", "receiver_currency": "EUR",
            "fee_amount": "85.49816800", "fee_currency": "EUR", "price": "8549.81680000",
            "ts_fixed": "<ts_fixed>", "ts_release": "<ts_release>", "fix_period": 60
        })
    );
    let window = quote["ts_release"].as_i64().unwrap() - quote["ts_fixed"].as_i64().unwrap();
    assert_eq!(window, 60);
    let fixed = r#"{"sender_currency":"BTC","receiver_currency":"EUR","sender_amount":"1","foreign_id":"134453","price":"8549.8168"}"#;
    let made = program
        .post("exchange/fixed", fixed)
        .await
        .expect(201)
        .data();
    assert_eq!(
        with_names(made, &["id"]),
        json!({
            "id": "<id>", "foreign_id": "134453", "type": "exchange",
            "sender_amount": "1.00000000", "sender_currency": "BTC",
            "receiver_amount": "8549.81680000", "receiver_currency": "EUR",
            "fee_amount": "85.49816800", "fee_currency": "EUR", "price": "8549.81680000",
            "status": "processing"
        })
    );
    assert_eq!(program.balance("EUR").await, "18464.31863200");
    let again = r#"{"sender_currency":"BTC","receiver_currency":"EUR","sender_amount":"1","foreign_id":"134454","price":"8549.8168"}"#;
    assert_eq!(
        program
            .post("exchange/fixed", again)
            .await
            .expect(400)
            .refused(),
        ["price"]
    );
    // What an answer says is taken as it says it.
    let ask = r#"{"receiver_amount":"0.01","sender_currency":"EUR","receiver_currency":"BTC"}"#;
    let quote = program
        .post("exchange/calculate", ask)
        .await
        .expect(200)
        .data();
    let amount = quote["sender_amount"].as_str().unwrap();
    assert!(amount.ends_with("000000"), "{amount}");
    let echoed = json!({
        "sender_currency": "EUR", "receiver_currency": "BTC", "sender_amount": amount,
        "foreign_id": "echo", "price": quote["price"],
    });
    let made = program
        .post("exchange/fixed", &echoed.to_string())
        .await
        .expect(201)
        .data();
    assert_eq!(made["sender_amount"], quote["sender_amount"]);
    let other = echoed
        .to_string()
        .replace("echo", "other")
        .replace(amount, "85.500");
    assert_eq!(
        program
            .post("exchange/fixed", &other)
            .await
            .expect(400)
            .refused(),
        ["sender_amount"]
    );
    let before = program.balance("EUR").await;
    let now = r#"{"sender_currency":"EUR","receiver_currency":"BTC","sender_amount":"200","foreign_id":"124876"}"#;
    let made = program.post("exchange/now", now).await.expect(201).data();
    assert_eq!(made["fee_currency"], "EUR");
    assert_eq!(made["fee_amount"], "2.00000000");
    let euros = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
    assert_eq!(
        euros(&before) - euros(&program.balance("EUR").await),
        euros("202")
    );
    for (body, fields) in [
        (
            r#"{"sender_currency":"BTC","receiver_currency":"EUR"}"#,
            vec!["sender_amount"],
        ),
        (
            r#"{"sender_currency":"BTC","receiver_currency":"EUR","sender_amount":"1","receiver_amount":"1"}"#,
            vec!["sender_amount"],
        ),
        (
            r#"{"sender_amount":"1"}"#,
            vec!["receiver_currency", "sender_currency"],
        ),
        (
            r#"{"sender_currency":"BTC","receiver_currency":"BTC","sender_amount":"1"}"#,
            vec!["receiver_currency"],
        ),
    ] {
        let refused = program
            .post("exchange/calculate", body)
            .await
            .expect(400)
            .refused();
        assert_eq!(refused, fields, "{body}");
    }
    program.audit().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn thirty_calculations_a_minute(pool: PgPool) {
    let program = Program::start(&pool).await;
    let ask = r#"{"sender_amount":"1","sender_currency":"BTC","receiver_currency":"EUR"}"#;
    for _ in 0..30 {
        program.post("exchange/calculate", ask).await.expect(200);
    }
    let refused = program.post("exchange/calculate", ask).await.expect(429);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(refused.json()["code"], "too_many_requests");
    program.post("currencies/list", "{}").await.expect(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn futures_have_the_published_members(pool: PgPool) {
    let program = Program::start(&pool).await;
    program
        .sandbox("rates", r#"{"from":"BTC","to":"EUR","rate":"10299.94946"}"#)
        .await;
    let take = r#"{"foreign_id":"ds23fgk","currency":"BTC","convert_to":"EUR"}"#;
    let address = program
        .post("addresses/take", take)
        .await
        .expect(201)
        .data();
    let text = address["address"].as_str().unwrap();
    let rates = program
        .post("futures/rates", &format!(r#"{{"address":"{text}"}}"#))
        .await
        .expect(200)
        .data();
    assert_eq!(rates["addresses"], json!([address]));
    assert_eq!(
        rates["ts_release"].as_i64().unwrap() - rates["ts_fixed"].as_i64().unwrap(),
        6_000
    );
    assert_eq!(rates["rates"]["BTCEUR"]["5.00000000"], "10299.94946000");
    assert_eq!(rates["rates"]["BTCEUR"]["10000.00000000"], "10299.94946000");
    let confirm = format!(
        r#"{{"address":"{text}","sender_currency":"BTC","receiver_currency":"EUR","receiver_amount":"30"}}"#
    );
    let promise = program
        .post("futures/confirm", &confirm)
        .await
        .expect(201)
        .data();
    assert_eq!(
        with_names(promise, &["futures_id", "ts_fixed", "ts_release"]),
        json!({
            "futures_id": "<futures_id>", "sender_currency": "BTC", "receiver_currency": "EUR",
            "fee_currency": "EUR", "price": "10299.94946000", "address": address,
            "sender_amount": "0.00291264", "receiver_amount": "30.00000000",
            "fee_amount": "0.30000000", "ts_fixed": "<ts_fixed>", "ts_release": "<ts_release>"
        })
    );
    program.pay(&address["address"], "0.00291264", "BTC").await;
    program.mine("BTC").await;
    assert_eq!(program.balance("EUR").await, "10029.70000000");
    for (pair, field) in [
        ("BTC\",\"receiver_currency\":\"USD", "receiver_currency"),
        ("LTC\",\"receiver_currency\":\"EUR", "sender_currency"),
    ] {
        let body =
            format!(r#"{{"address":"{text}","sender_currency":"{pair}","receiver_amount":"30"}}"#);
        let refused = program
            .post("futures/confirm", &body)
            .await
            .expect(400)
            .refused();
        assert_eq!(refused, [field]);
    }
    let foreign = program
        .post_as(
            &program.other,
            "futures/rates",
            &format!(r#"{{"address":"{text}"}}"#),
        )
        .await
        .expect(400);
    assert_eq!(foreign.refused(), ["address"]);
    program.audit().await;
}
