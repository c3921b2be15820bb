//! What is asked for without changing anything: currencies, pairs, rates, balances, lists and their pages.

use serde_json::json;
use sqlx::PgPool;

use crate::STRANGER;
use crate::invoices::invoice;
use crate::processing_support::Program;

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
