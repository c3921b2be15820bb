//! Stories of deposits to reusable addresses, on real Postgres and the simulated chain.
#![allow(clippy::unwrap_used)]

mod support;

use futures::future::join_all;
use sqlx::PgPool;
use support::World;

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
    let back = support::operations::STRANGER;
    world
        .gateway
        .refund_deposit(view.id, back, "admin@demo.example")
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
