//! Withdrawals to addresses of this instance.

use gateway::withdrawals::NewWithdrawal;
use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn to_one_of_our_own_addresses_it_is_there_at_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let other: i64 =
        sqlx::query_scalar("SELECT merchant_id FROM users WHERE email = 'merchant2@demo.example'")
            .fetch_one(&pool)
            .await
            .unwrap();
    let address = world.address_of(other, "BTC", Some("EUR"), "a").await;
    let new = NewWithdrawal {
        address,
        ..world.withdrawal("0.01", "BTC", "1")
    };
    let view = world.withdraw(new).await.unwrap();
    assert_eq!(view.status.word(), "confirmed");
    assert_eq!(view.transactions.first().unwrap().kind.word(), "internal");
    assert_eq!(
        world.wallet("BTC").await,
        ("0.99000000".into(), "0.00000000".into())
    );
    let received = world.operations_of(other).await.pop().unwrap();
    assert_eq!(received.kind.word(), "deposit_exchange");
    assert_eq!(received.status.word(), "confirmed");
    assert_eq!(received.received_net.as_deref(), Some("594.00000000"));
    assert_eq!(
        world.events(view.id).await,
        ["withdrawal.processing", "withdrawal.confirmed"]
    );
    assert_eq!(
        world.events(received.id).await,
        ["deposit.not_confirmed", "deposit.confirmed"]
    );
    assert_eq!(world.account(0, "chain_holdings", "BTC").await, 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_charge_can_be_paid_from_a_wallet_of_this_instance(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("60.00", "EUR", "BTC").await;
    let payment = world.view(&id).await.payment.unwrap();
    let new = NewWithdrawal {
        address: payment.address,
        amount: payment.due,
        ..world.withdrawal("0.01", "BTC", "1")
    };
    world.withdraw(new).await.unwrap();
    world.expect(&world.state(&id).await, "paid");
    // A reorganisation has nothing to take away.
    world.mine("BTC", 2).await;
    world
        .gateway
        .sandbox_reorg(Some("BTC"), 2, &[])
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid");
    world.audit().await;
}
