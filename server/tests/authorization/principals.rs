//! Everybody who may try.

use gateway::demo::DemoSet;
use server::testing::TestApp;

/// Somebody who calls.
pub struct Principal {
    pub name: &'static str,
    /// Added to every call.
    pub header: Option<(&'static str, String)>,
    /// Added to every address; `{token}` stands for the token of the charge's page.
    pub query: String,
    /// Log-ins are counted by address, so everybody has one, all of them on this machine.
    pub number: u8,
}

impl Principal {
    pub fn is_session(&self) -> bool {
        self.header
            .as_ref()
            .is_some_and(|(name, _)| *name == "cookie")
    }

    /// What a browser adds when it sends a form of our own page.
    pub fn of_our_page(&self) -> &'static [(&'static str, &'static str)] {
        if self.is_session() {
            &[("sec-fetch-site", "same-origin")]
        } else {
            &[]
        }
    }
}

/// In the order of the matrix's columns.
pub async fn principals(app: &TestApp, demo: &DemoSet) -> Vec<Principal> {
    let session =
        async |email: &str, password: &str| Some(("cookie", app.sign_in(email, password).await));
    let bearer = |key: &str| Some(("authorization", format!("Bearer {key}")));
    let (merchant, merchant2) = (&demo.merchant, &demo.merchant2);
    let garbage = format!("ex_pk_{}", "0".repeat(38));
    let remote = Some(("x-forwarded-for", "192.0.2.1".to_owned()));
    let admin = session(&demo.admin.email, &demo.admin.password).await;
    let manager = session(&demo.manager.email, &demo.manager.password).await;
    let of_merchant = session(&merchant.email, &merchant.password).await;
    let of_merchant2 = session(&merchant2.email, &merchant2.password).await;
    let api_user = session(&demo.api_user.email, &demo.api_user.password).await;
    let none = String::new;
    let table = [
        ("anon", None, none()),
        ("token", None, "t={token}".to_owned()),
        ("forged", None, format!("t={}", "A".repeat(22))),
        ("remote", remote, none()),
        ("admin", admin, none()),
        ("manager", manager, none()),
        ("merchant", of_merchant, none()),
        ("merchant2", of_merchant2, none()),
        ("api_user", api_user, none()),
        ("key", bearer(&merchant.ex_pk), none()),
        ("key2", bearer(&merchant2.ex_pk), none()),
        ("static", bearer(&demo.static_key), none()),
        (
            "static1",
            bearer(&demo.static_key),
            format!("merchant_id={}", merchant.id),
        ),
        (
            "static2",
            bearer(&demo.static_key),
            format!("merchant_id={}", merchant2.id),
        ),
        ("in-url", None, format!("key={}", merchant.ex_pk)),
        ("garbage", bearer(&garbage), none()),
    ];
    (1..)
        .zip(table)
        .map(|(number, (name, header, query))| Principal {
            name,
            header,
            query,
            number,
        })
        .collect()
}
