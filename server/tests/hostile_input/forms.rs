//! Forms and addresses of pages: whatever is sent, the answer is a page or the way back with a code
//! of ours, and nothing is stored.

use server::testing::TestResponse;
use sqlx::PgPool;

use crate::shop::{Order, Shop, order};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const OUR_PAGE: (&str, &str) = ("sec-fetch-site", "same-origin");

/// No coin, no address and no number.
fn hostile() -> Vec<String> {
    let long = "x".repeat(10_000);
    [
        "\0",
        "<script>alert(1)</script>",
        "\u{202e}CTB",
        "BTC\r\nSet-Cookie: sid=x",
        "btc",
        "USD",
        "１",
        "-1",
        "1e3",
        "99999999999999999999",
        "' OR 1=1 --",
        long.as_str(),
    ]
    .map(str::to_owned)
    .to_vec()
}

#[track_caller]
fn is_page(answer: &TestResponse, status: u16, case: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{case}: {text}");
    assert!(text.starts_with("<!DOCTYPE html>"), "{case}: {text}");
    assert!(!text.contains("<script>alert"), "{case}: {text}");
}

#[track_caller]
fn leads_back(answer: &TestResponse, page: &str, case: &str) {
    assert_eq!(answer.status, 303, "{case}: {}", answer.text());
    assert_eq!(answer.header("location"), page, "{case}");
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// An order that was paid in part before its time ran out: it may be refunded.
async fn underpaid(shop: &Shop) -> Order {
    let order = shop.order(&order()).await;
    shop.pay_a_part(&order).await;
    shop.let_time_run_out().await;
    order
}

#[sqlx::test(migrations = "../migrations")]
async fn the_checkout_answers_with_codes(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let made = shop.order(&order()).await;
    let before = shop.stored().await;
    // What is pressed by `1` alone is not pressed by anything else.
    let fields = [
        ("method", "&notice=bad-method"),
        ("refund_address", "&notice=not-possible"),
        ("requote", ""),
        ("cancel", ""),
    ];
    for (field, notice) in fields {
        let back = format!("{}{notice}", made.page);
        for value in hostile() {
            let answer = shop
                .app
                .post_form(&made.page, &[], &[(field, value.as_str())])
                .await;
            leads_back(&answer, &back, &format!("{field}={}", shortened(&value)));
        }
        // What is no text once it is decoded.
        for escape in ["", "%00", "%ff", "%", "%zz", "%ud800", "%C0%AF"] {
            let body = format!("{field}={escape}");
            let headers = [FORM, OUR_PAGE];
            let answer = shop
                .app
                .call("POST", &made.page, &headers, body.as_str())
                .await;
            leads_back(&answer, &back, &body);
        }
    }
    assert_eq!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refund_address_is_an_address(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let order = underpaid(&shop).await;
    let cookie = shop.sign_in().await;
    let before = shop.stored().await;
    let charge = format!("/app/charges/{}", order.id);
    for value in hostile() {
        let case = shortened(&value);
        let fields = [("refund_address", value.as_str())];
        let answer = shop.app.post_form(&order.page, &[], &fields).await;
        leads_back(
            &answer,
            &format!("{}&notice=bad-refund-address", order.page),
            &case,
        );
        let (refund, headers) = (format!("{charge}/refund"), [("cookie", cookie.as_str())]);
        let fields = [("address", value.as_str())];
        let answer = shop.app.post_form(&refund, &headers, &fields).await;
        leads_back(&answer, &format!("{charge}?notice=bad-address"), &case);
    }
    assert_eq!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn forms_are_forms_of_64_kib_with_each_field_once(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let made = shop.order(&order()).await;
    let cookie = shop.sign_in().await;
    let before = shop.stored().await;
    let refund = format!("/app/charges/{}/refund", made.id);
    let forms = [
        (made.page.as_str(), "method=BTC&method=LTC"),
        ("/sign-in", "email=a&email=b&password=x"),
        (refund.as_str(), "address=a&address=b"),
        ("/app/faucet", "action=mine&action=pay"),
    ];
    let session = ("cookie", cookie.as_str());
    for (path, twice) in forms {
        for kind in [
            "",
            "text/plain",
            "application/json",
            "multipart/form-data; boundary=x",
        ] {
            let headers = [("content-type", kind), OUR_PAGE, session];
            let answer = shop.app.call("POST", path, &headers, "method=BTC").await;
            is_page(&answer, 415, &format!("{path} as {kind}"));
        }
        let answer = shop
            .app
            .call("POST", path, &[OUR_PAGE, session], "method=BTC")
            .await;
        is_page(&answer, 415, path);
        let headers = [FORM, OUR_PAGE, session];
        is_page(
            &shop.app.call("POST", path, &headers, twice).await,
            400,
            twice,
        );
        let flood = format!("x={}", "x".repeat(64 * 1024 - 1));
        is_page(
            &shop.app.call("POST", path, &headers, flood).await,
            413,
            path,
        );
    }
    assert_eq!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_faucet_shows_the_form_again(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let cookie = shop.sign_in().await;
    let before = shop.stored().await;
    let headers = [("cookie", cookie.as_str())];
    let fields = [
        ("pay", "address"),
        ("pay", "amount"),
        ("pay", "currency"),
        ("mine", "currency"),
        ("mine", "blocks"),
        ("advance", "seconds"),
    ];
    for (action, field) in fields {
        for value in hostile() {
            let mut form = vec![
                ("action", action),
                ("address", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
                ("amount", "0.1"),
                ("currency", "BTC"),
                ("blocks", "1"),
                ("seconds", "1"),
            ];
            form.retain(|(name, _)| *name != field);
            form.push((field, value.as_str()));
            let answer = shop.app.post_form("/app/faucet", &headers, &form).await;
            is_page(
                &answer,
                422,
                &format!("{action} {field}={}", shortened(&value)),
            );
        }
    }
    for action in hostile() {
        let form = [("action", action.as_str())];
        let answer = shop.app.post_form("/app/faucet", &headers, &form).await;
        is_page(&answer, 404, &shortened(&action));
    }
    assert_eq!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn signing_in_takes_no_tricks(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let before = shop.stored().await;
    let long = "x".repeat(10_000);
    // Fewer than an address may try in a minute.
    let tries = [
        ("\0", "x"),
        ("merchant@demo.example\0", "x"),
        ("\"><script>alert(1)</script>", "\0"),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("\u{202e}a\r\nb", "\r\n"),
        (long.as_str(), "x"),
        ("merchant@demo.example", long.as_str()),
    ];
    for (email, password) in tries {
        let next = "//evil.example/\"><script>alert(1)</script>";
        let fields = [("email", email), ("password", password), ("next", next)];
        let answer = shop.app.post_form("/sign-in", &[], &fields).await;
        is_page(&answer, 422, &shortened(email));
        assert_eq!(answer.header("set-cookie"), "");
        assert!(!answer.text().contains("evil.example"), "{}", answer.text());
    }
    assert_eq!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn addresses_take_no_tricks(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    let made = shop.order(&order()).await;
    let cookie = shop.sign_in().await;
    let before = shop.stored().await;
    let long = "A".repeat(5_000);
    let ids = [
        "%00",
        "%ff",
        "EX-%00",
        "EX-AAAAAAAAA%00",
        "EX-AAAAAAAAA%ff",
        "EX-%EF%BC%A1AAAAAAAAA",
        "-1",
        "0",
        "1e3",
        "99999999999999999999",
        "..%2f..%2fetc%2fpasswd",
        "%3Cscript%3E",
        "EX-%27%20OR%201=1",
        long.as_str(),
    ];
    let mut paths = Vec::new();
    for id in ids {
        for rest in ["", "/status", "/events", "/receipt", "?t=x"] {
            paths.push(("GET", format!("/pay/{id}{rest}")));
        }
        paths.push(("GET", format!("/app/charges/{id}")));
        paths.push(("GET", format!("/app/wallets/{id}")));
        paths.push(("GET", format!("/app/wallets/{id}/statement.csv")));
        paths.push(("POST", format!("/app/charges/{id}/accept")));
        paths.push(("POST", format!("/app/charges/{id}/cancel")));
        paths.push(("POST", format!("/app/deliveries/{id}/redeliver")));
        paths.push(("POST", format!("/pay/{id}")));
    }
    let bare = format!("/pay/{}", made.id);
    for token in [
        "%00",
        "%ff",
        "%E2%80%AE",
        "a&t=b",
        "%27%20OR%201=1",
        long.as_str(),
    ] {
        for rest in ["", "/status", "/events", "/receipt"] {
            paths.push(("GET", format!("{bare}{rest}?t={token}")));
        }
        paths.push(("POST", format!("{bare}?t={token}")));
    }
    let headers = [FORM, OUR_PAGE, ("cookie", cookie.as_str())];
    for (method, path) in paths {
        let answer = shop.app.call(method, &path, &headers, "").await;
        let case = format!("{method} {}: {}", shortened(&path), answer.text());
        assert!(
            [400, 404].contains(&answer.status),
            "{} {case}",
            answer.status
        );
        assert!(!answer.text().contains("<script>"), "{case}");
    }
    assert_eq!(shop.stored().await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn filters_take_no_tricks(pool: PgPool) {
    let shop = Shop::open(&pool).await;
    shop.order(&order()).await;
    let cookie = shop.sign_in().await;
    let before = shop.stored().await;
    let long = "x".repeat(5_000);
    let values = [
        "%00",
        "%ff",
        "%27%20OR%201=1",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "-1",
        "9223372036854775807",
        "99999999999999999999",
        "%E2%80%AE",
        "%25_%5C",
        "a&q=b&status=c",
        long.as_str(),
    ];
    let lists = [
        (
            "/app/charges",
            "q status currency from to attention limit before after notice",
        ),
        ("/app/charges/export.csv", "q status currency from to limit"),
        ("/app/inbox", "before after"),
        ("/app", "currency days merchant"),
        ("/app/mailbox", "before"),
        ("/app/faucet", "address amount currency notice"),
    ];
    for (path, names) in lists {
        for name in names.split(' ') {
            for value in values {
                let uri = format!("{path}?{name}={value}");
                let headers = [("cookie", cookie.as_str())];
                let answer = shop.app.call("GET", &uri, &headers, "").await;
                let case = format!("{}: {}", shortened(&uri), answer.status);
                assert!([200, 400, 404, 422].contains(&answer.status), "{case}");
                assert!(!answer.text().contains("<script>alert"), "{case}");
            }
        }
    }
    assert_eq!(shop.stored().await, before);
}
