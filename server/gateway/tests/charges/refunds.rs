//! Charges whose coins are sent back.

use gateway::Error;
use sqlx::PgPool;

use crate::support::World;

#[sqlx::test(migrations = "../../migrations")]
async fn wrong_coins_can_be_sent_back(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "ETH").await;
    let address = world.view(&id).await.payment.unwrap().address;
    world
        .gateway
        .sandbox_pay(&address, "100", Some("USDT"), None)
        .await
        .unwrap();
    world.mine("USDT", 1).await;
    let view = world.view(&id).await;
    assert_eq!(view.refundable.unwrap().currency().code.as_str(), "USDT");
    assert_eq!(view.due_value, view.amount, "it does not count");
    let to = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_owned();
    world
        .gateway
        .request_refund(world.merchant, &id, Some(to), "t".into(), None, |_| {
            (200, vec![])
        })
        .await
        .unwrap();
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_approved_refund_cannot_be_redirected_nor_paid_twice(pool: PgPool) {
    let world = World::new(&pool).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.001").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    let mine = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu";
    let thief = "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g";
    world
        .gateway
        .request_refund(
            world.merchant,
            &id,
            Some(mine.into()),
            "t".into(),
            None,
            |_| (200, vec![]),
        )
        .await
        .unwrap();
    let token = world.gateway.page_token(&id);
    world
        .gateway
        .leave_refund_address(&id, Some(&token), thief)
        .await
        .unwrap();
    let claim = || async {
        let claim: (String, String) = sqlx::query_as("SELECT state, address FROM refund_claims")
            .fetch_one(&pool)
            .await
            .unwrap();
        claim
    };
    assert_eq!(claim().await, ("approved".to_owned(), mine.to_owned()));
    // On their way back, the same coins cannot be taken as payment as well.
    let requoted = world.gateway.requote(&id).await;
    assert!(matches!(requoted, Err(Error::Conflict(_))), "{requoted:?}");
    world.mine("BTC", 1).await;
    assert_eq!(claim().await, ("confirmed".to_owned(), mine.to_owned()));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_approved_refund_without_an_address_gives_way_to_payment(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = world.picked("100.00", "EUR", "BTC").await;
    world.pay(&id, "0.001").await;
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    let (gateway, merchant) = (&world.gateway, world.merchant);
    gateway
        .request_refund(merchant, &id, None, "t".into(), None, |_| (200, vec![]))
        .await
        .unwrap();
    // Taken as payment, the same coins cannot go back as well.
    gateway.requote(&id).await.unwrap();
    world.pay_due(&id).await;
    world.mine("BTC", 1).await;
    world.expect(&world.state(&id).await, "paid");
    let state: String = sqlx::query_scalar("SELECT state FROM refund_claims")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(state, "declined");
    world.audit().await;
}
