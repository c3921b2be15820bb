//! Coins that are picked, their rates and addresses.

use gateway::Error;
use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn a_requote_keeps_address_and_value(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let before = world.view(&id).await.payment.unwrap();
    assert!(matches!(
        world.gateway.requote(&id).await,
        Err(Error::Refused(_))
    ));
    world.pay(&id, "0.001").await;
    world.gateway.advance(900).await.unwrap();
    // The coin doubles: what came keeps its 50 EUR, the rest costs half as many coins.
    world.set_rate("BTC", "EUR", "100000").await;
    world.gateway.requote(&id).await.unwrap();
    let after = world.view(&id).await.payment.unwrap();
    assert_eq!(after.address, before.address);
    assert_eq!(after.left.shortest(), "0.0005");
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    assert_eq!(world.balance("EUR").await, "10099.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_rate_never_takes_the_payers_excess(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.gateway.advance(900).await.unwrap();
    world.pay(&id, "0.004").await;
    world.gateway.requote(&id).await.unwrap();
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid over late inbox");
    let refundable = world.view(&id).await.refundable.unwrap();
    assert_eq!(refundable.shortest(), "0.002");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn going_back_to_a_coin_keeps_its_rate_and_clock(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let first = world.view(&id).await.payment.unwrap();
    world.gateway.advance(300).await.unwrap();
    world.set_rate("BTC", "EUR", "90000").await;
    world.gateway.choose_method(&id, "LTC").await.unwrap();
    world.gateway.choose_method(&id, "BTC").await.unwrap();
    let again = world.view(&id).await.payment.unwrap();
    assert_eq!((again.due, again.release_at), (first.due, first.release_at));
    world.gateway.advance(600).await.unwrap();
    world.expect(&world.state(&id).await, "expired");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn unpaid_charges_take_no_address_and_a_pick_takes_one(pool: PgPool) {
    let world = World::new(&pool).await;
    let count = || async {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM chain_addresses")
            .fetch_one(&pool)
            .await
            .unwrap();
        count
    };
    for _ in 0..20 {
        world.charge("10.00", "EUR").await;
    }
    assert_eq!(count().await, 0);
    let id = world.picked("10.00", "EUR", "BTC").await;
    world.gateway.choose_method(&id, "BTC").await.unwrap();
    assert_eq!(count().await, 1);
    world.gateway.advance(900).await.unwrap();
    assert!(matches!(
        world.gateway.choose_method(&id, "LTC").await,
        Err(Error::Refused(_))
    ));
    assert_eq!(count().await, 1, "a refused pick takes none");
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_a_fresh_rate_nothing_is_quoted(pool: PgPool) {
    let world = World::new(&pool).await;
    sqlx::query("DELETE FROM rate_observations")
        .execute(&pool)
        .await
        .unwrap();
    let id = world.charge("10.00", "EUR").await;
    assert!(matches!(
        world.gateway.choose_method(&id, "BTC").await,
        Err(Error::QuoteUnavailable { .. })
    ));
    world.expect(&world.state(&id).await, "created");
}
