//! Exchanges, their quotes and references.

use futures::future::join_all;
use gateway::Error;
use gateway::exchange::{ExchangeQuote, ExchangeRequest, Given, NewExchange, Pricing};
use gateway::idempotency::Once;
use sqlx::PgPool;

use crate::support::World;
use crate::support::operations::blamed;

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

/// Fails when an exchange is answered from memory otherwise than it is read later, with a fee or without one.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_answered_is_what_is_read_later(pool: PgPool) {
    let world = World::new(&pool).await;
    for (reference, points) in [("with a fee", 150), ("without a fee", 0)] {
        sqlx::query("UPDATE currency_terms SET exchange_fee_basis_points = $1")
            .bind(points)
            .execute(&pool)
            .await
            .unwrap();
        // The fee is taken from what is received, and from what is given.
        for (amount, from, to) in [("0.1", "BTC", "EUR"), ("600", "EUR", "BTC")] {
            let reference = format!("{reference}, {from}");
            let answered = world
                .exchange(amount, from, to, Pricing::Now, &reference)
                .await
                .unwrap();
            assert_eq!(answered.fees.len(), usize::from(points > 0));
            let read = world.gateway.find_operation(world.merchant, answered.id);
            assert_eq!(answered, read.await.unwrap(), "{reference}");
        }
    }
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

/// Fails when each process goes by its own clock: one that is behind refuses what was offered a moment ago or
/// makes an exchange before its quote, and takes a quote that is over.
#[sqlx::test(migrations = "../../migrations")]
async fn a_quote_stands_by_the_databases_clock(pool: PgPool) {
    let world = World::new(&pool).await;
    let settings = world.gateway.settings().clone();
    let behind = World {
        gateway: World::open(&pool, settings).await.unwrap(),
        merchant: world.merchant,
    };
    let by_price = quote(&world, "0.01", "BTC", "EUR").await;
    world.gateway.clock().advance(&pool, 61).await.unwrap();
    let offset = |world: &World| world.gateway.clock().offset().whole_seconds();
    assert_eq!(offset(&world) - offset(&behind), 61);
    let by_id = quote(&world, "0.02", "BTC", "EUR").await;
    let fixed = |offer: &ExchangeQuote| Pricing::Fixed { price: offer.price };
    let over = behind
        .exchange("0.01", "BTC", "EUR", fixed(&by_price), "1")
        .await
        .unwrap_err();
    assert_eq!(blamed(&over).0, "price");
    behind
        .exchange("0.02", "BTC", "EUR", Pricing::Quote { id: by_id.id }, "2")
        .await
        .unwrap();
    let offer = quote(&world, "0.03", "BTC", "EUR").await;
    behind
        .exchange("0.03", "BTC", "EUR", fixed(&offer), "3")
        .await
        .unwrap();
    // The other way round: what the late one offers stands for its minute, too.
    let offer = quote(&behind, "0.04", "BTC", "EUR").await;
    world
        .exchange("0.04", "BTC", "EUR", fixed(&offer), "4")
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
