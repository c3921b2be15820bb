//! The operator's pages: who gets in, and changes that are reviewed before they are made.

use gateway::PgPool;
use serde_json::json;

use super::{open, shows};
use crate::testing::{TestApp, TestResponse};

/// A main-net address of nobody here.
const STRANGER: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

struct Operator {
    app: TestApp,
    cookie: String,
}

impl Operator {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(pool).await;
        let admin = app.demo().await.admin;
        let cookie = app.sign_in(&admin.email, &admin.password).await;
        Self { app, cookie }
    }

    async fn see(&self, path: &str) -> TestResponse {
        open(&self.app, &self.cookie, path).await
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        let headers = [("cookie", self.cookie.as_str())];
        self.app.post_form(path, &headers, fields).await
    }

    /// The fields of a currency's form as its page fills them in, with another exchange fee.
    async fn terms(&self, code: &str, fee: &str) -> Vec<(String, String)> {
        let view = self.app.gateway().terms_form(code).await.unwrap();
        let mut fields = vec![("version".to_owned(), view.version.to_string())];
        for input in view.inputs {
            let value = match input.name {
                "exchange_fee_basis_points" => fee.to_owned(),
                _ => input.value,
            };
            fields.push((input.name.to_owned(), value));
        }
        fields
    }

    async fn send_terms(
        &self,
        code: &str,
        fields: &[(String, String)],
        more: &[(&str, &str)],
    ) -> TestResponse {
        let mut all: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        all.extend_from_slice(more);
        let path = format!("/app/operate/currencies/{code}");
        self.send(&path, &all).await
    }
}

/// Status of a page that says `text`, whatever it is.
#[track_caller]
fn says(answer: &TestResponse, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let page = answer.text();
    assert!(page.contains(text), "no {text:?} in {page}");
}

