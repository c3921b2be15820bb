use gateway::PgPool;
use serde_json::json;

use super::person::{Person, between, hidden, with};
use super::shows;

/// A main-net address of nobody here.
const STRANGER: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

/// The same key on Litecoin's chain.
const STRANGER_LTC: &str = "ltc1qar0srrr7xfkvy5l643lydnw9re59gtzz24wl4s";

#[sqlx::test(migrations = "../migrations")]
async fn an_address_is_taken_named_and_paid(pool: PgPool) {
    let person = Person::start(&pool).await;
    shows(&person.see("/app/addresses").await, "Take an address");
    person.fund().await;
    let page = person.see("/app/addresses").await;
    shows(&page, "funds");
    let id = between(&page.text(), "href=\"/app/addresses/", "\"");
    let path = format!("/app/addresses/{id}");
    let label = [("label", "Café <Rīga>")];
    let (to, page) = person.follow(&format!("{path}/label"), &label).await;
    assert_eq!(to, format!("{path}?notice=label-saved"));
    shows(&page, "value=\"Caf\u{e9} &lt;R\u{12b}ga&gt;\"");
    shows(&page, "Latest deposits");
    shows(&page, "bitcoin:");
    let long = "x".repeat(256);
    let refused = person
        .send(&format!("{path}/label"), &[("label", &long)])
        .await;
    assert_eq!(refused.status, 422);
    assert!(
        refused
            .text()
            .contains("Label must be at most 255 characters.")
    );
    let csv = person.see("/app/addresses.csv").await;
    shows(&csv, "funds");
    // The same arguments name the same address.
    let fields = [("currency", "BTC"), ("foreign_id", "funds")];
    let (to, _) = person.follow("/app/addresses", &fields).await;
    assert!(to.starts_with(&path), "{to}");
    for (fields, said) in [
        (
            [("currency", "EUR"), ("foreign_id", "x")],
            "Coin must be a coin that can be received here.",
        ),
        (
            [("currency", "BTC"), ("foreign_id", " ")],
            "Reference must have 1 to 255 characters.",
        ),
        (
            [("currency", "nope"), ("foreign_id", "x")],
            "Coin must be a currency of this instance.",
        ),
    ] {
        let refused = person.send("/app/addresses", &fields).await;
        assert_eq!(refused.status, 422, "{fields:?}");
        assert!(refused.text().contains(said), "{}", refused.text());
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn deposits_are_listed_filtered_explained_and_exported(pool: PgPool) {
    let person = Person::start(&pool).await;
    shows(
        &person.see("/app/deposits").await,
        "Deposits appear here seconds after a customer pays",
    );
    person.fund().await;
    let page = person
        .see("/app/deposits?status=confirmed&currency=BTC")
        .await;
    shows(&page, "funds");
    let id = between(&page.text(), "href=\"/app/deposits/", "\"");
    shows(&person.see(&format!("/app/deposits/{id}")).await, "Journal");
    shows(
        &person.see("/app/deposits?status=cancelled").await,
        "No deposits match.",
    );
    let odd = person
        .see("/app/deposits?status=eaten&reference=funds")
        .await;
    assert_eq!(odd.status, 422);
    assert!(odd.text().contains("Status is no status of an operation."));
    let csv = person.see("/app/deposits.csv").await;
    assert_eq!(csv.text().lines().count(), 2, "{}", csv.text());
    // Nothing that stands in an address is an error of ours.
    for path in [
        "/app/deposits?reference=%00",
        "/app/deposits?reference=a%00b&page=9223372036854775807",
        "/app/deposits?page=-9223372036854775808",
        "/app/withdrawals.csv?reference=%00",
        "/app/addresses?q=%00",
        "/app/addresses.csv?q=%00&before=9223372036854775807",
    ] {
        assert_eq!(person.see(path).await.status, 200, "{path}");
    }
    // A deposit is no withdrawal.
    let other = person.see(&format!("/app/withdrawals/{id}")).await;
    assert_eq!(other.status, 404);
}

const WITHDRAWAL: [(&str, &str); 4] = [
    ("currency", "BTC"),
    ("amount", "0.1"),
    ("address", STRANGER),
    ("reference", "invoice 7"),
];

#[sqlx::test(migrations = "../migrations")]
async fn a_withdrawal_is_looked_at_before_anything_moves_and_made_once(pool: PgPool) {
    let person = Person::start(&pool).await;
    person.fund().await;
    let before = person.available("BTC").await;
    let review = person.send("/app/withdrawals/new", &WITHDRAWAL).await;
    shows(&review, "Nothing has moved yet.");
    assert_eq!(person.available("BTC").await, before);
    let fields = hidden(&review);
    let edit = person
        .send("/app/withdrawals/new", &with(&fields, &[("step", "edit")]))
        .await;
    shows(&edit, "value=\"0.1\"");
    let confirm = with(&fields, &[("step", "confirm")]);
    let (first, page) = person.follow("/app/withdrawals/new", &confirm).await;
    shows(&page, "The money is held. The status says");
    let held = person.available("BTC").await;
    assert_ne!(held, before);
    let (again, _) = person.follow("/app/withdrawals/new", &confirm).await;
    assert_eq!(first, again);
    assert_eq!(person.available("BTC").await, held);
    // Also when nothing else names it.
    let mut nameless = fields.clone();
    nameless.retain(|(name, _)| name != "reference");
    for field in &mut nameless {
        if field.0 == "key" {
            field.1 = "nameless".to_owned();
        }
    }
    let nameless = with(&nameless, &[("step", "confirm")]);
    let (one, _) = person.follow("/app/withdrawals/new", &nameless).await;
    let (two, _) = person.follow("/app/withdrawals/new", &nameless).await;
    assert_eq!(one, two);
    assert_ne!(one, first);
    let held = person.available("BTC").await;
    // The same key with other words makes nothing.
    let mut other = confirm.clone();
    for field in &mut other {
        if field.0 == "amount" {
            field.1 = "0.2";
        }
    }
    let refused = person.send("/app/withdrawals/new", &other).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(person.available("BTC").await, held);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_withdrawal_names_its_field_and_keeps_what_was_typed(pool: PgPool) {
    let person = Person::start(&pool).await;
    person.fund().await;
    let before = person.available("BTC").await;
    for (field, value, said) in [
        ("currency", "XXX", "The wallet must be one of yours."),
        ("amount", "0", "Amount must be greater than zero."),
        ("amount", "1e3", "Amount "),
        ("amount", "5", "Amount "),
        ("address", "", "address is required."),
        ("address", "bc1qwrong", "must be a valid BTC address"),
        ("convert_to", "XXX", "must be a coin of this instance."),
        ("convert_to", "EUR", "must be a coin"),
    ] {
        let mut fields: Vec<(&str, &str)> = WITHDRAWAL.to_vec();
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        for step in ["", "confirm"] {
            let mut fields = fields.clone();
            fields.extend([("step", step), ("key", "k")]);
            let refused = person.send("/app/withdrawals/new", &fields).await;
            assert_eq!(refused.status, 422, "{field}={value}: {}", refused.text());
            assert!(refused.text().contains(said), "{said}: {}", refused.text());
            assert!(refused.text().contains("value=\"invoice 7\""));
        }
    }
    assert_eq!(person.available("BTC").await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn another_rate_than_the_one_shown_is_shown_first(pool: PgPool) {
    let person = Person::start(&pool).await;
    person.fund().await;
    let rate = |rate: &str| json!({ "from": "BTC", "to": "LTC", "rate": rate });
    person.app.sandbox("rates", rate("500")).await;
    let fields = [
        ("currency", "BTC"),
        ("amount", "0.1"),
        ("convert_to", "LTC"),
        ("address", STRANGER_LTC),
    ];
    let review = person.send("/app/withdrawals/new", &fields).await;
    shows(&review, "It is exchanged at the rate of the moment");
    let fields = hidden(&review);
    person.app.sandbox("rates", rate("400")).await;
    let confirm = with(&fields, &[("step", "confirm")]);
    let again = person.send("/app/withdrawals/new", &confirm).await;
    shows(&again, "The rate has changed.");
    let fields = hidden(&again);
    let confirm = with(&fields, &[("step", "confirm")]);
    person.follow("/app/withdrawals/new", &confirm).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn above_the_limit_somebody_else_decides(pool: PgPool) {
    let person = Person::start(&pool).await;
    person.fund().await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0.01")
        .execute(&pool)
        .await
        .unwrap();
    let before = person.available("BTC").await;
    let review = person.send("/app/withdrawals/new", &WITHDRAWAL).await;
    shows(&review, "This is above your limit");
    let fields = hidden(&review);
    let (to, _) = person
        .follow(
            "/app/withdrawals/new",
            &with(&fields, &[("step", "confirm")]),
        )
        .await;
    let page = to.split_once('?').unwrap().0.to_owned();
    shows(
        &person.see("/app/withdrawals").await,
        "Waiting for your decision",
    );
    let admin = person.app.demo().await.admin;
    let cookie = person.app.sign_in(&admin.email, &admin.password).await;
    let (own, _) = person.follow(&format!("{page}/approve"), &[]).await;
    assert_eq!(own, format!("{page}?notice=other-eyes"));
    let headers = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let declined = person
        .app
        .post_form(&format!("{page}/decline"), &headers, &[])
        .await;
    assert_eq!(
        declined.header("location"),
        format!("{page}?notice=declined")
    );
    assert_eq!(person.available("BTC").await, before);
    let (late, _) = person.follow(&format!("{page}/approve"), &[]).await;
    assert_eq!(late, format!("{page}?notice=not-possible"));
}

#[sqlx::test(migrations = "../migrations")]
async fn an_offer_is_taken_once_and_never_priced_again_in_silence(pool: PgPool) {
    let person = Person::start(&pool).await;
    person.fund().await;
    shows(&person.see("/app/exchange").await, "See the rate");
    let form = [("from", "BTC"), ("to", "EUR"), ("give", "0.1")];
    let (offer, page) = person.follow("/app/exchange", &form).await;
    shows(&page, "This rate is held until");
    let key = between(&page.text(), "name=\"key\" value=\"", "\"");
    let fields = [("key", key.as_str()), ("pricing", "fixed")];
    let confirm = format!("{offer}/confirm");
    let (made, page) = person.follow(&confirm, &fields).await;
    shows(&page, "The exchange is done.");
    let left = person.available("BTC").await;
    let (again, _) = person.follow(&confirm, &fields).await;
    assert_eq!(made, again);
    let other = [("key", "another"), ("pricing", "fixed")];
    let (used, page) = person.follow(&confirm, &other).await;
    assert_eq!(used, format!("{offer}?notice=rate-is-over"));
    shows(&page, "nothing was exchanged");
    assert_eq!(person.available("BTC").await, left);
    shows(&person.see("/app/exchange").await, "/app/exchanges/");
    let csv = person.see("/app/exchanges.csv").await;
    assert_eq!(csv.text().lines().count(), 2);
    // An offer that ran out says so, and the new one shows both rates.
    let (offer, _) = person.follow("/app/exchange", &form).await;
    person
        .app
        .sandbox("advance", json!({ "seconds": 61 }))
        .await;
    let person = Person {
        cookie: {
            let merchant = person.app.demo().await.merchant;
            person
                .app
                .sign_in(&merchant.email, &merchant.password)
                .await
        },
        ..person
    };
    shows(
        &person.see(&offer).await,
        "This rate does not stand any more; nothing was exchanged.",
    );
    let late = [("key", "late"), ("pricing", "fixed")];
    let (to, _) = person.follow(&format!("{offer}/confirm"), &late).await;
    assert_eq!(to, format!("{offer}?notice=rate-is-over"));
    let rate = json!({ "from": "BTC", "to": "EUR", "rate": "40000" });
    person.app.sandbox("rates", rate).await;
    let id = offer.rsplit_once('/').unwrap().1;
    let renewed = [
        ("from", "BTC"),
        ("to", "EUR"),
        ("give", "0.1"),
        ("before", id),
    ];
    let (_, page) = person.follow("/app/exchange", &renewed).await;
    shows(&page, "The rate has changed.");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_exchange_names_its_field(pool: PgPool) {
    let person = Person::start(&pool).await;
    person.fund().await;
    for (fields, said) in [
        (
            vec![("from", "BTC"), ("to", "EUR")],
            "Amount you send is missing",
        ),
        (
            vec![("from", "BTC"), ("to", "BTC"), ("give", "0.1")],
            "What you get must differ",
        ),
        (
            vec![("from", "BTC"), ("to", "EUR"), ("give", "1"), ("get", "1")],
            "Amount you send must be empty",
        ),
        (
            vec![("from", "BTC"), ("to", "EUR"), ("give", "0.000000001")],
            "Amount you send ",
        ),
        (
            vec![("from", "XXX"), ("to", "EUR"), ("give", "1")],
            "What you send must be one of your wallets",
        ),
    ] {
        let refused = person.send("/app/exchange", &fields).await;
        assert_eq!(refused.status, 422, "{fields:?}");
        assert!(refused.text().contains(said), "{said}: {}", refused.text());
    }
    let unknown = person
        .see("/app/exchange/018f0000-0000-7000-8000-000000000000")
        .await;
    assert_eq!(unknown.status, 404);
    assert_eq!(person.see("/app/exchange/x").await.status, 404);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_person_asks_for_with_an_own_key_somebody_else_approves(pool: PgPool) {
    let person = Person::start(&pool).await;
    person.fund().await;
    sqlx::query("UPDATE merchants SET withdrawal_limit = 0.01")
        .execute(&pool)
        .await
        .unwrap();
    let fields = [("name", "own"), ("permission", "create_withdrawal")];
    let made = person.send("/app/keys", &fields).await;
    shows(&made, "Your new key pair");
    let (public, private): (String, String) =
        sqlx::query_as("SELECT public_key, private_key FROM key_pairs WHERE label = 'own'")
            .fetch_one(&pool)
            .await
            .unwrap();
    let body = json!({
        "foreign_id": "1", "currency": "BTC", "amount": "0.1", "address": STRANGER,
    })
    .to_string();
    let signature = crate::dialects::processing::sign(&private, body.as_bytes()).unwrap();
    let headers = [
        ("x-processing-key", public.as_str()),
        ("x-processing-signature", signature.as_str()),
        ("content-type", "application/json"),
    ];
    let asked = person
        .app
        .call("POST", "/api/v2/withdrawal/crypto", &headers, body.as_str())
        .await;
    assert_eq!(asked.status, 201, "{}", asked.text());
    let asked = asked.json();
    assert_eq!(asked["data"]["status"], "pending");
    let page = format!("/app/withdrawals/{}", asked["data"]["id"]);
    let (own, _) = person.follow(&format!("{page}/approve"), &[]).await;
    assert_eq!(own, format!("{page}?notice=other-eyes"));
}
