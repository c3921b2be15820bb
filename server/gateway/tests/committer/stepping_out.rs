//! A row that somebody else has: whoever needs it waits alone, and nobody waits with him.

use std::time::Duration;

use gateway::Gateway;
use gateway::withdrawals::NewWithdrawal;
use sqlx::{PgPool, Postgres, Transaction};

use super::decisions::{Deciding, spawned, stats};
use super::grouped::{body, new_exchange};
use super::support::World;
use super::support::backends::waiting_backends;
use super::until;

/// Somebody else is at work at the charge, as a chain's follower is for the time of a block.
pub(super) async fn taken(pool: &PgPool, charge: &str) -> Transaction<'static, Postgres> {
    let mut other = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM charges WHERE public_id = $1 FOR NO KEY UPDATE")
        .bind(charge)
        .execute(&mut *other)
        .await
        .unwrap();
    other
}

pub(super) fn cancel(gateway: &Gateway, merchant: i64, charge: &str) -> Deciding {
    let (gateway, charge) = (gateway.clone(), charge.to_owned());
    spawned(async move {
        gateway
            .cancel_charge(merchant, &charge, "t".into(), None, |_| (200, vec![]))
            .await
            .map(drop)
    })
}

#[sqlx::test(migrations = "../../migrations")]
async fn whoever_needs_it_waits_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    let (held, free) = (
        world.charge("10.00", "EUR").await,
        world.charge("10.00", "EUR").await,
    );
    let other = taken(&pool, &held).await;
    let admitted = world.gateway.admission().admitted;
    let waits = cancel(&world.gateway, world.merchant, &held);
    until(|| async { waiting_backends(&pool).await == 1 }).await;
    for _ in 0..3 {
        let charge = world.charge("10.00", "EUR").await;
        let done = cancel(&world.gateway, world.merchant, &charge).await;
        done.unwrap().unwrap();
    }
    let done = cancel(&world.gateway, world.merchant, &free).await;
    done.unwrap().unwrap();
    assert!(!waits.is_finished());
    let now = stats(&world.gateway);
    assert_eq!((now.items, now.refused), (4, 0), "{now:?}");
    assert_eq!(world.gateway.admission().admitted, admitted + 1);
    other.rollback().await.unwrap();
    waits.await.unwrap().unwrap();
    for charge in [&held, &free] {
        world.expect(&world.state(charge).await, "cancelled");
    }
    world.audit().await;
}

/// A transfer pays a charge of this instance that somebody else has: no exchange waits for that.
#[sqlx::test(migrations = "../../migrations")]
async fn no_exchange_waits_for_a_receivers_charge(pool: PgPool) {
    let world = World::new(&pool).await;
    let charge = world.picked("60.00", "EUR", "BTC").await;
    let payment = world.view(&charge).await.payment.unwrap();
    let other = taken(&pool, &charge).await;
    let new = NewWithdrawal {
        address: payment.address,
        amount: payment.due,
        ..world.withdrawal("0.01", "BTC", "1")
    };
    let gateway = world.gateway.clone();
    let pays = spawned(async move { gateway.request_withdrawal(new, None, body).await.map(drop) });
    until(|| async { waiting_backends(&pool).await == 1 }).await;
    let other_merchant = super::neighbours::other_merchant(&pool).await;
    super::neighbours::fund(&world, other_merchant, "1", "BTC").await;
    super::neighbours::fund(&world, other_merchant, "1", "EUR").await;
    // Also those of who pays: his row is not locked while he waits.
    for merchant in [world.merchant, other_merchant] {
        for n in 0..3 {
            let new = new_exchange(
                &world,
                merchant,
                ["0.01", "BTC", "EUR"],
                Some(n.to_string()),
            );
            let exchanging = world.gateway.exchange(new, None, body);
            tokio::time::timeout(Duration::from_secs(30), exchanging)
                .await
                .expect("no exchange waits")
                .unwrap();
        }
    }
    assert!(!pays.is_finished());
    other.rollback().await.unwrap();
    pays.await.unwrap().unwrap();
    world.expect(&world.state(&charge).await, "paid");
    world.audit().await;
}
