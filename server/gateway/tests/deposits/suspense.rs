//! Coins that came and are not credited: they wait until somebody decides.

use sqlx::PgPool;

use crate::support::World;
use crate::support::operations::STRANGER;

#[sqlx::test(migrations = "../../migrations")]
async fn too_little_waits_in_suspense_until_somebody_decides(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "a").await;
    world.deposit(&address, "BTC", "0.00009").await;
    let view = world.operations().await.pop().unwrap();
    assert!(view.needs_attention);
    assert_eq!(
        view.error.as_deref(),
        Some("less than the smallest deposit, 0.00010000 BTC")
    );
    assert_eq!(world.balance("BTC").await, "1.00000000");
    assert_eq!(
        world.account(world.merchant, "suspense", "BTC").await,
        9_000
    );
    world.audit().await;
    world
        .gateway
        .release_deposit(view.id, "admin@demo.example")
        .await
        .unwrap();
    assert_eq!(world.balance("BTC").await, "1.00008910");
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    assert!(
        world
            .gateway
            .release_deposit(view.id, "admin@demo.example")
            .await
            .is_err()
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_suspended_deposit_can_be_sent_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "a").await;
    world.deposit(&address, "BTC", "0.00009").await;
    let view = world.operations().await.pop().unwrap();
    world
        .gateway
        .refund_deposit(view.id, STRANGER, "admin@demo.example")
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    assert_eq!(world.told().await, ["deposit cancelled"]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_wrong_coin_is_kept_apart(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("ETH", Some("EUR"), "a").await;
    world.deposit(&address, "USDT", "50").await;
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.kind.word(), "deposit");
    assert_eq!(
        view.error.as_deref(),
        Some("USDT came to an address for ETH")
    );
    assert_eq!(
        world.account(world.merchant, "suspense", "USDT").await,
        5_000_000_000
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_a_rate_the_coins_wait_and_the_chain_is_followed_on(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    sqlx::query("DELETE FROM rate_observations")
        .execute(&pool)
        .await
        .unwrap();
    // What its worth is not known needs the confirmations of a large one.
    world.deposit(&address, "BTC", "0.01").await;
    world.mine("BTC", 1).await;
    let view = world.operations().await.pop().unwrap();
    assert_eq!(
        view.error.as_deref(),
        Some("there was no rate from BTC to EUR")
    );
    world.mine("BTC", 2).await;
    world.audit().await;
}
