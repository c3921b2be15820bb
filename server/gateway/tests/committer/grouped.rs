//! Exchanges and withdrawals in groups: each is as whole, and as alone with its faults, as by itself.

use std::future::Future;

use domain::ledger::{AccountKey, AccountKind, Movement};
use futures::future::join_all;
use gateway::exchange::{NewExchange, Pricing};
use gateway::idempotency::{Answer, Once};
use gateway::ledger::CommitterStats;
use gateway::operations::OperationView;
use gateway::withdrawals::NewWithdrawal;
use gateway::{Error, Gateway, Settings};
use sqlx::PgPool;
use tokio::task::JoinHandle;

use super::support::World;
use super::support::operations::{STRANGER, blamed};
use super::{Gate, entry, until};

pub(super) type Exchanging = JoinHandle<Result<Answer, Error>>;

fn account(world: &World, merchant: i64, kind: AccountKind, code: &str) -> AccountKey {
    AccountKey {
        merchant,
        currency: world.currency(code).id,
        kind,
        user_id: 0,
    }
}

pub(super) fn new_exchange(
    world: &World,
    merchant_id: i64,
    [amount, from, to]: [&str; 3],
    reference: Option<String>,
) -> NewExchange {
    NewExchange {
        merchant_id,
        sender_amount: world.money(amount, from),
        receiver: world.currency(to),
        pricing: Pricing::Now,
        foreign_id: reference,
        requested_by: "test".to_owned(),
    }
}

fn body(view: &OperationView) -> (u16, Vec<u8>) {
    (201, serde_json::to_vec(view).unwrap())
}

pub(super) fn start(world: &World, new: NewExchange, once: Option<Once>) -> Exchanging {
    let gateway = world.gateway.clone();
    tokio::spawn(async move { gateway.exchange(new, once, body).await })
}

pub(super) fn stats(gateway: &Gateway) -> CommitterStats {
    let all = gateway.committers();
    let grouped = all.into_iter().find(|(name, _)| *name == "grouped");
    grouped.map(|(_, stats)| stats).unwrap_or_default()
}

/// Somebody holds the merchant's bitcoins; one exchange stands before that gate. What is asked for from
/// then on is one group.
pub(super) async fn held_up(world: &World, pool: &PgPool) -> (Gate, Exchanging) {
    let wallet = account(world, world.merchant, AccountKind::Wallet, "BTC");
    let gate = Gate::on(world, pool, wallet).await;
    let first = new_exchange(world, world.merchant, ["0.01", "BTC", "EUR"], None);
    let first = start(world, first, None);
    gate.reached().await;
    (gate, first)
}

pub(super) async fn waiting(world: &World, count: usize) {
    until(|| async { stats(&world.gateway).depth == count }).await;
}

async fn count(pool: &PgPool, table: &'static str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn fund(world: &World, merchant: i64, amount: &str, code: &str) {
    let from = account(world, 0, AccountKind::Liquidity, code);
    let to = account(world, merchant, AccountKind::Wallet, code);
    let units = world.money(amount, code).units();
    let funding = entry(&[(Movement::Post, from, to, units)]);
    world.gateway.postings().submit(funding).await.unwrap();
}

async fn other_merchant(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT merchant_id FROM users WHERE email = 'merchant2@demo.example'")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_hundred_exchanges_of_money_for_eighty_are_eighty(pool: PgPool) {
    let world = World::new(&pool).await;
    let calls = (0..200).map(|n| {
        let wish = ["0.0125", "BTC", "EUR"];
        let new = new_exchange(&world, world.merchant, wish, Some(n.to_string()));
        world.gateway.exchange(new, None, body)
    });
    let results = join_all(calls).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 80);
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(
            blamed(error),
            (
                "sender_amount",
                "is more than your BTC wallet has available"
            )
        );
    }
    assert_eq!(world.balance("BTC").await, "0.00000000");
    for table in ["operations", "quotes", "quote_uses", "first_answers"] {
        assert_eq!(count(&pool, table).await, 80, "{table}");
    }
    let stats = stats(&world.gateway);
    assert!(stats.batches < 80, "{stats:?}");
    world.audit().await;
}

/// What is refused in the middle leaves nothing, whoever refuses it: a rule, the books, the database,
/// or a mistake of ours.
#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_done_fails_alone(pool: PgPool) {
    let world = World::new(&pool).await;
    let (gate, first) = held_up(&world, &pool).await;
    let exchange = |amount: &str, n: i32| {
        let wish = [amount, "BTC", "EUR"];
        new_exchange(&world, world.merchant, wish, Some(n.to_string()))
    };
    let mut others = Vec::new();
    for n in 0..20 {
        let gateway = world.gateway.clone();
        let new = match n {
            3 => exchange("50", n),
            // Postgres keeps no NUL in a text.
            7 => NewExchange {
                foreign_id: Some("a\0b".to_owned()),
                ..exchange("0.01", n)
            },
            15 => NewExchange {
                receiver: world.currency("BTC"),
                ..exchange("0.01", n)
            },
            _ => exchange("0.01", n),
        };
        others.push(tokio::spawn(async move {
            let render = move |view: &OperationView| -> (u16, Vec<u8>) {
                assert!(n != 11, "nothing to say");
                body(view)
            };
            gateway.exchange(new, None, render).await
        }));
    }
    waiting(&world, 20).await;
    gate.open().await;
    first.await.unwrap().unwrap();
    for (n, other) in others.into_iter().enumerate() {
        let result = other.await.unwrap();
        match n {
            3 | 15 => assert!(matches!(result, Err(Error::Invalid(_))), "{result:?}"),
            7 => assert!(matches!(result, Err(Error::Database(_))), "{result:?}"),
            11 => assert!(matches!(result, Err(Error::Internal(_))), "{result:?}"),
            _ => assert!(result.is_ok(), "{n}: {result:?}"),
        }
    }
    for table in ["operations", "quotes", "quote_uses", "operation_fees"] {
        assert_eq!(count(&pool, table).await, 17, "{table}");
    }
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM events WHERE type LIKE 'exchange.%'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(told, 2 * 17);
    world.audit().await;
}

