use gateway::{PgPool, Settings};
use serde_json::json;

use super::{Order, choose_bitcoin, open, order, order_with, pay, pay_in_full, shows};
use crate::testing::{PUBLIC_URL, TestApp};

/// An app, the cookie of its demo merchant, and an order of it.
async fn shop(pool: &PgPool) -> (TestApp, String, Order) {
    let app = TestApp::start(pool).await;
    let merchant = app.demo().await.merchant;
    let cookie = app.sign_in(&merchant.email, &merchant.password).await;
    let order = order(&app, &merchant).await;
    (app, cookie, order)
}

/// Part of it paid in time, then the clock ran out.
async fn underpay(app: &TestApp, order: &Order) {
    let (address, _) = choose_bitcoin(app, order).await;
    pay(app, &address, "0.001").await;
    app.sandbox("mine", json!({ "currency": "BTC" })).await;
    app.sandbox("advance", json!({ "seconds": 901 })).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn every_page_of_the_dashboard_is_shown(pool: PgPool) {
    let (app, cookie, order) = shop(&pool).await;
    pay_in_full(&app, &order).await;
    let charge = format!("/app/charges/{}", order.id);
    let paths = [
        "/app",
        "/app/charges",
        &charge,
        "/app/wallets",
        "/app/inbox",
        "/app/faucet",
        "/app/mailbox",
    ];
    for path in paths {
        let answer = open(&app, &cookie, path).await;
        shows(&answer, "<!DOCTYPE html>");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    shows(&open(&app, &cookie, "/app").await, &order.id);
    shows(
        &open(&app, &cookie, &charge).await,
        "Payment of 0.0029996 BTC is final.",
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_merchant_without_charges_is_shown_how_to_make_one(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant2;
    let cookie = app.sign_in(&merchant.email, &merchant.password).await;
    shows(&open(&app, &cookie, "/app").await, "/api/orders");
}

#[sqlx::test(migrations = "../migrations")]
async fn foreign_and_unknown_charges_have_one_page(pool: PgPool) {
    let (app, cookie, _) = shop(&pool).await;
    let other = app.demo().await.merchant2;
    let foreign = order(&app, &other).await;
    let unknown = open(&app, &cookie, "/app/charges/EX-AAAAAAAAAA").await;
    assert_eq!(unknown.status, 404);
    let path = format!("/app/charges/{}", foreign.id);
    let answer = open(&app, &cookie, &path).await;
    assert_eq!((answer.status, answer.text()), (404, unknown.text()));
    for verb in ["accept", "refund", "cancel"] {
        let form = app
            .post_form(&format!("{path}/{verb}"), &[("cookie", &cookie)], &[])
            .await;
        assert_eq!((form.status, form.text()), (404, unknown.text()), "{verb}");
    }
    for path in ["/app/wallets/999999999", "/app/wallets/x"] {
        let answer = open(&app, &cookie, path).await;
        assert_eq!(
            (answer.status, answer.text()),
            (404, unknown.text()),
            "{path}"
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_charge_can_be_cancelled_once(pool: PgPool) {
    let (app, cookie, order) = shop(&pool).await;
    let page = format!("/app/charges/{}", order.id);
    shows(&open(&app, &cookie, &page).await, &format!("{page}/cancel"));
    let headers = [("cookie", cookie.as_str())];
    let done = app
        .post_form(&format!("{page}/cancel"), &headers, &[])
        .await;
    assert_eq!(done.header("location"), format!("{page}?notice=cancelled"));
    let shown = open(&app, &cookie, done.header("location")).await;
    shows(&shown, "The charge is cancelled.");
    shows(&shown, "Cancelled by");
    let again = app
        .post_form(&format!("{page}/cancel"), &headers, &[])
        .await;
    assert_eq!(
        again.header("location"),
        format!("{page}?notice=not-possible")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn what_came_short_waits_in_the_inbox_and_can_be_accepted(pool: PgPool) {
    let (app, cookie, order) = shop(&pool).await;
    underpay(&app, &order).await;
    let inbox = open(&app, &cookie, "/app/inbox").await;
    shows(&inbox, "Time ran out with only part of it paid.");
    let page = format!("/app/charges/{}", order.id);
    let charge = open(&app, &cookie, &page).await;
    shows(&charge, "0.00199960 BTC short (99.98 USD)");
    let headers = [("cookie", cookie.as_str())];
    let done = app
        .post_form(&format!("{page}/accept"), &headers, &[])
        .await;
    assert_eq!(done.header("location"), format!("{page}?notice=accepted"));
    // 0.001 BTC at 50 000 USD, less 1 %.
    shows(&open(&app, &cookie, &page).await, "49.50");
    assert!(
        !open(&app, &cookie, "/app/inbox")
            .await
            .text()
            .contains(&order.id)
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refund_needs_an_address_of_the_coin(pool: PgPool) {
    let (app, cookie, order) = shop(&pool).await;
    underpay(&app, &order).await;
    let page = format!("/app/charges/{}", order.id);
    let refund = format!("{page}/refund");
    let headers = [("cookie", cookie.as_str())];
    let wrong = app
        .post_form(&refund, &headers, &[("address", "somewhere")])
        .await;
    assert_eq!(
        wrong.header("location"),
        format!("{page}?notice=bad-address")
    );
    let address = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    let done = app
        .post_form(&refund, &headers, &[("address", address)])
        .await;
    assert_eq!(
        done.header("location"),
        format!("{page}?notice=refund-approved")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn lists_are_filtered_searched_and_exported_alike(pool: PgPool) {
    let (app, cookie, paid) = shop(&pool).await;
    let merchant = app.demo().await.merchant;
    let other = order_with(&app, &merchant, "=cmd|' /C calc'!A0").await;
    pay_in_full(&app, &paid).await;
    let charge = open(&app, &cookie, &format!("/app/charges/{}", paid.id))
        .await
        .text();
    let address = charge
        .split("bc1q")
        .nth(1)
        .and_then(|rest| rest.split(['"', '<']).next());
    let address = format!("bc1q{}", address.unwrap()).to_ascii_uppercase();
    let partial = paid.id[..8].to_ascii_lowercase();
    let of_paid = [
        "status=paid",
        "q=inga+ber",
        &format!("q={partial}"),
        &format!("q={address}"),
    ]
    .map(str::to_owned);
    for query in of_paid {
        let list = open(&app, &cookie, &format!("/app/charges?{query}")).await;
        shows(&list, &paid.id);
        assert!(!list.text().contains(&other.id), "{query}");
        let csv = open(&app, &cookie, &format!("/app/charges/export.csv?{query}")).await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let lines: Vec<String> = csv.text().split("\r\n").map(str::to_owned).collect();
        assert_eq!(lines.len(), 3, "{query}: {lines:?}");
        assert!(
            lines[0].starts_with("order,created_at,status,"),
            "{lines:?}"
        );
        assert!(lines[1].starts_with(&format!("{},", paid.id)), "{lines:?}");
    }
    let all = open(&app, &cookie, "/app/charges.csv").await.text();
    assert!(all.contains("'=cmd|"), "{all}");
    let none = open(&app, &cookie, "/app/charges?q=nobody").await;
    shows(&none, "No charges match.");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_filter_that_means_nothing_is_named_and_kept(pool: PgPool) {
    let (app, cookie, order) = shop(&pool).await;
    let answer = open(&app, &cookie, "/app/charges?from=yesterday&status=created").await;
    assert_eq!(answer.status, 422);
    let text = answer.text();
    assert!(
        text.contains("From day must be a date such as 2026-11-21."),
        "{text}"
    );
    assert!(
        text.contains("value=\"yesterday\"") && text.contains(&order.id),
        "{text}"
    );
    let export = open(&app, &cookie, "/app/charges/export.csv?from=yesterday").await;
    assert_eq!(export.status, 400);
}

#[sqlx::test(migrations = "../migrations")]
async fn pages_of_a_list_lead_to_each_other(pool: PgPool) {
    let (app, cookie, first) = shop(&pool).await;
    let merchant = app.demo().await.merchant;
    let mut newest = String::new();
    for _ in 0..25 {
        newest = order(&app, &merchant).await.id;
    }
    let list = open(&app, &cookie, "/app/charges").await.text();
    assert!(list.contains(&newest) && !list.contains(&first.id));
    let (_, link) = list.split_once("?before=").unwrap();
    let next = format!("/app/charges?before={}", &link[..13]);
    let list = open(&app, &cookie, &next).await.text();
    assert!(list.contains(&first.id) && !list.contains(&newest));
    let previous = open(&app, &cookie, &format!("/app/charges?after={}", first.id))
        .await
        .text();
    assert!(previous.contains(&newest) && !previous.contains(&format!(">{}<", first.id)));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_statement_shows_gross_and_fee_and_adds_up(pool: PgPool) {
    let (app, cookie, order) = shop(&pool).await;
    pay_in_full(&app, &order).await;
    let wallets = open(&app, &cookie, "/app/wallets").await.text();
    let id: String = wallets
        .split("/app/wallets/")
        .nth(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        .unwrap();
    let statement = open(&app, &cookie, &format!("/app/wallets/{id}")).await;
    shows(&statement, &order.id);
    let csv = open(&app, &cookie, &format!("/app/wallets/{id}/statement.csv"))
        .await
        .text();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "line,at,kind,reference,debit,credit,balance,currency"
    );
    let without_time = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        [&cells[..1], &cells[2..]].concat().join(",")
    };
    // 10 000.00 to begin with; 149.98 less 1 %.
    let fee = format!("3,Fee,{},1.4998,,10148.4802,USD", order.id);
    let gross = format!("2,Payment,{},,149.98,10149.98,USD", order.id);
    assert_eq!(without_time(lines[1]), fee);
    assert_eq!(without_time(lines[2]), gross);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_faucet_pays_mines_and_moves_the_clock(pool: PgPool) {
    let (app, cookie, order) = shop(&pool).await;
    let (address, amount) = choose_bitcoin(&app, &order).await;
    let headers = [("cookie", cookie.as_str())];
    let post = async |fields: &[(&str, &str)]| app.post_form("/app/faucet", &headers, fields).await;
    let fields = [
        ("action", "pay"),
        ("address", address.as_str()),
        ("amount", amount.as_str()),
        ("currency", "BTC"),
    ];
    assert_eq!(
        post(&fields).await.header("location"),
        "/app/faucet?notice=paid"
    );
    let fields = [("action", "mine"), ("currency", "BTC"), ("blocks", "1")];
    assert_eq!(
        post(&fields).await.header("location"),
        "/app/faucet?notice=mined"
    );
    let fields = [("action", "advance"), ("seconds", "60")];
    assert_eq!(
        post(&fields).await.header("location"),
        "/app/faucet?notice=advanced"
    );
    let wrong = [
        ("action", "pay"),
        ("address", "nowhere"),
        ("amount", "1"),
        ("currency", "BTC"),
    ];
    let refused = post(&wrong).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("value=\"nowhere\""),
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains("There is a problem"),
        "{}",
        refused.text()
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_manager_sees_its_merchants_and_no_others(pool: PgPool) {
    let (app, _, order) = shop(&pool).await;
    let demo = app.demo().await;
    let cookie = app
        .sign_in(&demo.manager.email, &demo.manager.password)
        .await;
    shows(&open(&app, &cookie, "/app/charges").await, &order.id);
    let foreign = open(
        &app,
        &cookie,
        &format!("/app?merchant={}", demo.merchant2.id),
    )
    .await;
    assert_eq!(foreign.status, 404);

    let cookie = app.sign_in(&demo.admin.email, &demo.admin.password).await;
    let chosen = open(
        &app,
        &cookie,
        &format!("/app/charges?merchant={}", demo.merchant2.id),
    )
    .await;
    assert_eq!(
        (chosen.status, chosen.header("location")),
        (303, "/app/charges")
    );
    let choice = chosen
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let list = open(&app, &format!("{cookie}; {choice}"), "/app/charges").await;
    assert!(!list.text().contains(&order.id), "{}", list.text());
}

#[sqlx::test(migrations = "../migrations")]
async fn an_api_user_sees_balances_alone(pool: PgPool) {
    let (app, _, order) = shop(&pool).await;
    let user = app.demo().await.api_user;
    let cookie = app.sign_in(&user.email, &user.password).await;
    assert_eq!(
        open(&app, &cookie, "/app").await.header("location"),
        "/app/wallets"
    );
    assert_eq!(open(&app, &cookie, "/app/wallets").await.status, 200);
    for path in [
        "/app/charges",
        "/app/charges.csv",
        "/app/inbox",
        "/app/faucet",
    ] {
        assert_eq!(open(&app, &cookie, path).await.status, 403, "{path}");
    }
    let cancel = format!("/app/charges/{}/cancel", order.id);
    let refused = app.post_form(&cancel, &[("cookie", &cookie)], &[]).await;
    assert_eq!(refused.status, 403);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_live_instance_has_no_test_tools(pool: PgPool) {
    let settings = Settings {
        test_mode: false,
        ..Settings::test(PUBLIC_URL)
    };
    let app = TestApp::start_with(&pool, settings).await;
    assert_eq!(
        app.get("/app/faucet").await.status,
        303,
        "signing in comes first"
    );
    let sign_in = app.get("/sign-in").await;
    assert!(
        !sign_in.text().contains("Demo log-ins"),
        "{}",
        sign_in.text()
    );
}
