//! Withdrawals, and references that are used again.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::STRANGER;
use crate::invoices::invoice;
use crate::processing_support::{Program, with_names};

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
