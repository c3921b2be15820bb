//! Deposits that promises wait for, and those they do not.

use gateway::futures::FuturesState;
use sqlx::PgPool;

use crate::promises::{latest, promise, states};
use crate::support::World;

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
