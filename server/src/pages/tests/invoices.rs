//! Invoices written in the dashboard, from the empty form to the payment.

use gateway::PgPool;
use serde_json::json;

use super::{open, pay, shows};
use crate::testing::{TestApp, TestResponse};

const NEW: &str = "/app/invoices/new";

/// A merchant in front of the dashboard.
struct Person {
    app: TestApp,
    cookie: String,
}

impl Person {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(pool).await;
        let merchant = app.demo().await.merchant;
        let cookie = app.sign_in(&merchant.email, &merchant.password).await;
        let rate = json!({ "from": "BTC", "to": "EUR", "rate": "50000" });
        app.sandbox("rates", rate).await;
        Self { app, cookie }
    }

    async fn see(&self, path: &str) -> TestResponse {
        open(&self.app, &self.cookie, path).await
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        let headers = [("cookie", self.cookie.as_str())];
        self.app.post_form(path, &headers, fields).await
    }

    /// A whole form with a step and whatever else differs.
    async fn fill(&self, step: &str, other: &[(&str, &str)]) -> TestResponse {
        let mut fields = vec![
            ("number", "2026-0001"),
            ("customer_name", "Anna Ozola"),
            ("customer_email", "anna@example.com"),
            ("currency", "EUR"),
            ("key", "form-1"),
            ("description-1", "Hours"),
            ("quantity-1", "3"),
            ("unit_price-1", "80.00"),
            ("tax_percent-1", "21"),
            ("shipping", "4.90"),
        ];
        fields.extend_from_slice(other);
        fields.push(("step", step));
        self.send(NEW, &fields).await
    }

    async fn count(pool: &PgPool) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM invoices")
            .fetch_one(pool)
            .await
            .unwrap()
    }
}

