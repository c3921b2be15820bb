//! What the house cannot deliver is credited to nobody, and stops nobody else.

use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn what_the_house_cannot_deliver_is_not_exchanged(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    world.deposit(&address, "BTC", "0.001").await;
    // Enough for one of the two deposits that the next block brings.
    sqlx::query(
        "UPDATE accounts SET floor = posted - 9000000000 WHERE kind = 'liquidity' AND currency_id = $1",
    )
    .bind(world.currency("EUR").id)
    .execute(&pool)
    .await
    .unwrap();
    world.send(&address, "BTC", "0.001").await;
    world.send(&address, "BTC", "0.001").await;
    world.mine("BTC", 1).await;
    let told = world.told().await;
    assert_eq!(
        told.iter()
            .filter(|word| word.ends_with("_exchange confirmed"))
            .count(),
        2
    );
    let view = world.operations().await.pop().unwrap();
    assert_eq!(
        view.error.as_deref(),
        Some("we could not deliver EUR for it")
    );
    world.audit().await;
}

/// The house can deliver this much EUR and no more.
async fn leave_euros(world: &World, units: i64) {
    sqlx::query(
        "UPDATE accounts SET floor = posted - held - $2 WHERE kind = 'liquidity' AND currency_id = $1",
    )
    .bind(world.currency("EUR").id)
    .bind(units)
    .execute(world.gateway.pool())
    .await
    .unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_charge_the_house_cannot_credit_waits_and_stops_nobody_else(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    let kept = world.address("BTC", None, "b").await;
    world.deposit(&address, "BTC", "0.001").await;
    // 100 EUR: not enough for the charge, and not for both the other charge and the deposit.
    leave_euros(&world, 10_000_000_000).await;
    let large = world.picked("150.00", "EUR", "BTC").await;
    let small = world.picked("80.00", "EUR", "BTC").await;
    world.pay_due(&large).await;
    world.pay_due(&small).await;
    world.send(&address, "BTC", "0.001").await;
    world.send(&kept, "BTC", "0.001").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&large).await, "processing inbox");
    world.expect(&world.state(&small).await, "paid");
    let mut told = world.told().await;
    told.sort();
    assert_eq!(
        told,
        [
            "deposit confirmed",
            "deposit_exchange confirmed",
            "deposit_exchange not_confirmed"
        ]
    );
    world.audit().await;
    // The clock tries again: in vain, then not.
    world.gateway.advance(600).await.unwrap();
    world.expect(&world.state(&large).await, "processing inbox");
    world.audit().await;
    leave_euros(&world, 1_000_000_000_000).await;
    world.gateway.advance(600).await.unwrap();
    world.expect(&world.state(&large).await, "paid");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_is_accepted_by_hand_that_the_house_cannot_credit(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    world.deposit(&address, "BTC", "0.001").await;
    let id = world.picked("60.00", "EUR", "BTC").await;
    world.pay(&id, "0.0005").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    leave_euros(&world, 100_000_000).await;
    let accept = async || {
        let by = "merchant".to_owned();
        let none = |_: &_| (200, Vec::new());
        world
            .gateway
            .accept_charge(world.merchant, &id, by, None, none)
            .await
    };
    let refused = accept().await;
    assert!(
        matches!(refused, Err(gateway::Error::QuoteUnavailable { .. })),
        "{refused:?}"
    );
    world.expect(&world.state(&id).await, "underpaid under inbox");
    leave_euros(&world, 1_000_000_000_000).await;
    accept().await.unwrap();
    world.expect(&world.state(&id).await, "paid manual");
    world.audit().await;
}
