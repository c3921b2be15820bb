//! Decisions whose commit is not answered: done once, and answered rightly.

use std::time::Duration;

use domain::ledger::{AccountKind, HOUSE};
use gateway::futures::NewFutures;
use sqlx::PgPool;

use super::decisions::{
    decider, held_up, operations, pending, promise, set_limit, underpaid, waiting,
};
use super::grouped::account;
use super::proxy::Proxy;
use super::stepping_out::{cancel, taken};
use super::support::World;
use super::support::backends::waiting_backends;
use super::support::operations::STRANGER;
use super::{Gate, until};

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

/// Somebody has the charge that one of a group needs, and the commit of the others is not answered: they are
/// told at once, for what stepped out is not in it.
#[sqlx::test(migrations = "../../migrations")]
async fn what_stepped_out_is_not_waited_for(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    world.set_rate("BTC", "EUR", "50000").await;
    set_limit(&pool, "0").await;
    let charge = world.charge("10.00", "EUR").await;
    let new = NewFutures {
        merchant_id: world.merchant,
        address: world.address("BTC", Some("EUR"), "promised").await,
        sender: world.currency("BTC"),
        receiver: world.currency("EUR"),
        receiver_amount: world.money("100", "EUR"),
    };
    let (gate, before) = held_up(&world, &pool, 0).await;
    // The group alone needs it.
    let liquidity = account(&world, HOUSE, AccountKind::Liquidity, "EUR");
    let gate_of_the_group = Gate::on(&world, &pool, liquidity).await;
    let other = taken(&pool, &charge).await;
    let promised = promise(&world.gateway, new);
    let waits = cancel(&world.gateway, world.merchant, &charge);
    waiting(&world, 2).await;
    gate.open().await;
    for call in before {
        call.await.unwrap().unwrap();
    }
    until(|| async { waiting_backends(&pool).await == 1 }).await;
    proxy.lose_commit(1);
    gate_of_the_group.open().await;
    tokio::time::timeout(Duration::from_secs(30), promised)
        .await
        .expect("nobody waits for the charge but who needs it")
        .unwrap()
        .unwrap();
    assert_eq!(proxy.lost(), 1);
    assert!(!waits.is_finished());
    other.rollback().await.unwrap();
    waits.await.unwrap().unwrap();
    world.expect(&world.state(&charge).await, "cancelled");
    let promises: i64 = sqlx::query_scalar("SELECT count(*) FROM futures")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(promises, 1);
    world.audit().await;
    world.gateway.close().await;
}

/// How often the timeline of a charge has this.
async fn written(world: &World, charge: &str, kind: &str) -> usize {
    let lines = world
        .gateway
        .charge_timeline(world.merchant, charge)
        .await
        .unwrap();
    lines.iter().filter(|line| line.kind == kind).count()
}

/// A refund that has no address yet, and an address for one that nobody has approved, book nothing and tell
/// nothing: they are known by their line in the timeline. Fails when they are done again instead: the payer
/// gets a second mail, whose link takes the place of the one before.
#[sqlx::test(migrations = "../../migrations")]
async fn what_books_and_tells_nothing_is_done_once(pool: PgPool) {
    let proxy = Proxy::before(&pool);
    let world = World::new(&proxy.pool().await).await;
    let charges = underpaid(&world, 2).await;
    let (gateway, merchant) = (&world.gateway, world.merchant);
    let mails = async || gateway.list_mail(None, 50).await.unwrap().len();
    let before = mails().await;

    proxy.lose_commit(1);
    let answer = gateway
        .request_refund(merchant, &charges[0], None, "t".into(), None, |view| {
            (200, view.public_id.clone().into_bytes())
        })
        .await
        .unwrap();
    assert_eq!(proxy.lost(), 1);
    assert_eq!(answer.body, charges[0].as_bytes());
    assert_eq!(mails().await, before + 1);
    assert_eq!(written(&world, &charges[0], "refund.requested").await, 1);

    proxy.lose_commit(1);
    let page = gateway.page_token(&charges[1]);
    gateway
        .leave_refund_address(&charges[1], Some(&page), STRANGER)
        .await
        .unwrap();
    assert_eq!(proxy.lost(), 2);
    assert_eq!(written(&world, &charges[1], "refund_address.left").await, 1);
    world.audit().await;
    world.gateway.close().await;
}
