//! Many at once.

use domain::ledger::{JournalEntry, LedgerError, Movement};
use gateway::Error;
use sqlx::PgPool;

use super::support::World;
use super::{book, entry, house, wallet};

#[sqlx::test(migrations = "../../migrations")]
async fn fifty_parallel_spends_of_the_whole_balance_pay_once(pool: PgPool) {
    let world = World::new(&pool).await;
    book(&world, entry(&[(Movement::Post, house(), wallet(1), 100)]))
        .await
        .unwrap();
    let spends = (0..50).map(|_| book(&world, entry(&[(Movement::Post, wallet(1), house(), 100)])));
    let results = futures::future::join_all(spends).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results {
        assert!(matches!(
            result,
            Ok(()) | Err(Error::Ledger(LedgerError::InsufficientFunds { .. }))
        ));
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn entries_that_cross_each_other_do_not_deadlock(pool: PgPool) {
    let world = World::new(&pool).await;
    for merchant in [1, 2, 3] {
        let fund = entry(&[(Movement::Post, house(), wallet(merchant), 1_000_000)]);
        book(&world, fund).await.unwrap();
    }
    let cross = (0..120i64).map(|i| {
        let (a, b, c) = (
            wallet(i % 3 + 1),
            wallet((i + 1) % 3 + 1),
            wallet((i + 2) % 3 + 1),
        );
        book(
            &world,
            entry(&[(Movement::Post, a, b, 7), (Movement::Post, b, c, 5)]),
        )
    });
    for result in futures::future::join_all(cross).await {
        result.unwrap();
    }
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_hold_resolves_at_most_once(pool: PgPool) {
    let world = World::new(&pool).await;
    book(&world, entry(&[(Movement::Post, house(), wallet(1), 100)]))
        .await
        .unwrap();
    let hold = entry(&[(Movement::Hold, wallet(1), house(), 60)]);
    let (id, held) = (hold.legs[0].id, 60);
    book(&world, hold).await.unwrap();
    book(&world, entry(&[(Movement::Hold, wallet(1), house(), 40)]))
        .await
        .unwrap();
    let ends = (0..20).map(|i| {
        let movement = if i % 2 == 0 {
            Movement::Settle { hold: id, held }
        } else {
            Movement::Void { hold: id, held }
        };
        book(&world, entry(&[(movement, wallet(1), house(), 60)]))
    });
    let results = futures::future::join_all(ends).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_same_fact_is_booked_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let fact = || JournalEntry {
        dedupe: "one".into(),
        ..entry(&[(Movement::Post, house(), wallet(1), 100)])
    };
    let results = futures::future::join_all((0..10).map(|_| book(&world, fact()))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Ok(()) | Err(Error::AlreadyBooked))),
        "{results:?}"
    );
    world.audit().await;
}
