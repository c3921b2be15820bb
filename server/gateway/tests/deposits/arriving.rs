//! Addresses for ever, and coins that come to them and are credited.

use futures::future::join_all;
use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn the_same_arguments_name_the_same_address_for_ever(pool: PgPool) {
    let world = World::new(&pool).await;
    let first = world.address("BTC", Some("EUR"), "user-id:2048").await;
    let takes = (0..20).map(|_| world.address("BTC", Some("EUR"), "user-id:2048"));
    assert!(join_all(takes).await.iter().all(|again| *again == first));
    let others = [
        world.address("BTC", None, "user-id:2048").await,
        world.address("BTC", Some("USD"), "user-id:2048").await,
        world.address("BTC", Some("EUR"), "user-id:2049").await,
    ];
    assert!(others.iter().all(|other| *other != first));
    let taken: i64 = sqlx::query_scalar("SELECT count(*) FROM deposit_addresses")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(taken, 4);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_is_seen_then_credited_less_the_fee(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "a").await;
    world.send(&address, "BTC", "0.01").await;
    assert_eq!(world.told().await, ["deposit not_confirmed"]);
    assert_eq!(world.balance("BTC").await, "1.00000000");
    world.mine("BTC", 1).await;
    assert_eq!(world.told().await, ["deposit confirmed"]);
    assert_eq!(world.balance("BTC").await, "1.00990000");
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.received_net.as_deref(), Some("0.00990000"));
    assert_eq!(view.fees.first().unwrap().amount, "0.00010000");
    assert_eq!(view.transactions.first().unwrap().confirmations, 1);
    assert_eq!(
        world.events(view.id).await,
        ["deposit.not_confirmed", "deposit.confirmed"]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_deposits_to_one_address_each_stand_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("LTC", None, "a").await;
    for _ in 0..3 {
        world.send(&address, "LTC", "1").await;
    }
    world.mine("LTC", 1).await;
    world.deposit(&address, "LTC", "2").await;
    assert_eq!(world.told().await, ["deposit confirmed"; 4]);
    assert_eq!(world.balance("LTC").await, "4.95000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_is_exchanged_on_arrival_at_the_current_rate(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "8417.070222").await;
    let address = world.address("BTC", Some("EUR"), "a").await;
    world.send(&address, "BTC", "0.01").await;
    // The rate of the moment it becomes final counts, not that of first sight.
    world.set_rate("BTC", "EUR", "8000").await;
    world.mine("BTC", 1).await;
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.received.as_ref().unwrap().amount, "80.00000000");
    assert_eq!(view.received_net.as_deref(), Some("79.20000000"));
    assert_eq!(view.price.as_deref(), Some("8000.00000000"));
    assert_eq!(world.balance("EUR").await, "10079.20000000");
    assert_eq!(world.balance("BTC").await, "1.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_announced_twenty_times_is_credited_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "a").await;
    let txid = world.deposit(&address, "BTC", "0.01").await;
    let again = (0..20).map(|_| {
        world
            .gateway
            .sandbox_pay(&address, "0.01", Some("BTC"), Some(&txid))
    });
    assert!(join_all(again).await.iter().all(Result::is_ok));
    world.mine("BTC", 3).await;
    assert_eq!(world.told().await, ["deposit confirmed"]);
    assert_eq!(world.balance("BTC").await, "1.00990000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payment_is_taken_as_answers_write_it(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("USDT", None, "a").await;
    // Six digits can be paid, eight are written.
    world.deposit(&address, "USDT", "32.60869600").await;
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.sent.amount, "32.60869600");
    let beyond = world
        .gateway
        .sandbox_pay(&address, "32.60869610", Some("USDT"), None)
        .await;
    assert!(
        matches!(beyond, Err(gateway::Error::Invalid(_))),
        "{beyond:?}"
    );
    world.audit().await;
}
