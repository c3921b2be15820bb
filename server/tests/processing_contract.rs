//! Every call of the Processing API with the published examples: the same members, the same types.

#![allow(clippy::unwrap_used)]

mod processing_support;

use processing_support::{Program, sign, with_names};
use serde_json::{Value, json};
use sqlx::PgPool;

/// A main-net address of nobody here.
const STRANGER: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

#[sqlx::test(migrations = "../migrations")]
async fn currencies_pairs_and_rates(pool: PgPool) {
    let program = Program::start(&pool).await;
    let list = program
        .post("currencies/list", "{}")
        .await
        .expect(200)
        .data();
    assert_eq!(
        list[0],
        json!({
            "id": 1, "type": "crypto", "currency": "BTC", "minimum_amount": "0.0001",
            "deposit_fee_percent": "1", "withdrawal_fee_percent": "0", "precision": 8
        })
    );
    let euro = list
        .as_array()
        .unwrap()
        .iter()
        .find(|currency| currency["currency"] == "EUR")
        .unwrap();
    assert_eq!(euro["minimum_amount"], "0.01");
    assert_eq!(euro["type"], "fiat");
    let none = program
        .post("currencies/list", r#"{"visible":false}"#)
        .await
        .expect(200);
    assert_eq!(none.data(), json!([]));

    program
        .sandbox("rates", r#"{"from":"BTC","to":"EUR","rate":"8795.8"}"#)
        .await;
    let filter = r#"{"currency_from":"BTC","currency_to":"EUR"}"#;
    let pair = json!([{
        "currency_from": {
            "currency": "BTC", "type": "crypto", "min_amount": "0.00010000",
            "min_amount_deposit_with_exchange": "0.00010000"
        },
        "currency_to": { "currency": "EUR", "type": "fiat" },
        "rate_from": "1",
        "rate_to": "8795.80000000"
    }]);
    assert_eq!(
        program
            .post("currencies/pairs", filter)
            .await
            .expect(200)
            .data(),
        pair
    );
    assert_eq!(
        program
            .post("currencies/rates", filter)
            .await
            .expect(200)
            .data(),
        pair
    );
    let in_query = "currencies/rates?currency_from=BTC&currency_to=EUR";
    assert_eq!(program.post(in_query, "{}").await.expect(200).data(), pair);
    let from_fiat = r#"{"currency_from":"EUR","currency_to":"BTC"}"#;
    let back = program
        .post("currencies/pairs", from_fiat)
        .await
        .expect(200)
        .data();
    assert!(
        back[0]["currency_from"]
            .get("min_amount_deposit_with_exchange")
            .is_none()
    );
    let nothing = r#"{"currency_from":"XXX","currency_to":"EUR"}"#;
    assert_eq!(
        program
            .post("currencies/rates", nothing)
            .await
            .expect(200)
            .data(),
        json!([])
    );
    assert_eq!(
        program
            .post("currencies/rates", "{}")
            .await
            .expect(400)
            .refused(),
        ["currency_from", "currency_to"]
    );
    // An empty array says as little as an empty object.
    program.post("currencies/list", "[]").await.expect(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn every_balance_zero_ones_too(pool: PgPool) {
    let program = Program::start(&pool).await;
    let accounts = program.post("accounts/list", "{}").await.expect(200).data();
    let find = |code: &str| {
        accounts
            .as_array()
            .unwrap()
            .iter()
            .find(|account| account["currency"] == code)
            .unwrap()
            .clone()
    };
    assert_eq!(
        find("EUR"),
        json!({ "currency": "EUR", "type": "fiat", "balance": "10000.00000000" })
    );
    assert_eq!(
        find("ETH"),
        json!({ "currency": "ETH", "type": "crypto", "balance": "0.000000000000000000" })
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn an_address_is_taken_once(pool: PgPool) {
    let program = Program::start(&pool).await;
    let body = r#"{"foreign_id":"user-id:2048","currency":"BTC","convert_to":"EUR"}"#;
    let first = program
        .post("addresses/take", body)
        .await
        .expect(201)
        .data();
    assert_eq!(
        with_names(first.clone(), &["id", "address"]),
        json!({
            "id": "<id>", "currency": "BTC", "convert_to": "EUR", "address": "<address>",
            "tag": null, "foreign_id": "user-id:2048"
        })
    );
    assert!(first["address"].as_str().unwrap().starts_with("bc1q"));
    let again = program
        .post("addresses/take", body)
        .await
        .expect(200)
        .data();
    assert_eq!(again, first);
    for (body, fields) in [
        (r#"{"foreign_id":"a"}"#, vec!["currency"]),
        (r#"{"currency":"BTC"}"#, vec!["foreign_id"]),
        (r#"{"currency":"EUR","foreign_id":"a"}"#, vec!["currency"]),
        (r#"{"currency":"btc","foreign_id":"a"}"#, vec!["currency"]),
        (
            r#"{"currency":"BTC","convert_to":"BTC","foreign_id":"a"}"#,
            vec!["convert_to"],
        ),
        (
            r#"{"currency":"BTC","convert_to":"AFN","foreign_id":"a"}"#,
            vec!["convert_to"],
        ),
        (r#"{"currency":"BTC","foreign_id":""}"#, vec!["foreign_id"]),
    ] {
        let refused = program
            .post("addresses/take", body)
            .await
            .expect(400)
            .refused();
        assert_eq!(refused, fields, "{body}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_deposit_is_told_at_first_sight_and_when_it_is_final(pool: PgPool) {
    let program = Program::start(&pool).await;
    program.want_callbacks().await;
    let body = r#"{"foreign_id":"user-id:2048","currency":"BTC","convert_to":"EUR"}"#;
    let address = program
        .post("addresses/take", body)
        .await
        .expect(201)
        .data();
    program
        .sandbox("rates", r#"{"from":"BTC","to":"EUR","rate":"8417.070222"}"#)
        .await;
    program.pay(&address["address"], "0.01", "BTC").await;
    program.mine("BTC").await;
    let callbacks = program.callbacks().await;
    let statuses: Vec<&str> = callbacks
        .iter()
        .map(|(body, _, _)| body["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["not_confirmed", "confirmed"]);
    // At first sight it is worth what the rate of that moment makes of it.
    let (first, _, _) = callbacks.first().unwrap();
    assert_eq!(
        first["currency_received"],
        json!({ "currency": "EUR", "amount": "84.17070222", "amount_minus_fee": "83.32899519" })
    );
    assert_eq!(first["fees"], json!([]));
    assert_eq!(first["transactions"].as_array().unwrap().len(), 1);
    let (told, headers, bytes) = callbacks.last().unwrap();
    assert_eq!(told["type"], "deposit_exchange");
    assert_eq!(told.get("foreign_id"), None);
    assert_eq!(told["crypto_address"]["foreign_id"], "user-id:2048");
    assert_eq!(told["crypto_address"]["convert_to"], "EUR");
    assert_eq!(
        told["currency_sent"],
        json!({ "currency": "BTC", "amount": "0.01000000" })
    );
    assert_eq!(
        told["currency_received"],
        json!({ "currency": "EUR", "amount": "84.17070222", "amount_minus_fee": "83.32899519" })
    );
    assert_eq!(
        told["fees"],
        json!([{ "type": "exchange", "currency": "EUR", "amount": "0.84170703" }])
    );
    let kinds: Vec<&Value> = told["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| &part["transaction_type"])
        .collect();
    assert_eq!(kinds, ["blockchain", "exchange"]);
    assert_eq!(told["transactions"][1]["currency_to"], "EUR");
    let signed = sign(&program.pair.private, std::str::from_utf8(bytes).unwrap());
    assert!(headers.contains(&("x-processing-key".to_owned(), program.pair.public.clone())));
    assert!(headers.contains(&("x-processing-signature".to_owned(), signed)));

    let listed = program
        .post("transactions/list", "{}")
        .await
        .expect(200)
        .json();
    assert_eq!(
        listed["meta"],
        json!({ "page": 1, "per_page": 50, "total": 1, "pages": 1 })
    );
    assert_eq!(&listed["data"][0], told);
    let id = told["id"].as_i64().unwrap();
    let got = program
        .post("transactions/get", &format!(r#"{{"id":{id}}}"#))
        .await
        .expect(200);
    assert_eq!(&got.data(), told);
    program
        .post_as(
            &program.other,
            "transactions/get",
            &format!(r#"{{"id":{id}}}"#),
        )
        .await
        .expect(404);
    program.audit().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn every_callback_says_what_is_received_in_one_form(pool: PgPool) {
    let program = Program::start(&pool).await;
    program.want_callbacks().await;
    let take = async |body: &str| {
        let taken = program.post("addresses/take", body).await.expect(201);
        taken.data()["address"].clone()
    };
    let plain = take(r#"{"foreign_id":"plain","currency":"BTC"}"#).await;
    let converting = take(r#"{"foreign_id":"eur","currency":"BTC","convert_to":"EUR"}"#).await;
    let received = async || {
        let (body, _, _) = program.callbacks().await.pop().unwrap();
        (body["status"].clone(), body["currency_received"].clone())
    };
    program.pay(&plain, "0.01", "BTC").await;
    let coins =
        json!({ "currency": "BTC", "amount": "0.01000000", "amount_minus_fee": "0.00990000" });
    assert_eq!(received().await, (json!("not_confirmed"), coins.clone()));
    program.mine("BTC").await;
    assert_eq!(received().await, (json!("confirmed"), coins));
    // Too little is for a person to decide on; nothing is received until then.
    program.pay(&plain, "0.00009", "BTC").await;
    program.mine("BTC").await;
    let nothing = json!({ "currency": "BTC", "amount": null, "amount_minus_fee": null });
    assert_eq!(received().await, (json!("not_confirmed"), nothing));
    sqlx::query("DELETE FROM rate_observations")
        .execute(&pool)
        .await
        .unwrap();
    program.pay(&converting, "0.01", "BTC").await;
    let unknown = json!({ "currency": "EUR", "amount": null, "amount_minus_fee": null });
    assert_eq!(received().await, (json!("not_confirmed"), unknown));
    program.audit().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_withdrawal_has_the_published_members(pool: PgPool) {
    let program = Program::start(&pool).await;
    program.want_callbacks().await;
    let body = format!(
        r#"{{"foreign_id":"122929","amount":"0.01","currency":"BTC","address":"{STRANGER}"}}"#
    );
    let made = program
        .post("withdrawal/crypto", &body)
        .await
        .expect(201)
        .data();
    let shape = json!({
        "id": "<id>", "foreign_id": "122929", "type": "withdrawal", "status": "processing",
        "amount": "0.01000000", "sender_amount": "0.01000000", "sender_currency": "BTC",
        "receiver_amount": "0.01000000", "receiver_currency": "BTC"
    });
    assert_eq!(with_names(made.clone(), &["id"]), shape);
    assert_eq!(program.balance("BTC").await, "0.99000000");
    let again = program
        .post("withdrawal/crypto", &body)
        .await
        .expect(201)
        .data();
    assert_eq!(again, made);
    let other = body.replace("0.01", "0.02");
    assert_eq!(
        program
            .post("withdrawal/crypto", &other)
            .await
            .expect(400)
            .refused(),
        ["foreign_id"]
    );
    program.mine("BTC").await;
    // The first answer, whatever has become of it.
    let late = program
        .post("withdrawal/crypto", &body)
        .await
        .expect(201)
        .data();
    assert_eq!(late, made);
    let statuses: Vec<String> = program
        .callbacks()
        .await
        .iter()
        .map(|(body, _, _)| format!("{} {}", body["type"], body["status"]))
        .collect();
    assert_eq!(
        statuses,
        [
            r#""withdrawal" "processing""#,
            r#""withdrawal" "confirmed""#
        ]
    );
    let to_coin = format!(
        r#"{{"foreign_id":"2","amount":"3500","currency":"EUR","convert_to":"BTC","address":"{STRANGER}"}}"#
    );
    let made = program
        .post("withdrawal/crypto", &to_coin)
        .await
        .expect(201)
        .data();
    assert_eq!(made["type"], "withdrawal_exchange");
    assert_eq!(made["amount"], "3500.00000000");
    assert_eq!(made["sender_amount"], "3535.00000000");
    assert_eq!(made["receiver_currency"], "BTC");
    program.audit().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_repeated_reference_gives_the_first_answer_byte_for_byte(pool: PgPool) {
    let program = Program::start(&pool).await;
    let address = program
        .post("addresses/take", r#"{"foreign_id":"a","currency":"BTC"}"#)
        .await
        .expect(201)
        .data()["address"]
        .clone();
    let internal = json!({
        "foreign_id": "1", "amount": "0.001", "currency": "BTC", "address": address
    });
    let converted = json!({
        "foreign_id": "2", "amount": "600", "currency": "EUR", "convert_to": "BTC",
        "address": STRANGER
    });
    let exchange = json!({
        "foreign_id": "3", "sender_amount": "0.01", "sender_currency": "BTC",
        "receiver_currency": "EUR"
    });
    let timed: Value =
        serde_json::from_str(&invoice("\"4\"", r#""timer":true,"sender_currency":"BTC""#)).unwrap();
    let asked = [
        ("withdrawal/crypto", internal),
        ("withdrawal/crypto", converted),
        ("exchange/now", exchange),
        ("invoices/create", timed),
    ];
    sqlx::query("UPDATE merchants SET withdrawal_limit = 100")
        .execute(&pool)
        .await
        .unwrap();
    let mut first = Vec::new();
    for (path, body) in &asked {
        let reply = program.post(path, &body.to_string()).await.expect(201);
        first.push(reply.body);
    }
    let status = |at: usize| {
        let answer: Value = serde_json::from_slice(&first[at]).unwrap();
        answer["data"]["status"].clone()
    };
    // Settled in the same moment, and above the limit.
    assert_eq!(status(0), "processing");
    assert_eq!(status(1), "pending");
    let pending: i64 = sqlx::query_scalar("SELECT id FROM operations WHERE status = 'pending'")
        .fetch_one(&pool)
        .await
        .unwrap();
    program
        .sandbox("rates", r#"{"from":"BTC","to":"EUR","rate":"50000"}"#)
        .await;
    let by = gateway::withdrawals::Decider {
        name: "manager".to_owned(),
        user_id: None,
    };
    program
        .app
        .gateway()
        .approve_withdrawal(program.merchant_id, pending, by)
        .await
        .unwrap();
    program.mine("BTC").await;
    program.sandbox("advance", r#"{"seconds":901}"#).await;
    for ((path, body), first) in asked.iter().zip(&first) {
        let again = program.post(path, &body.to_string()).await.expect(201);
        assert_eq!(&again.body, first, "{path}");
        assert!(!again.headers.contains_key("idempotent-replayed"));
    }
    program.audit().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_withdrawal_that_cannot_be_made_holds_nothing(pool: PgPool) {
    let program = Program::start(&pool).await;
    let with = |name: &str, value: &str| {
        let mut body = json!({
            "foreign_id": "1", "amount": "0.01", "currency": "BTC", "address": STRANGER
        });
        body[name] = serde_json::from_str(value).unwrap();
        body.to_string()
    };
    for (name, value) in [
        ("amount", r#""1e-2""#),
        ("amount", r#""0.000000001""#),
        ("amount", r#""-1""#),
        ("amount", r#""2""#),
        ("amount", "null"),
        ("currency", r#""EUR""#),
        ("currency", r#""XXX""#),
        ("address", r#""bc1qnothing""#),
        ("address", r#""0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed""#),
        ("address", "7"),
        ("tag", r#""12""#),
        ("foreign_id", "null"),
        ("convert_to", r#""EUR""#),
    ] {
        let body = with(name, value);
        let refused = program
            .post("withdrawal/crypto", &body)
            .await
            .expect(400)
            .refused();
        assert_eq!(refused, [name], "{body}");
    }
    assert_eq!(program.balance("BTC").await, "1.00000000");
    let listed = program
        .post("transactions/list", "{}")
        .await
        .expect(200)
        .json();
    assert_eq!(listed["meta"]["total"], 0);
}

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

/// An invoice of 106.75 EUR with further members.
fn invoice(reference: &str, more: &str) -> String {
    format!(
        r#"{{"title":"TEST NAME","currency":"EUR","amount":"106.75","foreign_id":{reference},
            "url_success":"https://merchant.name.com/ok","url_failed":"https://merchant.name.com/no",
            "email_user":"anna@example.com",{more}}}"#
    )
}

#[sqlx::test(migrations = "../migrations")]
async fn invoices_of_the_three_types(pool: PgPool) {
    let program = Program::start(&pool).await;
    let plain = program
        .post("invoices/create", &invoice("164", r#""timer":false"#))
        .await
        .expect(201)
        .data();
    assert_eq!(
        with_names(plain.clone(), &["id", "url"]),
        json!({
            "id": "<id>", "url": "<url>", "foreign_id": 164, "address": null, "name": "TEST NAME",
            "title": "TEST NAME", "description": "", "type": "fill_or_kill", "status": "created",
            "currency": "EUR", "amount": "106.75", "sender_currency": null, "sender_amount": null,
            "fixed_at": null, "release_at": null, "seconds_left": null
        })
    );
    let timed = program
        .post("invoices/create", &invoice("\"165\"", r#""timer":true"#))
        .await
        .expect(201)
        .data();
    assert_eq!(timed["foreign_id"], "165");
    assert_eq!(timed["status"], "created");
    assert_eq!(
        timed["release_at"].as_i64().unwrap() - timed["fixed_at"].as_i64().unwrap(),
        900
    );
    assert_eq!(timed["address"], Value::Null);
    let fixed = program
        .post(
            "invoices/create",
            &invoice("166", r#""timer":true,"sender_currency":"BTC""#),
        )
        .await
        .expect(201)
        .data();
    assert_eq!(fixed["status"], "pending");
    assert_eq!(fixed["sender_amount"], "0.00177917");
    assert!(fixed["address"].as_str().unwrap().starts_with("bc1q"));
    assert_eq!(
        fixed["release_at"].as_i64().unwrap() - fixed["fixed_at"].as_i64().unwrap(),
        900
    );
    // The clock runs already: a second may begin between the quote and the answer.
    let left = fixed["seconds_left"].as_i64().unwrap();
    assert!((840..=900).contains(&left), "{left}");
    let again = program
        .post(
            "invoices/create",
            &invoice("166", r#""timer":true,"sender_currency":"BTC""#),
        )
        .await
        .expect(201)
        .data();
    assert_eq!(again["id"], fixed["id"]);
    let other = program
        .post("invoices/create", &invoice("166", r#""timer":true"#))
        .await
        .expect(400);
    assert_eq!(other.refused(), ["foreign_id"]);
    let id = fixed["id"].as_i64().unwrap();
    let got = program
        .post("invoices/get", &format!(r#"{{"id":{id}}}"#))
        .await
        .expect(200)
        .data();
    assert_eq!(got["url"], fixed["url"]);
    let got = program
        .post("invoices/get", r#"{"foreign_id":"166"}"#)
        .await
        .expect(200)
        .data();
    assert_eq!(got["id"], fixed["id"]);
    program
        .post_as(&program.other, "invoices/get", &format!(r#"{{"id":{id}}}"#))
        .await
        .expect(404);
    for (more, field) in [
        (r#""timer":"yes""#, "timer"),
        (
            r#""timer":false,"sender_currency":"BTC""#,
            "sender_currency",
        ),
        (r#""timer":true,"sender_currency":"USD""#, "sender_currency"),
        (r#""timer":false,"type":"all""#, "type"),
    ] {
        let refused = program
            .post("invoices/create", &invoice("9", more))
            .await
            .expect(400);
        assert_eq!(refused.refused(), [field], "{more}");
    }
    // What is asked for in a coin of fewer digits than the ledger's can be paid as it was answered.
    let tether = program
        .post(
            "invoices/create",
            &invoice("167", r#""timer":true,"sender_currency":"USDT""#),
        )
        .await
        .expect(201)
        .data();
    let asked = tether["sender_amount"].as_str().unwrap();
    assert!(!asked.ends_with('0'), "{asked}");
    program.pay(&tether["address"], asked, "USDT").await;
    let paid = program
        .post("invoices/get", r#"{"foreign_id":"167"}"#)
        .await
        .expect(200)
        .data();
    assert_eq!(paid["status"], "processing");
    let bad = invoice("9", r#""timer":false"#)
        .replace("https://merchant.name.com/ok", "javascript:alert(1)");
    assert_eq!(
        program
            .post("invoices/create", &bad)
            .await
            .expect(400)
            .refused(),
        ["url_success"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invoice_is_told_at_each_step(pool: PgPool) {
    let program = Program::start(&pool).await;
    program.want_callbacks().await;
    let more = r#""timer":true,"sender_currency":"BTC","type":"good_until_expired""#;
    let made = program
        .post("invoices/create", &invoice("1", more))
        .await
        .expect(201)
        .data();
    program.pay(&made["address"], "0.001", "BTC").await;
    program.pay(&made["address"], "0.00077917", "BTC").await;
    program.mine("BTC").await;
    let told: Vec<(String, String)> = program
        .callbacks()
        .await
        .iter()
        .map(|(body, _, _)| {
            assert_eq!(body["type"], "invoice");
            assert_eq!(body["foreign_id"], 1);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (
                text(&body["status"]),
                text(&body["currency_sent"]["remaining_amount"]),
            )
        })
        .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        told,
        [
            ("pending", "0.00077917"),
            ("processing", "0"),
            ("confirmed", "0"),
        ]
    );
    let (first, _, _) = program.callbacks().await.remove(0);
    assert_eq!(
        first["crypto_address"],
        json!({
            "id": null, "currency": "BTC", "convert_to": "EUR", "address": made["address"],
            "tag": null, "foreign_id": 1
        })
    );
    assert_eq!(
        first["currency_received"],
        json!({ "currency": "EUR", "amount": "60.00", "amount_minus_fee": "59.40" })
    );
    let (last, _, _) = program.callbacks().await.pop().unwrap();
    assert_eq!(
        last["currency_received"],
        json!({ "currency": "EUR", "amount": "106.75", "amount_minus_fee": "105.6825" })
    );
    assert_eq!(last["transactions"].as_array().unwrap().len(), 2);
    let listed = program
        .post(
            "transactions/list",
            r#"{"type":"invoice","status":"confirmed"}"#,
        )
        .await
        .expect(200)
        .data();
    assert_eq!(listed, json!([last]));
    program.audit().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invoice_paid_from_another_account_here_is_told_as_internal(pool: PgPool) {
    let program = Program::start(&pool).await;
    program.want_callbacks().await;
    let more = r#""timer":true,"sender_currency":"BTC""#;
    let made = program
        .post("invoices/create", &invoice("1", more))
        .await
        .expect(201)
        .data();
    let body = json!({
        "foreign_id": "w", "currency": "BTC",
        "amount": made["sender_amount"], "address": made["address"],
    });
    program
        .post("withdrawal/crypto", &body.to_string())
        .await
        .expect(201);
    let told = program.callbacks().await;
    let (last, _, _) = told
        .iter()
        .rfind(|(body, _, _)| body["type"] == "invoice")
        .unwrap();
    assert_eq!(last["status"], "confirmed");
    let part = &last["transactions"][0];
    assert_eq!(part["transaction_type"], "internal");
    assert!(part["txid"].is_null(), "{part}");
    program.audit().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_failed_invoice_says_why(pool: PgPool) {
    let program = Program::start(&pool).await;
    program.want_callbacks().await;
    let more = r#""timer":true,"sender_currency":"BTC""#;
    program
        .post("invoices/create", &invoice("1", more))
        .await
        .expect(201);
    let short = program
        .post("invoices/create", &invoice("2", more))
        .await
        .expect(201)
        .data();
    // The clock of the second type runs before anybody picks.
    program
        .post("invoices/create", &invoice("3", r#""timer":true"#))
        .await
        .expect(201);
    let lost = program
        .post("invoices/create", &invoice("4", more))
        .await
        .expect(201)
        .data();
    program.pay(&short["address"], "0.001", "BTC").await;
    // Paid in full, and taken back after the clock.
    let payment = json!({ "address": lost["address"], "amount": lost["sender_amount"] });
    let paid = program.sandbox("pay", &payment.to_string()).await;
    program.sandbox("advance", r#"{"seconds":901}"#).await;
    program
        .sandbox("replace", &json!({ "txid": paid["txid"] }).to_string())
        .await;
    let mut told: Vec<(i64, String, String)> = program
        .callbacks()
        .await
        .iter()
        .filter(|(body, _, _)| body["status"] == "failed")
        .map(|(body, _, _)| {
            let received = &body["currency_received"];
            assert_eq!(received["amount_minus_fee"], "0.00", "{body}");
            (
                body["foreign_id"].as_i64().unwrap(),
                body["error"].as_str().unwrap().to_owned(),
                received["amount"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    told.sort();
    let told: Vec<(i64, &str, &str)> = told
        .iter()
        .map(|(id, why, came)| (*id, why.as_str(), came.as_str()))
        .collect();
    let expired = "the timer expired and nothing was paid";
    let replaced =
        "the payment was replaced or double-spent: the timer expired and nothing was paid";
    assert_eq!(
        told,
        [
            (1, expired, "0.00"),
            (2, "less was paid than asked", "60.00"),
            (3, expired, "0.00"),
            (4, replaced, "0.00"),
        ]
    );
    let got = program
        .post("invoices/get", r#"{"foreign_id":3}"#)
        .await
        .expect(200)
        .data();
    assert_eq!(
        (&got["status"], &got["seconds_left"]),
        (&json!("failed"), &json!(0))
    );
    program.audit().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn lists_are_filtered_and_paged(pool: PgPool) {
    let program = Program::start(&pool).await;
    for n in 0..3 {
        let body = format!(
            r#"{{"sender_currency":"BTC","receiver_currency":"EUR","sender_amount":"0.01","foreign_id":"e{n}"}}"#
        );
        program.post("exchange/now", &body).await.expect(201);
    }
    let body =
        format!(r#"{{"foreign_id":"w","amount":"0.01","currency":"BTC","address":"{STRANGER}"}}"#);
    program.post("withdrawal/crypto", &body).await.expect(201);
    let total = async |filter: &str| {
        let listed = program
            .post("transactions/list", filter)
            .await
            .expect(200)
            .json();
        let length = listed["data"].as_array().unwrap().len();
        (listed["meta"]["total"].as_i64().unwrap(), length)
    };
    assert_eq!(total("{}").await, (4, 4));
    assert_eq!(total(r#"{"type":"exchange"}"#).await, (3, 3));
    assert_eq!(total(r#"{"status":"processing"}"#).await, (1, 1));
    assert_eq!(total(r#"{"currency":"EUR"}"#).await, (3, 3));
    assert_eq!(total(r#"{"foreign_id":"e1"}"#).await, (1, 1));
    assert_eq!(total(r#"{"page":2,"per_page":3}"#).await, (4, 1));
    program
        .post(
            "invoices/create",
            &invoice(r#""i1""#, r#""timer":true,"sender_currency":"BTC""#),
        )
        .await
        .expect(201);
    let body = r#"{"sender_currency":"BTC","receiver_currency":"EUR","sender_amount":"0.01","foreign_id":"e3"}"#;
    program.post("exchange/now", body).await.expect(201);
    let listed = program
        .post("transactions/list", "{}")
        .await
        .expect(200)
        .json();
    assert_eq!(
        listed["meta"],
        json!({ "page": 1, "per_page": 50, "total": 6, "pages": 1 })
    );
    let types: Vec<&str> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "exchange",
            "invoice",
            "withdrawal",
            "exchange",
            "exchange",
            "exchange"
        ]
    );
    assert_eq!(total(r#"{"type":"invoice"}"#).await, (1, 1));
    assert_eq!(
        total(r#"{"type":"invoice","status":"pending"}"#).await,
        (1, 1)
    );
    assert_eq!(
        total(r#"{"type":"invoice","status":"failed"}"#).await,
        (0, 0)
    );
    assert_eq!(total(r#"{"status":"created"}"#).await, (0, 0));
    assert_eq!(total(r#"{"status":"pending"}"#).await, (1, 1));
    assert_eq!(total(r#"{"currency":"BTC"}"#).await, (6, 6));
    assert_eq!(total(r#"{"currency":"LTC"}"#).await, (0, 0));
    assert_eq!(total(r#"{"foreign_id":"i1"}"#).await, (1, 1));
    assert_eq!(total(r#"{"page":2,"per_page":4}"#).await, (6, 2));
    let others = program
        .post_as(&program.other, "transactions/list", "{}")
        .await
        .expect(200)
        .json();
    assert_eq!(others["meta"]["total"], 0);
    for (filter, field) in [
        (r#"{"type":"refund"}"#, "type"),
        (r#"{"status":"done"}"#, "status"),
        (r#"{"per_page":101}"#, "per_page"),
        (r#"{"page":0}"#, "page"),
    ] {
        let refused = program
            .post("transactions/list", filter)
            .await
            .expect(400)
            .refused();
        assert_eq!(refused, [field], "{filter}");
    }
}
