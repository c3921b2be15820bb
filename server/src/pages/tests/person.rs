//! Somebody who uses the dashboard with a browser, and what they read in its pages.

use gateway::PgPool;
use serde_json::json;

use super::open;
use crate::testing::{TestApp, TestResponse};

/// A merchant in front of the dashboard.
pub(super) struct Person {
    pub(super) app: TestApp,
    pub(super) merchant_id: i64,
    pub(super) cookie: String,
}

impl Person {
    pub(super) async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(pool).await;
        let merchant = app.demo().await.merchant;
        let cookie = app.sign_in(&merchant.email, &merchant.password).await;
        let rate = json!({ "from": "BTC", "to": "EUR", "rate": "50000" });
        app.sandbox("rates", rate).await;
        Self {
            app,
            merchant_id: merchant.id,
            cookie,
        }
    }

    pub(super) async fn see(&self, path: &str) -> TestResponse {
        open(&self.app, &self.cookie, path).await
    }

    pub(super) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        self.app.post_form(path, &headers, fields).await
    }

    /// Sends a form and follows where it leads.
    pub(super) async fn follow(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> (String, TestResponse) {
        let answer = self.send(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text());
        let to = answer.header("location").to_owned();
        let page = self.see(&to).await;
        (to, page)
    }

    /// One bitcoin in the wallet.
    pub(super) async fn fund(&self) {
        let fields = [("currency", "BTC"), ("foreign_id", "funds")];
        let (_, page) = self.follow("/app/addresses", &fields).await;
        let address = between(&page.text(), "data-copy=\"", "\"");
        self.app
            .sandbox("pay", json!({ "address": address, "amount": "1" }))
            .await;
        let blocks = json!({ "currency": "BTC", "blocks": 2 });
        self.app.sandbox("mine", blocks).await;
    }

    pub(super) async fn available(&self, code: &str) -> String {
        let wallets = self
            .app
            .gateway()
            .list_wallets(self.merchant_id)
            .await
            .unwrap();
        let wallet = wallets
            .iter()
            .find(|wallet| wallet.user_id.is_none() && wallet.currency.code.as_str() == code)
            .unwrap();
        wallet.available.shown()
    }
}

/// What stands between two texts.
#[track_caller]
pub(super) fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0.to_owned()
}

/// Name and value of the hidden fields of a page's last form.
pub(super) fn hidden(page: &TestResponse) -> Vec<(String, String)> {
    let text = page.text();
    let form = text.rsplit_once("<form ").unwrap().1.to_owned();
    form.split("<input type=\"hidden\" ")
        .skip(1)
        .map(|input| {
            (
                between(input, "name=\"", "\""),
                between(input, "value=\"", "\""),
            )
        })
        .collect()
}

pub(super) fn with<'a>(
    fields: &'a [(String, String)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let own = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    own.chain(more.iter().copied()).collect()
}
