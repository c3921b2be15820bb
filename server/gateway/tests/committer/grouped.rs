//! Exchanges and withdrawals in groups: each is as whole, and as alone with its faults, as by itself.

use domain::ledger::{AccountKey, AccountKind};
use futures::future::join_all;
use gateway::exchange::{NewExchange, Pricing};
use gateway::idempotency::{Answer, Once};
use gateway::ledger::CommitterStats;
use gateway::operations::OperationView;
use gateway::{Error, Gateway};
use sqlx::PgPool;
use tokio::task::JoinHandle;

use super::support::World;
use super::support::operations::blamed;
use super::{Gate, until};

pub(super) type Exchanging = JoinHandle<Result<Answer, Error>>;

pub(super) fn account(world: &World, merchant: i64, kind: AccountKind, code: &str) -> AccountKey {
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

pub(super) fn body(view: &OperationView) -> (u16, Vec<u8>) {
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

pub(super) async fn count(pool: &PgPool, table: &'static str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
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
