//! Key pairs, callbacks, the delivery log and rates as a merchant sees them; coins and fees as
//! everybody does.

use gateway::PgPool;

use super::{open, shows};
use crate::testing::{TestApp, TestResponse};

struct Person {
    app: TestApp,
    cookie: String,
}

impl Person {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(pool).await;
        let merchant = app.demo().await.merchant;
        let cookie = app.sign_in(&merchant.email, &merchant.password).await;
        Self { app, cookie }
    }

    async fn see(&self, path: &str) -> TestResponse {
        open(&self.app, &self.cookie, path).await
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        self.app.post_form(path, &headers, fields).await
    }
}

/// What stands in `data-copy` attributes: public and private key.
fn copied(page: &str) -> Vec<String> {
    page.split("data-copy=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_private_key_is_shown_once(pool: PgPool) {
    let person = Person::start(&pool).await;
    let form = [
        ("name", "Web shop"),
        ("permission", "convert"),
        ("permission", "get_tx_ids"),
    ];
    let made = person.send("/app/keys", &form).await;
    shows(&made, "shown on this page only");
    assert_eq!(made.header("cache-control"), "no-store");
    let keys = copied(&made.text());
    let [public, private] = keys.as_slice() else {
        panic!("{keys:?}")
    };
    let pair = person.app.gateway().key_pair(public).await.unwrap();
    assert_eq!(&pair.private_key, private);
    assert_eq!(pair.permissions, ["get_tx_ids", "convert"]);

    let list = person.see("/app/keys").await;
    shows(&list, "Web shop");
    shows(&list, "2 of 14 commands");
    assert!(!list.text().contains(private.as_str()));
    let csv = person.see("/app/keys.csv").await;
    shows(&csv, "Web shop");
    assert!(!csv.text().contains(private.as_str()));

    let twice = person.send("/app/keys", &form).await;
    assert_eq!(twice.status, 422, "{}", twice.text());
    assert!(twice.text().contains("value=\"Web shop\""));
    assert!(twice.text().contains("<title>TEST · Error: Key pairs"));

    let revoke = format!("/app/keys/{}/revoke", pair.id);
    let revoked = person.send(&revoke, &[]).await;
    assert_eq!(revoked.header("location"), "/app/keys?notice=key-revoked");
    assert!(person.app.gateway().key_pair(public).await.is_err());
    let again = person.send(&revoke, &[]).await;
    assert_eq!(
        again.header("location"),
        "/app/keys?notice=key-revoked-before"
    );
    assert_eq!(person.send("/app/keys/x/revoke", &[]).await.status, 404);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_callback_address_is_checked_and_removed(pool: PgPool) {
    let person = Person::start(&pool).await;
    let wrong = person
        .send("/app/callbacks", &[("url", "shop.example/callback")])
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("value=\"shop.example/callback\""));
    assert!(wrong.text().contains("href=\"#url\""), "{}", wrong.text());

    let early = person.send("/app/callbacks/test", &[]).await;
    let no_url = "/app/callbacks?notice=no-callback-url";
    assert_eq!(early.header("location"), no_url);
    let saved = person
        .send("/app/callbacks", &[("url", "http://127.0.0.1:9/callback")])
        .await;
    assert_eq!(
        saved.header("location"),
        "/app/callbacks?notice=callback-saved"
    );
    let page = person.see("/app/callbacks").await;
    shows(&page, "action=\"/app/callbacks/test\"");
    shows(&page, "whsec_");
    let removed = person.send("/app/callbacks", &[("url", " ")]).await;
    assert_eq!(
        removed.header("location"),
        "/app/callbacks?notice=callback-removed"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn lists_have_their_empty_state_their_filter_and_their_csv(pool: PgPool) {
    let person = Person::start(&pool).await;
    shows(&person.see("/app/deliveries").await, "for 30 days");
    let wrong = person.see("/app/deliveries?state=lost").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("State must be"), "{}", wrong.text());
    shows(
        &person.see("/app/deliveries.csv").await,
        "id,created_at,event",
    );
    assert_eq!(person.see("/app/deliveries/1").await.status, 404);

    shows(&person.see("/app/rates?currency=BTC").await, "BTC/EUR");
    shows(
        &person.see("/app/rates.csv?currency=BTC").await,
        "BTC,EUR,60000.00000000",
    );
    let wrong = person.see("/app/rates?address=nowhere").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("Deposit address must be"));
}

#[sqlx::test(migrations = "../migrations")]
async fn coins_and_fees_need_no_session(pool: PgPool) {
    let app = TestApp::start(&pool).await;
    let coins = app.get("/coins").await;
    shows(&coins, "bc1q…");
    assert!(!coins.text().contains("<script"));
    shows(&app.get("/coins.csv").await, "BTC,Bitcoin,Bitcoin,");
    let fees = app.get("/fees").await;
    shows(&fees, "on 100.00 EUR you keep 99.00 EUR");
    shows(&app.get("/fees?q=yen").await, "JPY");
    shows(&app.get("/fees.csv?q=eur").await, "EUR,");
}
