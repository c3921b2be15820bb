//! The authorization matrix: every route, every kind of caller, what each of them gets.
//!
//! The table is `authorization/matrix.txt`. A route that is not in it fails the build's tests, so
//! nobody adds one without saying who may use it.

#![allow(clippy::unwrap_used)]

#[path = "authorization/instance.rs"]
mod instance;
#[path = "authorization/matrix.rs"]
mod matrix;
#[path = "authorization/money.rs"]
mod money;
#[path = "authorization/principals.rs"]
mod principals;
#[path = "authorization/routes.rs"]
mod routes;
#[path = "authorization/shop.rs"]
mod shop;

use std::collections::BTreeSet;

use instance::{Answer, Instance, Thing};
use matrix::{Matrix, Row, SIGN_IN, lets_in};
use sqlx::PgPool;

/// Rows of addresses that lead nowhere, which no module makes a route for.
const NOT_ROUTES: [&str; 2] = ["/nowhere", "/api/nowhere"];

/// How a form of another site arrives.
const NOT_OUR_PAGE: [&[(&str, &str)]; 5] = [
    &[("origin", "https://evil.example")],
    &[("origin", "http://127.0.0.1:3001")],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://127.0.0.1:3000"),
    ],
];

/// A form that hides where it comes from: only of a session there is something to borrow.
const HIDDEN_ORIGIN: &[(&str, &str)] = &[("origin", "null")];

/// Unsafe calls that know nobody by a cookie.
const WITHOUT_SESSIONS: [&str; 4] = ["/pay", "/invoice", "/refund", "/sandbox"];

#[test]
fn the_matrix_names_every_route() {
    let named: BTreeSet<(String, String)> = Matrix::read()
        .rows
        .iter()
        .filter(|row| !NOT_ROUTES.contains(&row.path))
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    let made = routes::routes();
    let missing: Vec<_> = made.difference(&named).collect();
    let gone: Vec<_> = named.difference(&made).collect();
    assert!(missing.is_empty(), "not in matrix.txt: {missing:?}");
    assert!(gone.is_empty(), "no route any more: {gone:?}");
}

#[test]
fn every_module_with_routes_is_read() {
    assert_eq!(routes::modules_with_routes(), routes::modules_read());
}

#[test]
fn sessions_open_nothing_of_the_api_and_keys_nothing_of_the_dashboard() {
    let matrix = Matrix::read();
    let column = |name: &str| {
        matrix
            .principals
            .iter()
            .position(|each| *each == name)
            .unwrap()
    };
    let sessions = ["admin", "manager", "merchant", "merchant2", "api_user"].map(column);
    let keys = [
        "key", "key2", "static", "static1", "static2", "in-url", "garbage",
    ]
    .map(column);
    let mut rows = 0;
    for row in matrix
        .rows
        .iter()
        .filter(|row| !NOT_ROUTES.contains(&row.path))
    {
        let (columns, refusal) = if row.is_below("/api") {
            (&sessions[..], "401")
        } else if row.is_below("/app") {
            (&keys[..], SIGN_IN)
        } else {
            continue;
        };
        for at in columns {
            let name = matrix.principals[*at];
            assert_eq!(
                row.cells[*at], refusal,
                "{} {} {name}",
                row.method, row.path
            );
        }
        rows += 1;
    }
    assert!(rows > 30, "only {rows} rows are below /api and /app");
}

