//! Decisions whose commit is not answered: done once, and answered rightly.

use sqlx::PgPool;

use super::decisions::{decider, pending, set_limit, underpaid};
use super::proxy::Proxy;
use super::support::World;
use super::support::operations::STRANGER;

async fn operations(pool: &PgPool, kind: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM operations WHERE kind = $1")
        .bind(kind)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// An approval books nothing: it is known by what it told. A call off and a refund are known by their entries.
#[sqlx::test(migrations = "../../migrations")]
async fn a_decision_whose_commit_was_not_answered_is_made_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let charge = underpaid(&world, 1).await.remove(0);
    set_limit(&pool, "0").await;
    let approved = pending(&world, "0.01", STRANGER, "1").await;
    let declined = pending(&world, "0.01", STRANGER, "2").await;
    let (gateway, merchant) = (&world.gateway, world.merchant);

    proxy.lose_commit(1);
    gateway
        .approve_withdrawal(merchant, approved, decider())
        .await
        .unwrap();
    assert_eq!(proxy.lost(), 1);
    assert_eq!(
        world.events(approved).await,
        ["withdrawal.pending", "withdrawal.processing"]
    );

    proxy.lose_commit(1);
    gateway
        .decline_withdrawal(merchant, declined, decider())
        .await
        .unwrap();
    assert_eq!(proxy.lost(), 2);
    assert_eq!(
        world.events(declined).await,
        ["withdrawal.pending", "withdrawal.cancelled"]
    );

    proxy.lose_commit(1);
    let back = Some(STRANGER.to_owned());
    let answer = gateway
        .request_refund(merchant, &charge, back, "t".into(), None, |view| {
            (200, view.public_id.clone().into_bytes())
        })
        .await
        .unwrap();
    assert_eq!(proxy.lost(), 3);
    assert_eq!(answer.body, charge.as_bytes());
    assert_eq!(operations(&pool, "refund").await, 1);
    assert_eq!(gateway.admission().waiting, 0);
    world.audit().await;
    world.gateway.close().await;
}

/// The same of a charge that is called off, which books nothing either.
#[sqlx::test(migrations = "../../migrations")]
async fn a_charge_is_called_off_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let charge = world.charge("10.00", "EUR").await;
    proxy.lose_commit(1);
    world
        .gateway
        .cancel_charge(world.merchant, &charge, "t".into(), None, |_| (200, vec![]))
        .await
        .unwrap();
    assert_eq!(proxy.lost(), 1);
    world.expect(&world.state(&charge).await, "cancelled");
    let told: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE type = 'charge.cancelled'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(told, 1);
    world.audit().await;
    world.gateway.close().await;
}
