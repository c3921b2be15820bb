//! A merchant sets its looks, and payers see them.

use gateway::PgPool;
use serde_json::Value;

use super::{open, order, shows};
use crate::testing::{TestApp, TestResponse};

/// Two pixels, with a comment that is none of anybody's business.
#[rustfmt::skip]
const PNG: [u8; 100] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x7b,
    0x40, 0xe8, 0xdd, 0x00, 0x00, 0x00, 0x10, 0x74, 0x45, 0x58, 0x74, 0x43, 0x6f, 0x6d, 0x6d,
    0x65, 0x6e, 0x74, 0x00, 0x3c, 0x73, 0x63, 0x72, 0x69, 0x70, 0x74, 0x3e, 0xdd, 0xcf, 0x10,
    0x09, 0x00, 0x00, 0x00, 0x0f, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x64, 0x62,
    0x66, 0x61, 0x65, 0x03, 0x00, 0x00, 0x3f, 0x00, 0x16, 0x98, 0xc1, 0x68, 0x13, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

const BOUNDARY: &str = "----7d8f3a2b";

struct Person {
    app: TestApp,
    id: i64,
    cookie: String,
}

impl Person {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(pool).await;
        let merchant = app.demo().await.merchant;
        let cookie = app.sign_in(&merchant.email, &merchant.password).await;
        Self {
            app,
            id: merchant.id,
            cookie,
        }
    }

    async fn see(&self, path: &str) -> TestResponse {
        open(&self.app, &self.cookie, path).await
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        let headers = [("cookie", self.cookie.as_str())];
        self.app.post_form(path, &headers, fields).await
    }

    async fn save(&self, name: &str, email: &str, accent: &str) -> TestResponse {
        let fields = [("name", name), ("support_email", email), ("accent", accent)];
        self.send("/app/settings", &fields).await
    }

    /// A file as a browser sends it.
    async fn upload(&self, file: &[u8]) -> TestResponse {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"logo\"; filename=\"logo.png\"\r\n\
             Content-Type: image/png\r\n\r\n"
        );
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        let body = [head.as_bytes(), file, tail.as_bytes()].concat();
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", kind.as_str()),
        ];
        self.app
            .call("POST", "/app/settings/logo", &headers, body)
            .await
    }
}

/// The first attribute value of a page that begins so.
fn linked(page: &str, start: &str, end: &str) -> Option<String> {
    let at = page.find(start)?;
    let path = page.get(at..)?.split('"').next()?;
    path.ends_with(end).then(|| path.to_owned())
}

#[track_caller]
fn is_refused(answer: &TestResponse, says: &str, field: &str) {
    let text = answer.text();
    assert_eq!(answer.status, 422, "{text}");
    assert!(text.contains(says), "no {says:?} in {text}");
    assert!(text.contains(&format!("href=\"#{field}\"")), "{text}");
}

