//! Promises asked for in the dashboard: looked at, made once, at the terms that were shown.

use gateway::PgPool;
use serde_json::json;

use super::person::{Person, between, hidden, with};
use super::{open, shows};

const REVIEW: &str = "/app/futures/review";
const CONFIRM: &str = "/app/futures/confirm";

/// Number and text of an address that exchanges what it receives into euros.
async fn address(person: &Person) -> (String, String) {
    let fields = [
        ("currency", "BTC"),
        ("convert_to", "EUR"),
        ("foreign_id", "customer 7"),
    ];
    let (to, page) = person.follow("/app/addresses", &fields).await;
    let id = between(&to, "/app/addresses/", "?");
    (id, between(&page.text(), "data-copy=\"", "\""))
}

async fn set_rate(person: &Person, rate: &str) {
    let rate = json!({ "from": "BTC", "to": "EUR", "rate": rate });
    person.app.sandbox("rates", rate).await;
}

/// The hidden fields of a look at 600 EUR.
async fn look(person: &Person, id: &str) -> Vec<(String, String)> {
    let review = person
        .send(REVIEW, &[("address", id), ("receiver_amount", "600")])
        .await;
    shows(&review, "Nothing is held yet");
    hidden(&review)
}

/// A promise of 600 EUR; the path of its page.
async fn promise(person: &Person, id: &str) -> String {
    let fields = look(person, id).await;
    let (to, page) = person.follow(CONFIRM, &with(&fields, &[])).await;
    shows(&page, "The price is fixed.");
    to.split_once('?').unwrap().0.to_owned()
}

