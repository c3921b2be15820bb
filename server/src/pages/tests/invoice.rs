//! The page of an invoice: the checkout under an address of its own.

use domain::money::Money;
use gateway::charges::Collection;
use gateway::invoices::{InvoiceDetails, InvoiceKey, InvoiceLine, InvoiceView, NewInvoice};
use sqlx::PgPool;

use super::*;

async fn invoice(app: &TestApp, merchant_id: i64, timer: bool) -> InvoiceView {
    let gateway = app.gateway();
    let euro = gateway.currencies().by_code("EUR").unwrap();
    let new = NewInvoice {
        merchant_id,
        timer,
        title: "Consulting".to_owned(),
        description: "Hours of November".to_owned(),
        amount: Money::parse("290.40", euro).unwrap(),
        sender_currency: None,
        foreign_id: "2026-17".to_owned(),
        foreign_json: json!("2026-17"),
        url_success: Some("https://shop.example/ok?x=1".to_owned()),
        url_failed: Some("https://shop.example/no".to_owned()),
        email: Some("anna@example.com".to_owned()),
        collection: Collection::FillOrKill,
        details: Some(InvoiceDetails {
            number: "2026-17".to_owned(),
            customer_name: "Anna Ozola".to_owned(),
            lines: vec![InvoiceLine {
                description: "Hours".to_owned(),
                quantity: 3,
                unit_price: "80.00".to_owned(),
                tax_percent: "21".to_owned(),
                net: "240.00".to_owned(),
                tax: "50.40".to_owned(),
            }],
            subtotal: "240.00".to_owned(),
            tax: "50.40".to_owned(),
            due_date: Some("2026-12-11".to_owned()),
            ..InvoiceDetails::default()
        }),
        created_by: "test".to_owned(),
    };
    gateway
        .create_invoice(new, None, |_| (201, Vec::new()))
        .await
        .unwrap();
    gateway
        .find_invoice(merchant_id, InvoiceKey::ForeignId("2026-17"))
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invoice_is_paid_on_its_own_page(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let made = invoice(&app, demo.merchant.id, false).await;
    let page = format!("/invoice/{}", made.code);
    let shown = app.get(&page).await;
    for text in [
        "Consulting",
        "2026-12-11",
        "50.40",
        &format!("action=\"{page}\""),
    ] {
        shows(&shown, text);
    }
    assert!(
        !shown.text().contains("Anna Ozola"),
        "customer without the token"
    );
    assert_eq!(shown.header("cache-control"), "no-store");
    assert_eq!(shown.header("referrer-policy"), "no-referrer");
    let token = app.gateway().page_token(&made.charge.public_id);
    shows(&app.get(&format!("{page}?t={token}")).await, "Anna Ozola");

    let picked = app.post_form(&page, &[], &[("method", "BTC")]).await;
    assert_eq!(
        (picked.status, picked.header("location")),
        (303, page.as_str())
    );
    let view = app.get(&format!("{page}/status")).await.json();
    let text = |name: &str| view["payment"][name].as_str().unwrap().to_owned();
    assert!(view["return_url"].is_null(), "{}", view["return_url"]);
    pay(&app, &text("address"), &text("amount")).await;
    app.sandbox("mine", json!({ "currency": "BTC" })).await;
    let paid = app.get(&format!("{page}/status")).await.json();
    assert_eq!(paid["state"], "paid");
    // Used as it was given.
    assert_eq!(paid["return_url"], "https://shop.example/ok?x=1");
    let receipt = app.get(&format!("{page}/receipt?t={token}")).await;
    assert!(receipt.body.starts_with(b"%PDF"));
    assert_eq!(app.get(&format!("{page}/receipt")).await.status, 404);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_expired_invoice_leads_back_to_the_shop(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let made = invoice(&app, demo.merchant.id, true).await;
    let page = format!("/invoice/{}", made.code);
    // Five minutes before its end somebody picks a coin: the clock goes on as it was.
    app.sandbox("advance", json!({ "seconds": 600 })).await;
    app.post_form(&page, &[], &[("method", "BTC")]).await;
    let view = app.get(&format!("{page}/status")).await.json();
    let left = view["clock_ends_at"].as_i64().unwrap() - view["now"].as_i64().unwrap();
    assert!((240..=300).contains(&left), "{left}");
    app.sandbox("advance", json!({ "seconds": 300 })).await;
    let expired = app.get(&page).await;
    shows(&expired, "href=\"https://shop.example/no\"");
    shows(&expired, "Get a new rate");
    let again = app.post_form(&page, &[], &[("requote", "1")]).await;
    assert_eq!(again.status, 303);
    let view = app.get(&format!("{page}/status")).await.json();
    let left = view["clock_ends_at"].as_i64().unwrap() - view["now"].as_i64().unwrap();
    assert!((840..=900).contains(&left), "{left}");
}