/// The code of the page that an answer leads to.
#[track_caller]
fn code_of(answer: &TestResponse, said: &str) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = answer.header("location");
    let (path, notice) = to.split_once("?notice=").unwrap();
    assert_eq!(notice, said);
    path.strip_prefix("/app/invoices/").unwrap().to_owned()
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invoice_is_written_sent_and_paid(pool: PgPool) {
    let person = Person::start(&pool).await;
    shows(&person.see("/app/invoices").await, "Write an invoice");
    shows(&person.see(NEW).await, "-0001\"");
    let preview = person.fill("preview", &[]).await;
    for amount in ["value=\"240.00\"", "value=\"50.40\"", "value=\"295.30\""] {
        shows(&preview, amount);
    }
    assert_eq!(Person::count(&pool).await, 0);

    let made = person.fill("send", &[]).await;
    let code = code_of(&made, "invoice-made-and-sent");
    // The same form once more, as after a double click, makes and sends nothing more.
    let again = person.fill("send", &[]).await;
    assert_eq!(again.header("location"), made.header("location"));
    assert_eq!(Person::count(&pool).await, 1);
    let mails = person.app.gateway().list_mail(None, 10).await.unwrap();
    let [mail] = mails.as_slice() else {
        panic!("{mails:?}")
    };
    assert_eq!(mail.to, "anna@example.com");
    assert!(
        mail.text.contains(&format!("/invoice/{code}?t=")),
        "{}",
        mail.text
    );

    let page = format!("/invoice/{code}");
    shows(&person.app.get(&page).await, "295.30");
    person.app.post_form(&page, &[], &[("method", "BTC")]).await;
    let status = person.app.get(&format!("{page}/status")).await.json();
    let text = |name: &str| status["payment"][name].as_str().unwrap().to_owned();
    pay(&person.app, &text("address"), &text("amount")).await;
    person
        .app
        .sandbox("mine", json!({ "currency": "BTC" }))
        .await;
    let detail = person.see(&format!("/app/invoices/{code}")).await;
    for part in [
        "sent the link to anna@example.com",
        "Payments received",
        "Hours",
    ] {
        shows(&detail, part);
    }
    assert!(!detail.text().contains("/void"), "{}", detail.text());
    let pdf = person.see(&format!("/app/invoices/{code}/document")).await;
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert!(pdf.body.starts_with(b"%PDF"));
    let csv = person.see("/app/invoices.csv?status=paid").await;
    shows(&csv, "2026-0001");
    shows(&csv, "Anna Ozola,anna@example.com,295.30,EUR");
    shows(&person.see("/app/invoices?q=ozola").await, &code);
    shows(
        &person.see("/app/invoices?status=overdue").await,
        "No invoices match.",
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_line_is_named_and_nothing_is_made(pool: PgPool) {
    let person = Person::start(&pool).await;
    let wrong = [
        ("description-2", "Beans"),
        ("quantity-2", "1"),
        ("unit_price-2", ""),
    ];
    let answer = person.fill("issue", &wrong).await;
    assert_eq!(answer.status, 422);
    let text = answer.text();
    assert!(text.contains("Line 2: enter a unit price"), "{text}");
    assert!(
        text.contains("value=\"Beans\""),
        "what was typed is kept: {text}"
    );
    for (fields, says) in [
        (
            &[("coin", "BTC"), ("clock", "picked")],
            "Rate: with one coin",
        ),
        (
            &[("currency", "XYZ"), ("clock", "now")],
            "Currency: choose one",
        ),
        (
            &[("customer_email", "anna"), ("clock", "now")],
            "E-mail: enter one address",
        ),
        (
            &[("url_success", "javascript:x"), ("clock", "now")],
            "must be an http or https URL",
        ),
    ] {
        let answer = person.fill("issue", fields).await;
        assert_eq!(answer.status, 422, "{says}");
        assert!(answer.text().contains(says), "{says}: {}", answer.text());
    }
    assert_eq!(Person::count(&pool).await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn buttons_move_lines_about_without_making_anything(pool: PgPool) {
    let person = Person::start(&pool).await;
    let added = person.fill("add", &[]).await;
    shows(&added, "id=\"unit_price-2\"");
    let removed = person.fill("remove-1", &[("description-2", "Beans")]).await;
    shows(&removed, "value=\"Beans\"");
    assert!(!removed.text().contains("id=\"unit_price-2\""));
    assert_eq!(Person::count(&pool).await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_number_and_a_form_make_one_invoice(pool: PgPool) {
    let person = Person::start(&pool).await;
    code_of(&person.fill("issue", &[]).await, "invoice-made");
    let taken = person
        .fill("issue", &[("key", "form-2"), ("shipping", "")])
        .await;
    assert_eq!(taken.status, 422);
    assert!(
        taken.text().contains("was used for another invoice"),
        "{}",
        taken.text()
    );
    let reused = person.fill("issue", &[("number", "2026-0002")]).await;
    assert_eq!(reused.status, 422);
    assert!(
        reused.text().contains("has made an invoice already"),
        "{}",
        reused.text()
    );
    assert!(!reused.text().contains("value=\"form-1\""), "a new key");
    assert_eq!(Person::count(&pool).await, 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invoice_with_one_coin_is_quoted_at_once(pool: PgPool) {
    let person = Person::start(&pool).await;
    let fixed = [("coin", "BTC"), ("clock", "now")];
    let code = code_of(&person.fill("issue", &fixed).await, "invoice-made");
    let status = person
        .app
        .get(&format!("/invoice/{code}/status"))
        .await
        .json();
    assert_eq!(status["payment"]["coin"], "BTC");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_void_invoice_cannot_be_paid_sent_or_printed(pool: PgPool) {
    let person = Person::start(&pool).await;
    let code = code_of(&person.fill("issue", &[]).await, "invoice-made");
    let page = format!("/app/invoices/{code}");
    let empty = person
        .send(&format!("{page}/send"), &[("email", "anna")])
        .await;
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("value=\"anna\""), "{}", empty.text());
    let voided = person.send(&format!("{page}/void"), &[]).await;
    assert_eq!(code_of(&voided, "invoice-voided"), code);
    shows(&person.see(&page).await, "cancelled");
    let to = [("email", "anna@example.com")];
    let sent = person.send(&format!("{page}/send"), &to).await;
    code_of(&sent, "not-possible");
    assert_eq!(person.see(&format!("{page}/document")).await.status, 409);

    let other = person.app.demo().await.merchant2;
    let cookie = person.app.sign_in(&other.email, &other.password).await;
    for path in [page.clone(), format!("{page}/document")] {
        assert_eq!(
            open(&person.app, &cookie, &path).await.status,
            404,
            "{path}"
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_invoice_past_its_day_is_overdue(pool: PgPool) {
    let person = Person::start(&pool).await;
    // Tomorrow, because a day may end between two steps of this test.
    let tomorrow = person.app.gateway().clock().now() + time::Duration::days(1);
    let tomorrow = tomorrow.date().to_string();
    let due = [("due_date", tomorrow.as_str())];
    let code = code_of(&person.fill("issue", &due).await, "invoice-made");
    let days = 2 * 86_400;
    person
        .app
        .sandbox("advance", json!({ "seconds": days }))
        .await;
    // Nobody stays signed in for a day.
    let merchant = person.app.demo().await.merchant;
    let cookie = person
        .app
        .sign_in(&merchant.email, &merchant.password)
        .await;
    let person = Person { cookie, ..person };
    shows(&person.see("/app/invoices?status=overdue").await, &code);
    shows(
        &person.see(&format!("/app/invoices/{code}")).await,
        "overdue",
    );
    let wrong = person.see("/app/invoices?from=yesterday").await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.text().contains("From day must be a date"),
        "{}",
        wrong.text()
    );
}
