//! Promises: what they promise, how they end, what limits them.

use futures::future::join_all;
use gateway::Error;
use gateway::futures::{FuturesState, FuturesView, NewFutures};
use sqlx::PgPool;

use crate::support::World;
use crate::support::operations::{STRANGER, blamed};

pub async fn promise(world: &World, address: &str, amount: &str) -> Result<FuturesView, Error> {
    let new = NewFutures {
        merchant_id: world.merchant,
        address: address.to_owned(),
        sender: world.currency("BTC"),
        receiver: world.currency("EUR"),
        receiver_amount: world.money(amount, "EUR"),
    };
    world
        .gateway
        .confirm_futures(new, None, |_| (201, Vec::new()))
        .await?;
    Ok(world
        .gateway
        .list_futures(world.merchant, None, 1)
        .await?
        .remove(0))
}

pub async fn latest(world: &World) -> FuturesView {
    world
        .gateway
        .list_futures(world.merchant, None, 1)
        .await
        .unwrap()
        .remove(0)
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_promised_deposit_settles_at_exactly_the_promised_amount(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    let promised = promise(&world, &address, "600").await.unwrap();
    assert_eq!(promised.sender_amount.exact(), "0.01000000");
    // The rate falls; the promise stands, also beyond its window once the deposit was seen.
    world.set_rate("BTC", "EUR", "100").await;
    world.send(&address, "BTC", "0.01").await;
    assert_eq!(latest(&world).await.state, FuturesState::Matched);
    world.gateway.advance(7_000).await.unwrap();
    world.mine("BTC", 1).await;
    let settled = latest(&world).await;
    assert_eq!(settled.state, FuturesState::Settled);
    assert_eq!(world.balance("EUR").await, "10594.00000000");
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.futures_id, Some(settled.id));
    assert_eq!(view.price.as_deref(), Some("60000.00000000"));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn any_other_deposit_is_exchanged_as_usual_and_ends_the_promise(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    promise(&world, &address, "600").await.unwrap();
    world.set_rate("BTC", "EUR", "50000").await;
    world.deposit(&address, "BTC", "0.02").await;
    let ended = latest(&world).await;
    assert_eq!(ended.state, FuturesState::Void);
    assert_eq!(ended.void_reason.as_deref(), Some("another amount came"));
    assert_eq!(world.balance("EUR").await, "10990.00000000");
    assert_eq!(world.account(0, "liquidity", "EUR").await, -100_000_000_000);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_promise_ends_by_the_clock_and_a_late_deposit_gets_the_current_rate(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    let promised = promise(&world, &address, "600").await.unwrap();
    assert_eq!(
        (promised.release_at - promised.fixed_at).whole_seconds(),
        6_000
    );
    world.set_rate("BTC", "EUR", "50000").await;
    world.gateway.advance(6_001).await.unwrap();
    assert_eq!(latest(&world).await.state, FuturesState::Void);
    world.deposit(&address, "BTC", "0.01").await;
    assert_eq!(world.balance("EUR").await, "10495.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_promise_replaces_the_one_before(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    let all = (1..=10).map(|n| {
        let amount = (n * 100).to_string();
        let (world, address) = (&world, address.as_str());
        async move { promise(world, address, &amount).await }
    });
    assert!(join_all(all).await.iter().all(Result::is_ok));
    let running: i64 =
        sqlx::query_scalar("SELECT count(*) FROM futures WHERE state IN ('open', 'matched')")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(running, 1);
    world.audit().await;
}

/// State of each promise, oldest first.
pub async fn states(world: &World) -> Vec<FuturesState> {
    let all = world
        .gateway
        .list_futures(world.merchant, None, 100)
        .await
        .unwrap();
    all.iter().rev().map(|view| view.state).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn only_steps_that_would_be_promised_have_a_price(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("USD"), "a").await;
    let prices = async || {
        let rates = world
            .gateway
            .futures_rates(world.merchant, &address)
            .await
            .unwrap();
        rates.tiers
    };
    for (step, price) in prices().await {
        let new = NewFutures {
            merchant_id: world.merchant,
            address: address.clone(),
            sender: world.currency("BTC"),
            receiver: world.currency("USD"),
            receiver_amount: step,
        };
        let made = world
            .gateway
            .confirm_futures(new, None, |_| (201, Vec::new()))
            .await;
        assert_eq!(price.is_some(), made.is_ok(), "{step} {made:?}");
    }
    // What is worth 10 000 EUR cannot be known then, and nothing be promised.
    sqlx::query(
        "DELETE FROM rate_observations WHERE $1 IN (from_id, to_id) AND $2 IN (from_id, to_id)",
    )
    .bind(world.currency("EUR").id)
    .bind(world.currency("USD").id)
    .execute(&pool)
    .await
    .unwrap();
    let unpriced = prices().await;
    assert_eq!(unpriced.len(), 12);
    assert!(unpriced.iter().all(|(_, price)| price.is_none()));
    assert_eq!(unpriced.first().unwrap().0.exact(), "5.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_promise_is_limited_and_funded(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    let plain = world.address("BTC", None, "b").await;
    for (address, amount, field) in [
        (address.as_str(), "10000.01", "receiver_amount"),
        (address.as_str(), "0.01", "receiver_amount"),
        (plain.as_str(), "100", "address"),
        (STRANGER, "100", "address"),
        ("nonsense", "100", "address"),
    ] {
        let error = promise(&world, address, amount).await.unwrap_err();
        assert_eq!(blamed(&error).0, field, "{address} {amount} {error:?}");
    }
    promise(&world, &address, "10000").await.unwrap();
    sqlx::query("UPDATE accounts SET floor = -1200000000000 WHERE kind = 'liquidity'")
        .execute(&pool)
        .await
        .unwrap();
    let second = world.address("BTC", Some("EUR"), "c").await;
    let error = promise(&world, &second, "5000").await.unwrap_err();
    assert_eq!(
        blamed(&error),
        (
            "receiver_amount",
            "is more EUR than can be promised right now"
        )
    );
    let rates = world
        .gateway
        .futures_rates(world.merchant, &second)
        .await
        .unwrap();
    let tiers: Vec<(String, bool)> = rates
        .tiers
        .iter()
        .map(|(tier, price)| (tier.shown(), price.is_some()))
        .collect();
    // Five euros are less than the smallest deposit that is exchanged.
    assert_eq!(tiers.first(), Some(&("5.00".to_owned(), false)));
    assert_eq!(tiers.get(1), Some(&("10.00".to_owned(), true)));
    assert_eq!(tiers.last(), Some(&("10000.00".to_owned(), false)));
    assert!(tiers.contains(&("2000.00".to_owned(), true)));
    world.audit().await;
}