/// A refused one is undone inside the group: nobody else begins again.
#[sqlx::test(migrations = "../../migrations")]
async fn a_refusal_of_the_books_takes_no_second_try(pool: PgPool) {
    let world = World::new(&pool).await;
    let (gate, first) = held_up(&world, &pool).await;
    let others: Vec<Exchanging> = ["0.4", "0.5", "0.3", "0.2"]
        .map(|amount| {
            let wish = [amount, "BTC", "EUR"];
            start(
                &world,
                new_exchange(&world, world.merchant, wish, None),
                None,
            )
        })
        .into();
    waiting(&world, 4).await;
    gate.open().await;
    first.await.unwrap().unwrap();
    for other in others {
        match other.await.unwrap() {
            Ok(_) => {}
            Err(error) => assert_eq!(blamed(&error).0, "sender_amount"),
        }
    }
    let stats = stats(&world.gateway);
    assert_eq!((stats.batches, stats.last_batch), (2, 4), "{stats:?}");
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_reference_or_key_in_one_group_is_one_exchange(pool: PgPool) {
    let world = World::new(&pool).await;
    let once = || Once {
        merchant_id: world.merchant,
        method: "POST",
        path: "/exchange".into(),
        key: "one".into(),
        body_hash: [1; 32],
    };
    let wish = ["0.01", "BTC", "EUR"];
    let (gate, first) = held_up(&world, &pool).await;
    let by_reference = || new_exchange(&world, world.merchant, wish, Some("one".into()));
    let by_key = || new_exchange(&world, world.merchant, wish, None);
    let mut others: Vec<Exchanging> = Vec::new();
    for _ in 0..10 {
        others.push(start(&world, by_reference(), None));
        others.push(start(&world, by_key(), Some(once())));
    }
    waiting(&world, 20).await;
    gate.open().await;
    first.await.unwrap().unwrap();
    let mut bodies = std::collections::BTreeSet::new();
    for other in others {
        bodies.insert(other.await.unwrap().unwrap().body);
    }
    assert_eq!(bodies.len(), 2, "one answer each, byte for byte");
    assert_eq!(count(&pool, "operations").await, 3);
    let later = world
        .gateway
        .exchange(by_reference(), None, body)
        .await
        .unwrap();
    assert!(bodies.contains(&later.body));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_connection_that_dies_in_the_middle_costs_nobody_anything(pool: PgPool) {
    let world = World::new(&pool).await;
    let (gate, first) = held_up(&world, &pool).await;
    let others: Vec<_> = (0..20)
        .map(|_| {
            let wish = ["0.01", "BTC", "EUR"];
            start(
                &world,
                new_exchange(&world, world.merchant, wish, None),
                None,
            )
        })
        .collect();
    waiting(&world, 20).await;
    let backend = gate.reached().await;
    let shot: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1)")
        .bind(backend)
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(shot);
    gate.open().await;
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(count(&pool, "operations").await, 21);
    assert_eq!(world.balance("BTC").await, "0.79000000");
    world.audit().await;
}

/// Without a reference and without a key, nothing but the books says that it was done.
#[cfg(unix)]
#[sqlx::test(migrations = "../../migrations")]
async fn an_answer_lost_on_the_way_doubles_nothing(pool: PgPool) {
    let proxy = super::proxy::Proxy::before(&pool);
    let cut_off = proxy.pool().await;
    let world = World::new(&cut_off).await;
    let (gate, first) = held_up(&world, &pool).await;
    let others: Vec<Exchanging> = ["0.1", "0.1", "50", "0.1"]
        .map(|amount| {
            let wish = [amount, "BTC", "EUR"];
            start(
                &world,
                new_exchange(&world, world.merchant, wish, None),
                None,
            )
        })
        .into();
    waiting(&world, 4).await;
    // The first commit is that of the one before the gate.
    proxy.lose_commit(2);
    gate.open().await;
    first.await.unwrap().unwrap();
    for (n, other) in others.into_iter().enumerate() {
        assert_eq!(other.await.unwrap().is_ok(), n != 2);
    }
    assert_eq!(proxy.lost(), 1);
    assert_eq!(count(&pool, "operations").await, 4);
    assert_eq!(world.balance("BTC").await, "0.69000000");
    world.audit().await;
    world.gateway.close().await;
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
