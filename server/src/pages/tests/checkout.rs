use gateway::PgPool;

use super::{choose_bitcoin, order, order_with, pay, pay_in_full, shows, status};
use crate::testing::TestApp;

#[sqlx::test(migrations = "../migrations")]
async fn the_token_opens_customer_data_and_receipt(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let order = order(&app, &merchant).await;
    let with_token = app.get(&order.page).await;
    shows(&with_token, "Inga Berzina");
    assert_eq!(with_token.header("referrer-policy"), "no-referrer");
    assert_eq!(with_token.header("cache-control"), "no-store");

    let bare = format!("/pay/{}", order.id);
    let without = app.get(&bare).await;
    shows(&without, "149.98");
    assert!(!without.text().contains("Inga") && !without.text().contains("/receipt"));
    assert_eq!(app.get(&format!("{bare}/receipt")).await.status, 404);
    assert_eq!(app.get(&format!("{bare}/receipt?t=x")).await.status, 404);
    let receipt = app.get(&format!("{bare}/receipt?t={}", order.token)).await;
    assert_eq!(
        (receipt.status, receipt.header("content-type")),
        (200, "application/pdf")
    );
    assert!(receipt.body.starts_with(b"%PDF-"));
    let name = format!("inline; filename=\"{}.pdf\"", order.id);
    assert_eq!(receipt.header("content-disposition"), name);
}

#[sqlx::test(migrations = "../migrations")]
async fn unknown_orders_wrong_tokens_and_odd_ids_have_one_page(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let order = order(&app, &merchant).await;
    let unknown = app.get("/pay/EX-AAAAAAAAAA").await;
    assert_eq!(unknown.status, 404);
    let wrong_token = format!("/pay/{}?t=AAAAAAAAAAAAAAAAAAAAAA", order.id);
    for path in [
        wrong_token.as_str(),
        "/pay/EX-1",
        "/pay/%00",
        "/pay/EX-AAAAAAAAAA?t=x",
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status, answer.text()),
            (404, unknown.text()),
            "{path}"
        );
    }
    let posted = app
        .post_form("/pay/EX-AAAAAAAAAA", &[], &[("method", "BTC")])
        .await;
    assert_eq!((posted.status, posted.text()), (404, unknown.text()));
}

