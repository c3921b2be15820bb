//! Payments whose coin needs no blocks: final when they are announced, taken back when they vanish.
#![allow(clippy::unwrap_used)]

mod support;

use sqlx::PgPool;
use support::World;

/// A world whose BTC counts at first sight.
async fn hasty(pool: &PgPool) -> World {
    let world = World::new(pool).await;
    sqlx::query(
        "UPDATE currency_terms SET confirmations = 0 FROM currencies c
         WHERE c.id = currency_id AND c.code = 'BTC'",
    )
    .execute(pool)
    .await
    .unwrap();
    world
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_is_credited_when_it_is_announced(pool: PgPool) {
    let world = hasty(&pool).await;
    let address = world.address("BTC", None, "a").await;
    world.send(&address, "BTC", "0.01").await;
    assert_eq!(world.told().await, ["deposit confirmed"]);
    assert_eq!(world.balance("BTC").await, "1.00990000");
    world.audit().await;
    // Its block changes nothing more, nor does a reorganisation that only moves it.
    world.mine("BTC", 1).await;
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 1, &[])
        .await
        .unwrap();
    assert_eq!(world.told().await, ["deposit confirmed"]);
    assert_eq!(world.balance("BTC").await, "1.00990000");
    let view = world.operations().await.pop().unwrap();
    assert!(!view.needs_attention, "{view:?}");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_double_spend_takes_the_credit_back_and_the_operators_hear_of_it(pool: PgPool) {
    let world = hasty(&pool).await;
    let address = world.address("BTC", None, "a").await;
    let txid = world.send(&address, "BTC", "0.01").await;
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    let view = world.operations().await.pop().unwrap();
    assert!(view.needs_attention, "{view:?}");
    let mails = world.gateway.list_mail(None, 50).await.unwrap();
    let told = |subject: &str| subject.ends_with("a final deposit was reversed");
    assert!(mails.iter().any(|mail| told(&mail.subject)), "{mails:?}");
    // Booked against suspense: what the merchant was credited stays his until a person decides.
    assert_eq!(
        world.account(world.merchant, "suspense", "BTC").await,
        -1_000_000
    );
    world.audit().await;
    world.mine("BTC", 1).await;
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_order_is_paid_when_its_payment_is_announced(pool: PgPool) {
    let world = hasty(&pool).await;
    let id = world.picked("10.00", "EUR", "BTC").await;
    let txid = world.pay_due(&id).await;
    world.expect(&world.state(&id).await, "paid");
    world.audit().await;
    world
        .gateway
        .sandbox_replace(&txid, None, None)
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid reversed inbox");
    world.audit().await;
}

/// A BTC is 60 000 EUR, and from 10 000 EUR on two blocks are needed.
#[sqlx::test(migrations = "../../migrations")]
async fn a_large_payment_in_small_pieces_waits_like_a_large_one(pool: PgPool) {
    let world = hasty(&pool).await;
    let address = world.address("BTC", None, "a").await;
    world.send(&address, "BTC", "0.1").await;
    world.send(&address, "BTC", "0.1").await;
    assert_eq!(
        world.told().await,
        ["deposit confirmed", "deposit not_confirmed"]
    );
    // With its block the first one is lent no more, and the next one counts again.
    world.mine("BTC", 2).await;
    world.send(&address, "BTC", "0.1").await;
    assert_eq!(world.told().await, ["deposit confirmed"; 3]);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn other_coins_still_wait_for_their_blocks(pool: PgPool) {
    let world = hasty(&pool).await;
    let address = world.address("LTC", None, "a").await;
    world.send(&address, "LTC", "1").await;
    assert_eq!(world.told().await, ["deposit not_confirmed"]);
    world.mine("LTC", 1).await;
    assert_eq!(world.told().await, ["deposit confirmed"]);
    world.audit().await;
}
