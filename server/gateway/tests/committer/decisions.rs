//! Decisions about what exists, in groups: each is as whole, and as alone with its faults, as by itself.

use std::future::Future;
use std::time::Duration;

use domain::ledger::AccountKind;
use gateway::exchange::NewExchange;
use gateway::futures::NewFutures;
use gateway::ledger::CommitterStats;
use gateway::withdrawals::{Decider, NewWithdrawal};
use gateway::{Error, Gateway, Settings};
use sqlx::PgPool;
use tokio::task::JoinHandle;

use super::grouped::{account, body, new_exchange};
use super::neighbours::{fund, other_merchant};
use super::support::World;
use super::support::backends::waiting_backends;
use super::support::operations::STRANGER;
use super::{Gate, until};

pub(super) type Deciding = JoinHandle<Result<(), Error>>;

/// Transactions at the same time.
const TASKS: i64 = 3;

/// What one merchant may have waiting: half of the queue.
const ROOM_OF_ONE: usize = 1_000;

pub(super) fn stats(gateway: &Gateway) -> CommitterStats {
    let all = gateway.committers();
    let decisions = all.into_iter().find(|(name, _)| *name == "decisions");
    decisions.map(|(_, stats)| stats).unwrap_or_default()
}

pub(super) fn decider() -> Decider {
    Decider {
        name: "manager".to_owned(),
        user_id: None,
    }
}

pub(super) fn spawned<F>(call: F) -> Deciding
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    tokio::spawn(call)
}

fn approve(gateway: &Gateway, merchant: i64, id: i64) -> Deciding {
    let gateway = gateway.clone();
    spawned(async move { gateway.approve_withdrawal(merchant, id, decider()).await })
}

pub(super) fn decline(gateway: &Gateway, merchant: i64, id: i64) -> Deciding {
    let gateway = gateway.clone();
    spawned(async move { gateway.decline_withdrawal(merchant, id, decider()).await })
}

fn refund(gateway: &Gateway, merchant: i64, charge: &str) -> Deciding {
    let (gateway, charge) = (gateway.clone(), charge.to_owned());
    spawned(async move {
        gateway
            .request_refund(
                merchant,
                &charge,
                Some(STRANGER.to_owned()),
                "t".into(),
                None,
                |_| (200, vec![]),
            )
            .await
            .map(drop)
    })
}

fn exchange(gateway: &Gateway, new: NewExchange) -> Deciding {
    let gateway = gateway.clone();
    spawned(async move { gateway.exchange(new, None, body).await.map(drop) })
}

fn transfer(gateway: &Gateway, new: NewWithdrawal) -> Deciding {
    let gateway = gateway.clone();
    spawned(async move { gateway.request_withdrawal(new, None, body).await.map(drop) })
}

pub(super) fn promise(gateway: &Gateway, new: NewFutures) -> Deciding {
    let gateway = gateway.clone();
    spawned(async move {
        gateway
            .confirm_futures(new, None, |_| (201, Vec::new()))
            .await
            .map(drop)
    })
}

/// Above this a withdrawal waits for a person.
pub(super) async fn set_limit(pool: &PgPool, limit: &str) {
    sqlx::query("UPDATE merchants SET withdrawal_limit = $1::numeric")
        .bind(limit)
        .execute(pool)
        .await
        .unwrap();
}

/// A withdrawal that waits for a decision.
pub(super) async fn pending(world: &World, amount: &str, address: &str, reference: &str) -> i64 {
    let new = NewWithdrawal {
        address: address.to_owned(),
        ..world.withdrawal(amount, "BTC", reference)
    };
    let view = world.withdraw(new).await.unwrap();
    assert_eq!(view.status.word(), "pending");
    view.id
}

/// Charges of which half was paid when their time was over.
pub(super) async fn underpaid(world: &World, count: usize) -> Vec<String> {
    world.set_rate("BTC", "EUR", "50000").await;
    let mut charges = Vec::new();
    for _ in 0..count {
        let id = world.picked("100.00", "EUR", "BTC").await;
        world.pay(&id, "0.001").await;
        charges.push(id);
    }
    world.mine("BTC", 1).await;
    world.gateway.advance(900).await.unwrap();
    charges
}

