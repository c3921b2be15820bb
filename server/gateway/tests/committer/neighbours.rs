//! Several merchants, and several processes, with what one of them asks for in the groups of the others.

use std::future::Future;

use domain::ledger::{AccountKind, Movement};
use gateway::exchange::NewExchange;
use gateway::idempotency::Answer;
use gateway::operations::OperationView;
use gateway::withdrawals::NewWithdrawal;
use gateway::{Error, Gateway, Settings};
use sqlx::PgPool;
use tokio::task::JoinHandle;

use super::entry;
use super::grouped::{
    Exchanging, account, body, count, held_up, new_exchange, start, stats, waiting,
};
use super::support::World;
use super::support::operations::STRANGER;

pub(super) async fn fund(world: &World, merchant: i64, amount: &str, code: &str) {
    let from = account(world, 0, AccountKind::Liquidity, code);
    let to = account(world, merchant, AccountKind::Wallet, code);
    let units = world.money(amount, code).units();
    let funding = entry(&[(Movement::Post, from, to, units)]);
    world.gateway.postings().submit(funding).await.unwrap();
}

pub(super) async fn other_merchant(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT merchant_id FROM users WHERE email = 'merchant2@demo.example'")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Exchanges both ways, withdrawals, and transfers between two merchants both ways, in two processes.
#[sqlx::test(migrations = "../../migrations")]
async fn two_processes_do_not_deadlock(pool: PgPool) {
    let world = World::new(&pool).await;
    let settings = Settings::test("http://127.0.0.1:3000");
    let second = World::open(&pool, settings).await.unwrap();
    let merchants = [world.merchant, other_merchant(&pool).await];
    let mut addresses = Vec::new();
    for merchant in merchants {
        fund(&world, merchant, "10", "BTC").await;
        fund(&world, merchant, "500000", "EUR").await;
        addresses.push(world.address_of(merchant, "BTC", None, "till").await);
    }
    let mut calls: Vec<JoinHandle<Result<Answer, Error>>> = Vec::new();
    for n in 0..160usize {
        let process = if n % 2 == 0 { &world.gateway } else { &second };
        let gateway = process.clone();
        let side = n / 2 % 2;
        let merchant = merchants[side];
        let reference = Some(n.to_string());
        let withdrawal = |address: &str| NewWithdrawal {
            merchant_id: merchant,
            address: address.to_owned(),
            ..world.withdrawal("0.01", "BTC", &n.to_string())
        };
        calls.push(match n / 4 % 4 {
            0 => exchanging(
                gateway,
                new_exchange(&world, merchant, ["0.01", "BTC", "EUR"], reference),
            ),
            1 => exchanging(
                gateway,
                new_exchange(&world, merchant, ["500", "EUR", "BTC"], reference),
            ),
            2 => withdrawing(gateway, withdrawal(STRANGER)),
            _ => withdrawing(gateway, withdrawal(&addresses[1 - side])),
        });
    }
    for (n, call) in calls.into_iter().enumerate() {
        let result = call.await.unwrap();
        assert!(result.is_ok(), "{n}: {result:?}");
    }
    // Forty transfers are a withdrawal and a deposit each.
    assert_eq!(count(&pool, "operations").await, 200);
    for gateway in [&world.gateway, &second] {
        let stats = stats(gateway);
        assert!(stats.batches > 0 && stats.refused == 0, "{stats:?}");
    }
    // Counts the deadlocks, too: there are none.
    world.audit().await;
}

/// Somebody with a hundred requests before the one of somebody else: both are in the next group.
#[sqlx::test(migrations = "../../migrations")]
async fn whoever_asks_for_much_keeps_no_other_merchant_waiting(pool: PgPool) {
    let world = World::new(&pool).await;
    let other = other_merchant(&pool).await;
    fund(&world, other, "1", "BTC").await;
    let (gate, first) = held_up(&world, &pool).await;
    let wish = ["0.009", "BTC", "EUR"];
    let many: Vec<Exchanging> = (0..100)
        .map(|_| {
            start(
                &world,
                new_exchange(&world, world.merchant, wish, None),
                None,
            )
        })
        .collect();
    waiting(&world, 100).await;
    let one = start(&world, new_exchange(&world, other, wish, None), None);
    waiting(&world, 101).await;
    gate.open().await;
    for call in [first, one].into_iter().chain(many) {
        call.await.unwrap().unwrap();
    }
    // Operations are numbered as they are made.
    let before: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM operations
         WHERE id < (SELECT min(id) FROM operations WHERE merchant_id = $1)",
    )
    .bind(other)
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(before, 2, "the one at the gate, and one of the hundred");
    world.audit().await;
}

fn exchanging(gateway: Gateway, new: NewExchange) -> JoinHandle<Result<Answer, Error>> {
    spawned(async move { gateway.exchange(new, None, body).await })
}

fn withdrawing(gateway: Gateway, new: NewWithdrawal) -> JoinHandle<Result<Answer, Error>> {
    spawned(async move {
        gateway
            .request_withdrawal_by_reference(new, None, body)
            .await
    })
}

fn spawned<F>(call: F) -> JoinHandle<Result<Answer, Error>>
where
    F: Future<Output = Result<Answer, Error>> + Send + 'static,
{
    tokio::spawn(call)
}

/// The limit of a day counts those before in the same group.
#[sqlx::test(migrations = "../../migrations")]
async fn a_group_judges_the_limit_of_a_day_one_after_the_other(pool: PgPool) {
    let world = World::new(&pool).await;
    world.well_before_midnight().await;
    world.set_rate("BTC", "EUR", "50000").await;
    sqlx::query("UPDATE merchants SET withdrawal_daily_limit = 2000 WHERE id = $1")
        .bind(world.merchant)
        .execute(&pool)
        .await
        .unwrap();
    let (gate, first) = held_up(&world, &pool).await;
    let calls: Vec<_> = (0..10)
        .map(|n| {
            withdrawing(
                world.gateway.clone(),
                world.withdrawal("0.01", "BTC", &n.to_string()),
            )
        })
        .collect();
    waiting(&world, 10).await;
    gate.open().await;
    first.await.unwrap().unwrap();
    let mut pending = 0;
    for call in calls {
        let answer = call.await.unwrap().unwrap();
        let view: OperationView = serde_json::from_slice(&answer.body).unwrap();
        pending += i32::from(view.status.word() == "pending");
    }
    assert_eq!(pending, 6, "four of 500 EUR are within 2 000");
    world.audit().await;
}
