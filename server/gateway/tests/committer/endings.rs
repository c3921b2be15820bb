//! Withdrawals that a person ends, among other decisions.

use gateway::Gateway;
use gateway::withdrawals::ReplacedOutcome;
use sqlx::PgPool;

use super::decisions::{Deciding, spawned, stats};
use super::proxy::Proxy;
use super::stepping_out::cancel;
use super::support::World;
use super::support::backends::waiting_backends;
use super::until;

/// More blocks than make any deposit final.
const DEEP: u32 = 6;

/// A withdrawal of 0.1 BTC whose coins another transaction took for good.
async fn replaced(world: &World, reference: &str) -> i64 {
    let new = world.withdrawal("0.1", "BTC", reference);
    let id = world.withdraw(new).await.unwrap().id;
    world.gateway.advance(0).await.unwrap();
    let txid: String = sqlx::query_scalar("SELECT txid FROM withdrawals WHERE operation_id = $1")
        .bind(id)
        .fetch_one(world.gateway.pool())
        .await
        .unwrap();
    let other = world.gateway.sandbox_replace(&txid, None, None).await;
    other.unwrap();
    world.mine("BTC", DEEP).await;
    id
}

fn end(gateway: &Gateway, id: i64, outcome: ReplacedOutcome) -> Deciding {
    let gateway = gateway.clone();
    spawned(async move {
        gateway
            .end_replaced(id, outcome, "looked at the chain", "operator")
            .await
    })
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_person_ends_it_in_the_groups_of_all(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = replaced(&world, "1").await;
    let (items, admitted) = (
        stats(&world.gateway).items,
        world.gateway.admission().admitted,
    );
    let ended = end(&world.gateway, id, ReplacedOutcome::NotPaid).await;
    ended.unwrap().unwrap();
    assert_eq!(stats(&world.gateway).items, items + 1);
    assert_eq!(world.gateway.admission().admitted, admitted);
    assert_eq!(
        world.events(id).await,
        ["withdrawal.processing", "withdrawal.cancelled"]
    );
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn whoever_ends_what_another_has_waits_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    let id = replaced(&world, "1").await;
    let mut other = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM operations WHERE id = $1 FOR NO KEY UPDATE")
        .bind(id)
        .execute(&mut *other)
        .await
        .unwrap();
    let admitted = world.gateway.admission().admitted;
    let waits = end(&world.gateway, id, ReplacedOutcome::Paid);
    until(|| async { waiting_backends(&pool).await == 1 }).await;
    for _ in 0..3 {
        let charge = world.charge("10.00", "EUR").await;
        let done = cancel(&world.gateway, world.merchant, &charge).await;
        done.unwrap().unwrap();
    }
    assert!(!waits.is_finished());
    assert_eq!(world.gateway.admission().admitted, admitted + 1);
    other.rollback().await.unwrap();
    waits.await.unwrap().unwrap();
    assert_eq!(
        world.events(id).await,
        ["withdrawal.processing", "withdrawal.confirmed"]
    );
    world.audit().await;
}

/// Known by their entries: what was held is settled once, or free once.
#[sqlx::test(migrations = "../../migrations")]
async fn one_whose_commit_was_not_answered_is_ended_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    for (lost, outcome, last) in [
        (1, ReplacedOutcome::Paid, "withdrawal.confirmed"),
        (2, ReplacedOutcome::NotPaid, "withdrawal.cancelled"),
    ] {
        let id = replaced(&world, &lost.to_string()).await;
        proxy.lose_commit(1);
        end(&world.gateway, id, outcome).await.unwrap().unwrap();
        assert_eq!(proxy.lost(), lost);
        assert_eq!(world.events(id).await, ["withdrawal.processing", last]);
    }
    assert_eq!(
        world.wallet("BTC").await,
        ("0.90000000".into(), "0.00000000".into())
    );
    let recorded: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audit_log WHERE action = 'withdrawal.replaced'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(recorded, 2);
    world.audit().await;
    world.gateway.close().await;
}
