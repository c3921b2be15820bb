//! Many at once on one charge: exactly one outcome, and books that explain it.
#![allow(clippy::unwrap_used)]

mod support;

use futures::future::join_all;
use gateway::Error;
use gateway::charges::expire_due;
use gateway::idempotency::Once;
use sqlx::PgPool;
use support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn fifty_parallel_receipts_pay_once(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let pays = (0..50).map(|_| world.pay(&id, "0.0001"));
    assert_eq!(join_all(pays).await.len(), 50);
    assert_eq!(world.view(&id).await.receipts.len(), 50);
    let mines = (0..5).map(|_| world.mine("BTC", 1));
    join_all(mines).await;
    assert_eq!(world.state(&id).await, "paid over inbox");
    assert_eq!(world.balance("EUR").await, "10099.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn payment_cancellation_and_expiry_race_to_one_end(pool: PgPool) {
    let world = World::new(&pool).await;
    for round in 0..10 {
        let id = world.picked("100.00", "EUR", "BTC").await;
        world.gateway.clock().advance(&pool, 899).await.unwrap();
        let pay = async {
            world.pay_due(&id).await;
        };
        let cancel =
            world
                .gateway
                .cancel_charge(world.merchant, &id, "tester".into(), None, |_| {
                    (200, vec![])
                });
        let expire = async {
            world.gateway.clock().advance(&pool, 2).await.unwrap();
            expire_due(&world.gateway).await.unwrap();
        };
        let (_, cancelled, _) = tokio::join!(pay, cancel, expire);
        world.mine("BTC", 1).await;
        let state = world.state(&id).await;
        let explained = [
            "paid",
            "paid late",
            "cancelled late inbox",
            "cancelled inbox",
            "cancelled over inbox",
        ];
        assert!(
            explained.contains(&state.as_str()),
            "round {round}: {state}, cancelled {cancelled:?}"
        );
        assert_eq!(cancelled.is_ok(), state.starts_with("cancelled"));
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_same_key_in_parallel_creates_one_charge(pool: PgPool) {
    let world = World::new(&pool).await;
    let once = |body: u8| Once {
        merchant_id: world.merchant,
        method: "POST",
        path: "/api/orders".into(),
        key: "order-1".into(),
        body_hash: [body; 32],
    };
    let create = |body: u8| {
        world.gateway.create_charge(
            world.new_charge("10.00", "EUR", None),
            Some(once(body)),
            |view| (201, view.public_id.clone().into_bytes()),
        )
    };
    let results = join_all((0..50).map(|_| create(1))).await;
    let mut fresh = 0;
    let mut bodies = std::collections::BTreeSet::new();
    for result in results {
        match result {
            Ok(answer) => {
                fresh += usize::from(!answer.replayed);
                bodies.insert(answer.body);
            }
            Err(error) => assert!(matches!(error, Error::IdempotencyInProgress), "{error}"),
        }
    }
    assert_eq!((fresh, bodies.len()), (1, 1));
    assert!(create(1).await.unwrap().replayed);
    assert!(matches!(create(2).await, Err(Error::IdempotencyMismatch)));
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM charges")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(count, 1);
    // After a day the key may be used again.
    world.gateway.clock().advance(&pool, 86_401).await.unwrap();
    assert!(!create(2).await.unwrap().replayed);
}

#[sqlx::test(migrations = "../../migrations")]
async fn parallel_picks_take_one_address(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.charge("10.00", "EUR").await;
    let picks = (0..20).map(|_| world.gateway.choose_method(&id, "BTC"));
    for pick in join_all(picks).await {
        pick.unwrap();
    }
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM chain_addresses")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(count, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn accepting_twenty_times_credits_once(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.001").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    let accepts = (0..20).map(|_| {
        world
            .gateway
            .accept_charge(world.merchant, &id, "tester".into(), None, |_| {
                (200, vec![])
            })
    });
    let results = join_all(accepts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(world.balance("EUR").await, "10049.50000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_payment_announced_twenty_times_is_one_receipt(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let payment = world.view(&id).await.payment.unwrap();
    let due = payment.due.shortest();
    let txid = world.pay(&id, &due).await;
    let again = (0..20).map(|_| {
        world
            .gateway
            .sandbox_pay(&payment.address, &due, Some("BTC"), Some(&txid))
    });
    for answer in join_all(again).await {
        assert_eq!(answer.unwrap(), txid);
    }
    world.mine("BTC", 1).await;
    assert_eq!(world.view(&id).await.receipts.len(), 1);
    assert_eq!(world.state(&id).await, "paid");
    world.audit().await;
}
