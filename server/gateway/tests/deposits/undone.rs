//! Transactions that are replaced, forgotten or taken out of their block, and those that come back.

use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn a_double_spend_cancels_and_a_replacement_is_a_new_deposit(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "a").await;
    let lost = world.send(&address, "BTC", "0.01").await;
    world
        .gateway
        .sandbox_replace(&lost, None, None)
        .await
        .unwrap();
    assert_eq!(world.told().await, ["deposit cancelled"]);
    let other = world.send(&address, "BTC", "0.01").await;
    world
        .gateway
        .sandbox_replace(&other, Some(&address), Some("0.02"))
        .await
        .unwrap();
    world.mine("BTC", 1).await;
    assert_eq!(
        world.told().await,
        [
            "deposit cancelled",
            "deposit cancelled",
            "deposit confirmed"
        ]
    );
    assert_eq!(world.balance("BTC").await, "1.01980000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reorganisation_is_booked_against_suspense_and_undone_when_the_coins_are_back(
    pool: PgPool,
) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "a").await;
    let txid = world.deposit(&address, "BTC", "0.01").await;
    // The transaction only moves into another block: nothing happened.
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 1, &[])
        .await
        .unwrap();
    assert_eq!(world.account(world.merchant, "suspense", "BTC").await, 0);
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 2, &[txid])
        .await
        .unwrap();
    let view = world.operations().await.pop().unwrap();
    assert_eq!(view.status.word(), "confirmed");
    assert!(view.needs_attention);
    assert_eq!(world.balance("BTC").await, "1.00990000");
    assert_eq!(
        world.account(world.merchant, "suspense", "BTC").await,
        -1_000_000
    );
    assert_eq!(
        world.events(view.id).await,
        ["deposit.not_confirmed", "deposit.confirmed"]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_deposit_that_was_given_up_and_is_mined_after_all_has_no_error(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "a").await;
    world.send(&address, "BTC", "0.01").await;
    // As after a replacement that lost to the original in the next block.
    for undo in [
        "UPDATE deposits SET state = 'dropped'",
        "UPDATE operations SET status = 'cancelled', finished_at = updated_at,
             error = 'the transaction was replaced or double-spent'",
    ] {
        sqlx::query(undo).execute(&pool).await.unwrap();
    }
    world.mine("BTC", 1).await;
    let view = world.operations().await.pop().unwrap();
    assert_eq!((view.status.word(), view.error), ("confirmed", None));
    world.audit().await;
}

/// One rule for both: what is nowhere is not money on its way.
#[sqlx::test(migrations = "../../migrations")]
async fn a_forgotten_transaction_is_gone_for_deposits_and_for_charges(pool: PgPool) {
    let world = World::new(&pool).await;
    let address = world.address("BTC", None, "forgotten").await;
    let deposited = world.send(&address, "BTC", "0.01").await;
    let charge = world.picked("60.00", "EUR", "BTC").await;
    let paid = world.pay(&charge, "0.001").await;
    world.expect(&world.state(&charge).await, "processing");
    assert_eq!(world.told().await, ["deposit not_confirmed"]);
    // The chain is read anew, and the node knows neither.
    for query in [
        "UPDATE sim.txs SET gone = true WHERE txid = ANY($1)",
        "DELETE FROM chain_outputs WHERE txid = ANY($1)",
        "DELETE FROM chain_spends WHERE txid = ANY($1)",
        "DELETE FROM chain_txs WHERE txid = ANY($1)",
    ] {
        sqlx::query(query)
            .bind(vec![deposited.clone(), paid.clone()])
            .execute(&pool)
            .await
            .unwrap();
    }
    world.mine("BTC", 1).await;
    world.expect(&world.state(&charge).await, "pending");
    assert_eq!(world.told().await, ["deposit cancelled"]);
    world.audit().await;
}