async fn states(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT state FROM futures ORDER BY id")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_promise_is_looked_at_before_anything_is_held_and_made_once(pool: PgPool) {
    let person = Person::start(&pool).await;
    let page = person.see("/app/futures").await;
    shows(&page, "A promise needs a deposit address");
    let (id, _) = address(&person).await;
    let page = person.see("/app/futures").await;
    shows(&page, "BTC → EUR, customer 7");
    let prices = person
        .see(&format!("/app/futures/rates?address={id}"))
        .await;
    shows(&prices, "value=\"50000.00000000\"");
    shows(&prices, "is fixed until");
    let fields = look(&person, &id).await;
    let asked = ("sender_amount".to_owned(), "0.01200000".to_owned());
    assert!(fields.contains(&asked), "{fields:?}");
    assert!(states(&pool).await.is_empty());

    let confirm = with(&fields, &[]);
    let (made, page) = person.follow(CONFIRM, &confirm).await;
    assert!(made.ends_with("?notice=promised"), "{made}");
    for part in [
        "The price is fixed.",
        "href=\"bitcoin:",
        "value=\"0.01200000\"",
        "value=\"594.00\"",
    ] {
        shows(&page, part);
    }
    let (again, _) = person.follow(CONFIRM, &confirm).await;
    assert_eq!(made, again);
    // The same key with other words makes nothing.
    let mut other = confirm.clone();
    for field in &mut other {
        if field.0 == "receiver_amount" {
            field.1 = "700";
        }
    }
    let refused = person.send(CONFIRM, &other).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("made a promise already"));
    assert_eq!(states(&pool).await, ["open"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn other_terms_than_the_ones_shown_are_shown_first(pool: PgPool) {
    let person = Person::start(&pool).await;
    let (id, _) = address(&person).await;
    promise(&person, &id).await;
    let fields = look(&person, &id).await;
    set_rate(&person, "40000").await;
    let again = person.send(CONFIRM, &with(&fields, &[])).await;
    for part in [
        "The rate has changed",
        "0.01200000 BTC",
        "value=\"0.01500000\"",
        "it ends when you confirm this one",
    ] {
        shows(&again, part);
    }
    // Nothing was made, and the promise before stands.
    assert_eq!(states(&pool).await, ["open"]);
    let renewed = hidden(&again);
    let key = |fields: &[(String, String)]| {
        let field = fields.iter().find(|(name, _)| name == "key");
        field.unwrap().1.clone()
    };
    assert_eq!(key(&fields), key(&renewed));
    let (_, page) = person.follow(CONFIRM, &with(&renewed, &[])).await;
    shows(&page, "value=\"0.01500000\"");
    assert_eq!(states(&pool).await, ["void", "open"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_promise_is_followed_to_its_end(pool: PgPool) {
    let person = Person::start(&pool).await;
    let (id, text) = address(&person).await;
    let pay = async |amount: &str| {
        let body = json!({ "address": text, "amount": amount });
        person.app.sandbox("pay", body).await;
    };
    let mine = async || {
        let body = json!({ "currency": "BTC", "blocks": 2 });
        person.app.sandbox("mine", body).await;
    };
    let kept = promise(&person, &id).await;
    pay("0.012").await;
    shows(&person.see(&kept).await, "is the promised one");
    // Another one can be looked at, and would end none.
    let fields = [("address", id.as_str()), ("receiver_amount", "600")];
    let beside = person.send(REVIEW, &fields).await;
    shows(&beside, "Nothing is held yet");
    assert!(!beside.text().contains("it ends when you confirm this one"));
    mine().await;
    let page = person.see(&kept).await;
    shows(&page, "was exchanged at the promised price");
    let deposit = between(&page.text(), "href=\"/app/deposits/", "\"");
    let detail = person.see(&format!("/app/deposits/{deposit}")).await;
    shows(&detail, "Movements");

    let missed = promise(&person, &id).await;
    pay("0.02").await;
    mine().await;
    shows(
        &person.see(&missed).await,
        "A deposit of another amount came",
    );
    let list = person.see("/app/futures?state=void").await;
    shows(&list, &format!("href=\"{missed}\""));
    assert!(!list.text().contains(&format!("href=\"{kept}\"")));
    shows(
        &person.see("/app/futures?state=open").await,
        "No futures match.",
    );
    let odd = person.see("/app/futures?state=eaten").await;
    assert_eq!(odd.status, 422);
    assert!(odd.text().contains("State must be open, matched"));
    let csv = person.see("/app/futures.csv").await;
    assert_eq!(csv.text().lines().count(), 3, "{}", csv.text());
    shows(&csv, "0.01200000,BTC,600.00,EUR,6.00,594.00,50000.00000000");
    let settled = person.see("/app/futures.csv?state=settled").await;
    assert_eq!(settled.text().lines().count(), 2, "{}", settled.text());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wrong_promise_names_its_field_and_keeps_what_was_typed(pool: PgPool) {
    let person = Person::start(&pool).await;
    let (id, _) = address(&person).await;
    for (amount, said) in [
        ("ten", "Amount you get must be a plain decimal number"),
        ("0", "Amount you get must be greater than zero."),
        ("1.234", "Amount you get has more than 2 digits"),
        (
            "10000.01",
            "Amount you get must be worth at most 10000 EUR.",
        ),
        ("0.01", "Amount you get must be worth at least"),
    ] {
        let fields = [("address", id.as_str()), ("receiver_amount", amount)];
        for path in [REVIEW, CONFIRM] {
            let mut fields = fields.to_vec();
            let terms = [
                ("key", "k"),
                ("sender_amount", "1"),
                ("fee_amount", "1"),
                ("price", "1"),
            ];
            fields.extend(terms);
            let refused = person.send(path, &fields).await;
            assert_eq!(refused.status, 422, "{path} {amount}: {}", refused.text());
            assert!(refused.text().contains(said), "{said}: {}", refused.text());
            let kept = format!("value=\"{amount}\"");
            assert!(refused.text().contains(&kept), "{kept}");
        }
    }
    let keyless = [("address", id.as_str()), ("receiver_amount", "600")];
    let refused = person.send(CONFIRM, &keyless).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("This form is not whole"));
    // Terms that were never shown are shown first.
    let mut unseen = keyless.to_vec();
    unseen.push(("key", "k"));
    shows(&person.send(CONFIRM, &unseen).await, "Nothing is held yet");
    assert!(states(&pool).await.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn only_own_addresses_that_exchange_have_prices(pool: PgPool) {
    let person = Person::start(&pool).await;
    let (id, _) = address(&person).await;
    let fields = [("currency", "BTC"), ("foreign_id", "plain")];
    let (to, _) = person.follow("/app/addresses", &fields).await;
    let plain = between(&to, "/app/addresses/", "?");
    for (address, said) in [
        ("", "Choose one of your deposit addresses."),
        (plain.as_str(), "Deposit address must be one that exchanges"),
    ] {
        let path = format!("/app/futures/rates?address={address}");
        let refused = person.see(&path).await;
        assert_eq!(refused.status, 422, "{path}");
        assert!(refused.text().contains(said), "{}", refused.text());
        let fields = [("address", address), ("receiver_amount", "600")];
        for path in [REVIEW, CONFIRM] {
            assert_eq!(person.send(path, &fields).await.status, 422, "{path}");
        }
    }
    for address in ["x", "999999999", "-1"] {
        let path = format!("/app/futures/rates?address={address}");
        assert_eq!(person.see(&path).await.status, 404, "{path}");
    }
    let made = promise(&person, &id).await;
    let other = person.app.demo().await.merchant2;
    let cookie = person.app.sign_in(&other.email, &other.password).await;
    for path in [format!("/app/futures/rates?address={id}"), made] {
        let foreign = open(&person.app, &cookie, &path).await;
        assert_eq!(foreign.status, 404, "{path}");
    }
    let csv = open(&person.app, &cookie, "/app/futures.csv").await;
    assert_eq!(csv.text().lines().count(), 1, "{}", csv.text());
}
