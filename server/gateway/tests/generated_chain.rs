//! The chain of the bench: addresses nobody derived are watched in a bench's own database and nowhere else.
#![allow(clippy::unwrap_used)]

mod support;

use gateway::Settings;
use gateway::chain::follower;
use gateway::chain::generated::{CODE, GeneratedChain, watch};
use sqlx::PgPool;

use self::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn it_is_followed_like_any_other(pool: PgPool) {
    let chain = GeneratedChain::new();
    let mut settings = Settings::test("http://127.0.0.1:3000");
    settings.chains = chain.settings().unwrap();
    let world = World::with(&pool, settings).await;
    let coin = world.currency(CODE);
    chain.grow(3, 0);
    let progress = follower::sync(&world.gateway, coin).await.unwrap();
    // The first block, too.
    assert_eq!(progress.connected, 4);
    assert_eq!(progress.tip.unwrap().height, 3);
    chain.grow(2, 0);
    let progress = follower::sync(&world.gateway, coin).await.unwrap();
    assert_eq!((progress.connected, progress.disconnected), (2, 0));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn no_address_is_made_up_in_another_database(pool: PgPool) {
    let world = World::new(&pool).await;
    let coin = world.currency(CODE);
    let refused = watch(&world.gateway, coin, world.merchant, 0..3).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("for measurements only"), "{message}");
    let addresses: i64 = sqlx::query_scalar("SELECT count(*) FROM chain_addresses")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(addresses, 0);
}