async fn told(pool: &PgPool, kind: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM events WHERE type = $1")
        .bind(kind)
        .fetch_one(pool)
        .await
        .unwrap()
}

pub(super) async fn operations(pool: &PgPool, kind: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM operations WHERE kind = $1")
        .bind(kind)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Approvals, also of transfers within the instance, calls off, refunds, transfers both ways, promises, and
/// exchanges beside them, in two processes.
#[sqlx::test(migrations = "../../migrations")]
async fn two_processes_decide_about_the_same_merchants_without_a_deadlock(pool: PgPool) {
    let world = World::new(&pool).await;
    let settings = Settings::test("http://127.0.0.1:3000");
    let second = World::open(&pool, settings).await.unwrap();
    let charges = underpaid(&world, 6).await;
    world.set_rate("BTC", "EUR", "50000").await;
    let merchants = [world.merchant, other_merchant(&pool).await];
    let mut addresses = Vec::new();
    for merchant in merchants {
        fund(&world, merchant, "10", "BTC").await;
        fund(&world, merchant, "500000", "EUR").await;
        addresses.push(world.address_of(merchant, "BTC", None, "till").await);
    }
    set_limit(&pool, "0.05").await;
    let promised = world.address("BTC", Some("EUR"), "promised").await;
    let mut decided = Vec::new();
    for n in 0..20 {
        let address = if n % 2 == 0 {
            STRANGER
        } else {
            addresses[1].as_str()
        };
        decided.push(pending(&world, "0.06", address, &format!("pending {n}")).await);
    }
    let mut calls = Vec::new();
    for (n, id) in decided.into_iter().enumerate() {
        let process = if n % 2 == 0 { &world.gateway } else { &second };
        let side = n / 2 % 2;
        let merchant = merchants[side];
        calls.push(if n < 10 {
            approve(process, world.merchant, id)
        } else {
            decline(process, world.merchant, id)
        });
        let wish = ["0.01", "BTC", "EUR"];
        calls.push(exchange(
            process,
            new_exchange(&world, merchant, wish, Some(n.to_string())),
        ));
        let within = NewWithdrawal {
            merchant_id: merchant,
            address: addresses[1 - side].clone(),
            ..world.withdrawal("0.01", "BTC", &format!("transfer {n}"))
        };
        calls.push(transfer(process, within));
        if let Some(charge) = charges.get(n) {
            calls.push(refund(process, world.merchant, charge));
        }
        if n % 4 == 0 {
            let new = NewFutures {
                merchant_id: world.merchant,
                address: promised.clone(),
                sender: world.currency("BTC"),
                receiver: world.currency("EUR"),
                receiver_amount: world.money("100", "EUR"),
            };
            calls.push(promise(process, new));
        }
    }
    for (n, call) in calls.into_iter().enumerate() {
        let result = call.await.unwrap();
        assert!(result.is_ok(), "{n}: {result:?}");
    }
    assert_eq!(told(&pool, "withdrawal.pending").await, 20);
    assert_eq!(told(&pool, "withdrawal.cancelled").await, 10);
    // Five were approved to an address of the instance, twenty needed no approval.
    assert_eq!(told(&pool, "withdrawal.confirmed").await, 25);
    assert_eq!(operations(&pool, "deposit").await, 25);
    assert_eq!(operations(&pool, "exchange").await, 20);
    assert_eq!(operations(&pool, "refund").await, 6);
    let promises: (i64, i64) =
        sqlx::query_as("SELECT count(*), count(*) FILTER (WHERE state = 'open') FROM futures")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(promises, (5, 1), "each has replaced the one before");
    assert!(stats(&world.gateway).items + stats(&second).items > 0);
    // Counts the deadlocks, too: there are none.
    world.audit().await;
}

/// Somebody holds the merchant's bitcoins, and each task stands before that gate with a withdrawal that is
/// called off. What is asked for from then on waits, and is one group.
pub(super) async fn held_up(world: &World, pool: &PgPool, round: usize) -> (Gate, Vec<Deciding>) {
    let mut first = Vec::new();
    for n in 0..TASKS {
        let reference = format!("before the gate {round} {n}");
        first.push(pending(world, "0.001", STRANGER, &reference).await);
    }
    let wallet = account(world, world.merchant, AccountKind::Wallet, "BTC");
    let gate = Gate::on(world, pool, wallet).await;
    let mut before = Vec::new();
    for (n, id) in (1..).zip(first) {
        before.push(decline(&world.gateway, world.merchant, id));
        until(|| async { waiting_backends(pool).await == n }).await;
    }
    (gate, before)
}

pub(super) async fn waiting(world: &World, count: usize) {
    until(|| async { stats(&world.gateway).depth == count }).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_refused_fails_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    let merchant = world.merchant;
    let charge = world.charge("10.00", "EUR").await;
    set_limit(&pool, "0").await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(pending(&world, "0.001", STRANGER, &n.to_string()).await);
    }
    let (gate, before) = held_up(&world, &pool, 0).await;
    let gateway = &world.gateway;
    let batches = stats(gateway).batches;
    let mut calls = Vec::new();
    // One after the other, so that they wait in this order.
    calls.push(decline(gateway, merchant, ids[0]));
    waiting(&world, 1).await;
    calls.push(approve(gateway, merchant, ids[0]));
    waiting(&world, 2).await;
    calls.push(approve(gateway, merchant, ids[1]));
    waiting(&world, 3).await;
    calls.push(refund(gateway, merchant, &charge));
    waiting(&world, 4).await;
    calls.push(decline(gateway, merchant, ids[2]));
    waiting(&world, 5).await;
    gate.open().await;
    for call in before {
        call.await.unwrap().unwrap();
    }
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap());
    }
    assert!(
        matches!(
            results.as_slice(),
            [
                Ok(()),
                Err(Error::Conflict(_)),
                Ok(()),
                Err(Error::Conflict(_)),
                Ok(())
            ]
        ),
        "{results:?}"
    );
    let stats = stats(gateway);
    assert_eq!((stats.batches - batches, stats.items), (4, 8), "{stats:?}");
    assert_eq!(stats.refused, 2);
    assert_eq!(
        world.events(ids[0]).await,
        ["withdrawal.pending", "withdrawal.cancelled"]
    );
    assert_eq!(
        world.events(ids[1]).await,
        ["withdrawal.pending", "withdrawal.processing"]
    );
    world.audit().await;
}

