use gateway::PgPool;
use serde_json::json;

use super::{Order, choose_bitcoin, open, order, pay, shows};
use crate::testing::{PUBLIC_URL, TestApp};

/// From BIP 173, of nobody here.
const ADDRESS: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

/// An order that a third was paid of in time, and the path of the link its customer was mailed.
async fn underpaid(app: &TestApp) -> (Order, String) {
    let merchant = app.demo().await.merchant;
    let order = order(app, &merchant).await;
    let (address, _) = choose_bitcoin(app, &order).await;
    pay(app, &address, "0.001").await;
    app.sandbox("mine", json!({ "currency": "BTC" })).await;
    app.sandbox("advance", json!({ "seconds": 901 })).await;
    let mails = app.gateway().list_mail(None, 1).await.unwrap();
    let start = format!("{PUBLIC_URL}/refund/");
    let link = mails[0]
        .text
        .lines()
        .find(|line| line.starts_with(&start))
        .unwrap();
    let path = link.strip_prefix(PUBLIC_URL).unwrap().to_owned();
    (order, path)
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refund_is_asked_for_with_forms_alone(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (order, path) = underpaid(&app).await;
    let asked = app.get(&path).await;
    shows(&asked, "0.00100000");
    shows(&asked, &order.id);
    assert_eq!(asked.header("referrer-policy"), "no-referrer");
    assert_eq!(asked.header("cache-control"), "no-store");
    assert!(!asked.text().contains("<script"));

    let fields = [("step", "review"), ("address", "now<here")];
    let wrong = app.post_form(&path, &[], &fields).await;
    assert_eq!(wrong.status, 422);
    for text in ["value=\"now&lt;here\"", "must be a valid BTC address"] {
        assert!(wrong.text().contains(text), "{}", wrong.text());
    }
    let fields = [("step", "review"), ("address", ADDRESS)];
    shows(
        &app.post_form(&path, &[], &fields).await,
        "<span>bc1q</span>",
    );
    shows(&app.get(&path).await, "name=\"address\"");

    let fields = [("step", "confirm"), ("address", ADDRESS)];
    let done = app.post_form(&path, &[], &fields).await;
    assert_eq!((done.status, done.header("location")), (303, path.as_str()));
    shows(&app.get(&path).await, "Refund requested");
    let twice = app.post_form(&path, &[], &fields).await;
    assert_eq!(twice.status, 303, "a form that is sent twice");
    let fields = [
        ("step", "confirm"),
        ("address", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    ];
    let other = app.post_form(&path, &[], &fields).await;
    assert_eq!(other.status, 409);
    assert!(other.text().contains("Nothing was changed"));
}

#[sqlx::test(migrations = "../migrations")]
async fn the_shop_approves_what_the_customer_asked_for(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (order, path) = underpaid(&app).await;
    let fields = [("step", "confirm"), ("address", ADDRESS)];
    app.post_form(&path, &[], &fields).await;
    let merchant = app.demo().await.merchant;
    let cookie = app.sign_in(&merchant.email, &merchant.password).await;
    let charge = format!("/app/charges/{}", order.id);
    // The button is still there: a request decides nothing.
    shows(&open(&app, &cookie, &charge).await, "/refund\"");
    let headers = [("cookie", cookie.as_str())];
    let fields = [("address", "")];
    let done = app
        .post_form(&format!("{charge}/refund"), &headers, &fields)
        .await;
    assert!(done.header("location").ends_with("notice=refund-approved"));
    shows(&app.get(&path).await, "Refund approved");
}

#[sqlx::test(migrations = "../migrations")]
async fn links_that_lead_nowhere_say_whom_to_ask_and_no_amount(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let (_, path) = underpaid(&app).await;
    let unknown = app.get(&format!("/refund/{}", "A".repeat(43))).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("ask the shop"));
    for odd in ["/refund/x", "/refund/%00", &path[..path.len() - 1]] {
        let answer = app.get(odd).await;
        assert_eq!(
            (answer.status, answer.text()),
            (404, unknown.text()),
            "{odd}"
        );
    }
    let days = json!({ "seconds": 30 * 24 * 60 * 60 });
    app.sandbox("advance", days).await;
    let expired = app.get(&path).await;
    assert_eq!(expired.status, 410);
    assert!(expired.text().contains("has expired"));
    assert!(!expired.text().contains("0.001"), "{}", expired.text());
    let fields = [("step", "confirm"), ("address", ADDRESS)];
    let late = app.post_form(&path, &[], &fields).await;
    assert_eq!(late.status, 410);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_settings_of_the_terminal_take_origins(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant;
    let cookie = app.sign_in(&merchant.email, &merchant.password).await;
    let headers = [("cookie", cookie.as_str())];
    let page = "/app/terminal";
    let wrong = [("origins", "https://shop.example\nhttp://evil.example")];
    let refused = app.post_form(page, &headers, &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("http://evil.example"));
    let right = [(
        "origins",
        "https://Shop.example/\r\n\r\nhttp://localhost:8000",
    )];
    let saved = app.post_form(page, &headers, &right).await;
    assert_eq!(
        (saved.status, saved.header("location")),
        (303, "/app/terminal?notice=terminal-saved")
    );
    let shown = open(&app, &cookie, page).await;
    shows(&shown, "https://shop.example\nhttp://localhost:8000");
    // The example is signed as it should be.
    let text = shown.text();
    let start = text.find("href=\"http://127.0.0.1:3000/terminal?").unwrap() + "href=\"".len();
    let link = text[start..].split('"').next().unwrap();
    let link = link.replace("&amp;", "&");
    let opened = app.get(link.strip_prefix(PUBLIC_URL).unwrap()).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
}
