use gateway::{PgPool, Settings};

use super::{open, shows};
use crate::testing::{PUBLIC_URL, TestApp};

#[sqlx::test(migrations = "../migrations")]
async fn the_front_page_is_a_document_under_the_policy(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let answer = app.get("/").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.text().starts_with("<!DOCTYPE html>"),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_address_that_leads_nowhere_has_a_page(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let answer = app.get("/nowhere").await;
    assert_eq!(answer.status, 404);
    assert!(
        answer.text().contains("No money has moved."),
        "{}",
        answer.text()
    );
    let answer = app.get("/api/nowhere").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/json");
}

#[sqlx::test(migrations = "../migrations")]
async fn another_method_is_told_which_ones_there_are(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let answer = app.call("DELETE", "/sign-in", &[], "").await;
    assert_eq!(answer.status, 405);
    assert!(
        answer.header("allow").contains("POST"),
        "{}",
        answer.header("allow")
    );
    assert!(
        answer.text().starts_with("<!DOCTYPE html>"),
        "{}",
        answer.text()
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn signed_out_visitors_sign_in_and_come_back(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let answer = app.get("/app/charges?status=paid").await;
    assert_eq!(answer.status, 303);
    let sign_in = answer.header("location").to_owned();
    assert_eq!(sign_in, "/sign-in?next=%2Fapp%2Fcharges%3Fstatus%3Dpaid");

    let form = app.get(&sign_in).await;
    assert!(
        form.text().contains("value=\"/app/charges?status=paid\""),
        "{}",
        form.text()
    );
    let fields = [
        ("email", demo.merchant.email.as_str()),
        ("password", demo.merchant.password.as_str()),
        ("next", "/app/charges?status=paid"),
    ];
    let answer = app.post_form("/sign-in", &[], &fields).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/app/charges?status=paid")
    );
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("sid="), "{cookie}");
    assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_log_in_tells_nothing_and_leads_nowhere_else(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let wrong = [
        ("email", demo.merchant.email.as_str()),
        ("password", "not the password"),
    ];
    let known = app.post_form("/sign-in", &[], &wrong).await;
    assert_eq!(known.status, 422);
    assert!(
        known.text().contains("E-mail or password is wrong."),
        "{}",
        known.text()
    );
    assert!(!known.text().contains("not the password"));
    let unknown = [
        ("email", "nobody@shop.example"),
        ("password", "not the password"),
    ];
    let unknown = app.post_form("/sign-in", &[], &unknown).await;
    let without_mail = known.text().replace(&demo.merchant.email, "");
    let same = unknown.text().replace("nobody@shop.example", "");
    // The demo log-ins name the address once more; apart from addresses the pages are one.
    assert_eq!(same.replace(&demo.merchant.email, ""), without_mail);

    let fields = [
        ("email", demo.merchant.email.as_str()),
        ("password", demo.merchant.password.as_str()),
        ("next", "//evil.example"),
    ];
    let answer = app.post_form("/sign-in", &[], &fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/app"));
}

#[sqlx::test(migrations = "../migrations")]
async fn log_ins_of_one_address_are_limited(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let fields = [("email", "nobody@shop.example"), ("password", "x")];
    for tries in 1..=40 {
        let answer = app.post_form("/sign-in", &[], &fields).await;
        if answer.status == 429 {
            assert!(tries > 10, "refused at try {tries}");
            assert!(!answer.header("retry-after").is_empty());
            return;
        }
    }
    panic!("40 log-ins were let through");
}

#[sqlx::test(migrations = "../migrations")]
async fn signing_out_ends_the_session(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let cookie = app
        .sign_in(&demo.merchant.email, &demo.merchant.password)
        .await;
    assert_eq!(open(&app, &cookie, "/app").await.status, 200);
    let answer = app
        .post_form("/sign-out", &[("cookie", &cookie)], &[])
        .await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(open(&app, &cookie, "/app").await.status, 303);
}

#[sqlx::test(migrations = "../migrations")]
async fn forms_of_other_sites_are_refused(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let demo = app.demo().await;
    let cookie = app
        .sign_in(&demo.merchant.email, &demo.merchant.password)
        .await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for site in ["cross-site", "same-site"] {
        let headers = [form, ("cookie", cookie.as_str()), ("sec-fetch-site", site)];
        let answer = app.call("POST", "/sign-out", &headers, "").await;
        assert_eq!(answer.status, 403, "{site}");
        assert!(
            answer.text().starts_with("<!DOCTYPE html>"),
            "{}",
            answer.text()
        );
    }
    let hidden = [form, ("cookie", cookie.as_str()), ("origin", "null")];
    let answer = app.call("POST", "/sign-out", &hidden, "").await;
    assert_eq!(
        answer.status, 403,
        "a session without a header that vouches for the page"
    );
    assert_eq!(
        open(&app, &cookie, "/app").await.status,
        200,
        "still signed in"
    );
    // Neither header: no page of any site, but a program that has signed in.
    let program = [form, ("cookie", cookie.as_str())];
    let answer = app.call("POST", "/sign-out", &program, "").await;
    assert_eq!(answer.status, 303);
    assert_eq!(open(&app, &cookie, "/app").await.status, 303);
}

#[sqlx::test(migrations = "../migrations")]
async fn over_https_the_cookie_is_bound_to_the_host(pool: PgPool) {
    let settings = Settings {
        public_url: "https://pay.example".to_owned(),
        ..Settings::test(PUBLIC_URL)
    };
    let app = TestApp::start_with(&pool, settings).await;
    let demo = app.demo().await;
    let cookie = app
        .sign_in(&demo.merchant.email, &demo.merchant.password)
        .await;
    assert!(cookie.starts_with("__Host-sid="), "{cookie}");
    assert_eq!(open(&app, &cookie, "/app").await.status, 200);
}

#[sqlx::test(migrations = "../migrations")]
async fn health_is_told_without_a_session(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    assert_eq!(app.get("/health/live").await.status, 200);
    assert_eq!(app.get("/health/ready").await.status, 200);
    let health = app.get("/health").await;
    shows(&health, "\"status\":\"ok\"");
    shows(&health, "\"chain\":\"BTC\"");
    pool.close().await;
    assert_eq!(app.get("/health/live").await.status, 200);
    assert_eq!(app.get("/health/ready").await.status, 503);
}