/// A merchant has half of the queue.
#[sqlx::test(migrations = "../../migrations")]
async fn a_full_queue_turns_away_and_nothing_happened(pool: PgPool) {
    let world = World::new(&pool).await;
    let merchant = world.merchant;
    set_limit(&pool, "0").await;
    let many = pending(&world, "0.001", STRANGER, "many").await;
    let one_more = pending(&world, "0.001", STRANGER, "one more").await;
    let (gate, before) = held_up(&world, &pool, 0).await;
    let calls: Vec<Deciding> = (0..ROOM_OF_ONE)
        .map(|_| decline(&world.gateway, merchant, many))
        .collect();
    waiting(&world, ROOM_OF_ONE).await;
    let refused = decline(&world.gateway, merchant, one_more).await.unwrap();
    match refused {
        Err(Error::Overloaded { retry_after }) => assert!(retry_after >= Duration::from_secs(1)),
        other => panic!("{other:?}"),
    }
    gate.open().await;
    for call in before {
        call.await.unwrap().unwrap();
    }
    let mut done = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(()) => done += 1,
            // Those that another task has the row of are many, and may wait too long for it.
            Err(error) => assert!(
                matches!(error, Error::Conflict(_) | Error::Overloaded { .. }),
                "{error:?}"
            ),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(world.events(one_more).await, ["withdrawal.pending"]);
    let later = decline(&world.gateway, merchant, one_more).await.unwrap();
    assert!(later.is_ok(), "{later:?}");
    world.audit().await;
}
