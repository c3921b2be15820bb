//! What is refused before a page's handler runs, whether it reads the body or not.

use sqlx::PgPool;

use super::*;

const TOO_LARGE: usize = 64 * 1024 + 1;

#[sqlx::test(migrations = "../migrations")]
async fn a_form_that_is_too_large_is_refused_by_every_page(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let order = order(&app, &demo.merchant).await;
    let cookie = app
        .sign_in(&demo.merchant.email, &demo.merchant.password)
        .await;
    for path in [
        format!("/app/charges/{}/accept", order.id),
        format!("/app/charges/{}/cancel", order.id),
        "/app/deliveries/1/redeliver".to_owned(),
        "/sign-out".to_owned(),
        order.page.clone(),
    ] {
        let headers = [
            ("cookie", cookie.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = app
            .call("POST", &path, &headers, vec![b'a'; TOO_LARGE])
            .await;
        assert_eq!(answer.status, 413, "{path}");
        assert!(answer.text().contains("<h1"), "{path}: not a page");
    }
    // Nothing was done: the session still opens the dashboard.
    shows(&open(&app, &cookie, "/app").await, "Test mode");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_address_that_is_no_text_is_an_unknown_one(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let unknown = app.get("/pay/EX-AAAAAAAAAA").await;
    assert_eq!(unknown.status, 404);
    for path in [
        "/pay/%ff",
        "/invoice/%ff",
        "/invoice/RB9NZvvv",
        "/pay/%C0%AF/status",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.body, unknown.body, "{path}");
    }
}
