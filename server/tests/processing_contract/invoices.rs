//! Invoices of the three types, and what is told about them.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::processing_support::{Program, with_names};

/// An invoice of 106.75 EUR with further members.
pub fn invoice(reference: &str, more: &str) -> String {
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
