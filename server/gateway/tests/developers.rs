//! What the pages for developers stand on: key pairs, callbacks, the delivery log, rates, fees.
#![allow(clippy::unwrap_used)]

mod support;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use domain::view::developers::DeliveryFilter;
use gateway::Error;
use gateway::auth::NewKeyPair;
use gateway::dashboard::Place;
use gateway::outbox::{CallbackChange, Outcome, TestCallback, deliver_due};
use sqlx::PgPool;
use support::World;

const BY: &str = "inga@shop.example";

fn pair(world: &World, name: &str, permissions: &[&str]) -> NewKeyPair {
    NewKeyPair {
        merchant_id: world.merchant,
        name: name.to_owned(),
        permissions: permissions.iter().map(|&word| word.to_owned()).collect(),
    }
}

/// A receiver that does not want anything.
async fn refuse() -> StatusCode {
    StatusCode::IM_A_TEAPOT
}

/// Fields of a refusal.
fn blamed<T>(result: Result<T, Error>) -> Vec<String> {
    match result {
        Err(Error::Invalid(wrong)) => wrong.into_iter().map(|error| error.field).collect(),
        Err(error) => vec![error.to_string()],
        Ok(_) => Vec::new(),
    }
}

async fn actions(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT action FROM audit_log WHERE actor = $1 ORDER BY id")
        .bind(BY)
        .fetch_all(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_pair_is_made_changed_and_revoked_with_a_trail(pool: PgPool) {
    let world = World::new(&pool).await;
    let gateway = &world.gateway;
    let made = gateway
        .create_key_pair(pair(&world, " Web  shop ", &["convert"]), BY)
        .await
        .unwrap();
    assert_eq!(
        (made.name.as_str(), made.private_key.len()),
        ("Web shop", 64)
    );
    let known = gateway.key_pair(&made.public_key).await.unwrap();
    assert_eq!(known.private_key, made.private_key);
    assert!(known.permits("convert") && !known.permits("create_withdrawal"));

    let wanted = ["get_tx_ids".to_owned()];
    for _ in 0..2 {
        gateway
            .change_key_permissions(world.merchant, made.id, &wanted, BY)
            .await
            .unwrap();
    }
    let known = gateway.key_pair(&made.public_key).await.unwrap();
    assert_eq!(known.permissions, wanted);

    let foreign = gateway
        .revoke_key_pair(world.merchant + 1, made.id, BY)
        .await;
    assert_eq!(blamed(foreign), ["not found"]);
    gateway
        .revoke_key_pair(world.merchant, made.id, BY)
        .await
        .unwrap();
    assert!(gateway.key_pair(&made.public_key).await.is_err());
    let again = gateway.revoke_key_pair(world.merchant, made.id, BY).await;
    assert!(matches!(again, Err(Error::Conflict(_))));
    assert_eq!(
        actions(&pool).await,
        [
            "key_pair.created",
            "key_pair.permissions_changed",
            "key_pair.revoked"
        ]
    );
    let secrets: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audit_log WHERE strpos(data::text, $1) > 0")
            .bind(&made.private_key)
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(secrets, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_merchant_has_ten_live_pairs_at_most(pool: PgPool) {
    let world = World::new(&pool).await;
    let gateway = &world.gateway;
    let before = gateway
        .active_key_pairs(world.merchant)
        .await
        .unwrap()
        .len();
    for number in before..10 {
        let new = pair(&world, &format!("Pair {number}"), &[]);
        gateway.create_key_pair(new, BY).await.unwrap();
    }
    let refused = gateway
        .create_key_pair(pair(&world, "One more", &[]), BY)
        .await;
    assert_eq!(blamed(refused), ["limit"]);
    let newest = gateway.active_key_pairs(world.merchant).await.unwrap();
    let newest = newest.last().unwrap().id;
    gateway
        .revoke_key_pair(world.merchant, newest, BY)
        .await
        .unwrap();
    let twice = gateway.create_key_pair(pair(&world, "FULL", &[]), BY).await;
    assert_eq!(blamed(twice), ["name"], "the demo has a pair named full");
    let made = gateway
        .create_key_pair(pair(&world, "One more", &[]), BY)
        .await;
    assert!(made.is_ok());
    let view = gateway.keys_view(world.merchant, None).await.unwrap();
    assert_eq!((view.live.len(), view.revoked.len()), (10, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_callback_is_set_tested_and_listed(pool: PgPool) {
    let world = World::new(&pool).await;
    let (gateway, merchant) = (&world.gateway, world.merchant);
    for wrong in [
        "shop.example",
        "ftp://shop.example/",
        "https://a:b@shop.example/",
    ] {
        let refused = gateway.set_callback_url(merchant, wrong, BY).await;
        assert_eq!(blamed(refused), ["url"], "{wrong}");
    }
    assert_eq!(
        gateway.send_test_callback(merchant).await.unwrap(),
        TestCallback::NoUrl
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = Router::new().route("/hook", post(refuse));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let saved = gateway
        .set_callback_url(merchant, &format!(" {url} "), BY)
        .await;
    assert_eq!(saved.unwrap(), CallbackChange::Saved);
    assert_eq!(
        gateway.send_test_callback(merchant).await.unwrap(),
        TestCallback::Sent
    );
    while deliver_due(gateway).await.unwrap() == Outcome::Worked {}

    let view = gateway.callbacks_view(merchant, None, false).await.unwrap();
    assert_eq!(
        (view.url.as_str(), view.webhook_secret),
        (url.as_str(), None)
    );
    let attempts = &view.tests.first().unwrap().attempts;
    assert_eq!(attempts.first().unwrap().status, Some(418));

    let filter = DeliveryFilter {
        event: "webhook.test".to_owned(),
        ..DeliveryFilter::default()
    };
    let log = gateway
        .delivery_list(merchant, filter, Place::Newest, true)
        .await
        .unwrap();
    let row = log.rows.first().unwrap();
    assert_eq!(
        (row.about.as_str(), row.answer.as_deref()),
        ("Test", Some("418"))
    );
    let detail = gateway.delivery_detail(merchant, row.id).await.unwrap();
    assert_eq!(detail.delivery.attempts.len(), 1);
    assert!(gateway.delivery_detail(merchant + 1, row.id).await.is_err());

    let removed = gateway.set_callback_url(merchant, "", BY).await.unwrap();
    assert_eq!(removed, CallbackChange::Removed);
    assert_eq!(
        actions(&pool).await,
        ["callback_url.changed", "callback_url.changed"]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_log_is_paged_both_ways(pool: PgPool) {
    let world = World::new(&pool).await;
    let gateway = &world.gateway;
    let url = "http://127.0.0.1:9/hook";
    for _ in 0..3 {
        let id = world
            .charge_with(world.new_charge("10.00", "EUR", Some(url)))
            .await;
        gateway.choose_method(&id, "BTC").await.unwrap();
        world.pay_due(&id).await;
        world.mine("BTC", 1).await;
    }
    let all = DeliveryFilter::default();
    let list = async |place: Place| {
        let view = gateway
            .delivery_list(world.merchant, all.clone(), place, true)
            .await
            .unwrap();
        view.rows.iter().map(|row| row.id).collect::<Vec<i64>>()
    };
    let newest = list(Place::Newest).await;
    assert_eq!(newest.len(), 3);
    assert_eq!(list(Place::Before(newest[0])).await, newest[1..]);
    assert_eq!(list(Place::After(newest[2])).await, newest[..2]);
    let rows = gateway
        .export_deliveries(world.merchant, &all, None)
        .await
        .unwrap();
    assert_eq!((rows.rows.len(), rows.next), (3, None));
}

#[sqlx::test(migrations = "../../migrations")]
async fn rates_tell_how_they_have_changed(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    world.gateway.advance(26 * 3_600).await.unwrap();
    world.set_rate("BTC", "EUR", "51000").await;
    let view = world.gateway.rates_view("BTC", 1).await.unwrap();
    let pair = view
        .rows
        .iter()
        .find(|rate| rate.from == "BTC" && rate.to == "EUR")
        .unwrap();
    assert_eq!(pair.rate, "51000.00000000");
    assert_eq!(pair.change.as_deref(), Some("+2.00 %"));
    assert_eq!(
        (pair.age.as_str(), pair.status.word.as_str()),
        ("fixed", "current")
    );
    assert_eq!(
        blamed(world.gateway.rates_view("btc", 1).await),
        ["currency"]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn coins_and_fees_are_public_data(pool: PgPool) {
    let world = World::new(&pool).await;
    let coins = world.gateway.coins_view().await.unwrap().coins;
    let codes: Vec<&str> = coins.iter().map(|coin| coin.code.as_str()).collect();
    assert_eq!(codes, ["BTC", "LTC", "BCH", "ETH", "USDT", "tBTC"]);
    let fees = world.gateway.fees_view("", 1).await.unwrap();
    let first = &fees.examples.first().unwrap().title;
    assert_eq!(first, "Deposit: on 100.00 EUR you keep 99.00 EUR");
    assert_eq!(fees.rows.len(), 50);
    let euro = world.gateway.fees_view("eur", 9).await.unwrap();
    assert!(euro.rows.iter().any(|row| row.code == "EUR"));
}
