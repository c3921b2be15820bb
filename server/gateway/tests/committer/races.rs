use domain::ledger::{JournalEntry, LedgerError, Movement};
use futures::future::join_all;
use gateway::ledger::{Committer, Limits, Postings};
use gateway::{Error, Settings};
use sqlx::PgPool;

use super::support::World;
use super::{Gate, entry, figures, fund, gathered, house, spend, submit, wallet};

#[sqlx::test(migrations = "../../migrations")]
async fn a_thousand_spends_of_four_hundred_pay_four_hundred(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings();
    committer.submit(fund(1, 400)).await.unwrap();
    let results = join_all((0..1_000).map(|_| committer.submit(spend(1, 1)))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 400);
    for result in results {
        assert!(
            matches!(
                result,
                Ok(_) | Err(Error::Ledger(LedgerError::InsufficientFunds { .. }))
            ),
            "{result:?}"
        );
    }
    let id = world.gateway.book().account_id(wallet(1)).await.unwrap();
    assert_eq!(figures(&pool, id).await, ("0".into(), "0".into(), 401));
    let stats = committer.stats();
    assert_eq!((stats.depth, stats.items, stats.refused), (0, 1_001, 600));
    world.audit().await;
}

/// What gathers while one transaction is under way is the next one.
#[sqlx::test(migrations = "../../migrations")]
async fn what_waits_is_one_transaction(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    let gate = Gate::on(&world, &pool, house()).await;
    let others = (0..500).map(|_| fund(2, 1)).collect();
    let (first, others) = gathered(&committer, &gate, fund(1, 1), others).await;
    gate.open().await;
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    let stats = committer.stats();
    assert_eq!(
        (stats.batches, stats.items, stats.last_batch),
        (2, 501, 500)
    );
    assert!(stats.commit_micros_sum > 0);
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_same_fact_twice_in_one_transaction_is_booked_once(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    let gate = Gate::on(&world, &pool, house()).await;
    let fact = || JournalEntry {
        dedupe: "one".into(),
        ..fund(2, 100)
    };
    let (first, others) = gathered(
        &committer,
        &gate,
        fund(1, 1),
        vec![fact(), fact(), fund(2, 1)],
    )
    .await;
    gate.open().await;
    first.await.unwrap().unwrap();
    let mut results = Vec::new();
    for other in others {
        results.push(other.await.unwrap());
    }
    // Which of the two came first is up to the runtime.
    let again = results
        .iter()
        .filter(|result| matches!(result, Err(Error::AlreadyBooked)))
        .count();
    let done = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!((done, again), (2, 1), "{results:?}");
    assert_eq!(committer.stats().batches, 2, "no second try was needed");
    let id = world.gateway.book().account_id(wallet(2)).await.unwrap();
    assert_eq!(figures(&pool, id).await, ("101".into(), "0".into(), 2));
    world.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_hold_ends_once_in_one_transaction(pool: PgPool) {
    let world = World::new(&pool).await;
    let committer = world.gateway.postings().clone();
    committer.submit(fund(1, 100)).await.unwrap();
    let held = entry(&[(Movement::Hold, wallet(1), house(), 60)]);
    let hold = held.legs[0].id;
    committer.submit(held).await.unwrap();
    let gate = Gate::on(&world, &pool, house()).await;
    let end = |movement| entry(&[(movement, wallet(1), house(), 60)]);
    let ends = vec![
        end(Movement::Settle { hold, held: 60 }),
        end(Movement::Void { hold, held: 60 }),
    ];
    let (first, ends) = gathered(&committer, &gate, fund(1, 1), ends).await;
    gate.open().await;
    first.await.unwrap().unwrap();
    let mut done = 0;
    for end in ends {
        match end.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(matches!(error, Error::AlreadyBooked), "{error:?}"),
        }
    }
    assert_eq!(done, 1);
    world.audit().await;
}

/// Two processes, two committers each, all on one hot account, with money going both ways.
#[sqlx::test(migrations = "../../migrations")]
async fn four_committers_in_two_books_do_not_deadlock(pool: PgPool) {
    let world = World::new(&pool).await;
    let settings = Settings::test("http://127.0.0.1:3000");
    let other = World::open(&pool, settings).await.unwrap();
    let limits = Limits {
        queue: 5_000,
        batch: 50,
        committers: 2,
    };
    let committers = [
        Committer::start(world.gateway.book().clone(), Postings, limits),
        Committer::start(other.book().clone(), Postings, limits),
    ];
    for merchant in 1..=4 {
        committers[0]
            .submit(fund(merchant, 1_000_000))
            .await
            .unwrap();
    }
    let cross = (0..1_200i64).map(|i| {
        let (a, b) = (i % 3 + 1, (i + 1) % 3 + 1);
        let (from, to) = if i % 2 == 0 { (a, b) } else { (b, a) };
        let entry = entry(&[
            (Movement::Post, wallet(from), wallet(4), 7),
            (Movement::Post, wallet(4), wallet(to), 5),
        ]);
        let committer = if i % 4 < 2 {
            &committers[0]
        } else {
            &committers[1]
        };
        submit(committer, entry)
    });
    let cross: Vec<_> = cross.collect();
    for result in join_all(cross).await {
        result.unwrap().unwrap();
    }
    for committer in &committers {
        let stats = committer.stats();
        assert!(stats.batches > 0 && stats.refused == 0, "{stats:?}");
    }
    // Counts the deadlocks, too: there are none.
    world.audit().await;
}