#[sqlx::test(migrations = "../migrations")]
async fn only_an_admin_gets_in_or_is_led_there(pool: PgPool) {
    let operator = Operator::start(&pool).await;
    let demo = operator.app.demo().await;
    let (manager, merchant) = (&demo.manager, &demo.merchant);
    let app = &operator.app;
    let others = [
        app.sign_in(&manager.email, &manager.password).await,
        app.sign_in(&merchant.email, &merchant.password).await,
    ];
    for page in [
        "house",
        "suspense",
        "currencies",
        "rates",
        "chains",
        "audit",
        "treasury",
    ] {
        let path = format!("/app/operate/{page}");
        let shown = operator.see(&path).await;
        shows(&shown, &format!("href=\"{path}\" aria-current=\"page\""));
        let csv = operator.see(&format!("{path}.csv")).await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        for cookie in &others {
            let refused = open(app, cookie, &path).await;
            assert_eq!(refused.status, 403, "{path}");
            let home = open(app, cookie, "/app").await;
            assert!(!home.text().contains("/app/operate"), "{path}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn terms_are_reviewed_and_saved_with_a_reason(pool: PgPool) {
    let operator = Operator::start(&pool).await;
    let wrong = operator.terms("EUR", "1,5").await;
    let refused = operator.send_terms("EUR", &wrong, &[]).await;
    says(&refused, 422, "value=\"1,5\"");
    says(&refused, 422, "Exchange fee, % must be");

    let fields = operator.terms("EUR", "0.5").await;
    let review = operator.send_terms("EUR", &fields, &[]).await;
    shows(&review, "<strong>0.5 %</strong>");
    shows(&review, "you keep 99.50 EUR");
    let save = [("step", "save"), ("reason", "a promotion")];
    let silent = operator.send_terms("EUR", &fields, &save[..1]).await;
    says(&silent, 422, "Reason is needed");
    let saved = operator.send_terms("EUR", &fields, &save).await;
    assert_eq!(
        saved.header("location"),
        "/app/operate/currencies?notice=terms-saved"
    );
    shows(&operator.app.get("/fees?q=EUR").await, "0.5 %");

    // Somebody who opened the form before that is told, with both values.
    let late: Vec<(String, String)> = fields
        .iter()
        .cloned()
        .map(|(name, value)| match name.as_str() {
            "exchange_fee_basis_points" => (name, "2".to_owned()),
            _ => (name, value),
        })
        .collect();
    let conflict = operator.send_terms("EUR", &late, &save).await;
    says(&conflict, 409, "Somebody else changed this");
    says(&conflict, 409, "0.5 %");
    says(&conflict, 409, "<strong>2 %</strong>");
    let log = operator.see("/app/operate/audit?action=terms").await;
    shows(&log, "1 % → 0.5 %");
    shows(&log, "a promotion");
    assert_eq!(
        operator.see("/app/operate/currencies/XXX").await.status,
        404
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_floor_and_a_pin_are_reviewed_first(pool: PgPool) {
    let operator = Operator::start(&pool).await;
    let path = "/app/operate/house/EUR";
    shows(&operator.see(path).await, "no limit");
    let wrong = operator
        .send(path, &[("floor", "ten"), ("seen", "none")])
        .await;
    says(&wrong, 422, "value=\"ten\"");
    let floor = [("floor", "-100"), ("seen", "none")];
    shows(
        &operator.send(path, &floor).await,
        "<strong>-100.00 EUR</strong>",
    );
    let save = [&floor[..], &[("step", "save"), ("reason", "the bank")][..]].concat();
    let saved = operator.send(path, &save).await;
    let house = "/app/operate/house?notice=floor-saved";
    assert_eq!(saved.header("location"), house);
    says(
        &operator.send(path, &save).await,
        422,
        "nothing would change",
    );

    let pin = [("from", "BTC"), ("to", "EUR"), ("rate", "50000")];
    let endless = operator.send("/app/operate/rates/pin", &pin).await;
    says(&endless, 422, "Minutes until it ends must be");
    says(&endless, 422, "value=\"50000\"");
    let pin = [&pin[..], &[("minutes", "5"), ("reason", "down")][..]].concat();
    let review = operator.send("/app/operate/rates/pin", &pin).await;
    shows(&review, "16.67 % below the rate of now");
    let save = [&pin[..], &[("step", "save"), ("seen", "")][..]].concat();
    let pinned = operator.send("/app/operate/rates/pin", &save).await;
    let rates = "/app/operate/rates?notice=rate-pinned";
    assert_eq!(pinned.header("location"), rates);
    shows(
        &operator.see("/app/operate/rates?currency=BTC").await,
        "End it",
    );
    let pair = [("from", "BTC"), ("to", "EUR")];
    let review = operator.send("/app/operate/rates/unpin", &pair).await;
    shows(&review, "<strong>60000</strong>");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_suspended_deposit_keeps_the_address_that_was_typed(pool: PgPool) {
    let operator = Operator::start(&pool).await;
    shows(
        &operator.see("/app/operate/suspense").await,
        "Nothing is in suspense",
    );
    let gateway = operator.app.gateway();
    let new = gateway::addresses::NewAddress {
        merchant_id: operator.app.demo().await.merchant.id,
        coin: gateway.currencies().by_code("BTC").unwrap(),
        convert_to: None,
        foreign_id: "a".to_owned(),
    };
    let taken = gateway
        .take_deposit_address(new, None, |view, _| {
            (201, view.address.clone().into_bytes())
        })
        .await
        .unwrap();
    let address = String::from_utf8(taken.body).unwrap();
    let payment = json!({ "address": address, "amount": "0.00009" });
    operator.app.sandbox("pay", payment).await;
    operator
        .app
        .sandbox("mine", json!({ "currency": "BTC" }))
        .await;
    let list = operator.see("/app/operate/suspense").await;
    shows(&list, "less than the smallest deposit");
    let page = list.text();
    let (_, rest) = page.split_once("href=\"/app/operate/suspense/").unwrap();
    let (id, _) = rest.split_once('"').unwrap();
    let path = format!("/app/operate/suspense/{id}");
    shows(&operator.see(&path).await, "0.00008910");

    let refund = format!("{path}/refund");
    let wrong = operator.send(&refund, &[("address", "bc1wrong")]).await;
    says(&wrong, 422, "value=\"bc1wrong\"");
    says(&wrong, 422, "Address must be a valid BTC address");
    let back = operator.send(&refund, &[("address", STRANGER)]).await;
    assert_eq!(
        back.header("location"),
        "/app/operate/suspense?notice=deposit-refunded"
    );
    let late = operator.send(&format!("{path}/release"), &[]).await;
    assert_eq!(
        late.header("location"),
        "/app/operate/suspense?notice=not-possible"
    );
    let nothing = operator.send(&format!("{path}/rebroadcast"), &[]).await;
    assert_eq!(
        nothing.header("location"),
        "/app/operate/suspense?notice=nothing-to-send"
    );
    assert_eq!(operator.see("/app/operate/suspense/x").await.status, 404);
}