#[sqlx::test(migrations = "../migrations")]
async fn paying_takes_forms_alone(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let order = order(&app, &merchant).await;
    shows(&app.get(&order.page).await, "name=\"method\"");

    let (address, amount) = choose_bitcoin(&app, &order).await;
    assert_eq!(amount, "0.00299960");
    let waiting = app.get(&order.page).await;
    assert!(
        !waiting.text().contains("shop.example/done"),
        "no way back before anything came"
    );
    shows(&waiting, &format!("bitcoin:{address}?amount=0.0029996"));
    shows(&waiting, "<leptos-island");
    assert!(waiting.text().contains("data-props="), "{}", waiting.text());

    pay(&app, &address, &amount).await;
    let view = status(&app, &order).await;
    assert_eq!(view["state"], "seen");
    assert_eq!(view["return_url"], "https://shop.example/done?cart=7");
    let seen = app.get(&order.page).await;
    shows(&seen, "href=\"https://shop.example/done?cart=7\"");
    assert!(
        !seen.text().contains("href=\"bitcoin:"),
        "asked to pay again: {}",
        seen.text()
    );

    app.sandbox("mine", serde_json::json!({ "currency": "BTC" }))
        .await;
    let paid = app.get(&order.page).await;
    shows(&paid, "https://shop.example/done?cart=7&amp;order_id=");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_form_leads_back_with_a_code_and_never_with_text(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let order = order(&app, &merchant).await;
    let chosen = app.post_form(&order.page, &[], &[("method", "BTC")]).await;
    assert_eq!(
        (chosen.status, chosen.header("location")),
        (303, order.page.as_str())
    );
    let wrong = app
        .post_form(&order.page, &[], &[("method", "<b>gold</b>")])
        .await;
    let back = format!("{}&notice=bad-method", order.page);
    assert_eq!(
        (wrong.status, wrong.header("location")),
        (303, back.as_str())
    );
    shows(
        &app.get(&back).await,
        "Choose one of the offered ways to pay.",
    );
    let invented = format!("{}&notice=Send+coins+to+evil.example", order.page);
    assert!(!app.get(&invented).await.text().contains("evil.example"));
}

#[sqlx::test(migrations = "../migrations")]
async fn another_site_cannot_post_the_forms(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let order = order(&app, &merchant).await;
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
    ];
    let answer = app.call("POST", &order.page, &headers, "method=BTC").await;
    assert_eq!(answer.status, 403);
    assert_eq!(status(&app, &order).await["state"], "choose_method");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let foreign = [form, ("origin", "https://evil.example")];
    let answer = app.call("POST", &order.page, &foreign, "method=BTC").await;
    assert_eq!(answer.status, 403);
    // The page reads no cookie, so there is nothing to borrow: not by a program that happens to send
    // one, nor by our own page in a browser that hides its origin.
    let cookie = app.sign_in(&merchant.email, &merchant.password).await;
    for headers in [
        vec![form],
        vec![form, ("cookie", cookie.as_str())],
        vec![form, ("cookie", cookie.as_str()), ("origin", "null")],
    ] {
        let answer = app.call("POST", &order.page, &headers, "method=BTC").await;
        assert_eq!(answer.status, 303, "{headers:?}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_customer_may_call_it_off_before_anything_came(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let cancel = [("cancel", "1")];
    let order = order(&app, &merchant).await;
    shows(&app.get(&order.page).await, "name=\"cancel\"");
    let bare = format!("/pay/{}", order.id);
    assert!(!app.get(&bare).await.text().contains("name=\"cancel\""));
    let refused = app.post_form(&bare, &[], &cancel).await;
    assert_eq!(refused.status, 404, "only with the page's token");
    choose_bitcoin(&app, &order).await;
    shows(&app.get(&order.page).await, "name=\"cancel\"");
    for _ in 0..2 {
        let back = app.post_form(&order.page, &[], &cancel).await;
        assert_eq!(back.header("location"), order.page);
        assert_eq!(status(&app, &order).await["state"], "cancelled");
    }
    let told = app
        .gateway()
        .charge_timeline(merchant.id, &order.id)
        .await
        .unwrap()
        .into_iter()
        .filter(|entry| entry.kind == "status.cancelled")
        .map(|entry| entry.data["by"].clone())
        .collect::<Vec<_>>();
    assert_eq!(told, ["customer"]);

    let paid = order_with(&app, &merchant, "Anna").await;
    let (address, _) = choose_bitcoin(&app, &paid).await;
    pay(&app, &address, "0.001").await;
    let late = app.post_form(&paid.page, &[], &cancel).await;
    let notice = format!("{}&notice=money-arrived", paid.page);
    assert_eq!(late.header("location"), notice);
    assert!(!app.get(&paid.page).await.text().contains("name=\"cancel\""));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_short_payment_is_asked_for_again_and_may_go_back(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let order = order(&app, &merchant).await;
    let (address, _) = choose_bitcoin(&app, &order).await;
    pay(&app, &address, "0.001").await;
    app.sandbox("mine", serde_json::json!({ "currency": "BTC" }))
        .await;
    let short = status(&app, &order).await;
    assert_eq!(short["state"], "partly_paid");
    assert_eq!(short["missing"]["amount"], "0.00199960");
    assert_eq!(short["payment"]["address"], address.as_str());

    app.sandbox("advance", serde_json::json!({ "seconds": 901 }))
        .await;
    let short = status(&app, &order).await;
    assert_eq!(short["state"], "expired_underpaid");
    assert!(short["return_url"].is_null(), "{}", short["return_url"]);
    let wrong = app
        .post_form(&order.page, &[], &[("refund_address", "nowhere")])
        .await;
    assert!(
        wrong
            .header("location")
            .ends_with("&notice=bad-refund-address")
    );
    let bare = format!("/pay/{}", order.id);
    let refused = app
        .post_form(&bare, &[], &[("refund_address", &address)])
        .await;
    assert_eq!(
        refused.status, 404,
        "only the page's token may leave an address"
    );
    for other in ["0", ""] {
        app.post_form(&order.page, &[], &[("requote", other)]).await;
        let still = status(&app, &order).await;
        assert_eq!(still["state"], "expired_underpaid", "requote={other}");
    }
    let back = app.post_form(&order.page, &[], &[("requote", "1")]).await;
    assert_eq!(back.header("location"), order.page);
    let again = status(&app, &order).await;
    assert_eq!(
        (&again["state"], &again["payment"]["address"]),
        (&"partly_paid".into(), &address.into())
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_paid_order_is_paid_on_its_page(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let order = order(&app, &merchant).await;
    pay_in_full(&app, &order).await;
    let view = status(&app, &order).await;
    assert_eq!(view["state"], "paid");
    let again = app.post_form(&order.page, &[], &[("method", "LTC")]).await;
    assert!(
        again.header("location").ends_with("&notice=not-possible"),
        "{again:?}"
    );
}
