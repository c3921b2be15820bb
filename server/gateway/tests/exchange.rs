//! Stories and races of exchanges and promises, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

mod support;

use futures::future::join_all;
use gateway::Error;
use gateway::exchange::{ExchangeQuote, ExchangeRequest, Given, NewExchange, Pricing};
use gateway::futures::{FuturesState, FuturesView, NewFutures};
use gateway::idempotency::Once;
use sqlx::PgPool;
use support::World;
use support::operations::blamed;

async fn quote(world: &World, amount: &str, from: &str, to: &str) -> ExchangeQuote {
    world
        .gateway
        .calculate_exchange(ExchangeRequest {
            merchant_id: world.merchant,
            sender: world.currency(from),
            receiver: world.currency(to),
            given: Given::Sender(world.money(amount, from)),
        })
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_exchange_moves_both_wallets_and_takes_its_fee(pool: PgPool) {
    let world = World::new(&pool).await;
    let view = world
        .exchange("0.1", "BTC", "EUR", Pricing::Now, "1")
        .await
        .unwrap();
    assert_eq!(view.received.unwrap().amount, "6000.00000000");
    assert_eq!(view.received_net.as_deref(), Some("5940.00000000"));
    assert_eq!(view.status.word(), "confirmed");
    assert_eq!(
        world.events(view.id).await,
        ["exchange.processing", "exchange.confirmed"]
    );
    assert_eq!(world.balance("BTC").await, "0.90000000");
    assert_eq!(world.balance("EUR").await, "15940.00000000");
    let back = world
        .exchange("600", "EUR", "BTC", Pricing::Now, "2")
        .await
        .unwrap();
    assert_eq!(back.fees.first().unwrap().currency, "EUR");
    assert_eq!(world.balance("EUR").await, "15334.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_quote_is_used_once_by_whom_it_was_given_to(pool: PgPool) {
    let world = World::new(&pool).await;
    let offer = quote(&world, "0.01", "BTC", "EUR").await;
    // The stored offer wins over a newer rate.
    world.set_rate("BTC", "EUR", "1000").await;
    let pricing = Pricing::Fixed { price: offer.price };
    let all = (0..20).map(|n| {
        let reference = n.to_string();
        let world = &world;
        async move {
            world
                .exchange("0.01", "BTC", "EUR", pricing, &reference)
                .await
        }
    });
    let results = join_all(all).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(blamed(error).0, "price", "{error:?}");
    }
    assert_eq!(world.balance("EUR").await, "10594.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_price_nobody_offered_is_refused(pool: PgPool) {
    let world = World::new(&pool).await;
    let offer = quote(&world, "0.01", "BTC", "EUR").await;
    let other = |price: &str| Pricing::Fixed {
        price: price.parse().unwrap(),
    };
    let fixed = Pricing::Fixed { price: offer.price };
    for (amount, from, to, pricing) in [
        ("0.01", "BTC", "EUR", other("70000")),
        ("0.02", "BTC", "EUR", fixed),
        ("0.01", "BTC", "USD", fixed),
        ("0.01", "EUR", "BTC", fixed),
    ] {
        let error = world
            .exchange(amount, from, to, pricing, "1")
            .await
            .unwrap_err();
        assert_eq!(blamed(&error).0, "price", "{error:?}");
    }
    // Numbers, not texts, are compared.
    let price = format!("{}.000", offer.price.normalize()).parse().unwrap();
    world
        .exchange("0.01", "BTC", "EUR", Pricing::Fixed { price }, "1")
        .await
        .unwrap();
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_quote_ends_after_its_minute_and_not_before(pool: PgPool) {
    let world = World::new(&pool).await;
    let offer = quote(&world, "0.01", "BTC", "EUR").await;
    assert_eq!((offer.release_at - offer.fixed_at).whole_seconds(), 60);
    let pricing = Pricing::Quote { id: offer.id };
    world.gateway.advance(61).await.unwrap();
    let late = world
        .exchange("0.01", "BTC", "EUR", pricing, "1")
        .await
        .unwrap_err();
    assert_eq!(blamed(&late).0, "price");
    let again = quote(&world, "0.01", "BTC", "EUR").await;
    world.gateway.advance(50).await.unwrap();
    world
        .exchange("0.01", "BTC", "EUR", Pricing::Quote { id: again.id }, "1")
        .await
        .unwrap();
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn another_merchants_quote_does_not_exist(pool: PgPool) {
    let world = World::new(&pool).await;
    let offer = quote(&world, "0.01", "BTC", "EUR").await;
    let other: i64 =
        sqlx::query_scalar("SELECT merchant_id FROM users WHERE email = 'merchant2@demo.example'")
            .fetch_one(&pool)
            .await
            .unwrap();
    let found = world.gateway.find_exchange_quote(other, offer.id).await;
    assert!(matches!(found, Err(Error::NotFound)));
    let new = NewExchange {
        merchant_id: other,
        sender_amount: world.money("0.01", "BTC"),
        receiver: world.currency("EUR"),
        pricing: Pricing::Fixed { price: offer.price },
        foreign_id: None,
        requested_by: "key pair".into(),
    };
    let error = world
        .gateway
        .exchange(new, None, |_| (201, Vec::new()))
        .await
        .unwrap_err();
    assert_eq!(blamed(&error).0, "price");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_exchanged_changes_nothing(pool: PgPool) {
    let world = World::new(&pool).await;
    for (amount, from, to, field) in [
        ("2", "BTC", "EUR", "sender_amount"),
        ("0.00001", "BTC", "EUR", "sender_amount"),
        ("0.1", "BTC", "BTC", "receiver_currency"),
        ("0.1", "BTC", "GBP", "receiver_currency"),
    ] {
        let error = world
            .exchange(amount, from, to, Pricing::Now, "1")
            .await
            .unwrap_err();
        assert_eq!(blamed(&error).0, field, "{error:?}");
    }
    // The house is out of euros.
    world
        .exchange("0.001", "BTC", "EUR", Pricing::Now, "2")
        .await
        .unwrap();
    sqlx::query("UPDATE accounts SET floor = posted WHERE kind = 'liquidity'")
        .execute(&pool)
        .await
        .unwrap();
    let error = world
        .exchange("0.001", "BTC", "EUR", Pricing::Now, "3")
        .await
        .unwrap_err();
    assert_eq!(
        blamed(&error),
        (
            "sender_amount",
            "is more EUR than can be delivered right now; nothing was taken"
        )
    );
    assert_eq!(world.balance("BTC").await, "0.99900000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_reference_is_one_exchange(pool: PgPool) {
    let world = World::new(&pool).await;
    let same = (0..20).map(|_| world.exchange("0.01", "BTC", "EUR", Pricing::Now, "134453"));
    let ids: Vec<i64> = join_all(same)
        .await
        .into_iter()
        .map(|view| view.unwrap().id)
        .collect();
    assert!(ids.iter().all(|id| Some(id) == ids.first()));
    let other = world
        .exchange("0.02", "BTC", "EUR", Pricing::Now, "134453")
        .await
        .unwrap_err();
    assert_eq!(blamed(&other).0, "foreign_id");
    assert_eq!(world.balance("BTC").await, "0.99000000");
    // Withdrawals have references of their own.
    world
        .withdraw(world.withdrawal("0.01", "BTC", "134453"))
        .await
        .unwrap();
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wanted_amount_is_promised_and_its_price_rounded_up(pool: PgPool) {
    let world = World::new(&pool).await;
    let offer = world
        .gateway
        .calculate_exchange(ExchangeRequest {
            merchant_id: world.merchant,
            sender: world.currency("BTC"),
            receiver: world.currency("EUR"),
            given: Given::Receiver(world.money("10", "EUR")),
        })
        .await
        .unwrap();
    assert_eq!(offer.sender_amount.exact(), "0.00016667");
    assert_eq!(offer.receiver_amount.exact(), "10.00000000");
    let pricing = Pricing::Fixed { price: offer.price };
    world
        .exchange("0.00016667", "BTC", "EUR", pricing, "1")
        .await
        .unwrap();
    assert_eq!(world.balance("EUR").await, "10009.90000000");
    world.audit().await;
}

async fn promise(world: &World, address: &str, amount: &str) -> Result<FuturesView, Error> {
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

async fn latest(world: &World) -> FuturesView {
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

/// Where contracts pay, a block may tell another address than was told before.
#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_told_at_another_address_leaves_the_promise_of_the_first(pool: PgPool) {
    let world = World::new(&pool).await;
    let first = world.address("BTC", Some("EUR"), "a").await;
    let second = world.address("BTC", Some("EUR"), "b").await;
    let promised = promise(&world, &first, "600").await.unwrap();
    let txid = world.send(&first, "BTC", "0.01").await;
    assert_eq!(latest(&world).await.state, FuturesState::Matched);
    let told = sqlx::query(
        "UPDATE sim.txs SET outputs = replace(outputs::text, $2, $3)::jsonb WHERE txid = $1",
    )
    .bind(&txid)
    .bind(&first)
    .bind(&second)
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(told.rows_affected(), 1);
    world.mine("BTC", 1).await;
    let waiting = latest(&world).await;
    assert_eq!(waiting.id, promised.id);
    assert_eq!(waiting.state, FuturesState::Open);
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.status.word(), "confirmed");
    assert_eq!(view.futures_id, None);
    // And it is met by the next deposit there.
    world.send(&first, "BTC", "0.01").await;
    assert_eq!(latest(&world).await.state, FuturesState::Matched);
    world.mine("BTC", 1).await;
    assert_eq!(latest(&world).await.state, FuturesState::Settled);
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
async fn states(world: &World) -> Vec<FuturesState> {
    let all = world
        .gateway
        .list_futures(world.merchant, None, 100)
        .await
        .unwrap();
    all.iter().rev().map(|view| view.state).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_promise_stands_beside_one_whose_deposit_has_come(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    promise(&world, &address, "600").await.unwrap();
    world.send(&address, "BTC", "0.01").await;
    world.set_rate("BTC", "EUR", "50000").await;
    let second = promise(&world, &address, "600").await.unwrap();
    assert_eq!(second.sender_amount.exact(), "0.01200000");
    assert_eq!(
        states(&world).await,
        [FuturesState::Matched, FuturesState::Open]
    );
    // A third one replaces the second, which waits for its deposit.
    promise(&world, &address, "600").await.unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(world.balance("EUR").await, "10594.00000000");
    world.set_rate("BTC", "EUR", "100").await;
    world.deposit(&address, "BTC", "0.012").await;
    assert_eq!(world.balance("EUR").await, "11188.00000000");
    assert_eq!(
        states(&world).await,
        [
            FuturesState::Settled,
            FuturesState::Void,
            FuturesState::Settled
        ]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_promise_that_lost_its_deposit_gives_way_to_the_one_beside_it(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    promise(&world, &address, "600").await.unwrap();
    let lost = world.send(&address, "BTC", "0.01").await;
    promise(&world, &address, "1200").await.unwrap();
    world
        .gateway
        .sandbox_replace(&lost, None, None)
        .await
        .unwrap();
    assert_eq!(
        states(&world).await,
        [FuturesState::Void, FuturesState::Open]
    );
    world.audit().await;
    world.deposit(&address, "BTC", "0.02").await;
    assert_eq!(latest(&world).await.state, FuturesState::Settled);
    world.audit().await;
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
        (support::operations::STRANGER, "100", "address"),
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

#[sqlx::test(migrations = "../../migrations")]
async fn a_vanished_deposit_frees_its_promise(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    promise(&world, &address, "600").await.unwrap();
    let txid = world.send(&address, "BTC", "0.01").await;
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    assert_eq!(latest(&world).await.state, FuturesState::Open);
    world.deposit(&address, "BTC", "0.01").await;
    assert_eq!(latest(&world).await.state, FuturesState::Settled);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_replacement_that_pays_the_same_keeps_the_promise(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    promise(&world, &address, "600").await.unwrap();
    let first = world.send(&address, "BTC", "0.01").await;
    world.set_rate("BTC", "EUR", "50000").await;
    world
        .gateway
        .sandbox_replace(&first, Some(&address), Some("0.01"))
        .await
        .unwrap();
    let bound = latest(&world).await;
    assert_eq!(bound.state, FuturesState::Matched);
    world.mine("BTC", 1).await;
    let settled = latest(&world).await;
    assert_eq!(settled.state, FuturesState::Settled);
    assert_eq!(settled.operation_id, bound.operation_id);
    assert_eq!(world.balance("EUR").await, "10594.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_from_before_the_promise_does_not_end_it(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    world.send(&address, "BTC", "0.02").await;
    world.gateway.advance(1).await.unwrap();
    promise(&world, &address, "600").await.unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(latest(&world).await.state, FuturesState::Open);
    world.set_rate("BTC", "EUR", "50000").await;
    world.deposit(&address, "BTC", "0.01").await;
    assert_eq!(latest(&world).await.state, FuturesState::Settled);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_nobody_exchanges_does_not_end_a_promise(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    promise(&world, &address, "600").await.unwrap();
    sqlx::query(
        "UPDATE accounts SET floor = posted - held WHERE kind = 'liquidity' AND currency_id = $1",
    )
    .bind(world.currency("EUR").id)
    .execute(&pool)
    .await
    .unwrap();
    world.deposit(&address, "BTC", "0.02").await;
    assert_eq!(latest(&world).await.state, FuturesState::Open);
    world.deposit(&address, "BTC", "0.01").await;
    assert_eq!(latest(&world).await.state, FuturesState::Settled);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_refused_try_leaves_no_lock_to_the_next_one(pool: PgPool) {
    let world = World::new(&pool).await;
    let offer = quote(&world, "0.01", "BTC", "EUR").await;
    let pricing = Pricing::Quote { id: offer.id };
    world
        .exchange("0.01", "BTC", "EUR", pricing, "first")
        .await
        .unwrap();
    for _ in 0..100 {
        let new = NewExchange {
            merchant_id: world.merchant,
            sender_amount: offer.sender_amount,
            receiver: world.currency("EUR"),
            pricing,
            foreign_id: None,
            requested_by: "test".to_owned(),
        };
        let once = Once {
            merchant_id: world.merchant,
            method: "POST",
            path: "/exchange".to_owned(),
            key: "again".to_owned(),
            body_hash: [0; 32],
        };
        // Each call tries several times, every time with the same key.
        let refused = world
            .gateway
            .exchange(new, Some(once), |_| (201, Vec::new()))
            .await;
        assert!(matches!(refused, Err(Error::AlreadyBooked)), "{refused:?}");
    }
    world.audit().await;
}
