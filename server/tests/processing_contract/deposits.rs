//! Addresses, and what comes to them.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::processing_support::{Program, sign, with_names};

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
