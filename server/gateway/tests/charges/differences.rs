//! What came is not what was due: less, more, or late.

use domain::view::checkout::CheckoutState;
use gateway::Error;
use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn underpaid_then_the_rest_on_the_same_address(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    let first = world.view(&id).await.payment.unwrap();
    world.pay(&id, "0.001").await;
    world.expect(&world.state(&id).await, "pending under");
    let rest = world.view(&id).await.payment.unwrap();
    assert_eq!(rest.address, first.address);
    assert_eq!(rest.left.units(), first.due.units() - 100_000);
    world.pay_due(&id).await;
    world.expect(&world.state(&id).await, "processing");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn underpaid_at_the_end_can_be_accepted_for_what_it_is_worth(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.001").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    world.expect(&world.state(&id).await, "underpaid under inbox");
    let accept = |id: String| {
        let gateway = world.gateway.clone();
        let merchant = world.merchant;
        async move {
            gateway
                .accept_charge(merchant, &id, "tester".into(), None, |_| (200, vec![]))
                .await
        }
    };
    accept(id.clone()).await.unwrap();
    world.expect(&world.state(&id).await, "paid manual");
    // Half was paid: half is credited, less 1 %.
    assert_eq!(world.balance("EUR").await, "10049.50000000");
    assert!(matches!(accept(id).await, Err(Error::Refused(_))));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_overpayment_leaves_its_excess_in_suspense(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.0025").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid over inbox");
    assert_eq!(world.balance("EUR").await, "10099.00000000");
    let view = world.view(&id).await;
    assert_eq!(view.refundable.unwrap().shortest(), "0.0005");
    let bad = world
        .gateway
        .request_refund(
            world.merchant,
            &id,
            Some("nonsense".into()),
            "t".into(),
            None,
            |_| (200, vec![]),
        )
        .await;
    assert!(matches!(bad, Err(Error::Invalid(_))));
    let address = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu".to_owned();
    world
        .gateway
        .request_refund(world.merchant, &id, Some(address), "t".into(), None, |_| {
            (200, vec![])
        })
        .await
        .unwrap();
    assert!(world.view(&id).await.refund_claimed);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn late_money_pays_when_it_still_covers(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.gateway.advance(901).await.unwrap();
    world.expect(&world.state(&id).await, "expired");
    world.pay(&id, "0.002").await;
    world.expect(&world.state(&id).await, "expired late inbox");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid late");
    assert_eq!(world.balance("EUR").await, "10099.00000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn late_money_that_lost_value_waits_for_a_person(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.gateway.advance(901).await.unwrap();
    world.set_rate("BTC", "EUR", "49000").await;
    world.pay(&id, "0.002").await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "expired late inbox");
    assert_eq!(world.balance("EUR").await, "10000.00000000");
    world
        .gateway
        .accept_charge(world.merchant, &id, "tester".into(), None, |_| {
            (200, vec![])
        })
        .await
        .unwrap();
    world.expect(&world.state(&id).await, "paid late manual");
    assert_eq!(world.balance("EUR").await, "10097.02000000");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn late_money_is_offered_a_new_rate_only_while_it_is_not_enough(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.gateway.advance(901).await.unwrap();
    world.pay(&id, "0.001").await;
    let offered = || async {
        let view = world.gateway.checkout(&id, None).await.unwrap();
        assert_eq!(view.state, CheckoutState::LateFunds);
        view.can_requote
    };
    assert!(offered().await, "half of it came");
    world.pay(&id, "0.001").await;
    assert!(!offered().await, "all of it came");
    world.set_rate("BTC", "EUR", "49000").await;
    assert!(offered().await, "it is worth less by now");
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "expired late inbox");
    world.gateway.requote(&id).await.unwrap();
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid late");
    world.audit().await;
}
