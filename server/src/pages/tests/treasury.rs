//! The operator's page of EVM payments, with payments of an instance that had such a chain.

use gateway::PgPool;

use super::{open, shows};
use crate::testing::TestApp;

const PAYER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const DEPOSIT: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";

/// A paused account with a sweep that waits for its signature. Answers its number.
async fn sweep(pool: &PgPool) -> i64 {
    sqlx::query(
        "INSERT INTO treasuries (chain_id, address, first_nonce, next_nonce, paused_at, paused_why, created_at)
         VALUES (31337, $1, 0, 1, now(), 'number 1 was used for something else', now())",
    )
    .bind(DEPOSIT)
    .execute(pool)
    .await
    .unwrap();
    let payment: i64 = sqlx::query_scalar(
        "INSERT INTO treasury_payments (chain_id, address, nonce, coin_id, chain, to_address, raw_amount,
             confirmations_required, created_at, purpose)
         SELECT 31337, $1, 0, id, 'ETH', $2, 1500000000000000000, 6, now(), 'sweep'
         FROM currencies WHERE code = 'ETH' RETURNING id",
    )
    .bind(DEPOSIT)
    .bind(PAYER)
    .fetch_one(pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO treasury_txs (payment_id, state, plan, made_by, created_at, next_attempt_at)
         VALUES ($1, 'drafted', '{\"gas_limit\": 21000, \"max_fee_per_gas\": \"3000000000\",
             \"max_priority_fee_per_gas\": \"1500000000\"}', 'exchequer', now(), now())",
    )
    .bind(payment)
    .execute(pool)
    .await
    .unwrap();
    payment
}

#[sqlx::test(migrations = "../migrations")]
async fn payments_are_listed_filtered_exported_and_shown(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let admin = app.demo().await.admin;
    let cookie = app.sign_in(&admin.email, &admin.password).await;
    let path = "/app/operate/treasury";
    let empty = open(&app, &cookie, path).await;
    shows(&empty, "Nothing was paid with a number yet");
    shows(&empty, "No coin is paid from an account");
    let payment = sweep(&pool).await;
    let listed = open(&app, &cookie, path).await;
    shows(&listed, &format!("href=\"{path}/{payment}\""));
    shows(&listed, "number 1 was used for something else");
    shows(&listed, "unsigned");
    let filtered = open(&app, &cookie, &format!("{path}?kind=gas")).await;
    shows(&filtered, "No payments match.");
    let odd = open(
        &app,
        &cookie,
        &format!("{path}?before=x&state=%00&kind=%27"),
    )
    .await;
    shows(&odd, "No payments match.");
    let csv = open(&app, &cookie, &format!("{path}.csv?kind=sweep")).await;
    shows(&csv, "Sweep,unsigned,ETH,1.5");
    shows(&csv, PAYER);
    let one = open(&app, &cookie, &format!("{path}/{payment}")).await;
    shows(&one, "Download the transaction");
    shows(&one, "1.5");
    for unknown in [
        format!("{path}/{}", payment + 1),
        format!("{path}/x"),
        format!("{path}/accounts/{PAYER}"),
        format!("{path}/accounts/nobody"),
    ] {
        let refused = open(&app, &cookie, &unknown).await;
        assert_eq!(refused.status, 404, "{unknown}");
    }
}

/// No such chain is there any more: nothing can be done, and nothing breaks.
#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_done_that_cannot_be(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let admin = app.demo().await.admin;
    let cookie = app.sign_in(&admin.email, &admin.password).await;
    let headers = [("cookie", cookie.as_str())];
    let payment = sweep(&pool).await;
    let path = format!("/app/operate/treasury/accounts/{DEPOSIT}");
    let fields = [("step", "save"), ("reason", "looked")];
    let refused = app.post_form(&path, &headers, &fields).await;
    assert_eq!(refused.status, 404);
    // A form that is no upload.
    let path = format!("/app/operate/treasury/{payment}/signed");
    let refused = app.post_form(&path, &headers, &[("signed", "0x02")]).await;
    assert_eq!(refused.status, 400);
    let waits: bool = sqlx::query_scalar("SELECT paused_at IS NOT NULL FROM treasuries")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(waits);
}