#[sqlx::test(migrations = "../migrations")]
async fn name_address_and_colour_reach_the_checkout(pool: PgPool) {
    let person = Person::start(&pool).await;
    shows(&person.see("/app/settings").await, "Merchant name");
    let saved = person
        .save(" Harbour\u{202E} Tea ", "help@tea.example", "#f7931a")
        .await;
    let back = "/app/settings?notice=settings-saved";
    assert_eq!(saved.header("location"), back, "{}", saved.text());

    let page = person.see("/app/settings").await;
    shows(&page, "value=\"Harbour Tea\"");
    shows(&page, "value=\"#F7931A\"");
    shows(&page, "We darkened your colour from #F7931A to #");

    let merchant = person.app.demo().await.merchant;
    let order = order(&person.app, &merchant).await;
    let checkout = person.app.get(&order.page).await;
    shows(&checkout, "Harbour Tea");
    shows(&checkout, "mailto:help@tea.example");
    assert!(!checkout.text().contains(" style="), "{}", checkout.text());
    let start = format!("/brand/{}/", person.id);
    let sheet = linked(&checkout.text(), &start, ".css").unwrap();
    let css = person.app.get(&sheet).await;
    shows(&css, ":root{--accent:#");
    assert!(
        !css.text().starts_with(":root{--accent:#F7931A"),
        "{}",
        css.text()
    );
    assert_eq!(css.header("content-type"), "text/css; charset=utf-8");
    assert!(css.header("cache-control").contains("immutable"));
    assert!(css.header("content-security-policy").contains("sandbox"));
    assert_eq!(css.header("x-content-type-options"), "nosniff");

    // Another colour is another file; the old name gives nothing.
    person
        .save("Harbour Tea", "help@tea.example", "#1D4C78")
        .await;
    assert_eq!(person.app.get(&sheet).await.status, 404);
    person.save("Harbour Tea", "help@tea.example", " ").await;
    let plain = person.app.get(&order.page).await;
    assert_eq!(linked(&plain.text(), &start, ".css"), None);

    let rows: Vec<(String, Value)> = sqlx::query_as(
        "SELECT action, data FROM audit_log WHERE subject = $1 AND action LIKE 'merchant.%' ORDER BY id",
    )
    .bind(format!("merchant:{}", person.id))
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(rows[0].0, "merchant.settings_changed");
    assert_eq!(rows[0].1["after"]["accent"], "#F7931A");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_form_that_cannot_be_stored_comes_back_as_it_was(pool: PgPool) {
    let person = Person::start(&pool).await;
    let wrong = person.save("Tea", "help@tea.example", "reddish").await;
    is_refused(&wrong, "Accent colour must be # and six", "accent");
    assert!(wrong.text().contains("value=\"reddish\""));
    assert!(wrong.text().contains("value=\"Tea\""));
    let wrong = person.save(" ", "help@tea.example", "").await;
    is_refused(&wrong, "Merchant name is needed", "name");
    let wrong = person.save("Tea", "", "").await;
    is_refused(&wrong, "Support e-mail is needed", "support_email");
    let wrong = person.save("Tea", "help@tea", "").await;
    is_refused(&wrong, "Support e-mail must be", "support_email");

    // A preview shows a colour and stores nothing.
    let fields = [
        ("action", "preview"),
        ("name", "Tea"),
        ("support_email", "x"),
        ("accent", "#FF0000"),
    ];
    let preview = person.send("/app/settings", &fields).await;
    shows(&preview, "value=\"#FF0000\"");
    shows(&preview, "href=\"/brand/preview/FF0000.css\"");
    let css = person.app.get("/brand/preview/FF0000.css").await;
    shows(&css, ".preview-dark{--paper:");
    shows(
        &person.see("/app/settings").await,
        "Harbour Coffee Roasters",
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_logo_is_pixels_on_pages_and_receipts(pool: PgPool) {
    let person = Person::start(&pool).await;
    shows(&person.see("/app/settings").await, "You have no logo yet");
    let saved = person.upload(&PNG).await;
    let back = "/app/settings?notice=logo-saved";
    assert_eq!(saved.header("location"), back, "{}", saved.text());

    let merchant = person.app.demo().await.merchant;
    let order = order(&person.app, &merchant).await;
    let checkout = person.app.get(&order.page).await;
    let start = format!("/brand/{}/", person.id);
    let page = checkout.text();
    let images: Vec<&str> = page.split("<img").skip(1).collect();
    let path = linked(images.first().unwrap(), &start, ".png").unwrap();
    let logo = person.app.get(&path).await;
    assert_eq!(logo.status, 200);
    assert_eq!(logo.header("content-type"), "image/png");
    assert!(logo.header("content-security-policy").contains("sandbox"));
    assert!(logo.header("cache-control").contains("immutable"));
    assert!(logo.body.starts_with(b"\x89PNG") && logo.body.len() < 3 * 1024);
    assert!(!logo.text().contains("script"), "the comment was kept");

    let receipt = format!("/pay/{}/receipt?t={}", order.id, order.token);
    let with_logo = person.app.get(&receipt).await;
    assert_eq!(with_logo.status, 200);
    assert!(String::from_utf8_lossy(&with_logo.body).contains("/Subtype/Image"));

    let removed = person.send("/app/settings/logo/remove", &[]).await;
    let back = "/app/settings?notice=logo-removed";
    assert_eq!(removed.header("location"), back);
    assert_eq!(person.app.get(&path).await.status, 404);
    let without = person.app.get(&order.page).await;
    assert!(!without.text().contains("<img"), "{}", without.text());
    let again = person.send("/app/settings/logo/remove", &[]).await;
    assert_eq!(again.header("location"), "/app/settings?notice=no-logo");
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_no_logo_is_refused_with_a_reason(pool: PgPool) {
    let person = Person::start(&pool).await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    is_refused(
        &person.upload(svg).await,
        "Logo must be a PNG picture",
        "logo",
    );
    is_refused(&person.upload(&[]).await, "Logo is missing", "logo");
    let cut = person.upload(&PNG[..40]).await;
    is_refused(&cut, "Logo cannot be read", "logo");
    let heavy = person.upload(&vec![0; 300 * 1024]).await;
    is_refused(&heavy, "Logo must be at most 256 KB", "logo");
    let flood = person.upload(&vec![0; 1024 * 1024]).await;
    assert_eq!(flood.status, 413);
    let no_form = person.send("/app/settings/logo", &[("logo", "x")]).await;
    assert_eq!(no_form.status, 400, "{}", no_form.text());
    // The other forms stay as small as they were.
    let long = "x".repeat(64 * 1024);
    let wide = person.save(&long, "help@tea.example", "").await;
    assert_eq!(wide.status, 413);
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM merchant_logos")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn names_of_files_lead_nowhere_else(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let merchant = app.demo().await.merchant.id;
    for path in [
        "/brand/0/0011223344556677.css".to_owned(),
        "/brand/x/0011223344556677.png".to_owned(),
        format!("/brand/{merchant}/.css"),
        format!("/brand/{merchant}/.png"),
        format!("/brand/{merchant}/0011223344556677.svg"),
        format!("/brand/{merchant}/%00.png"),
        "/brand/preview/red.css".to_owned(),
        "/brand/preview/..%2f..%2fCargo.toml".to_owned(),
    ] {
        assert_eq!(app.get(&path).await.status, 404, "{path}");
    }
}