#[sqlx::test(migrations = "../migrations")]
async fn everybody_gets_what_the_matrix_says(pool: PgPool) {
    let matrix = Matrix::read();
    let (underpaid, open) = (
        matrix.charges_needed("underpaid"),
        matrix.charges_needed("open"),
    );
    let mut instance = Instance::start(&pool, underpaid, open).await;
    let names: Vec<&str> = instance.principals.iter().map(|each| each.name).collect();
    assert_eq!(names, matrix.principals);
    let mut wrong = Vec::new();
    for row in &matrix.rows {
        for (column, expected) in row.cells.iter().enumerate() {
            let changes = row.is_unsafe() && lets_in(expected);
            let thing = if changes {
                instance.take(row)
            } else {
                instance.thing(row)
            };
            for method in row.methods() {
                let said = Said {
                    row,
                    method,
                    column,
                };
                wrong.extend(check(&instance, said, &thing, expected).await);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cells are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// One call that the matrix speaks of.
#[derive(Clone, Copy)]
struct Said<'a> {
    row: &'a Row,
    method: &'a str,
    column: usize,
}

/// What is wrong with one cell.
async fn check(
    instance: &Instance,
    said: Said<'_>,
    thing: &Thing,
    expected: &str,
) -> Option<String> {
    let Said {
        row,
        method,
        column,
    } = said;
    let who = &instance.principals[column];
    let before = instance.state().await;
    let answer = instance
        .ask(who, method, row, thing, who.of_our_page())
        .await;
    let after = instance.state().await;
    let location = answer.header("location");
    let got = word(&answer);
    let may_change = row.is_unsafe() && lets_in(expected);
    let problem = if got != expected {
        format!("{got}, not {expected}: {}", shortened(&answer.text()))
    } else if !may_change && after != before {
        format!("{got}, but something changed: {before} -> {after}")
    } else if location.contains("notice=not-possible") {
        format!("let in, but nothing was done: {location}")
    } else if answer.headers.contains_key("access-control-allow-origin") {
        "opened to other sites".to_owned()
    } else {
        return None;
    };
    Some(format!(
        "{method} {} on {} for {}: {problem}",
        row.path, row.on, who.name
    ))
}

fn word(answer: &Answer) -> String {
    if answer.status == 303 && answer.header("location").starts_with("/sign-in?next=") {
        SIGN_IN.to_owned()
    } else {
        answer.status.to_string()
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn other_merchants_ids_are_as_unknown_as_any(pool: PgPool) {
    let matrix = Matrix::read();
    let instance = Instance::start(&pool, 1, 1).await;
    let mut compared = 0;
    for row in matrix.rows.iter().filter(|row| row.path.contains("{id}")) {
        let real = instance.thing(row);
        let id = if real.token.is_empty() {
            "999999999"
        } else {
            "EX-AAAAAAAAAA"
        };
        let unknown = Thing {
            id: id.to_owned(),
            token: real.token.clone(),
        };
        let refused = row.cells.iter().zip(&instance.principals);
        for (_, who) in refused.filter(|(cell, _)| **cell == "404") {
            for method in row.methods() {
                let case = format!("{method} {} for {}", row.path, who.name);
                let page = who.of_our_page();
                let foreign = instance.ask(who, method, row, &real, page).await;
                let unknown = instance.ask(who, method, row, &unknown, page).await;
                assert_eq!((foreign.status, unknown.status), (404, 404), "{case}");
                assert_eq!(foreign.text(), unknown.text(), "{case}");
                for header in ["content-type", "cache-control", "set-cookie"] {
                    assert_eq!(
                        foreign.header(header),
                        unknown.header(header),
                        "{case}: {header}"
                    );
                }
                compared += 1;
            }
        }
    }
    assert!(compared > 50, "only {compared} answers were compared");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_page_of_another_site_changes_nothing(pool: PgPool) {
    let matrix = Matrix::read();
    let instance = Instance::start(&pool, 1, 1).await;
    let before = instance.state().await;
    for row in matrix.rows.iter().filter(|row| row.is_unsafe()) {
        let thing = instance.thing(row);
        let expected = if row.is_below("/api") { 401 } else { 403 };
        let has_sessions = !WITHOUT_SESSIONS.iter().any(|prefix| row.is_below(prefix));
        let hidden = has_sessions.then_some(HIDDEN_ORIGIN);
        for who in instance.principals.iter().filter(|who| who.is_session()) {
            for headers in NOT_OUR_PAGE.into_iter().chain(hidden) {
                let answer = instance.ask(who, "POST", row, &thing, headers).await;
                let case = format!("POST {} for {} with {headers:?}", row.path, who.name);
                assert_eq!(answer.status, expected, "{case}: {}", answer.text());
            }
        }
        assert_eq!(
            instance.state().await,
            before,
            "{} {}",
            row.method,
            row.path
        );
    }
    // Nobody was signed out by it.
    let home = matrix
        .rows
        .iter()
        .find(|row| row.path == "/app/wallets")
        .unwrap();
    for who in instance.principals.iter().filter(|who| who.is_session()) {
        let answer = instance.ask(who, "GET", home, &Thing::default(), &[]).await;
        assert_eq!(answer.status, 200, "{}", who.name);
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_session_does_not_help_a_bad_key_nor_a_key_a_bad_session(pool: PgPool) {
    let matrix = Matrix::read();
    let instance = Instance::start(&pool, 1, 1).await;
    let garbage = [
        ("authorization", "Bearer ex_pk_garbage"),
        ("sec-fetch-site", "same-origin"),
    ];
    let forged = [("cookie", "sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")];
    let called = |name: &str| {
        instance
            .principals
            .iter()
            .find(|who| who.name == name)
            .unwrap()
    };
    let (admin, key) = (called("admin"), called("key"));
    let reads_below = |prefix: &'static str| {
        let below = matrix.rows.iter().filter(move |row| row.is_below(prefix));
        below.filter(|row| row.method == "GET" && !NOT_ROUTES.contains(&row.path))
    };
    for row in reads_below("/api") {
        let answer = instance
            .ask(admin, "GET", row, &instance.thing(row), &garbage)
            .await;
        assert_eq!(answer.status, 401, "{}", row.path);
    }
    for row in reads_below("/app") {
        let answer = instance
            .ask(key, "GET", row, &instance.thing(row), &forged)
            .await;
        assert_eq!(word(&answer), SIGN_IN, "{}", row.path);
    }
}
